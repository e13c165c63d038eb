from typing import NamedTuple

import numpy as np
import pytest
import tensorflow as tf

from enas_tf.training.devices import mirrored_cpus
from enas_tf.training.sums import run_and_sum


class Pair(NamedTuple):
    one: tf.Tensor
    other: tf.Tensor


@pytest.fixture
def two(two_devices):
    return mirrored_cpus(two_devices)


@pytest.fixture
def one():
    return tf.distribute.get_strategy()


def replica():
    return tf.distribute.get_replica_context().replica_id_in_sync_group


def run(strategy, function, *args):
    """Runs in a traced function, as training steps do; tensors become arrays."""

    @tf.function(autograph=False)
    def step():
        summed, others = run_and_sum(strategy, function, args)
        return summed, strategy.experimental_local_results(others)

    return tf.nest.map_structure(lambda tensor: tensor.numpy(), step())


def everything():
    """Returns nested tensors of several types and shapes, in every replica others."""
    number = replica() + 1
    real = tf.cast(number, tf.float32)
    return {
        "pair": Pair(real * [[1.0, 2.0], [3.0, 4.0]], tf.cast(number, tf.int64) * 10**12),
        "list": [real, tf.cast(number, tf.float64) * 0.1, number * [1, 2, 3]],
        "none": tf.zeros([0, 3]) * real,
        "whole": tf.cast(number, tf.int32),
    }


def test_sums_have_the_structure_shapes_and_types_of_what_is_added(two):
    sums, _ = run(two, lambda: (everything(), ()))
    np.testing.assert_array_equal(sums["pair"].one, [[3.0, 6.0], [9.0, 12.0]])
    assert sums["pair"].other == 3 * 10**12
    real, double, whole = sums["list"]
    assert (real, real.dtype, real.shape) == (3.0, np.float32, ())
    assert (double, double.dtype) == (pytest.approx(0.3, abs=1e-16), np.float64)
    assert (whole.tolist(), whole.dtype) == ([3, 6, 9], np.int32)
    assert sums["none"].shape == (0, 3)
    assert sums["whole"] == 3


def test_one_replica_has_the_same_structure(one, two):
    structures = [run(strategy, lambda: (everything(), ()))[0] for strategy in (one, two)]
    tf.nest.assert_same_structure(*structures)
    for alone, summed in zip(*map(tf.nest.flatten, structures)):
        assert (alone.shape, alone.dtype) == (summed.shape, summed.dtype)


def test_what_is_not_added_stays_with_its_replica(two):
    _, others = run(two, lambda: ((), {"number": replica()}))
    assert [each["number"] for each in others] == [0, 1]


def test_nothing_to_add(two):
    assert run(two, lambda: ((), ()))[0] == ()


def test_arguments_reach_the_replicas(two):
    sums, _ = run(two, lambda a, b: (a + b, ()), tf.constant(2.0), tf.constant(0.5))
    assert sums == 5.0


def test_order_of_types_does_not_matter(two):
    def mixed():
        real = tf.cast(replica(), tf.float32)
        return (real, replica(), real + 1.0, replica() + 2), ()

    assert run(two, mixed)[0] == (1.0, 1, 3.0, 5)


def test_sums_of_floats_are_those_of_single_precision(two):
    values = tf.constant([0.1, 0.2])
    sums, _ = run(two, lambda: (values[replica()], ()))
    assert sums == np.float32(0.1) + np.float32(0.2)
