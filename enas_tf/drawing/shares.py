"""The picture of how often each operation was chosen at each place."""

from collections.abc import Mapping, Sequence

from enas_tf.drawing.picture import Picture, Rectangle, Shape, Text
from enas_tf.drawing.style import FAINT, INK, MARGIN

_CELL = 30.0
_NAMES_WIDTH = 170.0
_TITLE_HEIGHT = 30.0
# From rare to frequent.
_WHITE, _BLUE = (255, 255, 255), (31, 79, 147)
# Shares above it have light figures.
_DARK_FROM = 0.45


def shares_of(counts: Mapping[str, Sequence[int]]) -> dict[str, list[float]]:
    """Returns which share of a place each operation has; the shares of a place add up to 1.

    Args:
      counts: for each operation's name a count for each place, as `SearchSpace.operation_counts`
        returns them. In the macro space's form by channels the counts of a place add up to more
        than there are architectures, since every operation has some channels of every layer.
    """
    totals = [sum(values) or 1 for values in zip(*counts.values())]
    return {
        name: [value / total for value, total in zip(values, totals)]
        for name, values in counts.items()
    }


def picture_of_shares(shares: Mapping[str, Sequence[float]], title: str) -> Picture:
    """Returns a table with a row for each operation and a column for each place.

    Args:
      shares: for each operation's name its share at each place, 0 to 1; as many for all. Places
        are numbered from 0, as layers and nodes are in the drawings.
      title: what the table shows.
    """
    places = len(next(iter(shares.values())))
    left, top = MARGIN + _NAMES_WIDTH, MARGIN + _TITLE_HEIGHT
    shapes: list[Shape] = [Text(MARGIN, MARGIN + 6, title, 14, INK, "start", bold=True)]
    for row, (name, values) in enumerate(shares.items()):
        y = top + (row + 0.5) * _CELL
        shapes.append(Text(left - 10, y, name.replace("_", " "), 12, INK, "end"))
        for column, share in enumerate(values):
            shapes += _cell(left + column * _CELL, y - _CELL / 2, share)
    y = top + len(shares) * _CELL + 14
    shapes += [
        Text(left + (place + 0.5) * _CELL, y, str(place), 11, FAINT, "middle")
        for place in range(places)
    ]
    width = left + places * _CELL + MARGIN
    return Picture(max(width, 420.0), y + MARGIN, shapes, title)


def _cell(left: float, top: float, share: float) -> list[Shape]:
    colour = "#" + "".join(
        f"{round(light + (dark - light) * share):02x}" for light, dark in zip(_WHITE, _BLUE)
    )
    ink = _hex(_WHITE) if share > _DARK_FROM else INK
    percent = f"{100 * share:.0f}"
    return [
        Rectangle(left + 1, top + 1, _CELL - 2, _CELL - 2, colour, "#d7dde4", 3.0, f"{percent} %"),
        Text(left + _CELL / 2, top + _CELL / 2, percent, 11, ink, "middle"),
    ]


def _hex(colour: tuple[int, int, int]) -> str:
    return "#" + "".join(f"{part:02x}" for part in colour)
