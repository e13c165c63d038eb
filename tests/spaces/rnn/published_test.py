from enas_tf.spaces.rnn.architecture import LstmBaseline
from enas_tf.spaces.rnn.published import DARTS_RNN, ENAS_RNN_RELEASE, PUBLISHED


def test_the_cell_of_the_release():
    assert ENAS_RNN_RELEASE.to_release_string() == "0 2 1 0 2 1 2 2 4 0 5 0 3 2 6 2"
    assert ENAS_RNN_RELEASE.loose_ends == (7, 8)


def test_the_darts_cell_in_the_words_of_its_authors():
    """As DARTS lists it: function and earlier node, from the cell's input (0) on."""
    genotype = [
        ("sigmoid", 0),
        ("relu", 1),
        ("relu", 1),
        ("identity", 1),
        ("tanh", 2),
        ("sigmoid", 5),
        ("tanh", 3),
        ("relu", 5),
    ]
    assert [(node.function.label, node.previous) for node in DARTS_RNN.nodes] == genotype


def test_the_baseline_is_found_by_name():
    assert PUBLISHED["lstm"] == LstmBaseline()
