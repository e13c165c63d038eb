import itertools

import pytest

from enas_tf.errors import ConfigurationError
from enas_tf.reporting.drawing import draw_architecture
from enas_tf.spaces.rnn.architecture import LstmBaseline, RnnArchitecture
from enas_tf.spaces.rnn.config import CELL_OUTPUTS
from enas_tf.spaces.rnn.drawing import picture_of_rnn
from enas_tf.spaces.rnn.published import DARTS_RNN, ENAS_RNN_RELEASE
from enas_tf.spaces.rnn.space import RnnSpace
from tests.drawing.svg import boxes_of, colour_changes_of, sheet_of, texts_of, titles_of

# Nodes 2 and 3 are the loose ends.
SMALL = RnnArchitecture.from_release_string("0 2 1 0 1 3")
CHAIN = RnnArchitecture.from_release_string("0 0 1 1")
CELLS = [
    ENAS_RNN_RELEASE,
    DARTS_RNN,
    *(RnnSpace(num_nodes=n).random_architecture(n) for n in range(1, 13)),
]
MANY = pytest.mark.parametrize(
    ("architecture", "cell_output"),
    [*itertools.product(CELLS, CELL_OUTPUTS), (LstmBaseline(), "mean")],
)


def lines(svg, target):
    """Returns the titles of the lines to something."""
    return sorted(title for title in titles_of(svg) if title.endswith(f" to {target}"))


def test_every_node_is_a_box_with_its_function_and_what_it_reads():
    titles = titles_of(draw_architecture(SMALL))
    assert [title for title in titles if title.startswith("node") and ":" in title] == [
        "node 0: x and s",
        "node 1: sigmoid of node 0",
        "node 2: tanh of node 1",
        "node 3: identity of node 1",
    ]


def test_every_node_has_a_line_from_what_it_reads():
    svg = draw_architecture(SMALL)
    assert lines(svg, "node 0") == ["s to node 0", "x to node 0"]
    assert lines(svg, "node 1") == ["node 0 to node 1"]
    assert lines(svg, "node 2") == ["node 1 to node 2"]
    assert lines(svg, "node 3") == ["node 1 to node 3"]


def test_the_new_state_is_the_mean_of_all_computed_nodes():
    svg = draw_architecture(SMALL)
    expected = ["node 1 to the new state", "node 2 to the new state", "node 3 to the new state"]
    assert lines(svg, "the new state") == expected
    assert "mean of nodes 1 to 3" in texts_of(svg)


def test_the_new_state_can_be_the_mean_of_the_loose_ends():
    svg = draw_architecture(SMALL, cell_output="loose_ends")
    assert lines(svg, "the new state") == ["node 2 to the new state", "node 3 to the new state"]
    assert "mean of 2 loose ends" in texts_of(svg)


def test_a_single_loose_end_is_the_new_state():
    assert "node 2 alone" in texts_of(draw_architecture(CHAIN, cell_output="loose_ends"))


def test_texts_name_functions_and_inputs():
    texts = texts_of(draw_architecture(SMALL))
    assert {"sigmoid", "tanh", "identity", "embedded word", "state before"} <= set(texts)
    assert "relu" not in texts


def test_the_baseline_is_one_box_from_word_and_state_to_the_new_state():
    svg = draw_architecture(LstmBaseline())
    assert lines(svg, "LSTM") == ["s to LSTM", "x to LSTM"]
    assert {"LSTM", "embedded word", "state before", "new state"} <= set(texts_of(svg))


@MANY
def test_a_line_has_one_colour(architecture, cell_output):
    assert colour_changes_of(picture_of_rnn(architecture, cell_output)) == []


@MANY
def test_everything_lies_on_the_sheet(architecture, cell_output):
    svg = draw_architecture(architecture, cell_output=cell_output)
    width, height = sheet_of(svg)
    for left, top, right, bottom, _ in boxes_of(svg):
        assert 0 <= left < right <= width
        assert 0 <= top < bottom <= height


@MANY
def test_no_box_covers_another(architecture, cell_output):
    svg = draw_architecture(architecture, cell_output=cell_output)
    boxes = [box for box in boxes_of(svg) if box[4]]
    for one, other in itertools.combinations(boxes, 2):
        apart = one[2] < other[0] or other[2] < one[0] or one[3] < other[1] or other[3] < one[1]
        assert apart, (one[4], other[4])


def test_another_cell_output_is_refused():
    with pytest.raises(ConfigurationError, match="`cell_output` must be one of 'mean'"):
        draw_architecture(SMALL, cell_output="sum")


def test_lines_of_a_mixture_are_as_wide_as_their_weights():
    svg = draw_architecture(CHAIN, strengths=[0.25, 0.75])
    assert [text for text in texts_of(svg) if text.endswith("%")] == ["25 %", "75 %"]
    assert svg.count('stroke-width="4.25"') == 1
