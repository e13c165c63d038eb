"""What all charts share: the sheet, the axes with their ticks, the strips that say values."""

from collections.abc import Iterable, Sequence

from enas_tf.reporting.page.markup import Html, element
from enas_tf.reporting.page.scales import Axis, Scale

WIDTH, HEIGHT = 520.0, 270.0
LEFT, RIGHT, TOP, BOTTOM = 74.0, 502.0, 12.0, 226.0


def x_scale(axis: Axis, values: Iterable[float]) -> Scale:
    """Returns the horizontal scale of a chart."""
    return Scale.of(axis, values, LEFT, RIGHT)


def y_scale(axis: Axis, values: Iterable[float]) -> Scale:
    """Returns the vertical scale of a chart."""
    return Scale.of(axis, values, BOTTOM, TOP)


def axes(x: Scale, y: Scale) -> list[Html]:
    """Returns the lines, ticks and labels of both axes."""
    parts = []
    for value, text in y.ticks():
        place = y(value)
        parts.append(element("line", x1=LEFT, x2=RIGHT, y1=place, y2=place, class_="rule"))
        parts.append(_text(text, LEFT - 7, place + 4, "end"))
    for value, text in x.ticks():
        place = x(value)
        parts.append(element("line", x1=place, x2=place, y1=BOTTOM, y2=BOTTOM + 5, class_="axis"))
        parts.append(_text(text, place, BOTTOM + 19, "middle"))
    parts.append(element("line", x1=LEFT, x2=RIGHT, y1=BOTTOM, y2=BOTTOM, class_="axis"))
    parts.append(_text(x.axis.label, (LEFT + RIGHT) / 2, HEIGHT - 6, "middle", class_="label"))
    middle = (TOP + BOTTOM) / 2
    turned = f"rotate(-90 11 {middle:g})"
    parts.append(_text(y.axis.label, 11.0, middle, "middle", class_="label", transform=turned))
    return parts


def chart(title: str, parts: Iterable[Html], width: float = WIDTH, height: float = HEIGHT) -> Html:
    """Returns a chart as an inline SVG.

    Args:
      title: for screen readers.
      parts: what is on it.
      width: in its own pixels; the page scales it.
      height: likewise.
    """
    return element(
        "svg",
        list(parts),
        viewBox=f"0 0 {width:g} {height:g}",
        class_="chart",
        role="img",
        aria_label=title,
    )


def strips(places: Sequence[tuple[float, str]]) -> list[Html]:
    """Returns a strip around each place, which shows its text when the mouse rests on it.

    Args:
      places: positions on the sheet, ascending, with their texts.
    """
    parts = []
    for number, (place, text) in enumerate(places):
        left = LEFT if number == 0 else (places[number - 1][0] + place) / 2
        last = number + 1 == len(places)
        right = RIGHT if last else (place + places[number + 1][0]) / 2
        title = element("title", text)
        shape = {"x": left, "y": TOP, "width": right - left, "height": BOTTOM - TOP}
        parts.append(element("rect", title, **shape, class_="strip"))
    return parts


def figure(title: str, drawing: Html, *, legend: Html | None = None, note: str = "") -> Html:
    """Returns a chart with its title, its legend and what must be known to read it."""
    heading = element("strong", title)
    text = element("span", note, class_="note") if note else None
    return element("figure", element("figcaption", heading, text), drawing, legend)


def legend_of(entries: Iterable[tuple[str, Html]]) -> Html:
    """Returns a legend.

    Args:
      entries: names, and the key of each.
    """
    items = [element("li", key, name) for name, key in entries]
    return element("ul", items, class_="legend")


def _text(text: str, x: float, y: float, anchor: str, **attributes: object) -> Html:
    return element("text", text, x=x, y=y, text_anchor=anchor, **attributes)
