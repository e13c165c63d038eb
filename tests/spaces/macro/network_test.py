import keras
import numpy as np
import pytest
import tensorflow as tf

from enas_tf.errors import ConfigurationError
from enas_tf.spaces.macro.architecture import (
    MacroArchitecture,
    MacroChannelArchitecture,
    MacroLayer,
    MacroOperation,
)
from enas_tf.spaces.macro.config import MacroNetworkConfig
from enas_tf.spaces.macro.network import FORM, build_macro_network

# Every operation and every kind of skip connection in six layers.
ARCHITECTURE = MacroArchitecture.from_release_string(
    "0 | 3 1 | 2 0 1 | 1 1 0 1 | 4 0 0 0 0 | 5 1 0 1 0 1"
)
CHANNELS = MacroChannelArchitecture.from_release_string(
    "0 1 1 2 2 2 0 3 3 1 1 2 | 1 3 0 2 3 1 0 1 1 1 0 3 1 | 0 1 0 1 0 1 0 1 0 1 0 1 1 0",
    num_branches=6,
    channels=4,
)
MERGES = ("concatenate", "add")


def build(architecture=ARCHITECTURE, *, input_shape=(9, 8, 3), portable=True, **settings):
    config = MacroNetworkConfig(**{"filters": 4, "dropout_rate": 0.0, **settings})
    return build_macro_network(
        architecture, config, input_shape=input_shape, num_classes=5, portable=portable
    )


def pictures(shape=(9, 8, 3), batch=6):
    return np.random.default_rng(0).normal(size=(batch, *shape)).astype(np.float32)


def settle(network, images):
    """Gives the moving statistics values of their own."""
    for _ in range(2):
        network(images, training=True)


@pytest.mark.parametrize("merge", MERGES)
@pytest.mark.parametrize("architecture", [ARCHITECTURE, CHANNELS], ids=["whole", "channels"])
def test_portable_network_equals_the_fast_one(architecture, merge):
    shape = (13, 16, 1)  # 13 pixels become 7, then 4.
    fast = build(architecture, input_shape=shape, portable=False, merge=merge)
    images = pictures(shape)
    settle(fast, images)
    portable = FORM.to_portable(fast, architecture, MacroNetworkConfig(filters=4, merge=merge))
    np.testing.assert_allclose(portable(images), fast(images, training=False), atol=2e-5)


@pytest.mark.parametrize("merge", MERGES)
def test_both_kinds_start_with_the_same_weights(merge):
    fast, portable = build(portable=False, merge=merge), build(merge=merge)
    copied = FORM.to_portable(fast, ARCHITECTURE, MacroNetworkConfig(filters=4, merge=merge))
    for expected, actual in zip(copied.weights, portable.weights):
        np.testing.assert_array_equal(actual, expected)


@pytest.mark.parametrize("merge", MERGES)
def test_portable_network_has_only_stock_layers(merge):
    for architecture in (ARCHITECTURE, CHANNELS):
        network = build(architecture, merge=merge)
        assert all(type(layer).__module__.startswith("keras.") for layer in network.layers)


@pytest.mark.parametrize("merge", MERGES)
def test_every_operation_computes_something_else(merge):
    images = pictures()
    outputs = {}
    for operation in MacroOperation:
        architecture = MacroArchitecture((MacroLayer(operation),))
        outputs[operation] = build(architecture, merge=merge)(images, training=True).numpy()
    for first in MacroOperation:
        for second in MacroOperation:
            if first < second:
                assert np.abs(outputs[first] - outputs[second]).max() > 1e-3, (first, second)


@pytest.mark.parametrize(
    ("operation", "weights"),
    [
        (MacroOperation.CONVOLUTION_3X3, [(3, 3, 4, 4)]),
        (MacroOperation.SEPARABLE_CONVOLUTION_3X3, [(3, 3, 4, 1), (1, 1, 4, 4)]),
        (MacroOperation.CONVOLUTION_5X5, [(5, 5, 4, 4)]),
        (MacroOperation.SEPARABLE_CONVOLUTION_5X5, [(5, 5, 4, 1), (1, 1, 4, 4)]),
        (MacroOperation.AVERAGE_POOLING_3X3, []),
        (MacroOperation.MAX_POOLING_3X3, []),
    ],
)
@pytest.mark.parametrize("merge", MERGES)
def test_operations_have_their_weights(operation, weights, merge):
    network = build(MacroArchitecture((MacroLayer(operation),)), merge=merge)
    layer = network.get_layer("layer_0_operation")
    assert [tuple(weight.shape) for weight in layer.weights] == weights


def test_plain_variant_has_no_separable_convolutions():
    network = build(separable=False)
    kinds = {type(layer) for layer in network.layers}
    assert keras.layers.SeparableConv2D not in kinds
    assert network.get_layer("layer_1_operation").kernel.shape == (5, 5, 4, 4)


def test_average_pooling_does_not_count_the_padding():
    network = build(MacroArchitecture((MacroLayer(MacroOperation.AVERAGE_POOLING_3X3),)))
    pooling = network.get_layer("layer_0_operation")
    np.testing.assert_allclose(pooling(np.ones((1, 4, 4, 1), np.float32)), 1.0)


@pytest.mark.parametrize(("widen", "width"), [(True, 16), (False, 4)])
def test_reductions_double_the_filters_when_asked(widen, width):
    network = build(input_shape=(16, 16, 3), widen=widen)
    assert network.get_layer("classifier").kernel.shape == (width, 5)


@pytest.mark.parametrize("merge", MERGES)
def test_skip_connections_change_the_logits(merge):
    def last_skip(bits):
        return MacroArchitecture.from_release_string(f"0 | 0 0 | 0 {bits}")

    logits = [build(last_skip(bits), merge=merge)(pictures()).numpy() for bits in ("0 0", "1 0")]
    assert np.abs(logits[0] - logits[1]).max() > 1e-3


def test_a_skip_bit_stands_for_the_input_of_its_layer():
    # Two layers of six: no reduction in between. Bit 0 of layer 1 is the stem, not layer 0.
    network = build(MacroArchitecture.from_release_string("0 0 1"), merge="add")
    layer = network.get_layer("layer_1_skip_add")
    sources = [tensor._keras_history.operation.name for tensor in layer.input]
    assert sources == ["layer_1_operation_relu", "stem_normalization"]


@pytest.mark.parametrize("architecture", [ARCHITECTURE, CHANNELS], ids=["whole", "channels"])
def test_every_weight_gets_a_gradient(architecture):
    network = build(architecture, portable=False)
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(network(pictures(), training=True) ** 2)
    gradients = tape.gradient(loss, network.trainable_variables)
    assert all(np.any(gradient.numpy()) for gradient in gradients)


def test_normalisation_after_the_operation_has_the_supernet_s_epsilon():
    network = build(merge="add")
    assert network.get_layer("layer_0_operation_normalization").epsilon == 1e-3
    assert network.get_layer("layer_0_project_normalization").epsilon == 1e-5


def test_branches_compute_their_share_of_the_channels():
    network = build(CHANNELS, filters=8)
    widths = [
        network.get_layer(f"layer_0_branch_{branch}_operation").output.shape[-1]
        for branch in range(6)
    ]
    assert widths == [2, 4, 4, 6, 2, 4]


def test_layers_of_one_network_start_differently():
    network = build()
    first, second = (network.get_layer(f"layer_{i}_project").kernel.numpy() for i in (0, 1))
    assert (first != second).all()


@pytest.mark.parametrize(
    ("architecture", "settings", "sizes", "message"),
    [
        (ARCHITECTURE, {"filters": 5}, {}, "`filters` must be even"),
        (CHANNELS, {"filters": 6}, {}, "multiple of 4"),
        (ARCHITECTURE, {}, {"input_shape": (8, 8)}, "`input_shape`"),
        (ARCHITECTURE, {}, {"input_shape": (0, 8, 1)}, "`input_shape`"),
        (ARCHITECTURE, {}, {"num_classes": 1}, "`num_classes`"),
    ],
)
def test_sizes_that_do_not_fit_are_refused(architecture, settings, sizes, message):
    sizes = {"input_shape": (8, 8, 3), "num_classes": 3, **sizes}
    with pytest.raises(ConfigurationError, match=message):
        build_macro_network(architecture, MacroNetworkConfig(**{"filters": 4, **settings}), **sizes)
