import numpy as np
import pytest
import tensorflow as tf

from enas_tf.errors import ConfigurationError
from enas_tf.layers.factorized_reduction import (
    FactorizedReduction,
    factorized_reduction,
    reduction_kernel,
)


def by_slices(images, path_1, path_2):
    """The definition: two grids, the second one shifted by a pixel and filled with zeros."""
    shifted = np.pad(images[:, 1:, 1:], ((0, 0), (0, 1), (0, 1), (0, 0)))
    return np.concatenate([images[:, ::2, ::2] @ path_1, shifted[:, ::2, ::2] @ path_2], -1)


@pytest.mark.parametrize("sides", [(8, 8), (7, 7), (8, 5), (1, 3)])
def test_equals_two_convolutions_on_the_diagonal_grids(sides):
    generator = np.random.default_rng(0)
    images = generator.normal(size=(2, *sides, 3)).astype(np.float32)
    path_1, path_2 = generator.normal(size=(2, 3, 4)).astype(np.float32)
    np.testing.assert_allclose(
        factorized_reduction(images, path_1, path_2), by_slices(images, path_1, path_2), atol=1e-5
    )


def test_kernel_of_a_bank_has_the_kernels_of_its_entries():
    path_1, path_2 = np.random.default_rng(0).normal(size=(2, 5, 2, 3, 4)).astype(np.float32)
    kernels = reduction_kernel(path_1, path_2)
    assert kernels.shape == (5, 2, 2, 2, 3, 8)
    np.testing.assert_array_equal(kernels[3, 1], reduction_kernel(path_1[3, 1], path_2[3, 1]))


def test_kernel_is_zero_off_the_diagonal():
    kernel = reduction_kernel(tf.ones([3, 2]), tf.ones([3, 2])).numpy()
    assert not kernel[0, 1].any()
    assert not kernel[1, 0].any()


def test_layer_has_the_shape_that_it_announces():
    layer = FactorizedReduction(6)
    outputs = layer(tf.ones([2, 7, 4, 3]))
    assert tuple(outputs.shape) == layer.compute_output_shape((2, 7, 4, 3)) == (2, 4, 2, 6)


def test_layer_normalises_its_output():
    images = np.random.default_rng(0).normal(size=(8, 6, 6, 3)).astype(np.float32)
    outputs = FactorizedReduction(4)(images, training=True).numpy()
    np.testing.assert_allclose(outputs.mean((0, 1, 2)), 0.0, atol=1e-5)
    np.testing.assert_allclose(outputs.std((0, 1, 2)), 1.0, atol=1e-3)


def test_layer_survives_serialisation():
    config = FactorizedReduction(4, momentum=0.5, epsilon=1e-4, seed=3, name="r").get_config()
    assert FactorizedReduction.from_config(config).get_config() == config


@pytest.mark.parametrize("filters", [3, 0, -2])
def test_refuses_filters_that_cannot_be_halved(filters):
    with pytest.raises(ConfigurationError, match="even"):
        FactorizedReduction(filters)
