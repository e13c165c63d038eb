import re

from enas_tf.drawing.growth import picture_of_growth
from enas_tf.drawing.picture import Path, Rectangle, to_svg

PANELS = {
    "layers": {"work": [(1, 1.0), (2, 2.0), (4, 4.0)], "time": [(1, 1.0), (2, 1.0), (4, 8.0)]},
    "devices": {"work": [(1, 1.0), (2, 1.0)], "time": [(1, 1.0), (2, 0.5)]},
}


def dots(colour, picture):
    return [
        (shape.left + shape.width / 2, shape.top + shape.height / 2)
        for shape in picture.shapes
        if isinstance(shape, Rectangle) and shape.fill == colour
    ]


def test_places_are_in_powers_of_two():
    picture = picture_of_growth({"layers": PANELS["layers"]}, "a step")
    (x1, y1), (x2, y2), (x4, y8) = dots("#1f4f93", picture)
    assert x2 - x1 == x4 - x2 > 0
    assert y2 == y1
    # Time grew three powers, work two.
    (_, w1), (_, w2), (_, w4) = dots("#6b7785", picture)
    assert w1 == y1
    assert round(w1 - w2, 6) == round((y1 - y8) / 3, 6) == round((w1 - w4) / 2, 6)


def test_each_size_has_a_panel_with_its_own_marks():
    text = to_svg(picture_of_growth(PANELS, "a step"))
    assert [name for name in re.findall(r">(\w+)</text>", text) if name in PANELS] == list(PANELS)
    # Of half the time and of eight times.
    assert ">x0.5<" in text
    assert ">x8<" in text


def test_a_single_point_has_no_line():
    picture = picture_of_growth({"batch": {"time": [(1, 1.0)]}}, "a step")
    lines = [s for s in picture.shapes if isinstance(s, Path) and s.stroke == "#1f4f93"]
    # That of the legend.
    assert len(lines) == 1


def test_nothing_measured_is_a_picture_without_panels():
    assert "a step" in to_svg(picture_of_growth({}, "a step"))
