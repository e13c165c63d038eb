import itertools

import numpy as np
import pytest

from enas_tf.errors import ArchitectureError, ConfigurationError
from enas_tf.spaces.micro.architecture import MicroArchitecture
from enas_tf.spaces.micro.space import MicroSpace

TEXT = "0 0 1 2 2 4 0 3 1 1 1 0 0 4 2 1"


def space(**settings):
    return MicroSpace(**{"num_layers": 1, "filters": 4, "num_nodes": 2, **settings})


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"filters": 5}, "`filters` must be even"),
        ({"filters": 0}, "`filters` must be at least 2"),
        ({"num_layers": 0}, "`num_layers` must be at least 1"),
        ({"num_nodes": 0}, "`num_nodes` must be at least 1"),
        ({"num_operations": 0}, "`num_operations` must be at least 1"),
        ({"num_operations": 6}, "`num_operations` must be at most 5"),
        ({"num_classes": 1}, "`num_classes` must be at least 2"),
        ({"dropout_rate": 1.0}, "`dropout_rate` must be less than 1"),
        ({"auxiliary_weight": -0.1}, "`auxiliary_weight` must be at least 0"),
        ({"bank_initialization": "zeros"}, "`bank_initialization` must be one of"),
        ({"input_shape": (32, 32)}, "`input_shape` must be three positive integers"),
        ({"input_shape": (3, 32, 3)}, "at least 4 x 4 pixels. Received pictures of 3 x 32"),
        ({"input_shape": (32, 3, 3)}, "at least 4 x 4 pixels. Received pictures of 32 x 3"),
    ],
)
def test_bad_sizes_are_refused(settings, message):
    with pytest.raises(ConfigurationError, match=message):
        space(**settings)


def test_pictures_of_four_pixels_are_large_enough():
    assert space(input_shape=(4, 4, 1)).input_shape == (4, 4, 1)


def test_number_of_architectures_of_the_release():
    # Two cells; each operand of node n has n + 2 inputs and 5 operations.
    assert MicroSpace(num_nodes=5).num_architectures == (5**5 * 2 * 3 * 4 * 5 * 6) ** 4


def test_number_of_architectures_counts_the_different_ones():
    small = space(num_nodes=1, num_operations=1)
    found = {small.random_architecture(seed) for seed in range(300)}
    assert len(found) == small.num_architectures == 16


def test_decisions_of_a_known_architecture():
    decisions = space().encode([MicroArchitecture.from_release_string(TEXT)])
    assert decisions.inputs.tolist() == [[[[0, 1], [2, 0]], [[1, 1], [0, 2]]]]
    assert decisions.operations.tolist() == [[[[0, 2], [4, 3]], [[1, 0], [4, 1]]]]


def test_random_inputs_and_operations_are_uniform():
    large = space(num_nodes=5)
    decisions = large.encode([large.random_architecture(seed) for seed in range(300)])
    shares = np.bincount(decisions.operations.ravel(), minlength=5) / decisions.operations.size
    np.testing.assert_allclose(shares, 1 / 5, atol=0.03)
    for node in range(5):
        inputs = decisions.inputs[:, :, node]
        shares = np.bincount(inputs.ravel(), minlength=node + 2) / inputs.size
        np.testing.assert_allclose(shares, 1 / (node + 2), atol=0.06)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"num_nodes": 3}, "cells have 2 nodes, the space's 3; set num_nodes=2"),
        ({"num_operations": 2}, "Normal cell: node 0: operation average_pooling_3x3 is not among"),
        ({"num_operations": 4}, "node 1: operation identity is not among the operations of"),
    ],
)
def test_an_architecture_of_another_size_is_refused(settings, message):
    with pytest.raises(ArchitectureError, match=message):
        space(**settings).check(MicroArchitecture.from_release_string(TEXT))


def test_another_kind_of_architecture_is_refused():
    with pytest.raises(ArchitectureError, match="Expected a MicroArchitecture"):
        space().check(TEXT)


def test_operation_counts_follow_the_operands():
    small = space(num_nodes=1, num_operations=2)
    texts = ["0 0 0 1 0 1 0 1", "0 0 0 0 0 0 0 1"]
    counts = small.operation_counts(list(map(MicroArchitecture.from_release_string, texts)))
    assert counts == {
        "separable_convolution_3x3": [2, 1, 1, 0],
        "separable_convolution_5x5": [0, 1, 1, 2],
    }


def test_benchmark_architectures_have_each_operation_at_each_operand_once():
    small = space(num_nodes=3, num_operations=4)
    counts = small.operation_counts(small.benchmark_architectures())
    assert set(itertools.chain(*counts.values())) == {1}
    assert len(counts) == 4


def test_a_network_of_the_search_s_size_has_its_settings():
    config = space(num_layers=4, dropout_rate=0.3, auxiliary_weight=0.2).network_config()
    assert (config.num_layers, config.filters, config.dropout_rate) == (4, 4, 0.3)
    assert (config.drop_path_rate, config.auxiliary_weight) == (0.0, 0.2)
