import pytest

from enas_tf.errors import ConfigurationError
from enas_tf.spaces.micro.layout import (
    auxiliary_cell,
    auxiliary_sides,
    auxiliary_window,
    cell_places,
    check_picture_size,
    stage_sides,
)


@pytest.mark.parametrize(
    ("num_layers", "expected"),
    [(1, [0, 1]), (2, [0, 1]), (3, [1, 3]), (5, [1, 3]), (6, [2, 5]), (15, [5, 11])],
)
def test_reduction_cells_stand_after_each_third(num_layers, expected):
    places = cell_places(num_layers, filters=4)
    assert [place.index for place in places if place.is_reduction] == expected
    assert len(places) == num_layers + 2


@pytest.mark.parametrize(
    ("num_layers", "expected"),
    [(1, [1, 2]), (2, [1, 2]), (3, [1, 3]), (4, [2, 4]), (6, [2, 5]), (18, [6, 13])],
)
def test_reduction_cells_in_the_form_of_darts(num_layers, expected):
    """At `N // 3` and `2 * N // 3` of all `N` cells."""
    places = cell_places(num_layers, 4, "darts")
    assert [place.index for place in places if place.is_reduction] == expected
    assert len(places) == num_layers + 2
    assert auxiliary_cell(num_layers, "darts") == expected[1]


def test_a_reduction_cell_begins_its_stage_and_doubles_the_filters():
    places = cell_places(3, filters=4)
    assert [place.stage for place in places] == [0, 1, 1, 2, 2]
    assert [place.filters for place in places] == [4, 8, 8, 16, 16]


@pytest.mark.parametrize(("num_layers", "expected"), [(1, 2), (2, 2), (3, 4), (6, 6), (15, 12)])
def test_the_auxiliary_head_reads_the_cell_after_the_second_reduction(num_layers, expected):
    assert auxiliary_cell(num_layers) == expected


@pytest.mark.parametrize("num_layers", range(1, 20))
def test_the_auxiliary_head_reads_a_cell_after_both_reductions(num_layers):
    place = cell_places(num_layers, filters=2)[auxiliary_cell(num_layers)]
    assert place.stage == 2


@pytest.mark.parametrize(
    ("input_shape", "expected"),
    [
        ((32, 32, 3), [(32, 32), (16, 16), (8, 8)]),
        ((9, 4, 1), [(9, 4), (5, 2), (3, 1)]),
    ],
)
def test_reductions_round_up(input_shape, expected):
    assert [stage_sides(input_shape, stage) for stage in range(3)] == expected


@pytest.mark.parametrize(
    ("sides", "window", "left"),
    [
        ((8, 8), (5, 5), (2, 2)),
        ((7, 5), (5, 5), (1, 1)),
        ((2, 8), (2, 5), (1, 2)),
        ((1, 1), (1, 1), (1, 1)),
    ],
)
def test_the_auxiliary_pooling_fits_small_pictures(sides, window, left):
    assert auxiliary_window(sides) == window
    assert auxiliary_sides(sides) == left


def test_pictures_must_be_large_enough_for_two_reductions():
    check_picture_size((4, 5, 1))
    with pytest.raises(ConfigurationError, match="Received pictures of 5 x 3; use --space=macro"):
        check_picture_size((5, 3, 1))
