import itertools

import numpy as np
import pytest

from enas_tf.errors import ArchitectureError, ConfigurationError
from enas_tf.spaces.macro.architecture import MacroArchitecture, MacroChannelArchitecture
from enas_tf.spaces.macro.decisions import reduction_layers
from enas_tf.spaces.macro.space import MacroSpace

FORMS = pytest.mark.parametrize("whole", [True, False])


def space(whole=True, **settings):
    return MacroSpace(**{"num_layers": 3, "filters": 4, "search_whole_channels": whole, **settings})


@pytest.mark.parametrize(
    ("num_layers", "side", "expected"),
    [
        (1, 32, ()),
        (2, 32, ()),
        (3, 32, (0, 1)),
        (6, 32, (1, 3)),
        (11, 32, (2, 5)),
        (12, 32, (3, 7)),
        (24, 32, (7, 15)),
        (12, 16, (3, 7)),
        (12, 13, (3, 7)),
        (12, 12, (3,)),
        (12, 8, (3,)),
        (12, 7, (3,)),
        (12, 6, ()),
        (12, 4, ()),
        (12, 3, ()),
        (12, 1, ()),
    ],
)
def test_reductions_adapt_to_layers_and_picture(num_layers, side, expected):
    assert reduction_layers(num_layers, (side, side, 3)) == expected


def test_the_smaller_side_decides_about_reductions():
    assert reduction_layers(12, (8, 64, 3)) == reduction_layers(12, (64, 8, 3)) == (3,)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"filters": 5}, "`filters` must be even"),
        ({"filters": 0}, "`filters` must be at least 2"),
        ({"num_layers": 0}, "`num_layers` must be at least 1"),
        ({"num_operations": 0}, "`num_operations` must be at least 1"),
        ({"num_operations": 7}, "`num_operations` must be at most 6"),
        ({"num_classes": 1}, "`num_classes` must be at least 2"),
        ({"dropout_rate": 1.0}, "`dropout_rate` must be less than 1"),
        ({"input_shape": (32, 32)}, "`input_shape` must be three positive integers"),
        ({"input_shape": (0, 32, 3)}, "`input_shape` must be three positive integers"),
        ({"input_shape": (8.0, 8, 1)}, "`input_shape` must be three positive integers"),
        ({"moving_statistics": "none"}, "`moving_statistics` must be one of"),
    ],
)
def test_bad_sizes_are_refused(settings, message):
    with pytest.raises(ConfigurationError, match=message):
        space(**settings)


def test_number_of_architectures_of_the_release():
    assert MacroSpace(num_layers=12).num_architectures == 6**12 * 2**66


@FORMS
def test_number_of_architectures_counts_the_different_ones(whole):
    small = space(whole, num_layers=2, filters=2, num_operations=2)
    found = {small.random_architecture(seed) for seed in range(2000)}
    assert len(found) == small.num_architectures


def test_decisions_of_a_known_architecture():
    decisions = space().encode([MacroArchitecture.from_release_string("0 3 1 5 0 1")])
    assert decisions.operations.tolist() == [[0, 3, 5]]
    assert decisions.skips.tolist() == [[[0, 0, 0], [1, 0, 0], [0, 1, 0]]]


def test_decisions_of_known_channels():
    small = space(False, num_layers=2, num_operations=2)
    text = "0 1 2 2 1 3 0 2 1"
    architecture = MacroChannelArchitecture.from_release_string(text, num_branches=2, channels=4)
    decisions = small.encode([architecture])
    assert decisions.starts.tolist() == [[[0, 2], [1, 0]]]
    assert decisions.counts.tolist() == [[[1, 2], [3, 2]]]
    assert decisions.skips.tolist() == [[[0, 0], [1, 0]]]


def test_random_architectures_have_all_operations_and_half_of_the_skips():
    large = space(num_layers=12)
    decisions = large.encode([large.random_architecture(seed) for seed in range(200)])
    shares = np.bincount(decisions.operations.ravel(), minlength=6) / decisions.operations.size
    np.testing.assert_allclose(shares, 1 / 6, atol=0.03)
    np.testing.assert_allclose(np.sum(decisions.skips) / (200 * 66), 0.5, atol=0.03)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("0 1 1", "has 2 layers, the space 3"),
        ("0 1 1 2 0 0", "convolution_5x5 is not among the operations of"),
    ],
)
def test_an_architecture_of_another_size_is_refused(text, message):
    with pytest.raises(ArchitectureError, match=message):
        space(num_operations=2).check(MacroArchitecture.from_release_string(text))


@FORMS
def test_an_architecture_of_the_other_form_is_refused(whole):
    with pytest.raises(ArchitectureError, match="search_whole_channels"):
        space(whole).check(space(not whole).random_architecture(0))


@pytest.mark.parametrize("settings", [{"filters": 6}, {"num_operations": 5}])
def test_channels_of_another_size_are_refused(settings):
    with pytest.raises(ArchitectureError, match="branches on"):
        space(False).check(space(False, **settings).random_architecture(0))


def test_operation_counts():
    architectures = map(MacroArchitecture.from_release_string, ["0 1 0 1 0 0", "0 0 0 1 0 0"])
    counts = space(num_operations=2).operation_counts(list(architectures))
    assert counts == {"convolution_3x3": [2, 1, 0], "separable_convolution_3x3": [0, 1, 2]}


def test_operation_counts_of_channels_are_channels():
    small = space(False, num_layers=1, num_operations=2)
    architecture = MacroChannelArchitecture.from_release_string("0 1 1 3", 2, 4)
    counts = small.operation_counts([architecture, architecture])
    assert counts == {"convolution_3x3": [2], "separable_convolution_3x3": [6]}


def test_benchmark_architectures_have_each_operation_in_each_layer_once():
    counts = space(num_layers=4).operation_counts(space(num_layers=4).benchmark_architectures())
    assert set(itertools.chain(*counts.values())) == {1}
