"""Pictures as a list of shapes, written as SVG text or as PNG, without system programs.

Lengths are in pixels of the SVG; `y` grows downwards.
"""

import dataclasses
import io
import itertools
import math
from collections.abc import Sequence
from typing import TYPE_CHECKING
from xml.sax.saxutils import escape, quoteattr

if TYPE_CHECKING:
    from PIL.ImageDraw import ImageDraw

Point = tuple[float, float]

BACKGROUND = "#ffffff"
_CURVE_PIECES = 40
_FONT_FAMILY = "Helvetica, Arial, 'Liberation Sans', 'DejaVu Sans', sans-serif"
# Of the style of drawings with groups; a page that shows several has it several times.
_GROUP = "enas-group"
_LIGHTING = (
    f".{_GROUP}:hover path{{stroke-width:2.6}}"
    f"svg:has(>.{_GROUP}:hover)>.{_GROUP}:not(:hover) :is(path,polygon){{opacity:.12}}"
)


@dataclasses.dataclass(frozen=True)
class Rectangle:
    """A box with rounded corners.

    Attributes:
      left: of the box.
      top: of the box.
      width: of the box.
      height: of the box.
      fill: colour as `#rrggbb`.
      stroke: colour of the outline.
      radius: of the corners.
      title: what a browser shows when the mouse rests on it.
    """

    left: float
    top: float
    width: float
    height: float
    fill: str
    stroke: str
    radius: float = 6.0
    title: str = ""


@dataclasses.dataclass(frozen=True)
class Path:
    """A line through points, or a cubic curve, with an arrow head at its end if asked.

    Attributes:
      points: two or more; of a curve exactly four, start, two controls and end.
      stroke: colour.
      width: of the line.
      curve: whether the points are those of a cubic Bézier curve.
      arrow: length of the head at the end; 0: none.
      dashed: whether the line is broken.
      title: as in `Rectangle`.
    """

    points: tuple[Point, ...]
    stroke: str
    width: float = 1.5
    curve: bool = False
    arrow: float = 0.0
    dashed: bool = False
    title: str = ""


@dataclasses.dataclass(frozen=True)
class Text:
    """One line of text.

    Attributes:
      x: of the anchor.
      y: of the middle of the line.
      text: any characters.
      size: of the letters.
      fill: colour.
      anchor: which part of the text is at `x`: `start`, `middle` or `end`.
      bold: whether the letters are heavy (in SVG; a PNG shows them as all others).
    """

    x: float
    y: float
    text: str
    size: float = 13.0
    fill: str = "#1f2933"
    anchor: str = "start"
    bold: bool = False


@dataclasses.dataclass(frozen=True)
class Group:
    """Shapes that belong together: in a browser, the pointer on one fades the other groups' lines.

    Attributes:
      shapes: what is in it, the later above the earlier.
    """

    shapes: "Sequence[Shape]"


Shape = Rectangle | Path | Text | Group


@dataclasses.dataclass(frozen=True)
class Picture:
    """Shapes on a white sheet, the later above the earlier.

    Attributes:
      width: of the sheet.
      height: of the sheet.
      shapes: what is on it.
      title: for screen readers and window titles.
    """

    width: float
    height: float
    shapes: Sequence[Shape]
    title: str


def to_svg(picture: Picture) -> str:
    """Returns the picture as the text of an SVG file."""
    size = f'width="{picture.width:g}" height="{picture.height:g}"'
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} '
        f'viewBox="0 0 {picture.width:g} {picture.height:g}" '
        f"font-family={quoteattr(_FONT_FAMILY)}>",
        f"<title>{escape(picture.title)}</title>",
        f'<rect {size} fill="{BACKGROUND}"/>',
    ]
    if any(isinstance(shape, Group) for shape in picture.shapes):
        lines.append(f"<style>{_LIGHTING}</style>")
    for shape in picture.shapes:
        lines += _svg_shape(shape)
    return "\n".join([*lines, "</svg>"]) + "\n"


def to_png(picture: Picture, scale: float = 2.0) -> bytes:
    """Returns the picture as the bytes of a PNG file.

    Args:
      picture: what to draw.
      scale: pixels of the file per pixel of the SVG.
    """
    from PIL import Image, ImageDraw

    # Pillow does not smooth edges: draw larger and shrink.
    oversampling = 2
    factor = scale * oversampling
    size = (math.ceil(picture.width * factor), math.ceil(picture.height * factor))
    image = Image.new("RGB", size, BACKGROUND)
    draw = ImageDraw.Draw(image)
    for shape in picture.shapes:
        _paint(draw, shape, factor)
    small = image.resize((size[0] // oversampling, size[1] // oversampling), Image.Resampling.BOX)
    buffer = io.BytesIO()
    small.save(buffer, "PNG")
    return buffer.getvalue()


def _svg_shape(shape: Shape) -> list[str]:
    if isinstance(shape, Group):
        return [
            f'<g class="{_GROUP}">',
            *(line for one in shape.shapes for line in _svg_shape(one)),
            "</g>",
        ]
    if isinstance(shape, Text):
        weight = ' font-weight="bold"' if shape.bold else ""
        # A baseline a third of the size below the middle looks centred in all viewers, which
        # disagree on `dominant-baseline`.
        return [
            f'<text x="{_number(shape.x)}" y="{_number(shape.y + 0.35 * shape.size)}" '
            f'font-size="{shape.size:g}" fill="{shape.fill}" text-anchor="{shape.anchor}"{weight}>'
            f"{escape(shape.text)}</text>"
        ]
    title = f"<title>{escape(shape.title)}</title>" if shape.title else ""
    if isinstance(shape, Rectangle):
        return [
            f'<rect x="{_number(shape.left)}" y="{_number(shape.top)}" '
            f'width="{_number(shape.width)}" height="{_number(shape.height)}" '
            f'rx="{shape.radius:g}" fill="{shape.fill}" stroke="{shape.stroke}">{title}</rect>'
        ]
    first, *rest = [f"{_number(x)},{_number(y)}" for x, y in shape.points]
    command = "C" if shape.curve else "L"
    dashes = ' stroke-dasharray="5 4"' if shape.dashed else ""
    lines = [
        f'<path d="M{first} {command}{" ".join(rest)}" fill="none" stroke="{shape.stroke}" '
        f'stroke-width="{shape.width:g}"{dashes}>{title}</path>'
    ]
    if shape.arrow:
        corners = " ".join(f"{_number(x)},{_number(y)}" for x, y in _arrow_head(shape))
        lines.append(f'<polygon points="{corners}" fill="{shape.stroke}"/>')
    return lines


def _paint(draw: "ImageDraw", shape: Shape, factor: float) -> None:
    from PIL import ImageFont

    if isinstance(shape, Group):
        for one in shape.shapes:
            _paint(draw, one, factor)
        return
    if isinstance(shape, Text):
        anchor = {"start": "lm", "middle": "mm", "end": "rm"}[shape.anchor]
        font = ImageFont.load_default(size=shape.size * factor)
        position = (shape.x * factor, shape.y * factor)
        draw.text(position, shape.text, fill=shape.fill, font=font, anchor=anchor)
        return
    if isinstance(shape, Rectangle):
        right, bottom = shape.left + shape.width, shape.top + shape.height
        draw.rounded_rectangle(
            [shape.left * factor, shape.top * factor, right * factor, bottom * factor],
            radius=shape.radius * factor,
            fill=shape.fill,
            outline=shape.stroke,
            width=max(round(factor), 1),
        )
        return
    points = [(x * factor, y * factor) for x, y in _flattened(shape)]
    width = max(round(shape.width * factor), 1)
    if shape.dashed:
        for start, end in _dashes(points, 5 * factor, 4 * factor):
            draw.line([start, end], fill=shape.stroke, width=width)
    else:
        draw.line(points, fill=shape.stroke, width=width, joint="curve")
    if shape.arrow:
        head = [(x * factor, y * factor) for x, y in _arrow_head(shape)]
        draw.polygon(head, fill=shape.stroke)


def _flattened(path: Path) -> list[Point]:
    if not path.curve:
        return list(path.points)
    points = []
    for piece in range(_CURVE_PIECES + 1):
        t = piece / _CURVE_PIECES
        weights = ((1 - t) ** 3, 3 * t * (1 - t) ** 2, 3 * t * t * (1 - t), t**3)
        x = sum(weight * point[0] for weight, point in zip(weights, path.points))
        y = sum(weight * point[1] for weight, point in zip(weights, path.points))
        points.append((x, y))
    return points


def _dashes(points: list[Point], on: float, off: float) -> list[tuple[Point, Point]]:
    dashes = []
    for (x0, y0), (x1, y1) in itertools.pairwise(points):
        length = math.hypot(x1 - x0, y1 - y0)
        position = 0.0
        while position < length:
            start, end = position / length, min(position + on, length) / length
            dashes.append(
                (
                    (x0 + start * (x1 - x0), y0 + start * (y1 - y0)),
                    (x0 + end * (x1 - x0), y0 + end * (y1 - y0)),
                )
            )
            position += on + off
    return dashes


def _arrow_head(path: Path) -> tuple[Point, Point, Point]:
    (x0, y0), (x1, y1) = path.points[-2:]
    length = math.hypot(x1 - x0, y1 - y0) or 1.0
    dx, dy = (x1 - x0) / length * path.arrow, (y1 - y0) / length * path.arrow
    return (x1, y1), (x1 - dx - dy / 2, y1 - dy + dx / 2), (x1 - dx + dy / 2, y1 - dy - dx / 2)


def _number(value: float) -> str:
    return f"{round(value, 1):g}"
