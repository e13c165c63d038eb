"""Layers of users' own operations: what is made of them, what they cost, what is refused."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from enas_tf.errors import ConfigurationError
from enas_tf.spaces.images.own_layers import OwnLayer, own_costs
from enas_tf.spaces.operations import OwnOperation
from tests.spaces.own_operations import bias_convolution, blur


def dilated_depthwise(filters, strides):
    return keras.layers.DepthwiseConv2D(3, padding="same", dilation_rate=2, use_bias=False)


def attention(filters, strides):
    # Of the pixels of a row; queries, keys, values and outputs have filters * filters weights each.
    return keras.layers.MultiHeadAttention(1, filters, use_bias=False, attention_axes=(2,))


class Attention(keras.layers.Layer):
    def __init__(self, filters):
        super().__init__()
        self.attention = attention(filters, 1)

    def build(self, shape):
        self.attention.build(shape, shape)

    def call(self, inputs):
        return self.attention(inputs, inputs)


@pytest.mark.parametrize(
    ("factory", "strides", "expected"),
    [
        (bias_convolution, 1, (9 * 16 + 4, 9 * 16 * 35)),
        (bias_convolution, 2, (9 * 16 + 4, 9 * 16 * 12)),
        (blur, 1, (0, 0)),
        (dilated_depthwise, 1, (9 * 4, 9 * 4 * 35)),
        (lambda filters, strides: keras.layers.Dense(filters), 1, (16 + 4, 16 * 35)),
        # Each of 7 pixels of a row meets 7 others, in the scores and in what is read.
        (lambda filters, strides: Attention(filters), 1, (64, 64 * 35 + 2 * 5 * 7 * 7 * 4)),
    ],
)
def test_costs_are_exact(factory, strides, expected):
    assert own_costs(OwnOperation("own", factory), (5, 7, 4), 4, strides) == expected


class Wide(keras.layers.Layer):
    def call(self, inputs):
        return keras.ops.concatenate([inputs, inputs], axis=2)


@pytest.mark.parametrize(
    ("factory", "message"),
    [
        (lambda filters, strides: tf.identity, "must return a Keras layer. Received: function"),
        (lambda filters, strides: None, "must return a Keras layer. Received: NoneType"),
        (lambda filters: keras.layers.ReLU(), "cannot be built: TypeError: .* takes 1 positional"),
        (lambda filters, strides: keras.layers.Dense(3), r"make \(None, None, 4\) of .*, 3\)"),
        (lambda filters, strides: Wide(), r"must make \(8, 5, 4\) of .*Received: \(8, 10, 4\)"),
        (lambda filters, strides: keras.layers.BatchNormalization(), "not trained .*moving_mean"),
        (lambda filters, strides: keras.layers.Dropout(0.5), "not trained .*seed"),
    ],
)
def test_what_cannot_be_an_operation_is_told(factory, message):
    with pytest.raises(ConfigurationError, match=f"^The operation own, .*{message}"):
        OwnLayer(OwnOperation("own", factory), 4)


def test_a_layer_runs_with_weights_that_are_given():
    layer = OwnLayer(OwnOperation("own", bias_convolution), 2)
    assert layer.shapes == [(3, 3, 2, 2), (2,)]
    images = np.random.default_rng(0).normal(size=(1, 4, 4, 2)).astype(np.float32)
    kernel, bias = layer.initial_values([5])
    outputs = layer(images, [kernel[0], bias[0] + 1])
    np.testing.assert_allclose(
        outputs, tf.nn.conv2d(images, kernel[0], 1, "SAME") + 1, rtol=1e-5, atol=1e-6
    )


def test_a_seed_decides_the_initial_weights_and_leaves_other_chances_alone():
    layer = OwnLayer(OwnOperation("own", bias_convolution), 2)
    first, second, third = layer.initial_values([1, 2, 1])[0]
    np.testing.assert_array_equal(first, third)
    assert np.abs(first - second).max() > 0.1
