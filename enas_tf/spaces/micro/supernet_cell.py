"""The function that runs one cell of the micro supernet, whichever and however large it is."""

import functools
from collections.abc import Sequence
from typing import NamedTuple

import tensorflow as tf

from enas_tf.layers.banks import BatchNormalizationEntry, unstack_entries
from enas_tf.layers.functional import batch_normalization
from enas_tf.layers.graph_options import of_any_size, traced_once
from enas_tf.spaces.micro.architecture import NUM_CELL_INPUTS, OPERANDS_PER_NODE
from enas_tf.spaces.micro.supernet_operations import (
    CellOperation,
    Weights,
    add_if_loose,
    choose,
    operate,
)


class CellWeights(NamedTuple):
    """All that a cell is a function of, besides its two inputs.

    Attributes:
      inputs: int32 `[num_nodes, 2]`, which earlier tensor each operand reads.
      operations: int32, same shape.
      weighted: for each operation with weights those of all operands; first axis: node, operand
        and stack.
      blocks: `[num_nodes + 2, filters, filters]`, the closing convolution's kernel for each tensor.
      norm: batch normalisation behind the closing convolution.
      gains: `[num_nodes, 2]`, by what each operand is multiplied; None: by nothing.
    """

    inputs: tf.Tensor
    operations: tf.Tensor
    weighted: tuple[Weights, ...]
    blocks: tf.Tensor
    norm: BatchNormalizationEntry
    gains: tf.Tensor | None = None


class CellStatistics(NamedTuple):
    """Batch statistics of one pass through a cell.

    Attributes:
      operands: mean and variance `[num_nodes * 2 * 2, filters]` (node, operand, stack) of the
        operation that ran; zeros where it has no such stack.
      output: mean and variance `[filters]` behind the closing convolution.
    """

    operands: tuple[tf.Tensor, tf.Tensor]
    output: tuple[tf.Tensor, tf.Tensor]


class CellFunction:
    """Runs a cell, and is traced once for all cells, sizes of pictures and widths.

    Args:
      num_nodes: of the cell.
      operations: those that it chooses from, by their numbers. With one of the user's own, whose
        layer has a width, the function is that of one width.

    Attributes:
      knows_width: whether it is.
    """

    def __init__(self, num_nodes: int, operations: Sequence[CellOperation]) -> None:
        self._num_nodes = num_nodes
        self.knows_width = any(one.layer is not None for one in operations)
        self._run = traced_once(self._run_cell)
        self._operate = traced_once(functools.partial(operate, tuple(operations)))
        self._add_loose_end = traced_once(add_if_loose)

    def __call__(
        self, older: tf.Tensor, newer: tf.Tensor, weights: CellWeights, use_batch_statistics: bool
    ) -> tuple[tf.Tensor, CellStatistics]:
        """Runs one cell; see `StageCells.run`."""
        if self.knows_width:
            return self._run(older, newer, weights, use_batch_statistics)
        pictures = of_any_size(older), of_any_size(newer)
        # Entries are taken apart along the first axis, and kernels have their sizes in front of the
        # numbers of channels.
        banks = tf.nest.map_structure(
            lambda bank: of_any_size(bank, fixed_axes=max(1, bank.shape.rank - 2)),
            (weights.weighted, weights.blocks),
        )
        norm = tf.nest.map_structure(of_any_size, weights.norm)
        weights = weights._replace(weighted=banks[0], blocks=banks[1], norm=norm)
        outputs, statistics = self._run(*pictures, weights, use_batch_statistics)
        # Several devices add statistics up, whose sizes must be known for it.
        statistics = tf.nest.map_structure(
            lambda one: tf.ensure_shape(one, [*one.shape[:-1], older.shape[-1]]), statistics
        )
        return tf.ensure_shape(outputs, older.shape), statistics

    def _run_cell(
        self, older: tf.Tensor, newer: tf.Tensor, weights: CellWeights, use_batch_statistics: bool
    ) -> tuple[tf.Tensor, CellStatistics]:
        tensors = [older, newer]
        statistics = []
        # For each node and operand the weights of the stacks of every operation that has any.
        num_operands = self._num_nodes * OPERANDS_PER_NODE
        stacks = iter(
            unstack_entries(weights.weighted, num_operands)
            if weights.weighted
            else [()] * num_operands
        )
        for node in range(self._num_nodes):
            terms = []
            for operand in range(OPERANDS_PER_NODE):
                tensors, chosen = choose(weights.inputs[node, operand], tensors)
                term, *moments = self._operate(
                    weights.operations[node, operand], chosen, next(stacks), use_batch_statistics
                )
                if weights.gains is not None:
                    term *= tf.cast(weights.gains[node, operand], term.dtype)
                terms.append(term)
                statistics.append(moments)
            # A sum of tensors of one shape, which `+` does not know them to be of.
            tensors.append(tf.add_n(terms))
        # Integers, as these stay on the host: truth values would have to come back from a GPU.
        apart = tf.math.squared_difference(
            tf.reshape(weights.inputs, [-1, 1]), tf.range(self._num_nodes + NUM_CELL_INPUTS)
        )
        nearest = tf.unstack(tf.reduce_min(apart, axis=0))
        outputs = tf.zeros_like(older)
        for tensor, block, distance in zip(tensors, tf.unstack(weights.blocks), nearest):
            outputs = self._add_loose_end(outputs, tensor, block, distance)
        outputs, *moments = batch_normalization(outputs, weights.norm, use_batch_statistics)
        mean, variance = (tf.concat(parts, axis=0) for parts in zip(*statistics))
        return outputs, CellStatistics((mean, variance), tuple(moments))
