"""Makes Keras layers of what the derived networks of all image spaces are made of.

A network comes in two kinds. The *portable* one has stock Keras layers only (and those of users'
own operations), so that a saved model loads without this package; the other one computes the same
with this package's faster layers, for training. Weights pass from one to the other by the names of
the portable network's layers: the factorised reduction `name` of the fast kind is `name_path_1`,
`name_path_2` and `name_normalization` there.
"""

import math
import zlib
from collections.abc import Mapping, Sequence

import keras
import numpy as np

from enas_tf.layers.batch_normalization import FusedBatchNormalization
from enas_tf.layers.drop_path import DropPathSchedule
from enas_tf.layers.dropout import ResumableDropout
from enas_tf.layers.factorized_reduction import FactorizedReduction
from enas_tf.layers.trained_layers import AveragePooling, Convolution, SeparableConvolution
from enas_tf.spaces.images.network_layers import EPSILON, NetworkLayers
from enas_tf.spaces.images.own_layers import add_own_layer
from enas_tf.spaces.operations import Operation, OwnOperation

MOMENTUM = 0.9

# Their weights only count training steps.
_COUNTING_LAYERS = (ResumableDropout, DropPathSchedule)
# Standard deviation of a normal distribution that is cut off at two deviations.
_TRUNCATED_DEVIATION = 0.87962566103423978


class NetworkBuilder(NetworkLayers):
    """Adds layers to a functional model of pictures `[batch, height, width, channels]`.

    Kernels start He-normal, each with a seed that comes from its name: layers that are added or
    left out do not change the others.

    Args:
      portable: only stock Keras layers.
      seed: of the initial weights and of dropout.
    """

    def __init__(self, *, portable: bool, seed: int) -> None:
        self.portable = portable
        self.seed = seed
        self._rectified: dict[int, tuple[keras.KerasTensor, keras.KerasTensor]] = {}

    def convolution(
        self,
        inputs: keras.KerasTensor,
        filters: int,
        size: int | tuple[int, int],
        name: str,
        padding: str = "same",
        strides: int = 1,
    ) -> keras.KerasTensor:
        """Convolution without a bias."""
        kind = keras.layers.Conv2D if self.portable else Convolution
        return kind(
            filters,
            size,
            strides=strides,
            padding=padding,
            use_bias=False,
            kernel_initializer=keras.initializers.HeNormal(seed=self.layer_seed(name)),
            name=name,
        )(inputs)

    def separable_convolution(
        self,
        inputs: keras.KerasTensor,
        filters: int,
        size: int,
        name: str,
        strides: int = 1,
        *,
        dilation: int = 1,
        centred: bool = False,
    ) -> keras.KerasTensor:
        """Depthwise, then pointwise convolution with nothing in between."""
        padding = "same"
        if strides > 1 and dilation > 1:
            # It reads and keeps every second pixel only; no layer has both a stride and a dilation.
            inputs, strides, dilation = _every_second(inputs, name), 1, 1
        elif strides > 1 and centred:
            inputs = keras.layers.ZeroPadding2D(size // 2, name=f"{name}_padding")(inputs)
            padding = "valid"
        seed = self.layer_seed(name)
        # HeNormal would count the inputs of all channels; a depthwise output has size² of them.
        depthwise = keras.initializers.TruncatedNormal(
            stddev=math.sqrt(2.0) / size / _TRUNCATED_DEVIATION, seed=seed
        )
        kind = keras.layers.SeparableConv2D if self.portable else SeparableConvolution
        return kind(
            filters,
            size,
            strides=strides,
            padding=padding,
            dilation_rate=dilation,
            use_bias=False,
            depthwise_initializer=depthwise,
            pointwise_initializer=keras.initializers.HeNormal(seed=seed + 1),
            name=name,
        )(inputs)

    def pooling(
        self,
        inputs: keras.KerasTensor,
        operation: Operation,
        name: str,
        strides: int = 1,
        *,
        centred: bool = False,
    ) -> keras.KerasTensor:
        """Pooling with SAME padding, which an average does not count."""
        averaging = keras.layers.AveragePooling2D if self.portable else AveragePooling
        is_average = operation.name.startswith("AVERAGE")
        pooling = averaging if is_average else keras.layers.MaxPooling2D
        if strides > 1 and centred:
            # With stride 1 all windows are centred; padding beforehand would count.
            return _every_second(self.pooling(inputs, operation, name), name)
        return pooling(operation.kernel_size, strides=strides, padding="same", name=name)(inputs)

    def own_layer(
        self,
        inputs: keras.KerasTensor,
        operation: OwnOperation,
        filters: int,
        name: str,
        strides: int = 1,
    ) -> keras.KerasTensor:
        """The layer that the user's function makes, in both kinds of networks."""
        return add_own_layer(operation, inputs, filters, strides, name, self.layer_seed(name))

    def window_average(
        self, inputs: keras.KerasTensor, window: tuple[int, int], strides: int, name: str
    ) -> keras.KerasTensor:
        """Averages `name_pooling` of all windows that lie inside the picture."""
        return keras.layers.AveragePooling2D(window, strides=strides, name=f"{name}_pooling")(
            inputs
        )

    def global_average(self, inputs: keras.KerasTensor, name: str) -> keras.KerasTensor:
        """Average of the whole picture, `[batch, channels]`."""
        return keras.layers.GlobalAveragePooling2D(name=name)(inputs)

    def normalization(
        self, inputs: keras.KerasTensor, name: str, epsilon: float = EPSILON
    ) -> keras.KerasTensor:
        """Batch normalisation `name_normalization`."""
        kind = keras.layers.BatchNormalization if self.portable else FusedBatchNormalization
        return kind(momentum=MOMENTUM, epsilon=epsilon, name=f"{name}_normalization")(inputs)

    def relu(self, inputs: keras.KerasTensor, name: str) -> keras.KerasTensor:
        """ReLU `name_relu`, or the one that the tensor goes through already."""
        if id(inputs) not in self._rectified:
            self._rectified[id(inputs)] = inputs, keras.layers.ReLU(name=f"{name}_relu")(inputs)
        return self._rectified[id(inputs)][1]

    def concatenated(self, tensors: Sequence[keras.KerasTensor], name: str) -> keras.KerasTensor:
        """Concatenation `name_concatenate` of the channels, if there is more than one tensor."""
        if len(tensors) == 1:
            return tensors[0]
        return keras.layers.Concatenate(name=f"{name}_concatenate")(list(tensors))

    def added(self, tensors: Sequence[keras.KerasTensor], name: str) -> keras.KerasTensor:
        """Sum of at least two tensors."""
        return keras.layers.Add(name=name)(list(tensors))

    def factorized_reduction(
        self, inputs: keras.KerasTensor, filters: int, name: str
    ) -> keras.KerasTensor:
        """Halves the picture, sides rounded up; batch normalisation follows."""
        seed = self.layer_seed(name)
        if not self.portable:
            return FactorizedReduction(
                filters, momentum=MOMENTUM, epsilon=EPSILON, seed=seed, name=name
            )(inputs)
        height, width = inputs.shape[1:3]
        shifted = keras.layers.Cropping2D(((1, 0), (1, 0)), name=f"{name}_shift")(inputs)
        if height % 2 or width % 2:
            padding = keras.layers.ZeroPadding2D(
                ((0, height % 2), (0, width % 2)), name=f"{name}_padding"
            )
            shifted = padding(shifted)
        paths = [
            keras.layers.Conv2D(
                filters // 2,
                1,
                strides=2,
                use_bias=False,
                kernel_initializer=keras.initializers.HeNormal(seed=seed + number),
                name=f"{name}_path_{number + 1}",
            )(grid)
            for number, grid in enumerate((inputs, shifted))
        ]
        return self.normalization(self.concatenated(paths, name), name)

    def dropout(self, inputs: keras.KerasTensor, rate: float, name: str) -> keras.KerasTensor:
        """Dropout; in training of random numbers that can be resumed."""
        dropout = keras.layers.Dropout if self.portable else ResumableDropout
        return dropout(rate, seed=self.layer_seed(name), name=name)(inputs)

    def classifier(
        self, inputs: keras.KerasTensor, num_classes: int, name: str, *, use_bias: bool = False
    ) -> keras.KerasTensor:
        """Logits from features `[batch, features]`."""
        return keras.layers.Dense(
            num_classes,
            use_bias=use_bias,
            kernel_initializer=keras.initializers.HeNormal(seed=self.layer_seed(name)),
            name=name,
        )(inputs)

    def layer_seed(self, name: str) -> int:
        """Returns `layer_seed` of the network's seed."""
        return layer_seed(self.seed, name)


def _every_second(inputs: keras.KerasTensor, name: str) -> keras.KerasTensor:
    """Returns every second pixel of every second row, the first one included."""
    return keras.layers.MaxPooling2D(1, strides=2, padding="same", name=f"{name}_halved")(inputs)


def layer_seed(seed: int, name: str) -> int:
    """Returns a seed of a layer's own, which does not depend on the other layers.

    Args:
      seed: of the network.
      name: of the layer.
    """
    return zlib.crc32(f"{seed}/{name}".encode()) & 0x3FFFFFFF


def portable_weights(network: keras.Model) -> dict[str, list[np.ndarray]]:
    """Returns the weights of a derived network by the names of its portable kind's layers.

    Args:
      network: of either kind.

    Returns:
      For each layer that has weights in a portable network, what its `get_weights` returns there.
    """
    weights = {}
    for layer in network.layers:
        if isinstance(layer, FactorizedReduction):
            weights[f"{layer.name}_path_1"] = [layer.path_1.numpy()[None, None]]
            weights[f"{layer.name}_path_2"] = [layer.path_2.numpy()[None, None]]
            weights[f"{layer.name}_normalization"] = layer.normalization.get_weights()
        elif layer.weights and not isinstance(layer, _COUNTING_LAYERS):
            weights[layer.name] = layer.get_weights()
    return weights


def assign_portable_weights(network: keras.Model, weights: Mapping[str, list[np.ndarray]]) -> None:
    """Gives a derived network weights by the names of its portable kind's layers.

    Args:
      network: of either kind.
      weights: as `portable_weights` returns them, for all its layers; others are left out.
    """
    for layer in network.layers:
        if isinstance(layer, FactorizedReduction):
            for path, name in ((layer.path_1, "path_1"), (layer.path_2, "path_2")):
                path.assign(weights[f"{layer.name}_{name}"][0][0, 0])
            layer.normalization.set_weights(weights[f"{layer.name}_normalization"])
        elif layer.weights and not isinstance(layer, _COUNTING_LAYERS):
            layer.set_weights(weights[layer.name])
