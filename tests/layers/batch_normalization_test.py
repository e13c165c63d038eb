import keras
import numpy as np
import pytest
import tensorflow as tf

from enas_tf.errors import ConfigurationError
from enas_tf.layers.batch_normalization import FusedBatchNormalization
from enas_tf.training.devices import mirrored_cpus


@pytest.fixture
def images():
    return np.random.default_rng(0).normal(2.0, 3.0, (4, 5, 6, 3)).astype(np.float32)


def pair(**kwargs):
    """Returns the Keras layer and the fused one with the same weights."""
    layers = [
        keras.layers.BatchNormalization(**kwargs),
        FusedBatchNormalization(**kwargs),
    ]
    for layer in layers:
        layer.build((None, 5, 6, 3))
    generator = np.random.default_rng(1)
    weights = [generator.uniform(0.5, 1.5, v.shape) for v in layers[0].weights]
    for layer in layers:
        layer.set_weights(weights)
    return layers


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("kwargs", [{}, {"scale": False}, {"center": False}])
def test_equals_the_keras_layer(images, training, kwargs):
    stock, fused = pair(momentum=0.9, epsilon=1e-3, **kwargs)
    np.testing.assert_allclose(
        fused(images, training=training), stock(images, training=training), atol=2e-6
    )
    for expected, actual in zip(stock.weights, fused.weights):
        assert actual.name == expected.name
        np.testing.assert_allclose(actual, expected, rtol=1e-5)


def test_gradients_equal_the_keras_layer_s(images):
    gradients = []
    for layer in pair(epsilon=1e-3):
        inputs = tf.Variable(images)
        with tf.GradientTape() as tape:
            loss = tf.reduce_sum(layer(inputs, training=True) ** 3)
        gradients.append(tape.gradient(loss, [inputs, layer.gamma, layer.beta]))
    for expected, actual in zip(*gradients):
        np.testing.assert_allclose(actual, expected, rtol=1e-3, atol=1e-3)


def test_a_frozen_layer_uses_and_keeps_its_moving_statistics(images):
    stock, fused = pair()
    stock.trainable = fused.trainable = False
    before = fused.moving_mean.numpy()
    np.testing.assert_allclose(
        fused(images, training=True), stock(images, training=True), atol=2e-6
    )
    np.testing.assert_array_equal(fused.moving_mean, before)


def test_survives_serialisation():
    layer = FusedBatchNormalization(momentum=0.7, epsilon=1e-4, name="bn")
    assert FusedBatchNormalization.from_config(layer.get_config()).get_config() == (
        layer.get_config()
    )


def test_moving_statistics_are_the_mean_over_replicas(two_devices, images):
    strategy = mirrored_cpus(two_devices)
    with strategy.scope():
        layer = FusedBatchNormalization(momentum=0.5)
        layer.build((None, 5, 6, 3))
    parts = [tf.constant(part) for part in np.split(images, 2)]
    batch = strategy.experimental_distribute_values_from_function(
        lambda context: parts[context.replica_id_in_sync_group]
    )
    tf.function(lambda: strategy.run(lambda part: layer(part, training=True), (batch,)))()
    np.testing.assert_allclose(layer.moving_mean.numpy(), 0.5 * images.mean((0, 1, 2)), rtol=1e-5)


@pytest.mark.parametrize("kwargs", [{"axis": 1}, {"synchronized": True}, {"renorm": True}])
def test_refuses_what_the_kernel_cannot_do(kwargs):
    with pytest.raises(ConfigurationError, match="last axis"):
        FusedBatchNormalization(**kwargs)


def test_accepts_the_default_of_an_argument_that_older_keras_lacks():
    assert FusedBatchNormalization(renorm=False, epsilon=1e-3).epsilon == 1e-3


def test_refuses_inputs_that_are_no_pictures():
    with pytest.raises(ConfigurationError, match=r"\[batch, height, width, channels\]"):
        FusedBatchNormalization().build((None, 4))
