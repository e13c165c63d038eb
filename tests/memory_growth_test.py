"""That a search leaves nothing behind, in its shortest form; see `tests.memory_growth`."""

import gc

import pytest

from tests.memory_growth import STEPS_PER_UPDATE, RunningSearch, growth
from tests.smallest_search import CONFIG, SPACE


def test_steps_leave_no_objects_behind():
    running = RunningSearch(SPACE, CONFIG)
    counts = []
    for _ in range(3):
        running.run(STEPS_PER_UPDATE, lambda step: None)
        gc.collect()
        counts.append(len(gc.get_objects()))
    # One object that every step leaves behind would be as many.
    assert counts[-1] - counts[-2] < STEPS_PER_UPDATE


@pytest.mark.parametrize(
    ("resident", "first_step", "share"),
    [
        # Ten steps at 100, then ten at 110.
        ([*[100] * 10, *[500] * 10, *[110] * 10], 10, 0.1),
        ([*[900] * 5, *[100] * 15], 20, 0.0),
        ([200, 100], 1, -0.25),
    ],
)
def test_growth_compares_medians(resident, first_step, share):
    assert growth(resident, first_step) == pytest.approx(share)
