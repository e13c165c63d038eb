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
    convolution,
    depthwise_convolution,
    max_pooling,
    normalized_convolution,
)
from enas_tf.spaces.micro.architecture import MicroOperation

# A separable convolution of the space is two of them in a row.
NUM_STACKS = 2


class SeparableWeights(NamedTuple):
    """Weights of separable convolutions; the first axis is the stack, or operand and stack.

    Attributes:
      depthwise: `[…, size, size, filters, 1]`.
      pointwise: `[…, filters, filters]`.
      norm: `[…, filters]` each.
    """

    depthwise: tf.Tensor
    pointwise: tf.Tensor
    norm: BatchNormalizationEntry


def choose(index: tf.Tensor, tensors: Sequence[tf.Tensor]) -> tuple[list[tf.Tensor], tf.Tensor]:
    """Returns one of some tensors, in such a way that its gradient costs nothing for the others.

    All tensors are handed through, and the next reader must take them from here: their gradients
    then pass the same condition, without zeros for the tensors that are not chosen.

    Args:
      index: int32 scalar.
      tensors: of one shape.

    Returns:
      The tensors, and the chosen one.
    """

    def branch(number: int) -> list[tf.Tensor]:
        return [tf.identity(tensor) for tensor in [*tensors, tensors[number]]]

    branches = [functools.partial(branch, number) for number in range(len(tensors))]
    *passed, chosen = tf.switch_case(index, branches)
    return passed, chosen


def simple_operation(operation: MicroOperation) -> Callable[[tf.Tensor], tf.Tensor] | None:
    """Returns the function of an operation without weights; None: it has some."""
    return _SIMPLE.get(operation)


def operate(
    operations: Sequence[MicroOperation],
    operation: tf.Tensor,
    inputs: tf.Tensor,
    separable: Sequence[SeparableWeights],
    use_batch_statistics: bool,
) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
    """Runs the chosen operation on one tensor.

    Args:
      operations: which ones there are.
      operation: int32 scalar, number of the chosen one.
      inputs: `[batch, height, width, filters]`.
      separable: weights of the separable convolutions in the order of `operations`; the first axis
        is the stack.
      use_batch_statistics: whether batch or moving statistics normalise.

    Returns:
      The output, of the shape of the inputs, and the mean and the variance `[2, filters]` of the
      normalisations; zeros where there is none.
    """
    weights = iter(separable)
    nothing = tf.zeros([NUM_STACKS, inputs.shape[-1]])
    branches: list[Callable[[], Any]] = []
    for member in operations:
        simple = simple_operation(member)
        if simple is None:
            branches.append(
                functools.partial(
                    separable_convolutions, inputs, next(weights), use_batch_statistics
                )
            )
        else:
            branches.append(lambda function=simple: (function(inputs), nothing, nothing))
    outputs, mean, variance = tf.switch_case(operation, branches)
    return tf.ensure_shape(outputs, inputs.shape), mean, variance


def separable_convolutions(
    inputs: tf.Tensor, weights: SeparableWeights, use_batch_statistics: bool
) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
    """Runs (ReLU, depthwise, pointwise, batch normalisation) for each stack of the weights.

    Returns:
      The output, and the mean and the variance of each stack, `[2, filters]`.
    """
    outputs, moments = inputs, []
    for stack in unstack_entries(weights):
        outputs = depthwise_convolution(tf.nn.relu(outputs), stack.depthwise)
        outputs, *own = normalized_convolution(
            outputs, stack.pointwise, stack.norm, use_batch_statistics
        )
        moments.append(own)
    mean, variance = map(tf.stack, zip(*moments))
    return outputs, mean, variance


def add_if_loose(
    outputs: tf.Tensor, tensor: tf.Tensor, block: tf.Tensor, was_read: tf.Tensor
) -> tf.Tensor:
    """Adds a loose end's share of the closing convolution.

    A 1 x 1 convolution of concatenated tensors is the sum of the convolutions of each with its
    block of the kernel; so only the blocks of loose ends are used, however many there are.

    Args:
      outputs: the sum so far, `[batch, height, width, filters]`.
      tensor: may be a loose end; of the same shape.
      block: `[filters, filters]`.
      was_read: bool scalar, whether a node read the tensor.

    Returns:
      The sum.
    """
    return tf.cond(
        was_read,
        lambda: tf.identity(outputs),
        lambda: outputs + convolution(tf.nn.relu(tensor), block),
    )


_SIMPLE: dict[MicroOperation, Callable[[tf.Tensor], tf.Tensor]] = {
    MicroOperation.AVERAGE_POOLING_3X3: average_pooling,
    MicroOperation.MAX_POOLING_3X3: max_pooling,
    MicroOperation.IDENTITY: tf.identity,
}
