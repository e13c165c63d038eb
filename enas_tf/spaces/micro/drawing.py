"""Drawings of micro architectures: the normal and the reduction cell side by side."""

import textwrap
from collections.abc import Sequence
from typing import Any

from enas_tf.drawing.layered import Layering
from enas_tf.drawing.picture import Path, Picture, Rectangle, Text
from enas_tf.drawing.rows import RowDrawing
from enas_tf.drawing.style import (
    BOX_HEIGHT,
    FAINT,
    INK,
    MARGIN,
    TRUNK,
    grey_box,
    head,
    operation_colours,
    operation_name,
    plus_sign,
)
from enas_tf.spaces.micro.architecture import (
    NUM_CELL_INPUTS,
    MicroArchitecture,
    MicroCell,
    MicroOperand,
    MicroOperation,
)
from enas_tf.spaces.operations import OwnOperation

# In the order of their indices.
_INPUT_NAMES = ("cell before previous", "previous cell")
# Two lines each; the window is the second one.
_SHORT_NAMES = {
    MicroOperation.SEPARABLE_CONVOLUTION_3X3: ("separable", "3x3"),
    MicroOperation.SEPARABLE_CONVOLUTION_5X5: ("separable", "5x5"),
    MicroOperation.AVERAGE_POOLING_3X3: ("avg pool", "3x3"),
    MicroOperation.MAX_POOLING_3X3: ("max pool", "3x3"),
    MicroOperation.IDENTITY: ("identity",),
    MicroOperation.DILATED_CONVOLUTION_3X3: ("dilated", "3x3"),
    MicroOperation.DILATED_CONVOLUTION_5X5: ("dilated", "5x5"),
}
_NOTES = {
    "normal": "keeps height and width",
    "reduction": "halves height and width, doubles the channels",
}

_INPUT_WIDTH = 148.0
_OPERATION_WIDTH = 66.0
# That fit into its width.
_LETTERS = 11
_OPERATION_HEIGHT = 36.0
_OPERATION_GAP = 8.0
_NODE_WIDTH = 2 * _OPERATION_WIDTH + _OPERATION_GAP
_SUM_RADIUS = 8.0
# From the bottom of the operations to the middle of their sum.
_SUM_DROP = 22.0
_NODE_HEIGHT = _OPERATION_HEIGHT + _SUM_DROP + _SUM_RADIUS
_GAP = 26.0
_PASSING_WIDTH = 10.0
_ROW_GAP = 54.0
_PADDING = 20.0
_HEADING_HEIGHT = 52.0
_PANEL = ("#fbfcfd", "#d5dce4")


def picture_of_micro(architecture: MicroArchitecture, strengths: Any | None = None) -> Picture:
    """Lays out a micro architecture.

    Args:
      architecture: what to draw.
      strengths: the weight of each operand in a mixture, from 0 to 1, `[2, num_nodes, 2]`; None:
        there is no mixture.
    """
    cells = architecture.cells.items()
    of_cells = [None] * len(cells) if strengths is None else strengths
    panels = [_Panel(name, cell, own) for (name, cell), own in zip(cells, of_cells, strict=True)]
    width = max(2 * MARGIN + sum(panel.width for panel in panels) + MARGIN, 560.0)
    num_nodes = architecture.num_nodes
    heading = f"Two cells of {num_nodes} node{'s' if num_nodes > 1 else ''}"
    used = {
        operand.operation
        for cell in architecture.cells.values()
        for node in cell.nodes
        for operand in node.operands
    }
    notes = [
        "A node adds two operations. What no node reads is concatenated: the output of the cell.",
        "In the form of DARTS all nodes are.",
    ]
    shapes, y = head(heading, notes, sorted(used), width)
    top, left = y + 2.0, MARGIN
    height = max(panel.height for panel in panels)
    for panel in panels:
        panel.draw(left, top, height)
        shapes += panel.shapes
        left += panel.width + MARGIN
    return Picture(
        width=round(width),
        height=round(top + height + MARGIN),
        shapes=shapes,
        title=f"Micro architecture: a normal and a reduction cell of {num_nodes} nodes",
    )


class _Panel(RowDrawing):
    """The drawing of one cell.

    Vertices of its graph are the cell's tensors by index, and the output after them.
    """

    def __init__(
        self, name: str, cell: MicroCell, strengths: Sequence[Sequence[float]] | None
    ) -> None:
        self._name = name
        self._cell = cell
        self._strengths = strengths
        self._output = cell.num_nodes + NUM_CELL_INPUTS
        edges = [(operand.input, index) for index, operand in self._operands()]
        edges += [(index, self._output) for index in cell.loose_ends]
        widths = [*([_INPUT_WIDTH] * NUM_CELL_INPUTS), *([_NODE_WIDTH] * cell.num_nodes), 0.0]
        colours = [operation_colours(operand.operation)[1] for _, operand in self._operands()]
        colours += [TRUNK] * len(cell.loose_ends)
        graph = Layering(_layers(cell), edges, widths, _GAP, _PASSING_WIDTH)
        super().__init__(graph, colours, _PADDING, least_width=300.0)
        num_rows = self.graph.layers[self._output] - 1
        inner = 2 * BOX_HEIGHT + num_rows * _NODE_HEIGHT + (num_rows + 1) * _ROW_GAP
        self.height = _HEADING_HEIGHT + inner + _PADDING

    def draw(self, left: float, top: float, height: float) -> None:
        """Draws the panel at a place of the sheet.

        Args:
          left: of the panel.
          top: of the panel.
          height: of its frame.
        """
        self.move(left)
        below = top + _HEADING_HEIGHT + BOX_HEIGHT
        self.rows = [(top + _HEADING_HEIGHT, below)]
        for number in range(self.graph.layers[self._output]):
            y = below + _ROW_GAP + number * (_NODE_HEIGHT + _ROW_GAP)
            self.rows.append((y, y + _NODE_HEIGHT))
        fill, stroke = _PANEL
        self.shapes = [Rectangle(left, top, self.width, height, fill, stroke, radius=10.0)]
        heading = f"{self._name.capitalize()} cell"
        self.shapes.append(Text(left + _PADDING, top + 18.0, heading, size=15.0, bold=True))
        note = _NOTES[self._name]
        self.shapes.append(Text(left + _PADDING, top + 36.0, note, size=11.5, fill=FAINT))
        self.passing_lines()
        self._operand_lines()
        self._inputs()
        self._nodes()
        self._concatenation()

    def _operands(self) -> list[tuple[int, MicroOperand]]:
        """Returns every operand with the index of its node's output."""
        return [
            (number + NUM_CELL_INPUTS, operand)
            for number, node in enumerate(self._cell.nodes)
            for operand in node.operands
        ]

    def _ports(self, index: int) -> list[tuple[float, MicroOperand, float | None]]:
        """Returns the middle of the boxes of a node's operands, those of sources left of the other.

        Args:
          index: of the node's output.

        Returns:
          For each operand also its weight, if it has one.
        """
        layer, node = self.graph.layers[index], index - NUM_CELL_INPUTS
        operands = self._cell.nodes[node].operands
        strengths = [None] * len(operands) if self._strengths is None else self._strengths[node]
        middle, offset = self.x[index, layer], (_OPERATION_WIDTH + _OPERATION_GAP) / 2
        ordered = sorted(
            zip(operands, strengths), key=lambda pair: self.x[pair[0].input, layer - 1]
        )
        return [(x, *pair) for x, pair in zip((middle - offset, middle + offset), ordered)]

    def _operand_lines(self) -> None:
        """Draws the last piece of the way to each operation."""
        for number in range(self._cell.num_nodes):
            index = number + NUM_CELL_INPUTS
            layer = self.graph.layers[index]
            for x, operand, strength in self._ports(index):
                colour = operation_colours(operand.operation)[1]
                title = f"{self._tensor_name(operand.input)} to node {number}"
                start, end = (operand.input, layer - 1), (x, self.rows[layer][0])
                self.line(start, end, colour, arrow=7.0, title=title, strength=strength)

    def _inputs(self) -> None:
        for index, name in enumerate(_INPUT_NAMES):
            left = self.x[index, 0] - _INPUT_WIDTH / 2
            title = f"{self._name} cell: input {index}, {name}"
            self.shapes += grey_box(left, self.rows[0][0], _INPUT_WIDTH, name, title)

    def _nodes(self) -> None:
        for number in range(self._cell.num_nodes):
            index = number + NUM_CELL_INPUTS
            layer = self.graph.layers[index]
            top = self.rows[layer][0]
            bottom, x_sum = top + _OPERATION_HEIGHT, self.x[index, layer]
            y_sum = bottom + _SUM_DROP
            for x, operand, _ in self._ports(index):
                self.shapes.append(Path(((x, bottom), (x_sum, y_sum)), FAINT))
                self._operation(x, top, number, operand)
            self.shapes += plus_sign(x_sum, y_sum, _SUM_RADIUS, FAINT)
            label = f"node {number}"
            self.shapes.append(Text(x_sum + 16.0, y_sum + 3.0, label, size=11.0, fill=INK))

    def _operation(self, x: float, top: float, number: int, operand: MicroOperand) -> None:
        fill, stroke = operation_colours(operand.operation)
        source = self._tensor_name(operand.input)
        title = f"{self._name} cell: node {number}: {operand.operation.label} of {source}"
        left, middle = x - _OPERATION_WIDTH / 2, top + _OPERATION_HEIGHT / 2
        size = (_OPERATION_WIDTH, _OPERATION_HEIGHT)
        self.shapes.append(Rectangle(left, top, *size, fill, stroke, title=title))
        lines = _short_name(operand.operation)
        for line, text in enumerate(lines):
            y = middle + 14.0 * (line - (len(lines) - 1) / 2)
            self.shapes.append(Text(x, y, text, size=11.0, anchor="middle"))

    def _concatenation(self) -> None:
        """Draws the output and the lines to it, which fall straight down."""
        layer = self.graph.layers[self._output]
        top = self.rows[layer][0]
        xs = {index: self.x[index, layer - 1] for index in self._cell.loose_ends}
        for index, x in xs.items():
            title = f"{self._tensor_name(index)} to the output"
            self.line((index, layer - 1), (x, top), TRUNK, arrow=7.0, title=title)
        left, right = min(xs.values()) - 24.0, max(xs.values()) + 24.0
        missing = max(0.0, _INPUT_WIDTH - (right - left)) / 2
        ends = ", ".join(map(self._tensor_name, xs))
        title = f"{self._name} cell: output, of {ends}"
        text = "concatenation" if len(xs) > 1 else "output"
        box = (left - missing, top, right - left + 2 * missing)
        self.shapes += grey_box(*box, text, title)

    def _tensor_name(self, index: int) -> str:
        if index < NUM_CELL_INPUTS:
            return _INPUT_NAMES[index]
        return f"node {index - NUM_CELL_INPUTS}"


def _short_name(operation: MicroOperation | OwnOperation) -> Sequence[str]:
    """Returns the lines of a box: of the user's own operation as much of its name as fits."""
    if isinstance(operation, MicroOperation):
        return _SHORT_NAMES[operation]
    lines = textwrap.wrap(operation_name(operation), _LETTERS, max_lines=2, placeholder="…")
    return lines or [operation.label]


def _layers(cell: MicroCell) -> list[int]:
    """Returns the row of each tensor of a cell and of its output: below all that it reads."""
    layers = [0] * NUM_CELL_INPUTS
    for node in cell.nodes:
        layers.append(1 + max(layers[operand.input] for operand in node.operands))
    return [*layers, 1 + max(layers)]
