import numpy as np
import pytest
import tensorflow as tf

from enas_tf.layers import functional
from enas_tf.layers.banks import BatchNormalizationEntry


@pytest.fixture
def generator():
    return np.random.default_rng(0)


def normal(generator, *shape):
    return generator.normal(size=shape).astype(np.float32)


def entry_of(generator, channels=3):
    scale, offset, mean = (normal(generator, channels) for _ in range(3))
    variance = generator.uniform(0.5, 2.0, channels).astype(np.float32)
    return BatchNormalizationEntry(scale, offset, mean, variance)


def test_a_kernel_of_two_axes_is_a_convolution_of_one_pixel(generator):
    inputs, kernel = normal(generator, 2, 4, 5, 3), normal(generator, 3, 6)
    np.testing.assert_allclose(
        functional.convolution(inputs, tf.constant(kernel)), inputs @ kernel, rtol=1e-4, atol=1e-5
    )


def test_a_stride_halves_and_rounds_up(generator):
    outputs = functional.convolution(
        normal(generator, 1, 5, 4, 3), tf.constant(normal(generator, 3, 6)), 2
    )
    assert outputs.shape == (1, 3, 2, 6)


def test_a_depthwise_convolution_keeps_channels_apart():
    inputs = np.zeros((1, 3, 3, 2), np.float32)
    inputs[0, 1, 1] = [1.0, 10.0]
    kernel = np.arange(18, dtype=np.float32).reshape(3, 3, 2, 1)
    outputs = functional.depthwise_convolution(inputs, kernel)
    # A convolution of a single bright pixel is the kernel upside down.
    expected = kernel[::-1, ::-1, :, 0] * [1.0, 10.0]
    np.testing.assert_allclose(outputs[0], expected)


def test_average_pooling_does_not_count_the_padding():
    np.testing.assert_allclose(functional.average_pooling(np.ones((1, 4, 4, 1), np.float32)), 1.0)


def test_max_pooling_does_not_see_the_padding():
    inputs = np.full((1, 4, 4, 1), -2.0, np.float32)
    np.testing.assert_allclose(functional.max_pooling(inputs), -2.0)


def test_pooling_takes_three_by_three_pixels():
    inputs = np.zeros((1, 5, 5, 1), np.float32)
    inputs[0, 2, 2] = 9.0
    inside = np.zeros((5, 5))
    inside[1:4, 1:4] = 1.0
    np.testing.assert_allclose(functional.average_pooling(inputs)[0, ..., 0], inside)
    np.testing.assert_allclose(functional.max_pooling(inputs)[0, ..., 0], 9.0 * inside)


def test_batch_statistics_normalise_and_are_returned(generator):
    inputs, entry = 3.0 + 2.0 * normal(generator, 4, 3, 3, 3), entry_of(generator)
    result = functional.batch_normalization(inputs, entry, epsilon=1e-3, use_batch_statistics=True)
    mean, variance = np.mean(inputs, axis=(0, 1, 2)), np.var(inputs, axis=(0, 1, 2))
    expected = (inputs - mean) / np.sqrt(variance + 1e-3) * entry.scale + entry.offset
    np.testing.assert_allclose(result.outputs, expected, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(result.mean, mean, rtol=1e-5)
    np.testing.assert_allclose(result.variance, variance * 36 / 35, rtol=1e-5)


def test_moving_statistics_normalise(generator):
    inputs, entry = normal(generator, 4, 3, 3, 3), entry_of(generator)
    result = functional.batch_normalization(inputs, entry, epsilon=1e-3, use_batch_statistics=False)
    deviation = np.sqrt(entry.moving_variance + 1e-3)
    expected = (inputs - entry.moving_mean) / deviation * entry.scale + entry.offset
    np.testing.assert_allclose(result.outputs, expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("use_batch_statistics", [True, False])
def test_a_normalised_convolution_is_a_convolution_then_a_normalisation(
    generator, use_batch_statistics
):
    inputs = normal(generator, 2, 6, 6, 2)
    kernel = tf.constant(normal(generator, 3, 3, 2, 3))
    entry = entry_of(generator)
    how = {"epsilon": 1e-5, "use_batch_statistics": use_batch_statistics}
    result = functional.normalized_convolution(inputs, kernel, entry, stride=2, **how)
    expected = functional.batch_normalization(
        functional.convolution(inputs, kernel, 2), entry, **how
    )
    for actual, wanted in zip(result, expected):
        np.testing.assert_allclose(actual, wanted, rtol=1e-4, atol=1e-5)
