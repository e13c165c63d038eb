"""Tables of shares as coloured cells."""

from collections.abc import Mapping, Sequence

from enas_tf.reporting.page import frame
from enas_tf.reporting.page.markup import Html, element
from enas_tf.reporting.page.numbers import percent

_NAMES_WIDTH = 178.0
_CELL, _WIDEST = 30.0, 44.0
# Narrower cells have no room for figures.
_WITH_FIGURES = 25.0
_LEGIBLE_WIDTH = 620.0


def heatmap_figure(
    title: str, shares: Mapping[str, Sequence[float]], places: Sequence[str], note: str = ""
) -> Html:
    """Returns a row for each name and a column for each place; the darker, the larger the share.

    Args:
      title: of the chart.
      shares: for each name its share at each place, 0 to 1.
      places: what the places are called.
      note: what must be known to read it.
    """
    cell = min(max((_LEGIBLE_WIDTH - _NAMES_WIDTH) / len(places), _CELL), _WIDEST)
    parts = []
    for row, (name, values) in enumerate(shares.items()):
        y = row * _CELL + 2
        where = {"x": _NAMES_WIDTH - 8, "y": y + _CELL / 2 + 4, "text_anchor": "end"}
        parts.append(element("text", name, **where))
        for column, (place, share) in enumerate(zip(places, values)):
            text = f"{place}, {name}: {percent(share)}"
            parts += _cell(_NAMES_WIDTH + column * cell, y, cell, share, text)
    bottom = len(shares) * _CELL + 18
    for column, place in enumerate(places):
        x = _NAMES_WIDTH + (column + 0.5) * cell
        parts.append(element("text", place, x=x, y=bottom, text_anchor="middle", class_="label"))
    width = _NAMES_WIDTH + len(places) * cell + 4
    drawing = frame.chart(title, parts, width, bottom + 8)
    scrolling = element(
        "div", drawing, class_="scroll", style=f"--width: {width:.0f}px", tabindex=0
    )
    return frame.figure(title, scrolling, note=note)


def _cell(left: float, top: float, width: float, share: float, text: str) -> list[Html]:
    shape = {"x": left + 1, "y": top + 1, "width": width - 2, "height": _CELL - 2, "rx": 3}
    parts = [
        element("rect", **shape, class_="empty"),
        element("rect", element("title", text), **shape, class_="heat", fill_opacity=share),
    ]
    if width >= _WITH_FIGURES:
        where = {"x": left + width / 2, "y": top + _CELL / 2 + 4, "text_anchor": "middle"}
        class_ = "figure strong" if share > 0.5 else "figure"
        parts.append(element("text", f"{100 * share:.0f}", **where, class_=class_))
    return parts
