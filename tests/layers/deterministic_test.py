import numpy as np
import pytest
import tensorflow as tf

from enas_tf.layers import deterministic
from enas_tf.layers.functional import depthwise_convolution

IMAGES = np.random.default_rng(0).normal(size=(2, 7, 6, 3)).astype(np.float32)
KERNELS = {
    size: np.random.default_rng(size).normal(size=(size, size, 3, 1)).astype(np.float32)
    for size in (3, 5)
}


# The operation that GPUs do not have in a deterministic form.
_LACKING = "DepthwiseConv2dNativeBackpropFilter"


def _gradients(function, kernel):
    images, kernel = tf.constant(IMAGES), tf.constant(kernel)
    with tf.GradientTape() as tape:
        tape.watch([images, kernel])
        outputs = function(images, kernel)
        total = tf.reduce_sum(outputs * tf.sin(outputs))
    return outputs, *tape.gradient(total, [images, kernel])


@pytest.mark.parametrize(
    ("size", "stride", "padding", "dilation"),
    [(3, 1, "SAME", 1), (5, 1, "SAME", 2), (5, 2, "SAME", 1), (3, 2, "VALID", 1)],
)
def test_gradients_are_tensorflows(size, stride, padding, dilation):
    def by_tensorflow(images, kernel):
        strides, dilations = [1, stride, stride, 1], [dilation, dilation]
        return tf.nn.depthwise_conv2d(images, kernel, strides, padding, dilations=dilations)

    def own(images, kernel):
        return deterministic.depthwise_convolution(images, kernel, stride, padding, dilation)

    pairs = zip(_gradients(own, KERNELS[size]), _gradients(by_tensorflow, KERNELS[size]))
    for ours, theirs in pairs:
        np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=1e-4)


def test_gradients_have_gradients():
    def second(function):
        kernel = tf.constant(KERNELS[3])
        with tf.GradientTape() as outer:
            outer.watch(kernel)
            with tf.GradientTape() as tape:
                tape.watch(kernel)
                total = tf.reduce_sum(function(tf.constant(IMAGES), kernel) ** 3)
            gradient = tape.gradient(total, kernel)
        return outer.gradient(gradient, kernel)

    own, theirs = second(deterministic.depthwise_convolution), second(depthwise_convolution)
    np.testing.assert_allclose(own, theirs, rtol=1e-3)


@pytest.fixture
def on_gpu(monkeypatch):
    monkeypatch.setattr(deterministic, "is_needed", lambda: True)


def test_rows_that_stand_several_times_are_all_subtracted(on_gpu, monkeypatch):
    table, numbers = np.ones((4, 2), np.float32), tf.constant([3, 0, 3])
    rows = np.arange(6, dtype=np.float32).reshape(3, 2)
    own = deterministic.subtract_rows(tf.constant(table), numbers, tf.constant(rows))
    monkeypatch.setattr(deterministic, "is_needed", lambda: False)
    theirs = deterministic.subtract_rows(tf.constant(table), numbers, tf.constant(rows))
    np.testing.assert_array_equal(own, theirs)


def _read(function):
    """Returns the types of the operations that the outputs of a function follow from."""
    graph = tf.function(function).get_concrete_function(tf.TensorSpec(IMAGES.shape)).graph
    found, waiting = {}, [output.op for output in graph.outputs]
    while waiting:
        operation = waiting.pop()
        if operation.name not in found:
            found[operation.name] = operation.type
            waiting += [one.op for one in operation.inputs]
    return set(found.values())


def _kernel_gradient(function, kernel):
    def gradient(images):
        with tf.GradientTape() as tape:
            tape.watch(kernel)
            total = tf.reduce_sum(function(images) ** 2)
        return tape.gradient(total, kernel)

    return gradient


@pytest.mark.parametrize("needed", [False, True])
def test_supernets_have_the_own_gradient_where_it_is_needed(needed, monkeypatch):
    monkeypatch.setattr(deterministic, "is_needed", lambda: needed)
    kernel = tf.constant(KERNELS[3])
    read = _read(_kernel_gradient(lambda images: depthwise_convolution(images, kernel), kernel))
    assert (_LACKING in read) != needed
