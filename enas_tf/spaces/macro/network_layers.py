"""Which layers the derived network of a macro architecture has.

Layers have systematic names, so that weights can be found and copied by name. For layer `i` of the
architecture:

| name | layer |
|---|---|
| `stem`, `stem_normalization` | 3 x 3 convolution and its batch normalisation |
| `stem_0`, `stem_1`, … | strided ones in their place, each with its normalisation |
| `layer_i_project`, `…_normalization` | 1 x 1 convolution in front of the operation |
| `layer_i_operation`, `…_normalization` | the operation; what has no weights has no normalisation |
| `layer_i_skip`, `…_normalization` | merging with skip connections, `i > 0` |
| `layer_i_reduce_j` | halves kept tensor `j` (0: stem, `j`: layer `j - 1`) after layer `i` |
| `dropout`, `classifier` | head |

In the per-channel form the operation is `layer_i_branch_b_project` and `layer_i_branch_b_operation`
for each branch `b`, then `layer_i_combine`, each with its `…_normalization`. In a portable network
a reduction is `layer_i_reduce_j_path_1`, `…_path_2` and `…_normalization`.
"""

from collections.abc import Sequence
from typing import Any

from enas_tf.spaces.images.network_layers import EPSILON, Features, NetworkLayers
from enas_tf.spaces.images.space import check_input_shape, check_num_classes
from enas_tf.spaces.images.stem import IMAGENET, add_strided_stem, chosen_stem
from enas_tf.spaces.macro.architecture import (
    RELEASE_OPERATIONS,
    AnyMacroArchitecture,
    ChannelRange,
    MacroChannelArchitecture,
    MacroOperation,
)
from enas_tf.spaces.macro.config import STEM_HALVINGS, MacroNetworkConfig, check_network
from enas_tf.spaces.macro.decisions import reduction_layers
from enas_tf.spaces.operations import OwnOperation

# The supernet's normalisation after a k x k operation, in the release.
SUPERNET_OPERATION_EPSILON = 1e-3


def add_macro_network(
    layers: NetworkLayers,
    images: Features,
    architecture: AnyMacroArchitecture,
    config: MacroNetworkConfig,
    num_classes: int,
) -> Features:
    """Adds the layers of a network.

    Args:
      layers: makes or counts them.
      images: what they read.
      architecture: any macro architecture.
      config: width, form and dropout.
      num_classes: number of classes.

    Returns:
      The logits.

    Raises:
      ConfigurationError: the sizes do not fit together.
    """
    check_network(architecture, config)
    check_input_shape(images.shape[1:])
    check_num_classes(num_classes)
    parts = _Parts(layers, config)
    if chosen_stem(config.stem, images.shape[1:]) == IMAGENET:
        *_, outputs = add_strided_stem(layers, images, parts.filters, STEM_HALVINGS)
    else:
        outputs = layers.normalized_convolution(images, parts.filters, 3, "stem")
    kept: list[Any] = [outputs]
    reductions = reduction_layers(architecture.num_layers, outputs.shape[1:])
    layer: Any  # Of either form.
    for index, layer in enumerate(architecture.layers):
        name = f"layer_{index}"
        if isinstance(architecture, MacroChannelArchitecture):
            outputs = parts.branches(outputs, layer.branches, architecture.channels, name)
        else:
            outputs = parts.operation(outputs, layer.operation, name)
        if index > 0:
            skips = [kept[source] for source in layer.skip_connections]
            outputs = parts.merge(outputs, skips, name)
        kept.append(outputs)
        if index in reductions:
            later = architecture.layers[index + 1 :]
            read = {source for other in later for source in other.skip_connections}
            read.add(len(kept) - 1)
            if config.widen:
                parts.filters *= 2
            kept = [
                layers.factorized_reduction(tensor, parts.filters, f"{name}_reduce_{number}")
                if number in read
                else None
                for number, tensor in enumerate(kept)
            ]
            outputs = kept[-1]
    return layers.head(outputs, num_classes, config.dropout_rate)


class _Parts:
    """Adds the parts of a macro network; `filters` is the width of the present stage."""

    def __init__(self, layers: NetworkLayers, config: MacroNetworkConfig) -> None:
        self._layers = layers
        self.config = config
        self.filters = config.filters
        self.adds = config.merge == "add"

    def operation(
        self, inputs: Features, operation: MacroOperation | OwnOperation, name: str
    ) -> Features:
        """A layer of the whole-channels form, without its skip connections."""
        filters = self.filters
        if self.adds:
            return self._post_activation(inputs, operation, filters, filters, name)
        outputs = self._layers.rectified_convolution(inputs, filters, f"{name}_project")
        name = f"{name}_operation"
        if isinstance(operation, OwnOperation):
            return self._layers.own_operation(outputs, operation, filters, name)
        if operation.is_simple:
            return self._simple(outputs, operation, name)
        outputs = self._operation(self._layers.relu(outputs, name), operation, filters, name)
        return self._layers.normalization(outputs, name)

    def branches(
        self, inputs: Features, branches: Sequence[ChannelRange], channels: int, name: str
    ) -> Features:
        """A layer of the per-channel form, without its skip connections."""
        computed = []
        for number, branch in enumerate(branches):
            operation = RELEASE_OPERATIONS[number]
            count = branch.count * self.filters // channels
            width = count if operation.is_pooling else self.filters
            computed.append(
                self._post_activation(inputs, operation, width, count, f"{name}_branch_{number}")
            )
        outputs = self._layers.concatenated(computed, name)
        outputs = self._layers.normalized_convolution(outputs, self.filters, 1, f"{name}_combine")
        return self._layers.relu(outputs, f"{name}_combine")

    def merge(self, inputs: Features, skips: Sequence[Features], name: str) -> Features:
        """Joins a layer's output with its skip connections."""
        name = f"{name}_skip"
        if self.adds:
            outputs = self._layers.added([inputs, *skips], f"{name}_add") if skips else inputs
            return self._layers.normalization(outputs, name)
        outputs = self._layers.concatenated([*skips, inputs], name)
        return self._layers.rectified_convolution(outputs, self.filters, name)

    def _post_activation(
        self,
        inputs: Features,
        operation: MacroOperation | OwnOperation,
        width: int,
        filters: int,
        name: str,
    ) -> Features:
        """The supernet's branch: 1 x 1 convolution to `width` channels, then the operation."""
        outputs = self._layers.normalized_convolution(inputs, width, 1, f"{name}_project")
        outputs = self._layers.relu(outputs, f"{name}_project")
        name = f"{name}_operation"
        if isinstance(operation, OwnOperation):
            is_weighted = self._layers.has_weights(outputs, operation, filters)
            outputs = self._layers.own_layer(outputs, operation, filters, name)
            if not is_weighted:
                return outputs
        elif operation.is_simple:
            return self._simple(outputs, operation, name)
        else:
            outputs = self._operation(outputs, operation, filters, name)
        epsilon = SUPERNET_OPERATION_EPSILON if self.adds else EPSILON
        return self._layers.relu(self._layers.normalization(outputs, name, epsilon), name)

    def _simple(self, inputs: Features, operation: MacroOperation, name: str) -> Features:
        return self._layers.pooling(inputs, operation, name) if operation.is_pooling else inputs

    def _operation(
        self, inputs: Features, operation: MacroOperation, filters: int, name: str
    ) -> Features:
        is_separable = operation.is_separable and self.config.separable
        convolution = (
            self._layers.separable_convolution if is_separable else self._layers.convolution
        )
        return convolution(inputs, filters, operation.kernel_size, name)
