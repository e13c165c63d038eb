"""Elements of HTML and SVG, in which everything is escaped that is not markup already."""

import html
from collections.abc import Iterable

_WITHOUT_CONTENT = ("meta", "br")


class Html(str):
    """Text that is markup; every other text is escaped when it becomes part of an element."""

    __slots__ = ()


def element(name: str, /, *content: object, **attributes: object) -> Html:
    """Returns an element.

    ```python
    element("p", "a < b", class_="note")  # <p class="note">a &lt; b</p>
    ```

    Args:
      name: of the element.
      *content: `Html` stays as it is, None is nothing, the entries of a list follow each other,
        and anything else is escaped text.
      **attributes: values are escaped; None: the attribute is left out. An underscore at the end of
        a name is dropped, for words that Python reserves; others become hyphens.
    """
    texts = "".join(
        f' {_attribute_name(key)}="{html.escape(_text(value))}"'
        for key, value in attributes.items()
        if value is not None
    )
    if name in _WITHOUT_CONTENT:
        return Html(f"<{name}{texts}>")
    return Html(f"<{name}{texts}>{joined(content)}</{name}>")


def joined(content: Iterable[object], separator: str = "") -> Html:
    """Returns markup of some contents as in `element`, one after the other."""
    return Html(separator.join(_markup(entry) for entry in content if entry is not None))


def table(
    head: Iterable[object], rows: Iterable[Iterable[object]], class_: str | None = None
) -> Html:
    """Returns a table that scrolls sideways where the screen is narrow.

    Args:
      head: headings of the columns.
      rows: cells of each row as in `element`; one that is a `td` element already stays so.
      class_: of the table.
    """
    headings = element("tr", [element("th", cell, scope="col") for cell in head])
    lines = [element("tr", [_cell(cell) for cell in row]) for row in rows]
    body = element("table", element("thead", headings), element("tbody", lines), class_=class_)
    return element("div", body, class_="scroll", tabindex=0)


def _cell(content: object) -> Html:
    if isinstance(content, Html) and content.startswith("<td"):
        return content
    return element("td", content)


def _attribute_name(name: str) -> str:
    return name.removesuffix("_").replace("_", "-")


def _markup(content: object) -> str:
    if isinstance(content, Html):
        return content
    if isinstance(content, list | tuple):
        return joined(content)
    return html.escape(_text(content), quote=False)


def _text(value: object) -> str:
    # Lengths in drawings need no more than a tenth of a pixel.
    return f"{round(value, 2):g}" if isinstance(value, float) else str(value)
