import keras
import numpy as np
import pytest
import tensorflow as tf

from enas_tf.layers.batch_normalization import FusedBatchNormalization
from enas_tf.training.checkpoints import Checkpoints
from enas_tf.training.devices import mirrored_cpus
from enas_tf.training.moving_statistics import MeanMovingStatistics
from enas_tf.training.sums import run_and_sum

FIRST = np.array([1.0, 5.0], np.float32)


def build(strategy):
    """Returns a network of pictures of one value whose statistics move half of the way."""
    with strategy.scope():
        network = keras.Sequential([FusedBatchNormalization(momentum=0.5)])
        network.build([None, 1, 1, 1])
    return network


@pytest.fixture
def two(two_devices):
    return mirrored_cpus(two_devices)


def step_of(strategy, network, moving):
    """Returns a traced step in which replica `r` sees pictures of the value `FIRST[r]`."""

    def of_replica():
        number = tf.distribute.get_replica_context().replica_id_in_sync_group
        network(tf.fill([4, 1, 1, 1], tf.gather(FIRST, number)), training=True)
        return moving.of_replica(), ()

    @tf.function(autograph=False)
    def step():
        moving.share(run_and_sum(strategy, of_replica, ())[0])

    return step


def values_of(strategy, network):
    """Returns mean and variance, each as a list over the replicas."""
    return [
        [float(value[0]) for value in strategy.experimental_local_results(weight.value)]
        for weight in network.non_trainable_variables
    ]


def test_replicas_get_the_mean_after_every_step(two):
    network = build(two)
    step = step_of(two, network, MeanMovingStatistics(network, two))
    step()
    # Half of 0 and half of the mean of 1 and 5.
    assert values_of(two, network) == [[1.5, 1.5], [0.5, 0.5]]
    step()
    assert values_of(two, network) == [[2.25, 2.25], [0.25, 0.25]]


def test_one_device_shares_nothing():
    strategy = tf.distribute.get_strategy()
    network = build(strategy)
    moving = MeanMovingStatistics(network, strategy)
    assert moving.of_replica() == []
    step_of(strategy, network, moving)()
    moving.spread()
    assert values_of(strategy, network) == [[0.5], [0.5]]


def test_only_statistics_are_shared(two):
    with two.scope():
        counter = keras.layers.Dropout(0.5, seed=1)
        network = keras.Sequential([keras.Input([1, 1, 1]), FusedBatchNormalization(), counter])
    moving = MeanMovingStatistics(network, two)
    with two.scope():
        values = two.run(lambda: [tf.identity(value) for value in moving.of_replica()])
    assert len(values) == 2


def test_all_replicas_go_on_from_a_checkpoint(two, tmp_path):
    network = build(two)
    step_of(two, network, MeanMovingStatistics(network, two))()
    Checkpoints(tmp_path, network=network).save(1)
    restored = build(two)
    assert Checkpoints(tmp_path, network=restored).restore()
    MeanMovingStatistics(restored, two).spread()
    assert values_of(two, restored) == values_of(two, network) == [[1.5, 1.5], [0.5, 0.5]]
