"""Windows around every second pixel against loops in plain NumPy."""

import keras
import numpy as np
import pytest

from enas_tf.spaces.images.network_builder import NetworkBuilder
from enas_tf.spaces.micro.architecture import MicroOperation

STRIDES = 2


def windows(images, size, dilation):
    """Yields the place of every second pixel and the pixels around it, NaN outside of images."""
    margin = size // 2 * dilation
    padded = np.pad(
        images, [(0, 0), (margin, margin), (margin, margin), (0, 0)], constant_values=np.nan
    )
    for row in range(0, images.shape[1], STRIDES):
        for column in range(0, images.shape[2], STRIDES):
            extent = 2 * margin + 1
            window = padded[:, row : row + extent : dilation, column : column + extent : dilation]
            yield (row // STRIDES, column // STRIDES), window


def compare(layer, images, function, size, dilation=1):
    outputs = layer(images).numpy()
    expected = np.full(outputs.shape, np.nan)
    for (row, column), window in windows(images, size, dilation):
        expected[:, row, column] = function(window)
    np.testing.assert_allclose(outputs, expected, atol=1e-5)


def model_of(add, images):
    inputs = keras.Input(images.shape[1:])
    return keras.Model(inputs, add(NetworkBuilder(portable=True, seed=0), inputs))


@pytest.fixture(params=[(8, 6), (7, 9)], ids=["even", "odd"])
def images(request):
    # All below zero: padding with zeros would be the largest.
    normal = np.random.default_rng(0).normal(size=(2, *request.param, 3))
    return (normal - 5.0).astype(np.float32)


@pytest.mark.parametrize(
    ("operation", "function"),
    [
        (MicroOperation.AVERAGE_POOLING_3X3, np.nanmean),
        (MicroOperation.MAX_POOLING_3X3, np.nanmax),
    ],
)
def test_poolings(images, operation, function):
    model = model_of(
        lambda layers, inputs: layers.pooling(inputs, operation, "pool", STRIDES, centred=True),
        images,
    )
    compare(model, images, lambda window: function(window, axis=(1, 2)), 3)


@pytest.mark.parametrize("dilation", [1, 2])
@pytest.mark.parametrize("size", [3, 5])
def test_separable_convolutions(images, size, dilation):
    model = model_of(
        lambda layers, inputs: layers.separable_convolution(
            inputs, 4, size, "convolution", STRIDES, dilation=dilation, centred=True
        ),
        images,
    )
    depthwise, pointwise = model.get_layer("convolution").get_weights()

    def convolved(window):
        products = np.nan_to_num(window) * depthwise[..., 0]
        return products.sum(axis=(1, 2)) @ pointwise[0, 0]

    compare(model, images, convolved, size, dilation)


@pytest.mark.parametrize("size", [3, 5])
def test_a_dilated_convolution_of_stride_1_leaves_pixels_out(images, size):
    model = model_of(
        lambda layers, inputs: layers.separable_convolution(
            inputs, 4, size, "convolution", dilation=2
        ),
        images,
    )
    depthwise, pointwise = model.get_layer("convolution").get_weights()
    spread = np.zeros((2 * size - 1, 2 * size - 1, 3, 1), np.float32)
    spread[::2, ::2] = depthwise
    plain = model_of(
        lambda layers, inputs: layers.separable_convolution(inputs, 4, 2 * size - 1, "convolution"),
        images,
    )
    plain.get_layer("convolution").set_weights([spread, pointwise])
    np.testing.assert_allclose(model(images), plain(images), atol=1e-5)
