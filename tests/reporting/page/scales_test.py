import pytest

from enas_tf.reporting.page.scales import Axis, Scale, linear_ticks, logarithmic_ticks


@pytest.mark.parametrize(
    ("low", "high", "ticks"),
    [
        (0.0, 10.0, [0, 2, 4, 6, 8, 10]),
        (0.0, 1.0, [0, 0.2, 0.4, 0.6, 0.8, 1.0]),
        (-3.0, 7.5, [-2, 0, 2, 4, 6]),
        (20.0, 21.0, [20, 20.2, 20.4, 20.6, 20.8, 21.0]),
        (1.0, 310.0, [50, 100, 150, 200, 250, 300]),
    ],
)
def test_linear_ticks(low, high, ticks):
    assert linear_ticks(low, high) == pytest.approx(ticks)


def test_whole_numbers_have_no_ticks_in_between():
    assert linear_ticks(1, 3, is_whole=True) == [1, 2, 3]


@pytest.mark.parametrize(
    ("low", "high", "ticks"),
    [
        (1.0, 10.0, [1, 2, 5, 10]),
        (0.01, 10.0, [0.01, 0.1, 1, 10]),
        (1e-9, 1e9, [1e-9, 1e-5, 1e-1, 1e3, 1e7]),
    ],
)
def test_logarithmic_ticks(low, high, ticks):
    assert logarithmic_ticks(low, high) == pytest.approx(ticks)


def test_all_values_lie_within():
    scale = Scale.of(Axis("loss"), [1.0, 2.0, 5.0], 200.0, 0.0)
    positions = [scale(value) for value in (1.0, 2.0, 5.0)]
    assert 200 > positions[0] > positions[1] > positions[2] > 0


def test_equal_values_are_in_the_middle():
    for value in (0.0, 3.0, -3.0):
        assert Scale.of(Axis("x"), [value, value], 0.0, 100.0)(value) == pytest.approx(50.0)


@pytest.mark.parametrize("values", [(0.0, 5e-324), (1.0, 1.0000000000000002), (-1e299, 1e299)])
def test_extreme_values_have_ticks(values):
    scale = Scale.of(Axis("x", may_be_logarithmic=True), values, 0.0, 100.0)
    assert 2 < len(scale.ticks()) < 12


def test_what_is_never_negative_has_no_room_below_zero():
    assert Scale.of(Axis("x"), [0.0, 1.0], 0.0, 1.0).low == 0.0


def test_values_of_several_decades_are_shown_by_their_logarithms():
    scale = Scale.of(Axis("x", may_be_logarithmic=True), [1.0, 100.0], 0.0, 100.0)
    assert scale(10.0) == pytest.approx(50.0)


def test_zero_has_no_logarithm():
    scale = Scale.of(Axis("x", may_be_logarithmic=True), [0.0, 100.0], 0.0, 100.0)
    assert not scale.is_logarithmic


def test_texts_of_ticks():
    def texts(axis, *values):
        return [text for _, text in Scale.of(axis, values, 0.0, 1.0).ticks()]

    assert texts(Axis("x", is_share=True, is_whole=False), 0.1, 0.3) == [
        "10 %",
        "15 %",
        "20 %",
        "25 %",
        "30 %",
    ]
    assert texts(Axis("step", is_whole=True), 0, 40_000) == ["0", "10k", "20k", "30k", "40k"]
    assert texts(Axis("x"), 2.0, 2.4)[0] == "2.0"
    assert texts(Axis("x"), -1.0, 1.0)[2] == "0.0"
