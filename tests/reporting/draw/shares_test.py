from enas_tf.reporting.draw.picture import Text
from enas_tf.reporting.draw.shares import picture_of_shares


def test_every_share_stands_in_its_cell():
    picture = picture_of_shares({"relu": [0.0, 1.0], "tanh": [0.25, 0.0]}, "shares")
    texts = [shape.text for shape in picture.shapes if isinstance(shape, Text)]
    assert texts == ["shares", "relu", "0", "100", "tanh", "25", "0", "0", "1"]
