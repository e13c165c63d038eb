import keras
import numpy as np
import pytest
import tensorflow as tf

from enas_tf.layers.batch_normalization import FusedBatchNormalization
from enas_tf.layers.factorized_reduction import FactorizedReduction
from enas_tf.spaces.images import network_precision
from enas_tf.spaces.images.network_precision import set_network_precision
from enas_tf.spaces.macro.architecture import MacroArchitecture
from enas_tf.spaces.macro.config import MacroNetworkConfig
from enas_tf.spaces.macro.network import build_macro_network

# A convolution, a separable one and a pooling, skips, and reductions.
ARCHITECTURE = MacroArchitecture.from_release_string("0 3 1 4 1 1")


def network_of():
    return build_macro_network(
        ARCHITECTURE,
        MacroNetworkConfig(filters=4, dropout_rate=0.0),
        input_shape=(8, 8, 1),
        num_classes=3,
        portable=False,
        seed=1,
    )


def compute_types(network, kind):
    return {layer.compute_dtype for layer in network.layers if isinstance(layer, kind)}


@pytest.fixture(params=[False, True], ids=["cpu", "gpu"])
def on_gpu(request, monkeypatch):
    """Whether the kernels of half types are used, which CPUs have, too."""
    monkeypatch.setattr(network_precision, "runs_on_gpu", lambda: request.param)
    return request.param


def test_layers_have_their_types(on_gpu):
    network = network_of()
    set_network_precision(network, "bfloat16")
    for kind in (keras.layers.ReLU, FusedBatchNormalization, FactorizedReduction):
        assert compute_types(network, kind) == {"bfloat16"}
    products = {"bfloat16"} if on_gpu else {"float32"}
    for kind in (keras.layers.Conv2D, keras.layers.SeparableConv2D):
        assert compute_types(network, kind) == products
    for kind in (keras.layers.GlobalAveragePooling2D, keras.layers.Dense):
        assert compute_types(network, kind) == {"float32"}
    assert {weight.dtype for weight in network.trainable_weights} == {"float32"}


@pytest.mark.parametrize("precision", ["bfloat16", "float16"])
@pytest.mark.parametrize("training", [True, False])
def test_logits_agree_and_are_float32(on_gpu, precision, training):
    images = np.random.default_rng(0).normal(size=(16, 8, 8, 1)).astype(np.float32)
    exact, half = network_of(), network_of()
    set_network_precision(half, precision)
    logits = [network(images, training=training) for network in (exact, half)]
    assert logits[1].dtype == tf.float32
    # See tests/spaces/precision_test.py.
    tolerance = 32 * {"bfloat16": 2.0**-9, "float16": 2.0**-12}[precision]
    difference = np.sqrt(np.mean(np.square(logits[1] - logits[0])))
    assert 0.0 < difference <= tolerance * np.sqrt(np.mean(np.square(logits[0])))
    # Moving statistics, too, in float32.
    for one, other in zip(exact.non_trainable_weights, half.non_trainable_weights):
        if one.name == "moving_variance":
            np.testing.assert_allclose(other, one, rtol=0.2)


def test_float32_changes_nothing():
    network = network_of()
    set_network_precision(network, "float32")
    assert {layer.compute_dtype for layer in network.layers} == {"float32"}
