import numpy as np
import pytest
import tensorflow as tf

from enas_tf.layers import cpu_gradients, functional
from enas_tf.layers.graph_options import of_any_size

_OF_KERNEL = "DepthwiseConv2dNativeBackpropFilter"
GENERATOR = np.random.default_rng(0)
# Even and odd sides, and such that windows are cut at both ends.
SIZES = [(6, 4), (4, 7), (2, 2), (1, 1)]


def normal(*shape):
    return tf.constant(GENERATOR.normal(size=shape), tf.float32)


def gradient_function(function, *tensors):
    """Returns the gradients of a function of its own, as a supernet's are."""
    inner = tf.function(function, autograph=False)

    @tf.function(autograph=False)
    def gradients(*tensors):
        with tf.GradientTape() as tape:
            tape.watch(tensors)
            outputs = inner(*tensors)
            total = tf.reduce_sum(outputs * tf.sin(outputs))
        return tape.gradient(total, tensors)

    return gradients.get_concrete_function(*tensors)


def assert_same_gradients(own, theirs, *tensors):
    pairs = zip(*(gradient_function(one, *tensors)(*tensors) for one in (own, theirs)))
    for ours, expected in pairs:
        np.testing.assert_allclose(ours, expected, rtol=1e-4, atol=1e-4)


def convolution_by_tensorflow(inputs, kernel):
    return tf.nn.depthwise_conv2d(inputs, kernel, [1, 1, 1, 1], "SAME")


@pytest.mark.parametrize("sides", SIZES)
@pytest.mark.parametrize("height", [1, 3, 5])
@pytest.mark.parametrize("known", [True, False])
def test_depthwise_kernels_of_width_5(sides, height, known):
    def own(inputs, kernel):
        inputs = inputs if known else of_any_size(inputs)
        return functional.depthwise_convolution(inputs, kernel)

    tensors = normal(2, *sides, 3), normal(height, 5, 3, 1)
    assert_same_gradients(own, convolution_by_tensorflow, *tensors)


@pytest.mark.parametrize(
    ("own", "theirs"),
    [
        (functional.average_pooling, tf.nn.avg_pool2d),
        (functional.max_pooling, tf.nn.max_pool2d),
    ],
)
@pytest.mark.parametrize("window", [3, 5])
@pytest.mark.parametrize("sides", SIZES)
def test_poolings(own, theirs, window, sides):
    assert_same_gradients(
        lambda inputs: own(inputs, window),
        lambda inputs: theirs(inputs, window, 1, "SAME"),
        normal(2, *sides, 3),
    )


def test_no_gradient_of_a_width_of_5_is_left(monkeypatch):
    read = []
    original = tf.raw_ops.DepthwiseConv2dNativeBackpropFilter

    def counted(**arguments):
        read.append(int(tf.get_static_value(arguments["filter_sizes"])[1]))
        return original(**arguments)

    monkeypatch.setattr(tf.raw_ops, _OF_KERNEL, counted)
    tensors = normal(2, 4, 4, 3), normal(5, 5, 3, 1)
    gradient_function(functional.depthwise_convolution, *tensors)
    assert read == [3, 3]


def test_a_gpu_has_tensorflows_gradients(monkeypatch):
    monkeypatch.setattr(cpu_gradients, "runs_on_gpu", lambda: True)
    monkeypatch.delattr(tf.raw_ops, _OF_KERNEL)
    tensors = normal(2, 4, 4, 3), normal(5, 5, 3, 1)
    assert gradient_function(functional.depthwise_convolution, *tensors)


def test_gradients_have_gradients():
    kernel, inputs = normal(5, 5, 3, 1), normal(2, 4, 4, 3)

    def second(convolution):
        @tf.function(autograph=False)
        def gradient(kernel):
            with tf.GradientTape() as tape:
                tape.watch(kernel)
                total = tf.reduce_sum(tf.function(convolution)(inputs, kernel) ** 3)
            return tape.gradient(total, kernel)

        with tf.GradientTape() as outer:
            outer.watch(kernel)
            first = gradient(kernel)
        return outer.gradient(first, kernel)

    own, theirs = second(functional.depthwise_convolution), second(convolution_by_tensorflow)
    np.testing.assert_allclose(own, theirs, rtol=1e-3, atol=1e-2)
