"""The picture of how measures grow with sizes: a panel for each size, in powers of two."""

import math
from collections.abc import Mapping, Sequence

from enas_tf.drawing.picture import Path, Picture, Rectangle, Shape, Text
from enas_tf.drawing.style import FAINT, INK, MARGIN

# For each measure its growth by the factor of the size, both above 0.
Panel = dict[str, list[tuple[float, float]]]

_WIDTH, _HEIGHT = 220.0, 170.0
_LEFT, _TOP, _GAP = 34.0, 28.0, 30.0
_COLUMNS = 3
_HEAD = 62.0
_DOT = 3.0
# Those of other measures are the ink of letters.
_COLOURS = {"work": FAINT, "memory": "#c98a1b", "time": "#1f4f93"}
_GRID = "#e3e7ec"


def picture_of_growth(panels: Mapping[str, Panel], title: str) -> Picture:
    """Returns a picture with a panel for each size.

    Args:
      panels: by the name of the size.
      title: what is shown.
    """
    names = list(dict.fromkeys(name for panel in panels.values() for name in panel))
    columns = max(1, min(_COLUMNS, len(panels)))
    width = max(2 * MARGIN + columns * (_LEFT + _WIDTH + _GAP), 420.0)
    shapes: list[Shape] = [Text(MARGIN, MARGIN + 6, title, 14, INK, "start", bold=True)]
    for number, name in enumerate(names):
        x, y = MARGIN + 110 * number, MARGIN + 30
        shapes.append(_line([(x, y), (x + 24, y)], name))
        shapes.append(Text(x + 30, y, name, 12, INK))
    bottom = MARGIN + _HEAD
    for number, (name, panel) in enumerate(panels.items()):
        row, column = divmod(number, columns)
        left = MARGIN + _LEFT + column * (_LEFT + _WIDTH + _GAP)
        top = MARGIN + _HEAD + row * (_TOP + _HEIGHT + _GAP)
        shapes += _panel(name, panel, left, top + _TOP)
        bottom = top + _TOP + _HEIGHT + _GAP
    return Picture(width, bottom + MARGIN, shapes, title)


def _panel(name: str, panel: Panel, left: float, top: float) -> list[Shape]:
    points = [point for line in panel.values() for point in line]
    most = max(1, *(math.ceil(math.log2(factor)) for factor, _ in points))
    heights = [math.log2(growth) for _, growth in points]
    low, high = min(0, math.floor(min(heights))), max(1, math.ceil(max(heights)))

    def place(factor: float, growth: float) -> tuple[float, float]:
        x = left + _WIDTH * math.log2(factor) / most
        return x, top + _HEIGHT * (high - math.log2(growth)) / (high - low)

    shapes: list[Shape] = [Text(left, top - 14, name, 13, INK, bold=True)]
    for power in range(low, high + 1):
        y = place(1.0, 2.0**power)[1]
        shapes.append(Path(((left, y), (left + _WIDTH, y)), _GRID, 1.0))
        shapes.append(Text(left - 6, y, f"x{2.0**power:g}", 11, FAINT, "end"))
    for power in range(most + 1):
        x = place(2.0**power, 1.0)[0]
        shapes.append(Path(((x, top), (x, top + _HEIGHT)), _GRID, 1.0))
        shapes.append(Text(x, top + _HEIGHT + 12, f"x{2**power}", 11, FAINT, "middle"))
    for measure, line in panel.items():
        places = [place(*point) for point in line]
        if len(places) > 1:
            shapes.append(_line(places, measure))
        colour = _colour(measure)
        shapes += [
            Rectangle(
                x - _DOT, y - _DOT, 2 * _DOT, 2 * _DOT, colour, colour, _DOT, f"x{growth:.3g}"
            )
            for (x, y), (_, growth) in zip(places, line)
        ]
    return shapes


def _line(points: Sequence[tuple[float, float]], measure: str) -> Path:
    return Path(tuple(points), _colour(measure), 2.0, dashed=measure == "work")


def _colour(measure: str) -> str:
    return _COLOURS.get(measure, INK)
