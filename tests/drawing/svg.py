"""Reading drawings."""

import xml.etree.ElementTree as ElementTree

from enas_tf.drawing.picture import Path

SVG = "{http://www.w3.org/2000/svg}"


def titles_of(svg):
    return [element.text for element in ElementTree.fromstring(svg).iter(f"{SVG}title")]


def texts_of(svg):
    return [element.text for element in ElementTree.fromstring(svg).iter(f"{SVG}text")]


def sheet_of(svg):
    """Returns width and height."""
    root = ElementTree.fromstring(svg)
    return float(root.get("width")), float(root.get("height"))


def boxes_of(svg):
    """Returns left, top, right, bottom and title of every rectangle; the first is the sheet."""
    boxes = []
    for box in ElementTree.fromstring(svg).iter(f"{SVG}rect"):
        left, top = float(box.get("x", 0)), float(box.get("y", 0))
        right, bottom = left + float(box.get("width")), top + float(box.get("height"))
        boxes.append((left, top, right, bottom, box.findtext(f"{SVG}title")))
    return boxes


def colour_changes_of(picture):
    """Returns the points in which a line goes on in another colour.

    Args:
      picture: with lines alone between boxes; they pass them in pieces.
    """
    lines = [shape for shape in picture.shapes if isinstance(shape, Path)]
    return [
        one.points[-1]
        for one in lines
        for other in lines
        if one.points[-1] == other.points[0] and one.stroke != other.stroke
    ]
