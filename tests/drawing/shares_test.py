from enas_tf.drawing.picture import Text
from enas_tf.drawing.shares import picture_of_shares, shares_of


def test_shares_are_of_what_a_place_has():
    # By channels, operations overlap: both places have more than two architectures.
    assert shares_of({"relu": [3, 0], "tanh": [1, 4]}) == {"relu": [0.75, 0.0], "tanh": [0.25, 1.0]}


def test_a_place_without_operations_has_no_shares():
    assert shares_of({"relu": [0], "tanh": [0]}) == {"relu": [0.0], "tanh": [0.0]}


def test_every_share_stands_in_its_cell():
    picture = picture_of_shares({"relu": [0.0, 1.0], "tanh": [0.25, 0.0]}, "shares")
    texts = [shape.text for shape in picture.shapes if isinstance(shape, Text)]
    assert texts == ["shares", "relu", "0", "100", "tanh", "25", "0", "0", "1"]
