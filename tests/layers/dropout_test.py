import numpy as np
import tensorflow as tf

from enas_tf.layers.dropout import ResumableDropout
from enas_tf.training.devices import mirrored_cpus


def test_evaluation_changes_nothing():
    inputs = tf.ones([3, 4])
    np.testing.assert_array_equal(ResumableDropout(0.5)(inputs, training=False), inputs)


def test_drops_its_share_and_keeps_the_mean():
    outputs = ResumableDropout(0.25)(tf.ones([100, 100]), training=True).numpy()
    assert abs((outputs == 0.0).mean() - 0.25) < 0.02
    np.testing.assert_allclose(outputs[outputs != 0.0], 1.0 / 0.75, rtol=1e-6)


def test_every_call_has_its_own_mask():
    layer = ResumableDropout(0.5)
    first, second = (layer(tf.ones([8, 8]), training=True).numpy() for _ in range(2))
    assert (first != second).any()


def test_restoring_the_layer_continues_its_sequence_of_masks(tmp_path):
    layer = ResumableDropout(0.5, seed=7)
    layer(tf.ones([8, 8]), training=True)
    path = tf.train.Checkpoint(layer=layer).write(str(tmp_path / "checkpoint"))
    expected = layer(tf.ones([8, 8]), training=True)
    other = ResumableDropout(0.5, seed=7)
    tf.train.Checkpoint(layer=other).read(path).assert_consumed()
    np.testing.assert_array_equal(other(tf.ones([8, 8]), training=True), expected)


def test_replicas_have_different_masks(two_devices):
    strategy = mirrored_cpus(two_devices)
    with strategy.scope():
        layer = ResumableDropout(0.5)

    @tf.function
    def run():
        return strategy.run(lambda: layer(tf.ones([8, 8]), training=True))

    first, second = strategy.experimental_local_results(run())
    assert (first.numpy() != second.numpy()).any()
    assert int(layer.num_calls.numpy()) == 1


def test_survives_serialisation():
    config = ResumableDropout(0.5, seed=3, name="dropout").get_config()
    assert ResumableDropout.from_config(config).get_config() == config
