import pytest
import tensorflow as tf

from enas_tf.errors import ConfigurationError
from enas_tf.training.devices import (
    default_strategy,
    mirrored_cpus,
    strategy_of_devices,
    training_strategy,
)


def test_no_distribution_on_one_device():
    assert default_strategy().num_replicas_in_sync == 1


def test_the_scope_of_the_caller_decides(two_devices):
    strategy = mirrored_cpus(two_devices)
    with strategy.scope():
        assert default_strategy() is strategy


def test_logical_cpu_devices_can_be_asked_for(two_devices):
    assert strategy_of_devices("cpu:2").num_replicas_in_sync == len(two_devices)


@pytest.mark.parametrize("devices", ["", "gpu", "0", "-1", "cpu:0", "cpu:", "2.5"])
def test_unknown_devices_are_refused(devices):
    with pytest.raises(ConfigurationError, match="auto, all, a number"):
        strategy_of_devices(devices)


@pytest.mark.parametrize("devices", ["99", "cpu:99"])
def test_devices_that_do_not_exist_are_refused(devices):
    with pytest.raises(ConfigurationError, match="99"):
        strategy_of_devices(devices)


def test_a_training_in_the_scope_of_its_caller_runs_outside_of_it():
    theirs = tf.distribute.MirroredStrategy(["CPU:0"])
    with theirs.scope():
        with training_strategy() as strategy:
            assert strategy is theirs
            assert not tf.distribute.has_strategy()
            assert tf.executing_eagerly()
            assert int(tf.Variable(3)) == 3
        assert tf.distribute.get_strategy() is theirs


def test_a_training_may_have_another_strategy_than_the_scope():
    own = tf.distribute.OneDeviceStrategy("CPU:0")
    with (
        tf.distribute.MirroredStrategy(["CPU:0"]).scope(),
        training_strategy(own) as strategy,
        strategy.scope(),
    ):
        assert tf.distribute.get_strategy() is own
