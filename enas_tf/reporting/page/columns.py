"""Charts with a column for every epoch (or a few of them): stacked shares, and distributions."""

import dataclasses
from collections.abc import Mapping, Sequence

from enas_tf.reporting.page import frame
from enas_tf.reporting.page.markup import Html, element
from enas_tf.reporting.page.scales import Axis, Scale
from enas_tf.reporting.page.thinning import quantile

_EPOCH = Axis("epoch", is_whole=True)
_WIDEST = 44.0


@dataclasses.dataclass(frozen=True)
class Epochs:
    """Epochs that share a column.

    Attributes:
      first: the first of them, from 1.
      last: the last of them.
    """

    first: int
    last: int

    @property
    def name(self) -> str:
        """What a reader calls them."""
        if self.first == self.last:
            return f"epoch {self.first}"
        return f"epochs {self.first} to {self.last}"


def shares_figure(
    title: str,
    columns: Sequence[tuple[Epochs, Mapping[str, float]]],
    fills: Mapping[str, str],
    note: str = "",
) -> Html:
    """Returns stacked columns of shares that add up to 1.

    Args:
      title: of the chart.
      columns: at least one; the shares by name.
      fills: the colour of each name; their order, from the bottom.
      note: what must be known to read it.
    """
    x = _scale([epochs for epochs, _ in columns])
    y = Scale(Axis("share of the choices", is_share=True), 0.0, 1.0, frame.BOTTOM, frame.TOP)
    parts = frame.axes(x, y)
    for epochs, shares in columns:
        left, width = _column(epochs, x)
        below = 0.0
        for name, fill in fills.items():
            share = shares.get(name, 0.0)
            text = f"{epochs.name}\n{name}: {y.axis.text(share)}"
            shape = {"x": left, "width": width, "y": y(below + share)}
            height = y(below) - y(below + share)
            below += share
            if share > 0:
                rectangle = element(
                    "rect", element("title", text), **shape, height=height, fill=fill, class_="part"
                )
                parts.append(rectangle)
    keys = [(name, _swatch(fill)) for name, fill in reversed(list(fills.items()))]
    legend = frame.legend_of(keys)
    return frame.figure(title, frame.chart(title, parts), legend=legend, note=note)


def distribution_figure(
    title: str,
    columns: Sequence[tuple[Epochs, Sequence[float]]],
    y_axis: Axis,
    note: str = "",
) -> Html:
    """Returns a box for every column: the middle half, the median, smallest and largest value.

    Args:
      title: of the chart.
      columns: at least one, each with at least one value.
      y_axis: of the values.
      note: what must be known to read it.
    """
    x = _scale([epochs for epochs, _ in columns])
    y = frame.y_scale(y_axis, [value for _, values in columns for value in values])
    parts = frame.axes(x, y)
    for epochs, values in columns:
        left, width = _column(epochs, x)
        parts.append(_box(epochs, sorted(values), left, width, y))
    explanation = "Box: the middle half; bar in it: the median; line: smallest to largest."
    return frame.figure(title, frame.chart(title, parts), note=f"{note} {explanation}".strip())


def _box(epochs: Epochs, ascending: Sequence[float], left: float, width: float, y: Scale) -> Html:
    low, first, median, third, high = (
        quantile(ascending, share) for share in (0.0, 0.25, 0.5, 0.75, 1.0)
    )
    names = ("largest", "upper quarter", "median", "lower quarter", "smallest")
    lines = [f"{epochs.name}: {len(ascending):,} architectures"]
    lines += [
        f"{name}: {y.axis.text(value)}"
        for name, value in zip(names, (high, third, median, first, low))
    ]
    middle = left + width / 2
    inset = 0.12 * width
    box = {"x": left + inset, "width": width - 2 * inset, "y": y(third)}
    across = {"x1": left + inset, "x2": left + width - inset, "y1": y(median), "y2": y(median)}
    return element(
        "g",
        element("title", "\n".join(lines)),
        element("line", x1=middle, x2=middle, y1=y(low), y2=y(high), class_="whisker"),
        element("rect", **box, height=max(y(first) - y(third), 0.5), class_="box"),
        element("line", **across, class_="median"),
        # So that the mouse need not hit the thin lines.
        element("rect", x=left, width=width, y=y(high), height=y(low) - y(high), class_="strip"),
    )


def _scale(epochs: Sequence[Epochs]) -> Scale:
    low, high = epochs[0].first - 0.5, epochs[-1].last + 0.5
    return Scale(_EPOCH, low, high, frame.LEFT, frame.RIGHT)


def _column(epochs: Epochs, x: Scale) -> tuple[float, float]:
    """Returns the left edge and the width of a column."""
    left, right = x(epochs.first - 0.5), x(epochs.last + 0.5)
    width = min(right - left, _WIDEST)
    gap = 0.12 * width if width > 12 else 0.0
    return (left + right - width + gap) / 2, width - gap


def _swatch(fill: str) -> Html:
    square = element("rect", x=7, y=0, width=12, height=12, rx=2, fill=fill)
    return element("svg", square, viewBox="0 0 26 12", class_="key")
