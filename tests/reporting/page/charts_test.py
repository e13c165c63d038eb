"""What is given to Plotly."""

import numpy as np
import plotly.graph_objects as go
import pytest

from enas_tf.reporting.page.charts import (
    MOST_POINTS,
    Axis,
    Points,
    Reference,
    Series,
    distribution_chart,
    heat_map,
    line_chart,
    rows_chart,
    scatter_chart,
    shares_chart,
)
from enas_tf.reporting.page.sampled import Epochs

STEP = Axis("step", is_whole=True)
LOSS = Axis("loss, nats")
ACCURACY = Axis("accuracy", is_share=True)


def lines(*series, axis=LOSS, **options):
    return line_chart("Loss", series, STEP, axis, **options)


def test_a_line_goes_through_its_points():
    (line,) = lines(Series("loss", [(1, 3.0), (2, 2.0), (3, 1.0)])).figure["data"]
    assert (line["x"], line["y"]) == ([1, 2, 3], [3, 2, 1])


def test_the_pointer_finds_the_values_of_all_lines():
    figure = lines(Series("a", [(1, 0.1234567)]), Series("b", [(1, 0.5)]), axis=ACCURACY).figure
    assert [line["hovertext"] for line in figure["data"]] == [["12.35 %"], ["50 %"]]
    assert figure["layout"]["hovermode"] == "x unified"
    assert figure["layout"]["xaxis"]["unifiedhovertitle"] == {"text": "step %{x}"}


def test_a_range_is_not_in_the_legend_of_lines():
    shade, line = lines(Series("a", [(x, x % 4) for x in range(1000)])).figure["data"]
    assert (shade.get("showlegend"), line.get("showlegend")) == (False, None)


def test_broken_lines():
    figure = lines(Series("a", [(1, 3.0)]), Series("b", [(1, 3.0)], 9, is_dashed=True)).figure
    assert [line["line"]["dash"] for line in figure["data"]] == ["solid", "dash"]
    assert [line["line"]["color"] for line in figure["data"]] == ["var(--c0)", "var(--c1)"]


def test_names_are_no_markup_for_plotly():
    figure = lines(Series("<b> & co", [(1, 3.0)])).figure
    assert figure["data"][0]["name"] == "&lt;b&gt; &amp; co"


def test_axes_are_labelled():
    layout = lines(Series("a", [(1, 3.0)])).figure["layout"]
    assert [layout[axis]["title"]["text"] for axis in ("xaxis", "yaxis")] == ["step", "loss, nats"]


def test_many_points_become_means_above_their_ranges():
    points = [(x, float(x % 4)) for x in range(4 * MOST_POINTS)]
    chart = lines(Series("a", points))
    shade, line = chart.figure["data"]
    assert line["x"][:3] == [2, 6, 10]
    assert line["y"] == [1.5] * MOST_POINTS
    assert line["hovertext"][1] == "1.5 (0 to 3), step 4 to 7"
    assert shade["y"] == [3.0] * MOST_POINTS + [0.0] * MOST_POINTS
    assert shade["fill"] == "toself"
    assert "mean of neighbouring values" in chart.note


@pytest.mark.parametrize("value", [0.1, 1e299])
def test_a_mean_lies_within_the_range(value):
    (line,) = lines(Series("a", [(x, value) for x in range(10 * MOST_POINTS)])).figure["data"]
    assert set(line["y"]) == {value}


def test_a_reference_is_named_and_has_a_place():
    layout = lines(Series("a", [(1, 3.0)]), reference=Reference("largest", 9.0)).figure["layout"]
    (level,) = layout["shapes"]
    assert (level["y0"], level["y1"], level["label"]["text"]) == (9.0, 9.0, "largest 9")


@pytest.mark.parametrize(("level", "side"), [(2.0, "bottom"), (9.0, "top")])
def test_the_name_of_a_level_has_room(level, side):
    layout = lines(Series("a", [(1, 3.0)]), reference=Reference("r", level)).figure["layout"]
    assert layout["shapes"][0]["label"]["yanchor"] == side


def test_a_line_without_points_is_left_out():
    (line,) = lines(Series("a", []), Series("b", [(1, 3.0)])).figure["data"]
    assert line["name"] == "b"


@pytest.mark.parametrize(
    ("low", "high", "is_logarithmic"), [(1, 100, True), (1, 2, False), (0, 100, False)]
)
def test_values_of_several_decades_are_shown_by_their_logarithms(low, high, is_logarithmic):
    layout = Axis("x", may_be_logarithmic=True).layout(low, high)
    assert (layout.get("type") == "log") == is_logarithmic


@pytest.mark.parametrize(("low", "mode"), [(0.0, "nonnegative"), (-1.0, None)])
def test_what_is_never_negative_has_no_room_below_zero(low, mode):
    assert Axis("x").layout(low, 1.0).get("rangemode") == mode


@pytest.mark.parametrize(("high", "step"), [(3, 1), (100, None)])
def test_whole_numbers_have_no_ticks_in_between(high, step):
    assert STEP.layout(1, high).get("dtick") == step


def shares():
    values = {"a": [0.25, 0.5], "b": [0.75, 0.5]}
    fills = {"a": "#111111", "b": "#222222"}
    return shares_chart("Shares", [Epochs(1, 1), Epochs(2, 4)], values, fills)


def test_columns_are_stacked():
    figure = shares().figure
    assert [bars["y"] for bars in figure["data"]] == [[0.25, 0.5], [0.75, 0.5]]
    assert [bars["marker"]["color"] for bars in figure["data"]] == ["#111111", "#222222"]
    assert figure["data"][1]["hovertext"][1] == "epochs 2 to 4<br>b: 50 %"


def test_columns_stand_at_their_epochs():
    (first, *_) = shares().figure["data"]
    assert first["x"] == [1, 3]
    assert first["width"][1] == pytest.approx(3 * first["width"][0])
    low, high = shares().figure["layout"]["xaxis"]["range"]
    assert low == 0.5
    assert high > 4.5


def distribution():
    return distribution_chart("Rewards", [Epochs(3, 3)], [[0.4, 0.1, 0.2, 0.3]], LOSS)


def test_a_box_tells_the_distribution():
    box, pointed = distribution().figure["data"]
    five = [box[name][0] for name in ("lowerfence", "q1", "median", "q3", "upperfence")]
    assert five == pytest.approx([0.1, 0.175, 0.25, 0.325, 0.4])
    assert pointed["hovertext"] == [
        "epoch 3: 4 architectures<br>smallest: 0.1<br>lower quarter: 0.175<br>median: 0.25<br>"
        "upper quarter: 0.325<br>largest: 0.4"
    ]


def heat(places=2):
    values = np.linspace(0, 1, places).tolist()
    return heat_map("Places", {"a": values, "b": values[::-1]}, [str(i) for i in range(places)])


def test_a_heat_map_has_a_cell_for_every_share():
    (cells,) = heat().figure["data"]
    assert (cells["x"], cells["y"]) == (["0", "1"], ["a", "b"])
    assert cells["z"] == [[0, 100], [100, 0]]
    assert (cells["zmin"], cells["zmax"]) == (0, 100)


@pytest.mark.parametrize(("places", "is_wide"), [(4, False), (24, True)])
def test_many_places_need_the_whole_width(places, is_wide):
    assert heat(places).is_wide == is_wide


def groups():
    return [
        Points("a & b", [(1, 0.5), (2, 0.75)], ["first", "second"]),
        Points("c", [(3, 0.25)], ["third"], 9, "diamond"),
    ]


def scatter(*more):
    return scatter_chart("Scatter", [*groups(), *more], STEP, ACCURACY)


def rows():
    return rows_chart("Rows", groups(), ACCURACY)


def test_points_are_where_they_are():
    first, second = scatter().figure["data"]
    assert (first["x"], first["y"], second["x"]) == ((1, 2), (0.5, 0.75), (3,))
    assert (first["mode"], second["marker"]["color"]) == ("markers", "var(--c1)")


@pytest.mark.parametrize("chart", [scatter, rows])
def test_each_point_tells_what_it_is(chart):
    first, second = chart().figure["data"]
    assert first["hovertext"] == ["a &amp; b<br>first<br>50 %", "a &amp; b<br>second<br>75 %"]
    assert second["marker"]["symbol"] == "diamond"


def test_a_group_without_points_is_left_out():
    assert len(scatter(Points("d", [], [])).figure["data"]) == 2


def test_every_group_has_a_row_from_the_top():
    figure = rows().figure
    assert [row["x"] for row in figure["data"]] == [[0.5, 0.75], [0.25]]
    assert [row["y"] for row in figure["data"]] == [["a &amp; b", "a &amp; b"], ["c"]]
    assert figure["layout"]["yaxis"]["autorange"] == "reversed"


@pytest.mark.parametrize(
    "chart",
    [
        scatter(),
        rows(),
        lines(
            Series("a", [(x, x % 7) for x in range(1000)]),
            reference=Reference("r", 1.0),
            axis=Axis("x", may_be_logarithmic=True),
        ),
        shares(),
        distribution(),
        heat(),
    ],
    ids=lambda chart: chart.title,
)
def test_plotly_knows_all_that_it_is_told(chart):
    def of_plotly(value):
        # The page's script replaces the names of colours.
        if isinstance(value, dict):
            return {key: of_plotly(inner) for key, inner in value.items()}
        if isinstance(value, list | tuple):
            return [of_plotly(inner) for inner in value]
        return "#000000" if isinstance(value, str) and value.startswith("var(") else value

    assert len(go.Figure(of_plotly(chart.figure)).data) == len(chart.figure["data"])
