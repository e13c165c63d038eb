"""The derived network: one macro architecture as a plain Keras model.

Layers have systematic names, so that weights can be found and copied by name. For layer `i` of the
architecture:

| name | layer |
|---|---|
| `stem`, `stem_normalization` | 3 x 3 convolution and its batch normalisation |
| `layer_i_project`, `…_normalization` | 1 x 1 convolution in front of the operation |
| `layer_i_operation`, `…_normalization` | the operation; poolings have no normalisation |
| `layer_i_skip`, `…_normalization` | merging with skip connections, `i > 0` |
| `layer_i_reduce_j` | halves kept tensor `j` (0: stem, `j`: layer `j - 1`) after layer `i` |
| `dropout`, `classifier` | head |

In the per-channel form the operation is `layer_i_branch_b_project` and `layer_i_branch_b_operation`
for each branch `b`, then `layer_i_combine`, each with its `…_normalization`. In a portable network
a reduction is `layer_i_reduce_j_path_1`, `…_path_2` and `…_normalization`.
"""

import math
import zlib
from collections.abc import Sequence

import keras

from enas_tf.errors import ConfigurationError
from enas_tf.layers.batch_normalization import FusedBatchNormalization
from enas_tf.layers.dropout import ResumableDropout
from enas_tf.layers.factorized_reduction import FactorizedReduction
from enas_tf.spaces.macro.architecture import (
    ChannelRange,
    MacroArchitecture,
    MacroChannelArchitecture,
    MacroOperation,
)
from enas_tf.spaces.macro.config import MacroNetworkConfig, check_network
from enas_tf.spaces.macro.space import reduction_layers

MOMENTUM = 0.9
EPSILON = 1e-5
# The supernet's normalisation after a k x k operation, in the release.
SUPERNET_OPERATION_EPSILON = 1e-3

# Standard deviation of a normal distribution that is cut off at two deviations.
_TRUNCATED_DEVIATION = 0.87962566103423978


def build_macro_network(
    architecture: MacroArchitecture | MacroChannelArchitecture,
    config: MacroNetworkConfig,
    *,
    input_shape: Sequence[int],
    num_classes: int,
    portable: bool = True,
    seed: int = 0,
) -> keras.Model:
    """Returns the network of one architecture with fresh weights.

    With `config.merge == "concatenate"` this is the release's final form: ReLU, convolution and
    batch normalisation in this order; skip connections are concatenated with the layer's output and
    projected by a 1 x 1 convolution, also where there are none. With `"add"` it is the supernet's
    form: convolution, batch normalisation, ReLU; skip connections are added to the output, and the
    sum is normalised.

    Kept tensors that no later layer reads are not reduced (the release reduces them for nothing).

    Args:
      architecture: any macro architecture.
      config: width, form and dropout.
      input_shape: height, width and channels of a picture.
      num_classes: number of classes.
      portable: only stock Keras layers, so that a saved model loads without this package; False:
        the same network with this package's faster layers and resumable dropout, for training.
      seed: of the initial weights (He-normal) and of dropout.

    Returns:
      A functional model from normalised float32 pictures `[batch, height, width, channels]` to
      logits `[batch, num_classes]`.

    Raises:
      ConfigurationError: the sizes do not fit together.
    """
    check_network(architecture, config)
    _check_data(input_shape, num_classes)
    builder = _Builder(config, portable, seed)
    inputs = keras.Input(tuple(input_shape), name="images")
    outputs = builder.stem(inputs)
    kept: list[keras.KerasTensor | None] = [outputs]
    reductions = reduction_layers(architecture.num_layers, input_shape)
    for index, layer in enumerate(architecture.layers):
        name = f"layer_{index}"
        if isinstance(architecture, MacroChannelArchitecture):
            outputs = builder.branches(outputs, layer.branches, architecture.channels, name)
        else:
            outputs = builder.operation(outputs, layer.operation, name)
        if index > 0:
            skips = [kept[source] for source in layer.skip_connections]
            outputs = builder.merge(outputs, skips, name)
        kept.append(outputs)
        if index in reductions:
            later = architecture.layers[index + 1 :]
            read = {source for other in later for source in other.skip_connections}
            read.add(len(kept) - 1)
            if config.widen:
                builder.filters *= 2
            kept = [
                builder.reduce(tensor, f"{name}_reduce_{number}") if number in read else None
                for number, tensor in enumerate(kept)
            ]
            outputs = kept[-1]
    return keras.Model(inputs, builder.head(outputs, num_classes), name="macro_network")


def to_portable(
    network: keras.Model,
    architecture: MacroArchitecture | MacroChannelArchitecture,
    config: MacroNetworkConfig,
) -> keras.Model:
    """Returns the same network with the same weights, made only of stock Keras layers.

    Args:
      network: what `build_macro_network` returned, portable or not.
      architecture: that it was built from.
      config: that it was built with.
    """
    portable = build_macro_network(
        architecture,
        config,
        input_shape=network.input_shape[1:],
        num_classes=network.output_shape[-1],
    )
    weights = {}
    for layer in network.layers:
        if isinstance(layer, FactorizedReduction):
            weights[f"{layer.name}_path_1"] = [layer.path_1.numpy()[None, None]]
            weights[f"{layer.name}_path_2"] = [layer.path_2.numpy()[None, None]]
            weights[f"{layer.name}_normalization"] = layer.normalization.get_weights()
        elif not isinstance(layer, ResumableDropout):
            weights[layer.name] = layer.get_weights()
    for layer in portable.layers:
        if layer.get_weights():
            layer.set_weights(weights[layer.name])
    return portable


class _Builder:
    """Adds layers to a functional model; `filters` is the width of the present stage."""

    def __init__(self, config: MacroNetworkConfig, portable: bool, seed: int) -> None:
        self.config = config
        self.filters = config.filters
        self.portable = portable
        self.seed = seed
        self.adds = config.merge == "add"

    def stem(self, inputs: keras.KerasTensor) -> keras.KerasTensor:
        outputs = self._convolution(inputs, self.filters, 3, "stem")
        return self._normalization(outputs, "stem")

    def operation(
        self, inputs: keras.KerasTensor, operation: MacroOperation, name: str
    ) -> keras.KerasTensor:
        """A layer of the whole-channels form, without its skip connections."""
        filters = self.filters
        if self.adds:
            return self._post_activation(inputs, operation, filters, filters, name)
        outputs = self._relu(inputs, f"{name}_project")
        outputs = self._convolution(outputs, filters, 1, f"{name}_project")
        outputs = self._normalization(outputs, f"{name}_project")
        if operation.is_pooling:
            return self._pooling(outputs, operation, f"{name}_operation")
        outputs = self._relu(outputs, f"{name}_operation")
        outputs = self._operation(outputs, operation, filters, f"{name}_operation")
        return self._normalization(outputs, f"{name}_operation")

    def branches(
        self,
        inputs: keras.KerasTensor,
        branches: Sequence[ChannelRange],
        channels: int,
        name: str,
    ) -> keras.KerasTensor:
        """A layer of the per-channel form, without its skip connections."""
        outputs = []
        for number, branch in enumerate(branches):
            operation = MacroOperation(number)
            count = branch.count * self.filters // channels
            width = count if operation.is_pooling else self.filters
            outputs.append(
                self._post_activation(inputs, operation, width, count, f"{name}_branch_{number}")
            )
        combined = outputs[0]
        if len(outputs) > 1:
            combined = keras.layers.Concatenate(name=f"{name}_concatenate")(outputs)
        combined = self._convolution(combined, self.filters, 1, f"{name}_combine")
        combined = self._normalization(combined, f"{name}_combine")
        return self._relu(combined, f"{name}_combine")

    def merge(
        self, inputs: keras.KerasTensor, skips: Sequence[keras.KerasTensor], name: str
    ) -> keras.KerasTensor:
        """Joins a layer's output with its skip connections."""
        name = f"{name}_skip"
        if self.adds:
            outputs = inputs
            if skips:
                outputs = keras.layers.Add(name=f"{name}_add")([inputs, *skips])
            return self._normalization(outputs, name)
        outputs = inputs
        if skips:
            outputs = keras.layers.Concatenate(name=f"{name}_concatenate")([*skips, inputs])
        outputs = self._relu(outputs, name)
        outputs = self._convolution(outputs, self.filters, 1, name)
        return self._normalization(outputs, name)

    def reduce(self, inputs: keras.KerasTensor, name: str) -> keras.KerasTensor:
        """Halves the picture."""
        seed = self._layer_seed(name)
        if not self.portable:
            return FactorizedReduction(
                self.filters, momentum=MOMENTUM, epsilon=EPSILON, seed=seed, name=name
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
                self.filters // 2,
                1,
                strides=2,
                use_bias=False,
                kernel_initializer=keras.initializers.HeNormal(seed=seed + number),
                name=f"{name}_path_{number + 1}",
            )(grid)
            for number, grid in enumerate((inputs, shifted))
        ]
        outputs = keras.layers.Concatenate(name=f"{name}_concatenate")(paths)
        return self._normalization(outputs, name)

    def head(self, inputs: keras.KerasTensor, num_classes: int) -> keras.KerasTensor:
        outputs = keras.layers.GlobalAveragePooling2D(name="average")(inputs)
        dropout = keras.layers.Dropout if self.portable else ResumableDropout
        outputs = dropout(
            self.config.dropout_rate, seed=self._layer_seed("dropout"), name="dropout"
        )(outputs)
        return keras.layers.Dense(
            num_classes,
            use_bias=False,
            kernel_initializer=keras.initializers.HeNormal(seed=self._layer_seed("classifier")),
            name="classifier",
        )(outputs)

    def _post_activation(
        self,
        inputs: keras.KerasTensor,
        operation: MacroOperation,
        width: int,
        filters: int,
        name: str,
    ) -> keras.KerasTensor:
        """The supernet's branch: 1 x 1 convolution to `width` channels, then the operation."""
        outputs = self._convolution(inputs, width, 1, f"{name}_project")
        outputs = self._normalization(outputs, f"{name}_project")
        outputs = self._relu(outputs, f"{name}_project")
        if operation.is_pooling:
            return self._pooling(outputs, operation, f"{name}_operation")
        outputs = self._operation(outputs, operation, filters, f"{name}_operation")
        epsilon = SUPERNET_OPERATION_EPSILON if self.adds else EPSILON
        outputs = self._normalization(outputs, f"{name}_operation", epsilon)
        return self._relu(outputs, f"{name}_operation")

    def _operation(
        self, inputs: keras.KerasTensor, operation: MacroOperation, filters: int, name: str
    ) -> keras.KerasTensor:
        size = operation.kernel_size
        if not (operation.is_separable and self.config.separable):
            return self._convolution(inputs, filters, size, name)
        seed = self._layer_seed(name)
        # HeNormal would count the inputs of all channels; a depthwise output has size² of them.
        depthwise = keras.initializers.TruncatedNormal(
            stddev=math.sqrt(2.0) / size / _TRUNCATED_DEVIATION, seed=seed
        )
        return keras.layers.SeparableConv2D(
            filters,
            size,
            padding="same",
            use_bias=False,
            depthwise_initializer=depthwise,
            pointwise_initializer=keras.initializers.HeNormal(seed=seed + 1),
            name=name,
        )(inputs)

    def _pooling(
        self, inputs: keras.KerasTensor, operation: MacroOperation, name: str
    ) -> keras.KerasTensor:
        is_average = operation is MacroOperation.AVERAGE_POOLING_3X3
        pooling = keras.layers.AveragePooling2D if is_average else keras.layers.MaxPooling2D
        size = operation.kernel_size
        return pooling(size, strides=1, padding="same", name=name)(inputs)

    def _convolution(
        self, inputs: keras.KerasTensor, filters: int, size: int, name: str
    ) -> keras.KerasTensor:
        return keras.layers.Conv2D(
            filters,
            size,
            padding="same",
            use_bias=False,
            kernel_initializer=keras.initializers.HeNormal(seed=self._layer_seed(name)),
            name=name,
        )(inputs)

    def _normalization(
        self, inputs: keras.KerasTensor, name: str, epsilon: float = EPSILON
    ) -> keras.KerasTensor:
        normalization = (
            keras.layers.BatchNormalization if self.portable else FusedBatchNormalization
        )
        return normalization(momentum=MOMENTUM, epsilon=epsilon, name=f"{name}_normalization")(
            inputs
        )

    def _relu(self, inputs: keras.KerasTensor, name: str) -> keras.KerasTensor:
        return keras.layers.ReLU(name=f"{name}_relu")(inputs)

    def _layer_seed(self, name: str) -> int:
        """A seed of the layer's own, which does not depend on the other layers."""
        return zlib.crc32(f"{self.seed}/{name}".encode()) & 0x3FFFFFFF


def _check_data(input_shape: Sequence[int], num_classes: int) -> None:
    if len(input_shape) != 3 or any(not isinstance(n, int) or n < 1 for n in input_shape):
        raise ConfigurationError(
            "`input_shape` must be three positive integers (height, width, channels). "
            f"Received: input_shape={tuple(input_shape)}."
        )
    if num_classes < 2:
        raise ConfigurationError(
            f"`num_classes` must be at least 2. Received: num_classes={num_classes}."
        )
