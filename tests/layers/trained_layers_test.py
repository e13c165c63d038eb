import keras
import numpy as np
import pytest
import tensorflow as tf

from enas_tf.layers import deterministic, trained_layers

GENERATOR = np.random.default_rng(0)
PAIRS = {
    "convolution": (trained_layers.Convolution, keras.layers.Conv2D),
    "separable": (trained_layers.SeparableConvolution, keras.layers.SeparableConv2D),
    "average": (trained_layers.AveragePooling, keras.layers.AveragePooling2D),
}
CASES = [
    ("convolution", (4, 1), {}),
    ("convolution", (4, 1), {"strides": 2}),
    ("convolution", (4, 3), {"padding": "same"}),
    ("convolution", (4, (1, 7)), {"padding": "same"}),
    ("separable", (4, 5), {"padding": "same"}),
    ("separable", (4, 3), {"padding": "same", "dilation_rate": 2}),
    ("separable", (4, 5), {"padding": "same", "strides": 2}),
    ("separable", (4, 3), {"padding": "valid", "strides": 2}),
    ("average", (3,), {"padding": "same", "strides": 1}),
    ("average", (3,), {"padding": "same", "strides": 2}),
    ("average", (5,), {"padding": "valid", "strides": 3}),
]


def of(layer, inputs):
    """Returns the outputs of a layer and the gradients of its weights and inputs."""

    @tf.function(autograph=False)
    def gradients(inputs):
        with tf.GradientTape() as tape:
            tape.watch(inputs)
            outputs = layer(inputs)
            total = tf.reduce_sum(outputs * tf.sin(outputs))
        return outputs, tape.gradient(total, [inputs, *(one.value for one in layer.weights)])

    return tf.nest.flatten(gradients(inputs))


@pytest.mark.parametrize("needed", [False, True])
@pytest.mark.parametrize(("kind", "arguments", "options"), CASES)
def test_layers_are_kerass(kind, arguments, options, needed, monkeypatch):
    monkeypatch.setattr(deterministic, "is_needed", lambda: needed)
    if kind != "average":
        options = {**options, "use_bias": False}
    own, theirs = (make(*arguments, **options) for make in PAIRS[kind])
    inputs = tf.constant(GENERATOR.normal(size=(2, 8, 6, 3)), tf.float32)
    for layer in (own, theirs):
        layer.build(inputs.shape)
    theirs.set_weights(own.get_weights())
    for ours, expected in zip(of(own, inputs), of(theirs, inputs), strict=True):
        np.testing.assert_allclose(ours, expected, rtol=1e-4, atol=1e-4)
