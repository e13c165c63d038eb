"""Lines, columns and heatmaps."""

import xml.etree.ElementTree as ElementTree

import pytest

from enas_tf.reporting.page.columns import Epochs, distribution_figure, shares_figure
from enas_tf.reporting.page.heatmap import heatmap_figure
from enas_tf.reporting.page.lines import MOST_POINTS, Reference, Series, line_figure
from enas_tf.reporting.page.scales import Axis

STEP = Axis("step", is_whole=True)
LOSS = Axis("loss, nats")


def elements(figure, name, class_=None):
    found = ElementTree.fromstring(figure).iter(name)
    return [one for one in found if class_ is None or one.get("class") == class_]


def titles(figure):
    return [one.text for one in elements(figure, "title")]


def lines(*series, **options):
    return line_figure("Loss", series, STEP, LOSS, **options)


def test_a_line_goes_through_its_points():
    figure = lines(Series("loss", [(1, 3.0), (2, 2.0), (3, 1.0)]))
    (line,) = elements(figure, "polyline")
    places = [tuple(map(float, pair.split(","))) for pair in line.get("points").split()]
    assert [x for x, _ in places] == sorted(x for x, _ in places)
    # Downwards is larger.
    assert [y for _, y in places] == sorted(y for _, y in places)


def test_the_mouse_finds_the_values_of_all_lines():
    figure = lines(Series("a", [(1, 3.0)]), Series("b", [(1, 2.5)]))
    assert titles(figure) == ["step 1\na: 3\nb: 2.5"]


def test_one_line_needs_no_legend():
    assert not elements(lines(Series("a", [(1, 3.0)])), "li")


def test_several_lines_have_a_legend():
    figure = lines(Series("a <b>", [(1, 3.0)]), Series("c", [(1, 3.0)], 1, is_dashed=True))
    assert ["".join(one.itertext()) for one in elements(figure, "li")] == ["a <b>", "c"]
    assert elements(figure, "line", "line c1 dashed")


def test_axes_are_labelled():
    texts = [one.text for one in elements(lines(Series("a", [(1, 3.0), (5, 4.0)])), "text")]
    assert {"step", "loss, nats", "1", "5", "3.0", "4.0"} <= set(texts)


def test_many_points_become_few():
    figure = lines(Series("a", [(step, step % 7) for step in range(10_000)]))
    (line,) = elements(figure, "polyline")
    assert len(line.get("points").split()) <= MOST_POINTS
    assert elements(figure, "polygon")
    assert "mean of neighbouring values" in figure


def test_a_reference_is_named_and_has_a_place():
    figure = lines(Series("a", [(1, 3.0)]), reference=Reference("largest", 9.0))
    assert "largest 9" in figure
    (line,) = elements(figure, "line", "reference")
    assert 0 < float(line.get("y1")) < 270


def test_no_points_no_chart():
    assert lines(Series("a", [])) is None


COLUMNS = [(Epochs(1, 1), {"a": 0.25, "b": 0.75}), (Epochs(2, 4), {"a": 0.5, "b": 0.5})]


def test_columns_are_stacked():
    figure = shares_figure("Shares", COLUMNS, {"a": "#111111", "b": "#222222"})
    first, second = elements(figure, "rect", "part")[:2]
    height = float(first.get("height")) + float(second.get("height"))
    assert float(first.get("height")) / height == pytest.approx(0.25, abs=1e-3)
    assert float(second.get("y")) + float(second.get("height")) == pytest.approx(
        float(first.get("y")), abs=0.02
    )
    assert titles(figure)[-1] == "epochs 2 to 4\nb: 50 %"


def test_a_share_of_nothing_is_not_drawn():
    figure = shares_figure("Shares", [(Epochs(1, 1), {"a": 0.0, "b": 1.0})], {"a": "#1", "b": "#2"})
    assert len(elements(figure, "rect", "part")) == 1


def test_a_box_tells_the_distribution():
    figure = distribution_figure("Rewards", [(Epochs(3, 3), [0.4, 0.1, 0.2, 0.3])], LOSS)
    assert titles(figure) == [
        "epoch 3: 4 architectures\nlargest: 0.4\nupper quarter: 0.325\nmedian: 0.25\n"
        "lower quarter: 0.175\nsmallest: 0.1"
    ]


def test_a_heatmap_has_a_cell_for_every_share():
    figure = heatmap_figure("Places", {"a": [0.25, 1.0], "b": [0.75, 0.0]}, ["1", "2"])
    assert titles(figure) == ["1, a: 25 %", "2, a: 100 %", "1, b: 75 %", "2, b: 0 %"]
    assert [one.get("fill-opacity") for one in elements(figure, "rect", "heat")] == [
        "0.25",
        "1",
        "0.75",
        "0",
    ]
