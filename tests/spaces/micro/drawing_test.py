import itertools

import numpy as np
import pytest

from enas_tf.reporting.drawing import draw_architecture
from enas_tf.spaces.micro.architecture import MicroArchitecture
from enas_tf.spaces.micro.drawing import picture_of_micro
from enas_tf.spaces.micro.published import ENAS_MICRO_RELEASE
from enas_tf.spaces.micro.space import MicroSpace
from tests.drawing.svg import boxes_of, colour_changes_of, sheet_of, texts_of, titles_of

# The normal cell's second node reads the first one; nobody reads the reduction cell's input 0.
SMALL = MicroArchitecture.from_release_string("0 0 1 2 2 4 0 3 | 1 1 1 0 1 4 2 1")
ARCHITECTURES = [
    ENAS_MICRO_RELEASE,
    *(MicroSpace(num_nodes=n).random_architecture(n + 10 * k) for n in range(1, 9) for k in (0, 1)),
]
MANY = pytest.mark.parametrize("architecture", ARCHITECTURES, ids=lambda a: f"{a.num_nodes}_nodes")


def operations(svg):
    return [title for title in titles_of(svg) if ": node " in title]


def test_every_operation_is_a_box_with_its_node_and_its_source():
    assert sorted(operations(draw_architecture(SMALL))) == [
        "normal cell: node 0: average_pooling_3x3 of previous cell",
        "normal cell: node 0: separable_convolution_3x3 of cell before previous",
        "normal cell: node 1: identity of node 0",
        "normal cell: node 1: max_pooling_3x3 of cell before previous",
        "reduction cell: node 0: separable_convolution_3x3 of previous cell",
        "reduction cell: node 0: separable_convolution_5x5 of previous cell",
        "reduction cell: node 1: identity of previous cell",
        "reduction cell: node 1: separable_convolution_5x5 of node 0",
    ]


def test_every_operation_has_a_line_from_its_source():
    lines = [title for title in titles_of(draw_architecture(SMALL)) if " to node " in title]
    assert sorted(lines) == [
        "cell before previous to node 0",
        "cell before previous to node 1",
        "node 0 to node 1",
        "node 0 to node 1",
        "previous cell to node 0",
        "previous cell to node 0",
        "previous cell to node 0",
        "previous cell to node 1",
    ]


def test_loose_ends_lead_to_the_output():
    titles = titles_of(draw_architecture(SMALL))
    assert "normal cell: output, of node 1" in titles
    assert "reduction cell: output, of cell before previous, node 1" in titles
    assert titles.count("node 1 to the output") == 2
    assert titles.count("cell before previous to the output") == 1


def test_only_several_loose_ends_are_concatenated():
    texts = texts_of(draw_architecture(SMALL))
    assert (texts.count("output"), texts.count("concatenation")) == (1, 1)


def test_both_cells_have_a_heading_and_two_inputs():
    texts = texts_of(draw_architecture(SMALL))
    for text, times in {"Normal cell": 1, "Reduction cell": 1, "previous cell": 2}.items():
        assert texts.count(text) == times


def test_the_legend_names_only_operations_in_use():
    texts = texts_of(draw_architecture(MicroArchitecture.from_release_string("0 2 0 2 0 2 1 4")))
    assert {"average pooling 3x3", "identity"} <= set(texts)
    assert "max pooling 3x3" not in texts


@MANY
def test_nothing_is_left_out(architecture):
    cells = architecture.cells.items()
    expected = [
        f"{name} cell: node {number}: {operand.operation.label}"
        for name, cell in cells
        for number, node in enumerate(cell.nodes)
        for operand in node.operands
    ]
    found = [title.partition(" of ")[0] for title in operations(draw_architecture(architecture))]
    assert sorted(found) == sorted(expected)


@MANY
def test_a_line_has_one_colour(architecture):
    assert colour_changes_of(picture_of_micro(architecture)) == []


@MANY
def test_everything_lies_on_the_sheet(architecture):
    svg = draw_architecture(architecture)
    width, height = sheet_of(svg)
    for left, top, right, bottom, _ in boxes_of(svg):
        assert 0 <= left < right <= width
        assert 0 <= top < bottom <= height


@MANY
def test_no_box_covers_another(architecture):
    boxes = [box for box in boxes_of(draw_architecture(architecture)) if box[4]]
    for one, other in itertools.combinations(boxes, 2):
        apart = one[2] < other[0] or other[2] < one[0] or one[3] < other[1] or other[3] < one[1]
        assert apart, (one[4], other[4])


def test_an_architecture_has_one_drawing():
    assert draw_architecture(ENAS_MICRO_RELEASE) == draw_architecture(ENAS_MICRO_RELEASE)


def test_lines_of_a_mixture_are_as_wide_as_their_weights():
    strengths = np.full([2, 2, 2], 0.25)
    strengths[1, 0, 1] = 0.75
    svg = draw_architecture(SMALL, strengths=strengths)
    assert texts_of(svg).count("25 %") == 7
    assert texts_of(svg).count("75 %") == 1
    assert svg.count('stroke-width="4.25"') == 1
