"""Reading drawings."""

import xml.etree.ElementTree as ElementTree

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
