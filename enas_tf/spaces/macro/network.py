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

from collections.abc import Sequence

import keras

from enas_tf.spaces.images.network_builder import EPSILON, NetworkBuilder
from enas_tf.spaces.images.network_form import NetworkForm
from enas_tf.spaces.images.space import check_input_shape, check_num_classes
from enas_tf.spaces.macro.architecture import (
    AnyMacroArchitecture,
    ChannelRange,
    MacroChannelArchitecture,
    MacroOperation,
)
from enas_tf.spaces.macro.config import MacroNetworkConfig, check_network
from enas_tf.spaces.macro.decisions import reduction_layers

# The supernet's normalisation after a k x k operation, in the release.
SUPERNET_OPERATION_EPSILON = 1e-3


def build_macro_network(
    architecture: AnyMacroArchitecture,
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
    check_input_shape(input_shape)
    check_num_classes(num_classes)
    builder = _Builder(config, portable, seed)
    inputs = keras.Input(tuple(input_shape), name="images")
    outputs = builder.normalized_convolution(inputs, builder.filters, 3, "stem")
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
                builder.factorized_reduction(tensor, builder.filters, f"{name}_reduce_{number}")
                if number in read
                else None
                for number, tensor in enumerate(kept)
            ]
            outputs = kept[-1]
    return keras.Model(
        inputs, builder.head(outputs, num_classes, config.dropout_rate), name="macro_network"
    )


class _Builder(NetworkBuilder):
    """Adds the parts of a macro network; `filters` is the width of the present stage."""

    def __init__(self, config: MacroNetworkConfig, portable: bool, seed: int) -> None:
        super().__init__(portable=portable, seed=seed)
        self.config = config
        self.filters = config.filters
        self.adds = config.merge == "add"

    def operation(
        self, inputs: keras.KerasTensor, operation: MacroOperation, name: str
    ) -> keras.KerasTensor:
        """A layer of the whole-channels form, without its skip connections."""
        filters = self.filters
        if self.adds:
            return self._post_activation(inputs, operation, filters, filters, name)
        outputs = self.rectified_convolution(inputs, filters, f"{name}_project")
        name = f"{name}_operation"
        if operation.is_pooling:
            return self.pooling(outputs, operation, name)
        outputs = self._operation(self.relu(outputs, name), operation, filters, name)
        return self.normalization(outputs, name)

    def branches(
        self, inputs: keras.KerasTensor, branches: Sequence[ChannelRange], channels: int, name: str
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
        outputs = self.concatenated(outputs, name)
        outputs = self.normalized_convolution(outputs, self.filters, 1, f"{name}_combine")
        return self.relu(outputs, f"{name}_combine")

    def merge(
        self, inputs: keras.KerasTensor, skips: Sequence[keras.KerasTensor], name: str
    ) -> keras.KerasTensor:
        """Joins a layer's output with its skip connections."""
        name = f"{name}_skip"
        if self.adds:
            outputs = keras.layers.Add(name=f"{name}_add")([inputs, *skips]) if skips else inputs
            return self.normalization(outputs, name)
        outputs = self.concatenated([*skips, inputs], name)
        return self.rectified_convolution(outputs, self.filters, name)

    def _post_activation(
        self,
        inputs: keras.KerasTensor,
        operation: MacroOperation,
        width: int,
        filters: int,
        name: str,
    ) -> keras.KerasTensor:
        """The supernet's branch: 1 x 1 convolution to `width` channels, then the operation."""
        outputs = self.normalized_convolution(inputs, width, 1, f"{name}_project")
        outputs = self.relu(outputs, f"{name}_project")
        name = f"{name}_operation"
        if operation.is_pooling:
            return self.pooling(outputs, operation, name)
        outputs = self._operation(outputs, operation, filters, name)
        epsilon = SUPERNET_OPERATION_EPSILON if self.adds else EPSILON
        return self.relu(self.normalization(outputs, name, epsilon), name)

    def _operation(
        self, inputs: keras.KerasTensor, operation: MacroOperation, filters: int, name: str
    ) -> keras.KerasTensor:
        is_separable = operation.is_separable and self.config.separable
        convolution = self.separable_convolution if is_separable else self.convolution
        return convolution(inputs, filters, operation.kernel_size, name)


FORM = NetworkForm(build_macro_network)
