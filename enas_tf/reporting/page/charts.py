"""The charts of the page, as the data and the layout that Plotly reads.

Colours are variables of the style sheet, which the page's script looks up, so that charts follow
dark and light; the script also knows what all charts of a kind have in common.
"""

import dataclasses
import html
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from enas_tf.reporting.page.numbers import percent, plain
from enas_tf.reporting.page.sampled import Epochs

# More points than this are drawn as the means, and the range, of neighbouring ones.
MOST_POINTS = 140
_WITH_MARKERS = 40
_NUM_COLOURS = 8
_LOGARITHMIC_FROM = 8.0
_FEW = 8
_THINNED = "Line: mean of neighbouring values; shade: their range."
_BOXES = "Box: the middle half; line in it: the median; whiskers: smallest to largest."
_QUARTILES = ("smallest", "lower quarter", "median", "upper quarter", "largest")

Point = tuple[float, float]


@dataclasses.dataclass(frozen=True)
class Axis:
    """What an axis shows.

    Attributes:
      label: what, with its unit.
      is_share: whether the values are shares from 0 to 1, to be shown in percent.
      is_whole: whether there is nothing between whole numbers.
      may_be_logarithmic: whether values that span decades are shown so.
    """

    label: str
    is_share: bool = False
    is_whole: bool = False
    may_be_logarithmic: bool = False

    def text(self, value: float) -> str:
        """Returns a value as people read it."""
        return percent(value) if self.is_share else plain(value)

    def layout(self, low: float, high: float) -> dict[str, Any]:
        """Returns the axis for Plotly, when it shows values from `low` to `high`."""
        layout: dict[str, Any] = {"title": {"text": _shown(self.label)}}
        if self.is_share:
            layout["tickformat"] = ".3~%"
        if self.is_whole and high - low <= _FEW:
            layout["dtick"] = 1
        if self.may_be_logarithmic and low > 0 and high / low >= _LOGARITHMIC_FROM:
            layout["type"] = "log"
        elif low >= 0:
            # Values that are never negative need no room below zero.
            layout["rangemode"] = "nonnegative"
        return layout


class Series(NamedTuple):
    """One line: its name, its points in the order of `x`, the number of its colour."""

    name: str
    points: Sequence[Point]
    colour: int = 0
    is_dashed: bool = False


class Points(NamedTuple):
    """Points of one kind: their name, where they are, what each is, the number of their colour."""

    name: str
    points: Sequence[Point]
    texts: Sequence[str]
    colour: int = 0
    symbol: str = "circle"


class Reference(NamedTuple):
    """A level to compare with."""

    name: str
    value: float


class Chart(NamedTuple):
    """A chart, what must be known to read it, and whether half of the page is too narrow."""

    title: str
    figure: Mapping[str, Any]
    note: str = ""
    is_wide: bool = False


def line_chart(
    title: str,
    series: Sequence[Series],
    x_axis: Axis,
    y_axis: Axis,
    reference: Reference | None = None,
    note: str = "",
) -> Chart:
    """Returns a chart of lines; those without points are left out.

    Args:
      title: of the chart.
      series: the lines; at least one has points.
      x_axis: of the points' first numbers.
      y_axis: of the points' second numbers, which are finite.
      reference: a level to compare with.
      note: what must be known to read it.
    """
    series = [one for one in series if one.points]
    places, values = zip(*(point for one in series for point in one.points))
    levels = [] if reference is None else [reference]
    shown = [*values, *(level.value for level in levels)]
    pointed = {"unifiedhovertitle": {"text": f"{_shown(x_axis.label)} %{{x}}"}}
    layout = {
        "hovermode": "x unified",
        "xaxis": {**x_axis.layout(min(places), max(places)), **pointed},
        "yaxis": y_axis.layout(min(shown), max(shown)),
        "shapes": [_level(level, y_axis, max(values)) for level in levels],
    }
    data = [trace for one in series for trace in _traces(one, x_axis, y_axis)]
    is_thinned = any(len(one.points) > MOST_POINTS for one in series)
    note = f"{note} {_THINNED if is_thinned else ''}".strip()
    return Chart(title, {"data": data, "layout": layout}, note)


def shares_chart(
    title: str,
    epochs: Sequence[Epochs],
    shares: Mapping[str, Sequence[float]],
    fills: Mapping[str, str],
    note: str = "",
) -> Chart:
    """Returns stacked columns of shares that add up to 1.

    Args:
      title: of the chart.
      epochs: of the columns; at least one.
      shares: by name, a share for each column; from the bottom.
      fills: the colour of each name.
      note: what must be known to read it.
    """
    data = []
    for name, values in shares.items():
        texts = [_shown(one.name, f"{name}: {percent(y)}") for one, y in zip(epochs, values)]
        bars = {"x": [one.middle for one in epochs], "y": values, "hovertext": texts}
        widths = [0.88 * (one.last - one.first + 1) for one in epochs]
        look = {"name": _shown(name), "width": widths, "marker": {"color": fills[name]}}
        data.append({"type": "bar", **bars, **look})
    axis = {**Axis("share of the choices", is_share=True).layout(0.0, 1.0), "range": [0, 1]}
    axes = {"xaxis": _epochs_axis(epochs), "yaxis": axis}
    layout = {"height": 360, "hovermode": "closest", **axes}
    return Chart(title, {"data": data, "layout": layout}, note)


def distribution_chart(
    title: str,
    epochs: Sequence[Epochs],
    values: Sequence[Sequence[float]],
    y_axis: Axis,
    note: str = "",
) -> Chart:
    """Returns a box for every column: the middle half, the median, smallest and largest value.

    Args:
      title: of the chart.
      epochs: of the columns; at least one.
      values: of each column, at least one.
      y_axis: of the values.
      note: what must be known to read it.
    """
    # No more than these five numbers of a column: a long search samples a million architectures.
    fives = [np.quantile(row, np.arange(5) / 4).tolist() for row in values]
    texts = []
    for one, row, five in zip(epochs, values, fives):
        lines = [f"{name}: {y_axis.text(number)}" for name, number in zip(_QUARTILES, five)]
        texts.append(_shown(f"{one.name}: {len(row):,} architectures", *lines))
    names = ("lowerfence", "q1", "median", "q3", "upperfence")
    boxes = {"x": [one.middle for one in epochs], **dict(zip(names, zip(*fives)))}
    look = {"line": {"color": "var(--c0)", "width": 1.4}, "hoverinfo": "skip"}
    # Boxes whose numbers are known already have no texts of their own.
    hover = {"hovertext": texts, "hovertemplate": "%{hovertext}<extra></extra>"}
    pointed = {"x": boxes["x"], "y": boxes["median"], "mode": "markers", "opacity": 0}
    data = [{"type": "box", **boxes, **look}, {"type": "scatter", **pointed, **hover}]
    y_layout = y_axis.layout(min(map(min, fives)), max(map(max, fives)))
    axes = {"xaxis": _epochs_axis(epochs), "yaxis": y_layout}
    layout = {"hovermode": "x", "showlegend": False, **axes}
    return Chart(title, {"data": data, "layout": layout}, f"{note} {_BOXES}".strip())


def heat_map(
    title: str, shares: Mapping[str, Sequence[float]], places: Sequence[str], note: str = ""
) -> Chart:
    """Returns a row for each name and a column for each place; the darker, the larger the share.

    Args:
      title: of the chart.
      shares: for each name its share at each place, 0 to 1.
      places: what the places are called.
      note: what must be known to read it.
    """
    cells = {
        "type": "heatmap",
        "x": [_shown(place) for place in places],
        "y": [_shown(name) for name in shares],
        "z": [[100 * share for share in row] for row in shares.values()],
        **{"zmin": 0, "zmax": 100, "colorscale": [[0, "var(--page)"], [1, "var(--heat)"]]},
    }
    axis = {"type": "category", "showgrid": False}
    axes = {"xaxis": axis, "yaxis": {**axis, "autorange": "reversed"}}
    layout = {"height": 90 + 30 * len(shares), **axes}
    return Chart(title, {"data": [cells], "layout": layout}, note, len(places) > _FEW)


def scatter_chart(
    title: str,
    groups: Sequence[Points],
    x_axis: Axis,
    y_axis: Axis,
    note: str = "",
    *,
    fronts: Mapping[str, Sequence[Point]] | None = None,
    levels: Sequence[Reference] = (),
) -> Chart:
    """Returns a chart of single points.

    Args:
      title: of the chart.
      groups: the points; those of at least one group are there.
      x_axis: of the points' first numbers.
      y_axis: of the points' second numbers, which are finite.
      note: what must be known to read it.
      fronts: by the names of groups, some of their points by rising first numbers: what is best up
        to there. A line goes through them in steps.
      levels: first numbers to compare with.
    """
    groups = [one for one in groups if one.points]
    data: list[dict[str, Any]] = []
    for one in groups:
        x, y = zip(*one.points)
        marks = {"mode": "markers", "x": x, "y": y, "marker": _marker(one.colour, one.symbol)}
        name = _shown(one.name)
        common = {"type": "scatter", "name": name, "legendgroup": name}
        data.append({**common, **marks, **_hover(one, y_axis)})
        if front := (fronts or {}).get(one.name):
            x, y = zip(*front)
            line = {"color": f"var(--c{one.colour % _NUM_COLOURS})", "shape": "hv", "width": 1.5}
            step = {"mode": "lines", "x": x, "y": y, "line": line}
            data.append({**common, **step, "hoverinfo": "skip", "showlegend": False})
    places, values = zip(*(point for one in groups for point in one.points))
    x_layout = x_axis.layout(min(places), max(places))
    axes = {
        # Zero has no meaning here, and would press the points together.
        "xaxis": {**x_layout, "rangemode": "normal"},
        "yaxis": {**y_axis.layout(min(values), max(values)), "rangemode": "normal"},
    }
    layout = {"height": 360, "hovermode": "closest", "showlegend": True, **axes}
    if levels:
        layout["shapes"] = [_upright(level, x_axis) for level in levels]
    return Chart(title, {"data": data, "layout": layout}, note, is_wide=True)


def rows_chart(title: str, groups: Sequence[Points], axis: Axis, note: str = "") -> Chart:
    """Returns a row for each group, in which all of its values stand, and a box of them.

    Args:
      title: of the chart.
      groups: the rows from the top; the first number of a point is unused.
      axis: of the points' second numbers, which are finite.
      note: what must be known to read it.
    """
    data = []
    for one in groups:
        values = [y for _, y in one.points]
        look = {"marker": _marker(one.colour, one.symbol), "line": {"width": 1}, "pointpos": 0}
        row = {"type": "box", "x": values, "y": [_shown(one.name)] * len(values), **look}
        points = {"boxpoints": "all", "jitter": 0.6, "hoveron": "points", "orientation": "h"}
        # A colour that shines through cannot be made out of a variable.
        box = {"fillcolor": "rgba(128,128,128,0.12)", "name": _shown(one.name)}
        data.append({**row, **points, **box, **_hover(one, axis)})
    values = [y for one in groups for _, y in one.points]
    rows = {"type": "category", "autorange": "reversed", "showgrid": False}
    axes = {
        "xaxis": {**axis.layout(min(values), max(values)), "rangemode": "normal"},
        "yaxis": rows,
    }
    layout = {"height": 110 + 62 * len(groups), "hovermode": "closest", "showlegend": False}
    return Chart(title, {"data": data, "layout": {**layout, **axes}}, note, is_wide=True)


def _marker(colour: int, symbol: str) -> dict[str, Any]:
    return {"color": f"var(--c{colour % _NUM_COLOURS})", "symbol": symbol, "size": 8}


def _hover(points: Points, axis: Axis) -> dict[str, Any]:
    texts = [
        _shown(points.name, text, axis.text(y)) for text, (_, y) in zip(points.texts, points.points)
    ]
    return {"hovertext": texts, "hovertemplate": "%{hovertext}<extra></extra>"}


def _traces(series: Series, x_axis: Axis, y_axis: Axis) -> list[dict[str, Any]]:
    """Returns a line; of many points, the means of neighbouring ones above their range."""
    x, y = np.asarray(series.points, dtype=float).T
    starts = np.arange(0, len(x), -(-len(x) // MOST_POINTS))
    counts = np.diff(starts, append=len(x))
    low, high = np.minimum.reduceat(y, starts), np.maximum.reduceat(y, starts)
    # Divided first, since a sum may be too large; rounding must not lead out of equal values.
    mean = np.clip(np.add.reduceat(y / np.repeat(counts, counts), starts), low, high)
    middle = x[starts + counts // 2]
    texts = []
    for values in zip(mean, low, high, x[starts], x[starts + counts - 1]):
        text, smallest, largest = (y_axis.text(float(value)) for value in values[:3])
        first, last = (x_axis.text(float(value)) for value in values[3:])
        text += f" ({smallest} to {largest})" if smallest != largest else ""
        text += f", {x_axis.label} {first} to {last}" if first != last else ""
        texts.append(_shown(text))
    name, colour = _shown(series.name), f"var(--c{series.colour % _NUM_COLOURS})"
    common = {"type": "scatter", "legendgroup": name, "name": name}
    line = {
        "mode": "lines+markers" if len(starts) <= _WITH_MARKERS else "lines",
        "x": middle.tolist(),
        "y": mean.tolist(),
        "line": {"color": colour, "dash": "dash" if series.is_dashed else "solid"},
        "marker": {"color": colour},
        "hovertext": texts,
        "hovertemplate": "%{hovertext}",
    }
    outline = {"x": [*middle, *middle[::-1]], "y": [*high, *low[::-1]], "line": {"width": 0}}
    look = {"mode": "lines", "fill": "toself", "fillcolor": colour, "opacity": 0.2}
    shade = {**outline, **look, "hoverinfo": "skip", "showlegend": False}
    shades = [{**common, **shade}] if (low < high).any() else []
    return [*shades, {**common, **line}]


def _level(reference: Reference, axis: Axis, highest: float) -> dict[str, Any]:
    """Returns a dotted line across the chart; its name is below it where nothing is above it."""
    text = _shown(f"{reference.name} {axis.text(reference.value)}")
    side = "bottom" if reference.value < highest else "top"
    label = {"text": text, "textposition": "end", "yanchor": side}
    return {
        "type": "line",
        "xref": "paper",
        **{"x0": 0, "x1": 1, "y0": reference.value, "y1": reference.value},
        "line": {"color": "var(--faint)", "width": 1.2, "dash": "dot"},
        "label": {**label, "font": {"color": "var(--faint)"}},
    }


def _upright(reference: Reference, axis: Axis) -> dict[str, Any]:
    """Returns a dotted line from the bottom of the chart to its top."""
    text = _shown(f"{reference.name} {axis.text(reference.value)}")
    return {
        "type": "line",
        "yref": "paper",
        **{"x0": reference.value, "x1": reference.value, "y0": 0, "y1": 1},
        "line": {"color": "var(--faint)", "width": 1.2, "dash": "dot"},
        "label": {"text": text, "textposition": "end", "font": {"color": "var(--faint)"}},
    }


def _epochs_axis(epochs: Sequence[Epochs]) -> dict[str, Any]:
    low, high = epochs[0].first, epochs[-1].last
    # A single column is no wider than one of several.
    shown = [low - 0.5, max(high, low + _FEW - 1) + 0.5]
    return {**Axis("epoch", is_whole=True).layout(*shown), "range": shown}


def _shown(*lines: str) -> str:
    """Returns lines that Plotly shows as they are; it takes some tags of HTML for markup."""
    return "<br>".join(html.escape(line, quote=False) for line in lines)
