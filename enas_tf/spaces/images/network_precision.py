"""The type that the layers of a derived network compute in while it trains."""

import keras

from enas_tf.layers.batch_normalization import FusedBatchNormalization
from enas_tf.layers.compute_type import runs_on_gpu
from enas_tf.layers.drop_path import DropPath
from enas_tf.layers.factorized_reduction import FactorizedReduction

# Keras's kernels for these, unlike this package's functions, add up in a half type on a CPU; see
# `with_float32_sums`.
_SUMS = (
    keras.layers.Conv2D,
    keras.layers.SeparableConv2D,
    keras.layers.AveragePooling2D,
    keras.layers.MaxPooling2D,
)
_OTHERS = (
    keras.layers.Add,
    keras.layers.Concatenate,
    keras.layers.ReLU,
    keras.layers.ZeroPadding2D,
    DropPath,
    FactorizedReduction,
    FusedBatchNormalization,
)


def set_network_precision(network: keras.Model, precision: str) -> None:
    """Lets the layers of a network compute in a type; before it is traced.

    Weights and moving statistics stay float32. So do the layers behind the last pictures (global
    average, dropout, classifier), those of users' own classes, and on a CPU convolutions and
    poolings, whose results are cast by the layers that read them.

    Args:
      network: a functional model, as spaces for pictures build it for training.
      precision: one of `enas_tf.settings.training.PRECISIONS`.
    """
    if precision == "float32":
        return
    kinds = (*_SUMS, *_OTHERS) if runs_on_gpu() else _OTHERS
    policy = keras.DTypePolicy(f"mixed_{precision}")
    layers = [layer for layer in network.layers if isinstance(layer, kinds)]
    parts = [layer.normalization for layer in layers if isinstance(layer, FactorizedReduction)]
    for layer in (*layers, *parts):
        layer.dtype_policy = policy
