import numpy as np
import pytest
import tensorflow as tf

from enas_tf.layers import compute_type
from enas_tf.layers.functional import convolution, depthwise_convolution

# Half of the distance of neighbouring numbers around 1: what rounding costs at most.
ROUNDING = {"bfloat16": 2.0**-8, "float16": 2.0**-11}
HALF = pytest.mark.parametrize("precision", list(ROUNDING))


def normal(*shape, seed=0):
    return tf.constant(np.random.default_rng(seed).normal(size=shape).astype(np.float32))


def with_gradients(function, tensors):
    with tf.GradientTape() as tape:
        tape.watch(tensors)
        outputs = function(*tensors)
    return [outputs, *tape.gradient(outputs, tensors)]


@HALF
@pytest.mark.parametrize(
    ("function", "shape"), [(convolution, (3, 3, 4, 4)), (depthwise_convolution, (3, 3, 4, 1))]
)
def test_sums_over_thousands_of_pixels_are_rounded_once(precision, function, shape):
    rounded = [tf.cast(one, precision) for one in (normal(8, 16, 16, 4), normal(*shape, seed=1))]
    exact = with_gradients(function, [tf.cast(one, tf.float32) for one in rounded])
    for half, single in zip(with_gradients(function, rounded), exact, strict=True):
        assert half.dtype == precision
        # A gradient of ones is exact in both.
        bound = ROUNDING[precision] * np.abs(single) + 1e-6
        assert np.all(np.abs(tf.cast(half, tf.float32) - single) <= bound)


def test_nothing_is_cast_in_float32():
    @tf.function(autograph=False)
    def traced(inputs, kernel):
        return compute_type.product(convolution(inputs, kernel)[0, 0], kernel[0, 0])

    graph = traced.get_concrete_function(normal(1, 2, 2, 2), normal(1, 1, 2, 2)).graph
    assert "Cast" not in {operation.type for operation in graph.get_operations()}


@HALF
def test_a_gpu_multiplies_in_the_half_type_itself(precision, monkeypatch):
    monkeypatch.setattr(compute_type, "runs_on_gpu", lambda: True)
    seen = []

    def multiply(first, second):
        seen.append((first.dtype, second.dtype))
        return tf.matmul(first, second)

    kernel = tf.cast(normal(2, 3), precision)
    assert compute_type.product(normal(4, 2), kernel, multiply).dtype == tf.float32
    assert seen == [(kernel.dtype, kernel.dtype)]


@HALF
def test_a_product_is_float32_and_off_by_roundings_of_its_factors(precision):
    first, second = normal(5, 64), normal(64, 7, seed=1)
    found = compute_type.product(first, tf.cast(second, precision))
    assert found.dtype == tf.float32
    sums = np.abs(first) @ np.abs(second)
    # Of each factor, and of the outcome.
    assert np.all(np.abs(found - first @ second) <= 3.01 * ROUNDING[precision] * sums)


def test_what_runs_on_logical_devices_of_a_cpu_runs_on_no_gpu(two_devices):
    with tf.distribute.MirroredStrategy(two_devices).scope():
        assert not compute_type.runs_on_gpu()
