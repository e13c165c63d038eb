"""The layers of the macro supernet: their shared weights, and the function that runs one of them.

The two forms of the space differ only here: in the whole-channels form the one chosen operation
runs, in the per-channel form every operation runs, on the range of channels chosen for it. Both
classes have the same methods, so that the supernet does not know which one it holds.
"""

import types
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, NamedTuple

import keras
import tensorflow as tf

from enas_tf.layers.banks import (
    BatchNormalizationBank,
    BatchNormalizationEntry,
    BatchStatistics,
    GivenBank,
    WeightBank,
    unstack_entries,
)
from enas_tf.layers.functional import (
    Normalized,
    average_pooling,
    batch_normalization,
    depthwise_convolution,
    max_pooling,
    normalized_convolution,
)
from enas_tf.spaces.images.own_layers import OwnLayer
from enas_tf.spaces.macro.architecture import MacroOperation
from enas_tf.spaces.macro.decisions import MacroChannelDecisions, MacroDecisions, MacroDecisionSpace
from enas_tf.spaces.operations import OwnOperation

# The release normalises the k x k operations with an epsilon of their own.
OPERATION_EPSILON = 1e-3


class SupernetLayers(keras.layers.Layer):
    """What both forms share: the input convolutions and the kernels of the operations.

    Args:
      space: gives the number of layers, filters and operations.
      next_seed: returns a new seed at each call, for the initial weights.
    """

    def __init__(self, space: MacroDecisionSpace, next_seed: Callable[[], int]) -> None:
        super().__init__(name="layers")
        self.space = space
        layers, filters = space.num_layers, space.filters
        # A mapping that nothing looks into for weights: those of own layers are in banks, too.
        self._own = types.MappingProxyType(
            {
                operation.label: OwnLayer(operation, filters)
                for operation in space.searched_operations
                if isinstance(operation, OwnOperation)
            }
        )
        self.weighted = [one for one in space.searched_operations if self._has_weights(one)]
        self.input_kernels = WeightBank(
            layers * len(space.searched_operations),
            (filters, filters),
            seed=next_seed(),
            name="input_kernels",
        )
        self.input_norm = BatchNormalizationBank(
            layers * len(space.searched_operations), filters, name="input_norm"
        )
        self.operation_norm = BatchNormalizationBank(
            layers * self._num_normalized,
            filters,
            epsilon=OPERATION_EPSILON,
            debias=space.moving_statistics == "debiased",
            count_channels=not space.search_whole_channels,
            name="operation_norm",
        )
        self.operation_kernels = [
            self._operation_banks(operation, next_seed) for operation in self.weighted
        ]
        # Traced once per resolution, not once per layer, since the weights are arguments.
        self._run = tf.function(self._run_layer, autograph=False)
        self.built = True

    @property
    def _num_normalized(self) -> int:
        # Where no operation has weights, an entry that none uses is looked up.
        return max(1, len(self.weighted))

    def _has_weights(self, operation: MacroOperation | OwnOperation) -> bool:
        if isinstance(operation, OwnOperation):
            return bool(self._own[operation.label].shapes)
        return not operation.is_simple

    def _operation_banks(
        self, operation: MacroOperation | OwnOperation, next_seed: Callable[[], int]
    ) -> list[WeightBank | GivenBank]:
        if isinstance(operation, OwnOperation):
            seeds = [next_seed() for _ in range(self.space.num_layers)]
            values = self._own[operation.label].initial_values(seeds)
            return [GivenBank(own, f"{operation.label}_{n}") for n, own in enumerate(values)]
        size, filters = operation.kernel_size, self.space.filters
        shapes = {operation.label: (size, size, filters, filters)}
        if operation.is_separable:
            shapes = {
                f"{operation.label}_depthwise": (size, size, filters, 1),
                f"{operation.label}_pointwise": (filters, filters),
            }
        # As in the release, the fan-in of a depthwise kernel counts all channels.
        return [
            WeightBank(self.space.num_layers, shape, seed=next_seed(), name=name)
            for name, shape in shapes.items()
        ]

    def _kernels_of_layers(self) -> list[Any]:
        """Returns for each layer the kernels of every operation that has any."""
        if not self.weighted:
            return [()] * self.space.num_layers
        stacked = tuple(tuple(bank.select() for bank in banks) for banks in self.operation_kernels)
        return unstack_entries(stacked)

    def run(
        self, inputs: tf.Tensor, weights: Any, use_batch_statistics: bool
    ) -> tuple[tf.Tensor, Any]:
        """Runs one layer without its skip connections.

        Args:
          inputs: `[batch, height, width, filters]`.
          weights: what `select` returned for the layer.
          use_batch_statistics: whether batch or moving statistics normalise.

        Returns:
          The output, of the shape of the input, and statistics for `collect`.
        """
        return self._run(inputs, weights, use_batch_statistics)

    def _run_layer(
        self, inputs: tf.Tensor, weights: Any, use_batch_statistics: bool
    ) -> tuple[tf.Tensor, Any]:
        raise NotImplementedError


class WholeChannelsWeights(NamedTuple):
    """The weights of one layer in the whole-channels form."""

    operation: tf.Tensor
    input_kernel: tf.Tensor
    input_norm: BatchNormalizationEntry
    operation_norm: BatchNormalizationEntry
    kernels: Any


class WholeChannelsLayers(SupernetLayers):
    """Layers of which only the chosen operation runs."""

    def _indices(self, decisions: MacroDecisions) -> tuple[tf.Tensor, tf.Tensor]:
        layers = tf.range(self.space.num_layers)
        operations = decisions.operations
        return (
            layers * len(self.space.searched_operations) + operations,
            layers * self._num_normalized + tf.gather(self._entries, operations),
        )

    @property
    def _entries(self) -> list[int]:
        """Which of a layer's entries of normalisation each operation has.

        What has no weights has none of its own; it is given one that it does not use.
        """
        return [
            self.weighted.index(one) if one in self.weighted else self._num_normalized - 1
            for one in self.space.searched_operations
        ]

    def select(self, decisions: MacroDecisions) -> list[WholeChannelsWeights]:
        """Looks up the weights of every layer of one architecture."""
        inputs, operations = self._indices(decisions)
        return [
            WholeChannelsWeights(*parts)
            for parts in zip(
                tf.unstack(decisions.operations),
                tf.unstack(self.input_kernels.select(inputs)),
                unstack_entries(self.input_norm.select(inputs)),
                unstack_entries(self.operation_norm.select(operations)),
                self._kernels_of_layers(),
            )
        ]

    def _run_layer(
        self, inputs: tf.Tensor, weights: WholeChannelsWeights, use_batch_statistics: bool
    ) -> tuple[tf.Tensor, Any]:
        hidden = normalized_convolution(
            inputs, weights.input_kernel, weights.input_norm, use_batch_statistics
        )
        features = tf.nn.relu(hidden.outputs)
        kernels = dict(zip((one.label for one in self.weighted), weights.kernels))
        branches = [
            partial(
                run_operation,
                self._own.get(operation.label, operation),
                features,
                kernels.get(operation.label, ()),
                weights.operation_norm,
                use_batch_statistics,
            )
            for operation in self.space.searched_operations
        ]
        result = tf.switch_case(weights.operation, branches)
        outputs = tf.ensure_shape(result.outputs, features.shape)
        return outputs, (hidden.mean, hidden.variance, result.mean, result.variance)

    def collect(
        self, decisions: MacroDecisions, statistics: Sequence[Any]
    ) -> dict[str, BatchStatistics]:
        """Puts the statistics of all layers into the shapes of their banks."""
        inputs, operations = self._indices(decisions)
        input_mean, input_variance, mean, variance = map(tf.stack, zip(*statistics))
        has_weights = [float(one in self.weighted) for one in self.space.searched_operations]
        ran = tf.gather(has_weights, decisions.operations)[:, None]
        return {
            "input_norm": self.input_norm.collect(input_mean, input_variance, inputs),
            "operation_norm": self.operation_norm.collect(mean, variance, operations, ran),
        }


class PartialChannelsWeights(NamedTuple):
    """The weights of one layer in the per-channel form; the first axis is the operation."""

    starts: tf.Tensor
    counts: tf.Tensor
    input_kernels: tf.Tensor
    input_norm: BatchNormalizationEntry
    operation_norm: BatchNormalizationEntry
    kernels: Any
    merge_kernel: tf.Tensor
    merge_norm: BatchNormalizationEntry


class PartialChannelsLayers(SupernetLayers):
    """Layers in which every operation runs on a range of channels.

    A 1 x 1 convolution, whose rows are gathered for the chosen channels, merges the ranges
    (release: `final_conv`).
    """

    def __init__(self, space: MacroDecisionSpace, next_seed: Callable[[], int]) -> None:
        super().__init__(space, next_seed)
        channels = len(space.searched_operations) * space.filters
        self.merge_kernels = WeightBank(
            space.num_layers, (channels, space.filters), seed=next_seed(), name="merge_kernels"
        )
        self.merge_norm = BatchNormalizationBank(space.num_layers, space.filters, name="merge_norm")

    def select(self, decisions: MacroChannelDecisions) -> list[PartialChannelsWeights]:
        """Looks up the weights of every layer of one architecture."""
        layers = self.space.num_layers
        return [
            PartialChannelsWeights(*parts)
            for parts in zip(
                tf.unstack(decisions.starts),
                tf.unstack(decisions.counts),
                unstack_entries(self.input_kernels.select(), layers),
                unstack_entries(self.input_norm.select(), layers),
                unstack_entries(self.operation_norm.select(), layers),
                self._kernels_of_layers(),
                tf.unstack(self.merge_kernels.select()),
                unstack_entries(self.merge_norm.select()),
            )
        ]

    def _run_layer(
        self, inputs: tf.Tensor, weights: PartialChannelsWeights, use_batch_statistics: bool
    ) -> tuple[tf.Tensor, Any]:
        filters = self.space.filters
        input_norms = unstack_entries(weights.input_norm)
        operation_norms = unstack_entries(weights.operation_norm)
        outputs, rows, input_statistics, statistics = [], [], [], []
        for number, operation in enumerate(self.space.searched_operations):
            hidden = normalized_convolution(
                inputs, weights.input_kernels[number], input_norms[number], use_batch_statistics
            )
            input_statistics.append((hidden.mean, hidden.variance))
            features = tf.nn.relu(hidden.outputs)
            start = weights.starts[number]
            channels = tf.range(start, start + weights.counts[number])
            rows.append(number * filters + channels)
            if operation.is_pooling:
                features = tf.gather(features, channels, axis=-1)
                outputs.append(SIMPLE[operation](features))
                continue
            *depthwise, last = weights.kernels[number]
            result = run_operation(
                operation,
                features,
                (*depthwise, tf.gather(last, channels, axis=-1)),
                tf.nest.map_structure(
                    lambda values, chosen=channels: tf.gather(values, chosen),
                    operation_norms[number],
                ),
                use_batch_statistics,
            )
            outputs.append(result.outputs)
            # Not a scatter, which a deterministic GPU leaves to the CPU.
            others = [[start, filters - start - weights.counts[number]]]
            statistics.append(
                tuple(
                    tf.ensure_shape(tf.pad(values, others), [filters])
                    for values in (tf.ones_like(result.mean), result.mean, result.variance)
                )
            )
        merged = normalized_convolution(
            tf.concat(outputs, axis=-1),
            tf.gather(weights.merge_kernel, tf.concat(rows, axis=0)),
            weights.merge_norm,
            use_batch_statistics,
        )
        result = tf.ensure_shape(tf.nn.relu(merged.outputs), inputs.shape)
        stacked = [tuple(map(tf.stack, zip(*parts))) for parts in (input_statistics, statistics)]
        return result, (*stacked, (merged.mean, merged.variance))

    def collect(
        self, decisions: MacroChannelDecisions, statistics: Sequence[Any]
    ) -> dict[str, BatchStatistics]:
        """Puts the statistics of all layers into the shapes of their banks."""
        del decisions  # Every entry ran; which channels did is in the statistics.

        def concatenated(parts: Sequence[tuple]) -> list[tf.Tensor]:
            return [tf.concat(tensors, axis=0) for tensors in zip(*parts)]

        inputs, operations, merges = zip(*statistics)
        ran, mean, variance = concatenated(operations)
        return {
            "input_norm": self.input_norm.collect(*concatenated(inputs)),
            "operation_norm": self.operation_norm.collect(mean, variance, ran=ran),
            "merge_norm": self.merge_norm.collect(*map(tf.stack, zip(*merges))),
        }


SIMPLE = {
    MacroOperation.AVERAGE_POOLING_3X3: average_pooling,
    MacroOperation.MAX_POOLING_3X3: max_pooling,
    MacroOperation.IDENTITY: tf.identity,
}


def run_operation(
    operation: MacroOperation | OwnLayer,
    features: tf.Tensor,
    kernels: tuple[tf.Tensor, ...],
    norm: BatchNormalizationEntry,
    use_batch_statistics: bool,
) -> Normalized:
    """Runs one operation on what its input convolution computed.

    Args:
      operation: which one; of the user's own, its layer.
      features: `[batch, height, width, channels]`.
      kernels: of a convolution: one; of a separable one: depthwise, pointwise; of the user's layer:
        its weights; of all others: none.
      norm: batch normalisation of a convolution's output.
      use_batch_statistics: whether batch or moving statistics normalise.

    Returns:
      The output and the statistics of its normalisation; zeros where there is none.
    """
    if not kernels:
        nothing = tf.zeros_like(norm.moving_mean)
        function = operation if isinstance(operation, OwnLayer) else SIMPLE[operation]
        return Normalized(function(features), nothing, nothing)
    if isinstance(operation, OwnLayer):
        result = batch_normalization(
            operation(features, kernels), norm, use_batch_statistics, epsilon=OPERATION_EPSILON
        )
    else:
        *depthwise, kernel = kernels
        for depthwise_kernel in depthwise:
            features = depthwise_convolution(features, depthwise_kernel)
        result = normalized_convolution(
            features, kernel, norm, use_batch_statistics, epsilon=OPERATION_EPSILON
        )
    return result._replace(outputs=tf.nn.relu(result.outputs))
