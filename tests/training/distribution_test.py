import tensorflow as tf

from enas_tf.training.distribution import default_strategy


def test_no_distribution_on_one_device():
    assert default_strategy().num_replicas_in_sync == 1


def test_the_scope_of_the_caller_decides(two_devices):
    strategy = tf.distribute.MirroredStrategy(two_devices)
    with strategy.scope():
        assert default_strategy() is strategy
