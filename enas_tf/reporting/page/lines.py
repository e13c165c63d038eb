"""Charts of lines."""

import dataclasses
from collections.abc import Sequence

from enas_tf.reporting.page import frame
from enas_tf.reporting.page.markup import Html, element
from enas_tf.reporting.page.scales import Axis, Scale
from enas_tf.reporting.page.thinning import Bucket, Point, buckets

# More points than this are drawn as the means, and the range, of neighbouring ones.
MOST_POINTS = 140
_WITH_DOTS = 40
_NUM_COLOURS = 8
_THINNED = "Line: mean of neighbouring values; shade: their range."


@dataclasses.dataclass(frozen=True)
class Series:
    """One line.

    Attributes:
      name: for the legend.
      points: in the order of `x`; numbers that are finite.
      colour: number of the colour.
      is_dashed: whether the line is broken.
    """

    name: str
    points: Sequence[Point]
    colour: int = 0
    is_dashed: bool = False

    @property
    def class_(self) -> str:
        """The class of its line in the style sheet."""
        return f"line c{self.colour % _NUM_COLOURS}{' dashed' if self.is_dashed else ''}"


@dataclasses.dataclass(frozen=True)
class Reference:
    """A level to compare with.

    Attributes:
      name: what it is.
      value: where it is.
    """

    name: str
    value: float


def line_figure(
    title: str,
    series: Sequence[Series],
    x_axis: Axis,
    y_axis: Axis,
    *,
    reference: Reference | None = None,
    note: str = "",
) -> Html | None:
    """Returns a chart of lines with title and legend, or None if there is no point.

    Args:
      title: of the chart.
      series: the lines.
      x_axis: of the points' first numbers.
      y_axis: of the points' second numbers.
      reference: a level to compare with.
      note: what must be known to read it.
    """
    drawn = [(one, buckets(one.points, MOST_POINTS)) for one in series if one.points]
    if not drawn:
        return None
    all_buckets = [bucket for _, row in drawn for bucket in row]
    x = frame.x_scale(x_axis, [x for one, _ in drawn for x, _ in one.points])
    values = [value for bucket in all_buckets for value in (bucket.low, bucket.high)]
    if reference is not None:
        values.append(reference.value)
    y = frame.y_scale(y_axis, values)
    parts = frame.axes(x, y)
    parts += _reference(reference, y) if reference is not None else []
    for one, row in drawn:
        parts += _line(one, row, x, y)
    parts += frame.strips(_texts(drawn, x, y))
    is_thinned = any(len(one.points) > len(row) for one, row in drawn)
    return frame.figure(
        title,
        frame.chart(title, parts),
        legend=_legend([one for one, _ in drawn]),
        note=f"{note} {_THINNED if is_thinned else ''}".strip(),
    )


def _line(series: Series, row: list[Bucket], x: Scale, y: Scale) -> list[Html]:
    parts = []
    colour = f"c{series.colour % _NUM_COLOURS}"
    if any(bucket.low < bucket.high for bucket in row):
        upper = [(x(bucket.x), y(bucket.high)) for bucket in row]
        lower = [(x(bucket.x), y(bucket.low)) for bucket in row]
        outline = _points(upper + lower[::-1])
        parts.append(element("polygon", points=outline, class_=f"range {colour}"))
    places = [(x(bucket.x), y(bucket.mean)) for bucket in row]
    if len(places) > 1:
        parts.append(element("polyline", points=_points(places), class_=series.class_))
    if len(places) <= _WITH_DOTS:
        parts += [element("circle", cx=a, cy=b, r=2.4, class_=f"dot {colour}") for a, b in places]
    return parts


def _reference(reference: Reference, y: Scale) -> list[Html]:
    place = y(reference.value)
    line = {"x1": frame.LEFT, "x2": frame.RIGHT, "y1": place, "y2": place}
    # Below the line where there is no room above it.
    below = place < frame.TOP + 16
    name = f"{reference.name} {y.axis.text(reference.value)}"
    where = {"x": frame.RIGHT - 4, "y": place + (14 if below else -5), "text_anchor": "end"}
    return [
        element("line", **line, class_="reference"),
        element("text", name, **where, class_="label"),
    ]


def _texts(
    drawn: Sequence[tuple[Series, list[Bucket]]], x: Scale, y: Scale
) -> list[tuple[float, str]]:
    """Returns for every `x` its position, and the values of all lines there."""
    at: dict[float, list[str]] = {}
    for series, row in drawn:
        for bucket in row:
            where = x.axis.text(bucket.first)
            if bucket.last > bucket.first:
                where += f" to {x.axis.text(bucket.last)}"
            lines = at.setdefault(bucket.x, [f"{x.axis.label} {where}"])
            value = y.axis.text(bucket.mean)
            if bucket.low < bucket.high:
                value += f" ({y.axis.text(bucket.low)} to {y.axis.text(bucket.high)})"
            lines.append(f"{series.name}: {value}")
    return [(x(value), "\n".join(lines)) for value, lines in sorted(at.items())]


def _legend(series: Sequence[Series]) -> Html | None:
    if len(series) < 2:
        return None
    keys = []
    for one in series:
        line = element("line", x1=0, x2=26, y1=6, y2=6, class_=one.class_)
        keys.append((one.name, element("svg", line, viewBox="0 0 26 12", class_="key")))
    return frame.legend_of(keys)


def _points(places: Sequence[Point]) -> str:
    return " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
