import numpy as np
import pytest
import tensorflow as tf

from enas_tf.errors import ConfigurationError
from enas_tf.training.several_steps import SeveralSteps, most_per_call, steps_per_call


class Sums:
    """A step that depends on all that came before, and how often it was traced."""

    def __init__(self):
        self.value = tf.Variable(0.25)
        self.traces = 0

    def step(self, batch, other, row):
        self.traces += 1
        del other
        self.value.assign(0.7 * self.value + tf.reduce_sum(batch) * row)
        return self.value + 0.0, (row, None)


def iterator():
    """Batches of different lengths."""
    return iter(tf.data.Dataset.range(1, 100).map(lambda n: tf.ones([n % 3 + 1])))


def taken(counts, most=4):
    """The metrics of calls of so many steps, the last value, and the traces."""
    sums = Sums()
    several, batches, found, done = SeveralSteps(sums.step), iterator(), [], 0
    rows = np.linspace(0.1, 0.9, sum(counts), dtype=np.float32)
    for count in counts:
        found.append(several((batches, None), (rows[done : done + count],), count, most))
        done += count
    values = np.concatenate([value for value, _ in found])
    own = np.concatenate([row for _, (row, _) in found])
    np.testing.assert_array_equal(own, rows)
    assert all(nothing is None for _, (_, nothing) in found)
    return values, sums.value.numpy(), sums.traces


def test_steps_in_one_call_are_those_of_single_calls():
    values, last, _ = taken([1] * 8, most=1)
    together, last_together, traces = taken([1, 4, 3])
    np.testing.assert_array_equal(together, values)
    assert last_together == last
    assert traces == 1


def test_how_many_steps_a_call_takes():
    assert most_per_call(20) == 1
    with steps_per_call(7):
        assert (most_per_call(20), most_per_call(5)) == (7, 5)
    assert most_per_call(20) == 1


@pytest.mark.parametrize("count", [0, -1, True, 2.0, "2"])
def test_what_is_no_number_of_steps(count):
    with (
        pytest.raises(ConfigurationError, match="`steps_per_call` must be an integer of at least"),
        steps_per_call(count),
    ):
        pass
