"""What the drawings of all spaces share: colours, the legend, plain boxes, lines."""

import math
from collections.abc import Sequence
from typing import Protocol

from enas_tf.drawing.picture import Path, Point, Rectangle, Shape, Text


class Operation(Protocol):
    """What is drawn of an operation."""

    @property
    def label(self) -> str:
        """Its name, for example `max_pooling_3x3`."""


INK = "#1f2933"
FAINT = "#6b7785"
MARGIN = 24.0
BOX_HEIGHT = 28.0
LINE_WIDTH = 1.5
# Fill and outline of what is no operation.
GREY = ("#eceff3", "#6b7785")

# Lines that several targets share.
TRUNK = "#8a96a3"

# Fill of the box, and a darker colour for outlines and lines. Families (plain convolution,
# separable and dilated convolution, pooling) have a hue each, larger windows the deeper shade.
_COLOURS = {
    "convolution_3x3": ("#cfe3f7", "#3b7cc4"),
    "separable_convolution_3x3": ("#d6efd0", "#4b9b45"),
    "convolution_5x5": ("#93bdea", "#1f4f93"),
    "separable_convolution_5x5": ("#97d18c", "#22662a"),
    "dilated_convolution_3x3": ("#cdeeea", "#2f8f86"),
    "dilated_convolution_5x5": ("#8ed1c8", "#17625b"),
    "average_pooling_3x3": ("#fbe3bd", "#c98a1b"),
    "max_pooling_3x3": ("#f7c0a6", "#c1522a"),
    "identity": ("#e5dcf3", "#7a5aa8"),
    "tanh": ("#cfe3f7", "#3b7cc4"),
    "relu": ("#f7c0a6", "#c1522a"),
    "sigmoid": ("#d6efd0", "#4b9b45"),
}
# Of operations that are not among these.
_OTHER_COLOURS = ("#dfe6d0", "#7c8a52")
_LEGEND_COLUMN = 200.0
_LEGEND_LINE = 22.0


def operation_colours(operation: Operation) -> tuple[str, str]:
    """Returns the fill and the outline of an operation's box."""
    return _COLOURS.get(operation.label, _OTHER_COLOURS)


def operation_name(operation: Operation) -> str:
    """Returns an operation's name in words, for example `max pooling 3x3`."""
    return operation.label.replace("_", " ")


def head(
    heading: str, notes: Sequence[str], operations: Sequence[Operation] = (), width: float = 0.0
) -> tuple[list[Shape], float]:
    """Returns what stands above a drawing, and where it ends.

    Args:
      heading: first line.
      notes: last lines.
      operations: those whose colours are explained in between.
      width: of the sheet.
    """
    y = MARGIN + 8.0
    shapes: list[Shape] = [Text(MARGIN, y, heading, size=17.0, bold=True)]
    y += 26.0
    if operations:
        colours, y = _legend(operations, y, width)
        shapes += colours
    for note in notes:
        shapes.append(Text(MARGIN, y, note, size=11.5, fill=FAINT))
        y += 18.0
    return shapes, y


def _legend(operations: Sequence[Operation], y: float, width: float) -> tuple[list[Shape], float]:
    shapes: list[Shape] = []
    most = max(1, int((width - 2 * MARGIN) // _LEGEND_COLUMN))
    num_lines = math.ceil(len(operations) / most)
    columns = math.ceil(len(operations) / num_lines)
    for number, operation in enumerate(operations):
        x = MARGIN + _LEGEND_COLUMN * (number % columns)
        line = y + _LEGEND_LINE * (number // columns)
        fill, stroke = operation_colours(operation)
        shapes.append(Rectangle(x, line - 7.0, 18.0, 14.0, fill, stroke, radius=3.0))
        shapes.append(Text(x + 25.0, line, operation_name(operation), size=12.0))
    return shapes, y + _LEGEND_LINE * num_lines + 4.0


def plus_sign(x: float, y: float, radius: float, colour: str) -> list[Shape]:
    """Returns a circle with a plus sign: a sum.

    Args:
      x: of its centre.
      y: of its centre.
      radius: of the circle.
      colour: of the circle's line and of the sign.
    """
    side = 2 * radius
    shapes: list[Shape] = [
        Rectangle(x - radius, y - radius, side, side, "#ffffff", colour, radius=radius)
    ]
    for dx, dy in ((radius / 2, 0.0), (0.0, radius / 2)):
        shapes.append(Path(((x - dx, y - dy), (x + dx, y + dy)), colour, width=1.4))
    return shapes


def falling_line(
    start: Point,
    end: Point,
    colour: str,
    *,
    arrow: float = 0.0,
    title: str = "",
    width: float = LINE_WIDTH,
) -> Path:
    """Returns a line that leaves its start and reaches its end vertically.

    Args:
      start: of the line.
      end: of the line, below.
      colour: of the line.
      arrow: as in `Path`.
      title: as in `Path`.
      width: as in `Path`.
    """
    middle = (start[1] + end[1]) / 2
    is_curve = abs(start[0] - end[0]) > 0.5
    points = (start, (start[0], middle), (end[0], middle), end) if is_curve else (start, end)
    return Path(points, colour, width, curve=is_curve, arrow=arrow, title=title)


def grey_box(left: float, top: float, width: float, text: str, title: str = "") -> list[Shape]:
    """Returns a box with a text that is no operation.

    Args:
      left: of the box.
      top: of the box.
      width: of the box.
      text: in its middle.
      title: as in `Rectangle`.
    """
    fill, stroke = GREY
    return [
        Rectangle(left, top, width, BOX_HEIGHT, fill, stroke, title=title),
        Text(left + width / 2, top + BOX_HEIGHT / 2, text, anchor="middle"),
    ]
