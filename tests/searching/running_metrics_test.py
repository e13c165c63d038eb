import numpy as np
import pytest

from enas_tf.errors import NumericalError
from enas_tf.searching.running_metrics import RunningMetrics
from enas_tf.training.image_metrics import ImageMetrics

# Whose sum depends on the order.
STEPS = np.random.default_rng(0).uniform(0.0, 1e4, (40, 3)).astype(np.float32)


def sums_of(parts, before=()):
    running = RunningMetrics(before)
    for part in parts:
        running.add(ImageMetrics(*part.T))
    return running.sums()


def test_steps_taken_at_once_have_the_sum_of_single_ones():
    expected = np.zeros(3, np.float32)
    for step in STEPS:
        expected += step
    assert sums_of(STEPS) == expected.tolist()
    assert sums_of([STEPS[0], STEPS[1:8], STEPS[8:]]) == expected.tolist()


def test_an_interruption_changes_no_sum():
    assert sums_of(STEPS[7:], before=sums_of(STEPS[:7])) == sums_of(STEPS)
    assert RunningMetrics(sums_of(STEPS)).sums() == sums_of(STEPS)


def test_a_look_at_the_sums_changes_none():
    running = RunningMetrics()
    for step in STEPS:
        running.add(ImageMetrics(*step))
        running.check_finite(1)
    assert running.sums() == sums_of(STEPS)
    assert running.means()["loss"] == running.sums()[0] / running.sums()[2]


def test_what_is_not_finite_is_found():
    running = RunningMetrics()
    assert running.sums() == []
    running.add(ImageMetrics(np.float32([1.0, np.inf]), np.float32([0, 0]), np.float32([1, 1])))
    with pytest.raises(NumericalError, match="not finite at step 9: inf"):
        running.check_finite(9)
