"""Drawings of recurrent cells: from the word and the state before it down to the new state."""

import dataclasses
from collections.abc import Sequence
from typing import Any

from enas_tf.drawing.layered import Layering
from enas_tf.drawing.picture import Picture, Rectangle, Text
from enas_tf.drawing.rows import RowDrawing
from enas_tf.drawing.style import (
    FAINT,
    GREY,
    INK,
    MARGIN,
    TRUNK,
    falling_line,
    head,
    operation_colours,
)
from enas_tf.settings.setting import check_value
from enas_tf.spaces.rnn.architecture import LstmBaseline, RnnArchitecture, RnnNode
from enas_tf.spaces.rnn.config import CELL_OUTPUTS

_BOX_WIDTH = 108.0
_BOX_HEIGHT = 40.0
_LINE_HEIGHT = 15.0
_GAP = 30.0
_PASSING_WIDTH = 12.0
_ROW_GAP = 44.0
_ARROW = 7.0
_LEAST_WIDTH = 520.0
# Lines end this far beside each other where a box has several.
_PORT_DISTANCE = 36.0


@dataclasses.dataclass(frozen=True)
class _Box:
    """One box of the drawing.

    Attributes:
      lines: of its text; the first is larger.
      layer: its row, from 0.
      sources: indices of the boxes that it reads.
      colours: fill and outline.
      name: what titles call it.
      title: what a browser shows when the mouse rests on it.
      strength: weight of what it reads in a mixture, from 0 to 1; None: there is none.
    """

    lines: tuple[str, ...]
    layer: int
    sources: tuple[int, ...] = ()
    colours: tuple[str, str] = GREY
    name: str = ""
    title: str = ""
    strength: float | None = None


# Always the first two boxes.
_INPUTS = (
    _Box(("x", "embedded word"), 0, name="x", title="x: the embedded word"),
    _Box(("s", "state before"), 0, name="s", title="s: the state before the word"),
)


def picture_of_rnn(
    architecture: RnnArchitecture | LstmBaseline,
    cell_output: str = "mean",
    strengths: Any | None = None,
) -> Picture:
    """Lays out a recurrent cell, or a sign for the LSTM.

    Args:
      architecture: what to draw.
      cell_output: `mean` or `loose_ends`, which nodes the new state is the mean of.
      strengths: the weight of each node's choice in a mixture, from 0 to 1, `[num_nodes]`; None:
        there is no mixture.

    Raises:
      ConfigurationError: `cell_output` is something else.
    """
    check_value("cell_output", cell_output, {"choices": CELL_OUTPUTS})
    if isinstance(architecture, LstmBaseline):
        heading, notes = "LSTM", ["The baseline with which recurrent cells are compared."]
        boxes = [*_INPUTS, _Box(("LSTM",), 1, (0, 1), name="LSTM", title="LSTM of x and s")]
        title = "Recurrent cell: LSTM"
    else:
        num_nodes = architecture.num_nodes
        heading = f"Recurrent cell of {num_nodes} node{'s' if num_nodes > 1 else ''}"
        notes = [
            "Each node is a gated step from what it reads towards its function's values;",
            "node 0 steps from the state before, as the word and that state decide.",
        ]
        weights = [None] * num_nodes if strengths is None else strengths
        boxes = _boxes_of_cell(architecture, cell_output, weights)
        title = f"Recurrent cell: {architecture.to_release_string()}"
    return _Drawing(boxes).picture(heading, notes, title)


def _boxes_of_cell(
    architecture: RnnArchitecture, cell_output: str, strengths: Sequence[float | None]
) -> list[_Box]:
    """Returns the inputs, nodes 0 to N, and the mean that becomes the new state."""
    first = len(_INPUTS)
    boxes = [*_INPUTS, _Box(("tanh", "node 0"), 1, (0, 1), name="node 0", title="node 0: x and s")]
    for number, (node, strength) in enumerate(zip(architecture.nodes, strengths, strict=True), 1):
        layer = boxes[first + node.previous].layer + 1
        box = _box_of_node(number, node, first, layer)
        boxes.append(dataclasses.replace(box, strength=strength))
    num_nodes = architecture.num_nodes
    nodes: Sequence[int] = range(1, num_nodes + 1)
    text = f"mean of nodes 1 to {num_nodes}"
    if cell_output == "loose_ends":
        nodes = architecture.loose_ends
        text = f"mean of {len(nodes)} loose ends"
    if len(nodes) == 1:
        text = f"node {nodes[0]} alone"
    names = ", ".join(f"node {number}" for number in nodes)
    mean = _Box(
        (text,),
        1 + max(box.layer for box in boxes),
        tuple(first + number for number in nodes),
        name="the new state",
        title=f"new state: mean of {names}",
    )
    return [*boxes, mean]


def _box_of_node(number: int, node: RnnNode, first: int, layer: int) -> _Box:
    label = node.function.label
    return _Box(
        (label, f"node {number}"),
        layer,
        (first + node.previous,),
        operation_colours(node.function),
        name=f"node {number}",
        title=f"node {number}: {label} of node {node.previous}",
    )


class _Drawing(RowDrawing):
    """The layout of boxes, the last of which spans all that it reads and gives the new state."""

    def __init__(self, boxes: Sequence[_Box]) -> None:
        self._boxes = boxes
        self._last = len(boxes) - 1
        edges = [(source, index) for index, box in enumerate(boxes) for source in box.sources]
        widths = [*([_BOX_WIDTH] * self._last), 0.0]
        layers = [box.layer for box in boxes]
        colours = [_line_colour(box) for box in boxes for _ in box.sources]
        graph = Layering(layers, edges, widths, _GAP, _PASSING_WIDTH)
        super().__init__(graph, colours, MARGIN, _LEAST_WIDTH)

    def picture(self, heading: str, notes: Sequence[str], title: str) -> Picture:
        """Returns the finished picture.

        Args:
          heading: first line.
          notes: lines below it.
          title: of the picture.
        """
        self.shapes, y = head(heading, notes)
        for row in range(self._boxes[self._last].layer + 2):
            top = y + 10.0 + row * (_BOX_HEIGHT + _ROW_GAP)
            self.rows.append((top, top + _BOX_HEIGHT))
        self.passing_lines()
        self._lines_to_boxes()
        for index, box in enumerate(self._boxes[: self._last]):
            self._box(self.x[index, box.layer] - _BOX_WIDTH / 2, _BOX_WIDTH, box)
        bottom = self._new_state()
        height = bottom + MARGIN
        return Picture(round(self.width), round(height), self.shapes, title)

    def _lines_to_boxes(self) -> None:
        for index, box in enumerate(self._boxes):
            above = {source: self.x[source, box.layer - 1] for source in box.sources}
            sources = sorted(above, key=above.__getitem__)
            for rank, source in enumerate(sources):
                # To the last box all lines fall straight down.
                x = above[source]
                if index != self._last:
                    offset = rank - (len(sources) - 1) / 2
                    x = self.x[index, box.layer] + _PORT_DISTANCE * offset
                title = f"{self._boxes[source].name} to {box.name}"
                end = (x, self.rows[box.layer][0])
                start, colour = (source, box.layer - 1), _line_colour(box)
                self.line(start, end, colour, _ARROW, title, box.strength)

    def _new_state(self) -> float:
        """Draws the last box and the new state below it; returns where that ends."""
        last = self._boxes[self._last]
        xs = [self.x[source, last.layer - 1] for source in last.sources]
        middle = (min(xs) + max(xs)) / 2
        width = max(max(xs) - min(xs) + 48.0, 1.4 * _BOX_WIDTH)
        self._box(middle - width / 2, width, last)
        top = self.rows[last.layer + 1][0]
        self.shapes.append(
            falling_line((middle, top - _ROW_GAP), (middle, top), TRUNK, arrow=_ARROW)
        )
        state = _Box(("new state",), last.layer + 1, title="new state, from which words follow")
        self._box(middle - _BOX_WIDTH / 2, _BOX_WIDTH, state)
        return top + _BOX_HEIGHT

    def _box(self, left: float, width: float, box: _Box) -> None:
        top = self.rows[box.layer][0]
        fill, stroke = box.colours
        shape = Rectangle(left, top, width, _BOX_HEIGHT, fill, stroke, title=box.title)
        self.shapes.append(shape)
        for line, text in enumerate(box.lines):
            y = top + _BOX_HEIGHT / 2 + _LINE_HEIGHT * (line - (len(box.lines) - 1) / 2)
            size, colour = (11.0, FAINT) if line else (13.0, INK)
            x = left + width / 2
            self.shapes.append(Text(x, y, text, size=size, fill=colour, anchor="middle"))


def _line_colour(box: _Box) -> str:
    """Returns the colour of the lines into a box, where nothing else decides it."""
    return TRUNK if box.colours == GREY else box.colours[1]
