import numpy as np
import pytest
import tensorflow as tf

from enas_tf.errors import ConfigurationError
from enas_tf.training.carried_state import CarriedState
from enas_tf.training.devices import mirrored_cpus


def numbers(rows=4):
    return tf.reshape(tf.range(2.0 * rows), [rows, 2])


def one_device():
    return tf.distribute.get_strategy()


def advanced(state, strategy):
    """Adds to each row the number of its replica and 10, as a training step would."""

    def replica_step(whole):
        replica = tf.distribute.get_replica_context().replica_id_in_sync_group
        rows = state.rows_of(whole, replica)
        return tf.nest.map_structure(lambda t: t + 10.0 + tf.cast(replica, tf.float32), rows)

    @tf.function
    def step():
        state.write(strategy.run(replica_step, args=(state.read(),)))

    step()


def test_one_device_has_all_rows():
    state = CarriedState(numbers(), 4, one_device())
    advanced(state, one_device())
    np.testing.assert_array_equal(state.read(), numbers() + 10.0)


def test_every_device_goes_on_with_its_own_rows(two_devices):
    strategy = mirrored_cpus(two_devices)
    state = CarriedState(numbers(), 4, strategy)
    advanced(state, strategy)
    added = state.read() - numbers()
    np.testing.assert_array_equal(added[:, 0], [10.0, 10.0, 11.0, 11.0])


def test_a_state_may_be_nested():
    state = CarriedState((numbers(), {"cell": numbers() + 1.0}), 4, one_device())
    advanced(state, one_device())
    hidden, cell = state.read()[0], state.read()[1]["cell"]
    np.testing.assert_array_equal(cell, hidden + 1.0)


def test_variables_are_not_trained():
    state = CarriedState(numbers(), 4, one_device())
    assert len(state.variables) == 1
    assert not state.trainable_variables


def test_an_empty_state_has_no_variables(two_devices):
    strategy = mirrored_cpus(two_devices)
    state = CarriedState((), 3, strategy)
    assert state.variables == ()
    assert state.rows_of(state.read(), 0) == ()


def test_rows_must_be_divisible_among_the_devices(two_devices):
    with pytest.raises(ConfigurationError, match=r"multiple of .* devices, 2.*batch_size=3"):
        CarriedState(numbers(3), 3, mirrored_cpus(two_devices))
