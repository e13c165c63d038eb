"""What a cell of the micro supernet is made of, as functions of the shared weights.

Each is traced once for the whole of a stage, so what is chosen comes in as integers.
"""

import functools
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import tensorflow as tf

from enas_tf.layers.banks import BatchNormalizationEntry, unstack_entries
from enas_tf.layers.functional import (
    average_pooling,
    batch_normalization,
    convolution,
    depthwise_convolution,
    max_pooling,
    normalized_convolution,
)
from enas_tf.spaces.images.own_layers import OwnLayer
from enas_tf.spaces.micro.architecture import MicroOperation
from enas_tf.spaces.operations import OwnOperation

# A separable convolution of the space is two of them in a row; no operation has more.
NUM_STACKS = 2


class SeparableWeights(NamedTuple):
    """Weights of separable and dilated convolutions; first axis: the stack, or operand and stack.

    Attributes:
      depthwise: `[…, size, size, filters, 1]`.
      pointwise: `[…, filters, filters]`.
      norm: `[…, filters]` each.
    """

    depthwise: tf.Tensor
    pointwise: tf.Tensor
    norm: BatchNormalizationEntry


class OwnWeights(NamedTuple):
    """Weights of the layer of a user's operation; axes as of `SeparableWeights`, with one stack.

    Attributes:
      weights: of the layer, `[…, …]` each.
      norm: `[…, filters]` each.
    """

    weights: tuple[tf.Tensor, ...]
    norm: BatchNormalizationEntry


Weights = SeparableWeights | OwnWeights


class CellOperation(NamedTuple):
    """How the supernet computes an operation.

    Attributes:
      operation: which one.
      num_stacks: how many normalised layers it has in a row; 0: it has no weights.
      run: of an operation without weights a function of pictures; else one of pictures, `Weights`
        and whether batch statistics normalise, which returns pictures, and the mean and the
        variance of each stack, `[num_stacks, filters]`.
      layer: of an operation of the user's own.
    """

    operation: MicroOperation | OwnOperation
    num_stacks: int
    run: Callable[..., Any]
    layer: OwnLayer | None = None


def cell_operation(operation: MicroOperation | OwnOperation, filters: int) -> CellOperation:
    """Returns how an operation is computed in cells of so many filters."""
    if isinstance(operation, OwnOperation):
        layer = OwnLayer(operation, filters)
        if not layer.shapes:
            return CellOperation(operation, 0, layer, layer)
        return CellOperation(operation, 1, functools.partial(own_layer, layer), layer)
    if operation.is_simple:
        return CellOperation(operation, 0, _SIMPLE[operation])
    run = functools.partial(separable_convolutions, dilation=operation.dilation)
    return CellOperation(operation, NUM_STACKS if operation.is_separable else 1, run)


def choose(index: tf.Tensor, tensors: Sequence[tf.Tensor]) -> tuple[list[tf.Tensor], tf.Tensor]:
    """Returns one of some tensors, without a wait or a copy for the others, and so its gradient.

    All tensors are handed through, and the next reader must take them from here: what flows back to
    the chosen one is then added to its gradient, without zeros for the tensors that are not chosen.
    Switches and merges, which a graph has but eager code has not, hand on what is there: neither
    the chosen tensor nor the gradient of one that is not chosen waits until all are computed, so
    that nodes of a cell that do not depend on each other run at the same time.

    Args:
      index: int32 scalar.
      tensors: of one shape.

    Returns:
      The tensors, and the chosen one.
    """
    is_chosen = [tf.equal(index, number) for number in range(len(tensors))]

    @tf.custom_gradient
    def run(*tensors: tf.Tensor) -> tuple[list[tf.Tensor], Callable[..., list[tf.Tensor]]]:
        def gradient(*upstream: tf.Tensor) -> list[tf.Tensor]:
            *passed, of_chosen = upstream
            sides = [_switch(tensor, chosen) for tensor, chosen in zip(passed, is_chosen)]
            return [_merge([apart, tf.add_n([own, of_chosen])]) for apart, own in sides]

        chosen = _merge([_switch(*pair)[1] for pair in zip(tensors, is_chosen)])
        return [*map(tf.identity, tensors), chosen], gradient

    *passed, chosen = run(*tensors)
    return passed, chosen


def _switch(tensor: tf.Tensor, condition: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Returns the tensor as that of the side of the condition, False or True; only it exists."""
    sides = tf.raw_ops.Switch(data=tensor, pred=condition)
    return sides.output_false, sides.output_true


def _merge(sides: Sequence[tf.Tensor]) -> tf.Tensor:
    """Returns that one of the tensors which exists."""
    return tf.raw_ops.Merge(inputs=sides).output


def operate(
    operations: Sequence[CellOperation],
    operation: tf.Tensor,
    inputs: tf.Tensor,
    weighted: Sequence[Weights],
    use_batch_statistics: bool,
) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
    """Runs the chosen operation on one tensor.

    Args:
      operations: which ones there are.
      operation: int32 scalar, number of the chosen one.
      inputs: `[batch, height, width, filters]`.
      weighted: weights of the operations that have any, in their order; the first axis is the
        stack.
      use_batch_statistics: whether batch or moving statistics normalise.

    Returns:
      The output, of the shape of the inputs, and the mean and the variance `[2, filters]` of the
      normalisations; zeros where there is none.
    """
    weights = iter(weighted)
    nothing = tf.zeros([NUM_STACKS, tf.shape(inputs)[-1]])

    def run(member: CellOperation, own: Weights | None) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
        if own is None:
            return member.run(inputs), nothing, nothing
        outputs, *moments = member.run(inputs, own, use_batch_statistics)
        missing = NUM_STACKS - member.num_stacks
        mean, variance = (
            tf.pad(one, [[0, missing], [0, 0]]) if missing else one for one in moments
        )
        return outputs, mean, variance

    branches = [
        functools.partial(run, member, next(weights) if member.num_stacks else None)
        for member in operations
    ]
    outputs, mean, variance = tf.switch_case(operation, branches)
    return tf.ensure_shape(outputs, inputs.shape), mean, variance


def separable_convolutions(
    inputs: tf.Tensor, weights: SeparableWeights, use_batch_statistics: bool, dilation: int = 1
) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
    """Runs (ReLU, depthwise, pointwise, batch normalisation) for each stack of the weights.

    Returns:
      The output, and the mean and the variance of each stack, `[2, filters]`.
    """
    outputs, moments = inputs, []
    for stack in unstack_entries(weights):
        outputs = depthwise_convolution(tf.nn.relu(outputs), stack.depthwise, dilation)
        outputs, *own = normalized_convolution(
            outputs, stack.pointwise, stack.norm, use_batch_statistics
        )
        moments.append(own)
    mean, variance = map(tf.stack, zip(*moments))
    return outputs, mean, variance


def own_layer(
    layer: OwnLayer, inputs: tf.Tensor, weights: OwnWeights, use_batch_statistics: bool
) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
    """Runs (ReLU, the user's layer, batch normalisation).

    Returns:
      The output, and the mean and the variance, `[1, filters]`.
    """
    (own,) = unstack_entries(weights)
    outputs, mean, variance = batch_normalization(
        layer(tf.nn.relu(inputs), own.weights), own.norm, use_batch_statistics
    )
    return outputs, mean[None], variance[None]


def add_if_loose(
    outputs: tf.Tensor, tensor: tf.Tensor, block: tf.Tensor, distance: tf.Tensor
) -> tf.Tensor:
    """Adds a loose end's share of the closing convolution.

    A 1 x 1 convolution of concatenated tensors is the sum of the convolutions of each with its
    block of the kernel; so only the blocks of loose ends are used, however many there are.

    Args:
      outputs: the sum so far, `[batch, height, width, filters]`.
      tensor: may be a loose end; of the same shape.
      block: `[filters, filters]`.
      distance: int32 scalar, 0 if a node read the tensor, else more.

    Returns:
      The sum.
    """
    return tf.switch_case(
        tf.minimum(distance, 1),
        [
            lambda: tf.identity(outputs),
            lambda: tf.add_n([outputs, convolution(tf.nn.relu(tensor), block)]),
        ],
    )


_SIMPLE: dict[MicroOperation, Callable[[tf.Tensor], tf.Tensor]] = {
    MicroOperation.AVERAGE_POOLING_3X3: average_pooling,
    MicroOperation.MAX_POOLING_3X3: max_pooling,
    MicroOperation.IDENTITY: tf.identity,
}
