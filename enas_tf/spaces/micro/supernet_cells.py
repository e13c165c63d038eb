"""The cells of the micro supernet: their shared weights, and the function that runs one of them.

The weights of all cells of one stage (between reductions, all of one width) are banks: one row for
each cell, node, operand, stack of the separable convolution, and *input that the operand may read*.
A network's rows are looked up with one gather a bank. The cell is a function of its weights that is
traced once for each stage, and so are its parts.
"""

import functools
from collections.abc import Callable, Sequence
from typing import NamedTuple

import keras
import numpy as np
import tensorflow as tf

from enas_tf.layers.banks import (
    BatchNormalizationBank,
    BatchNormalizationEntry,
    BatchStatistics,
    WeightBank,
    unstack_entries,
)
from enas_tf.layers.functional import batch_normalization
from enas_tf.layers.graph_options import traced_once
from enas_tf.spaces.micro.architecture import NUM_CELL_INPUTS, OPERANDS_PER_NODE, MicroOperation
from enas_tf.spaces.micro.decisions import MicroDecisions, MicroDecisionSpace, MicroPaths
from enas_tf.spaces.micro.layout import CellPlace
from enas_tf.spaces.micro.supernet_operations import (
    NUM_STACKS,
    SeparableWeights,
    add_if_loose,
    choose,
    operate,
)


class SeparableBank(keras.layers.Layer):
    """The separable convolutions of one kernel size in all cells of a stage.

    Args:
      operation: gives the kernel size.
      num_rows: how many rows there are.
      filters: channels.
      fan_in: of each row, in place of the true one; None: the true one.
      next_seed: returns a new seed at each call, for the initial weights.
      name: of the bank.
    """

    def __init__(
        self,
        operation: MicroOperation,
        num_rows: int,
        filters: int,
        fan_in: np.ndarray | None,
        next_seed: Callable[[], int],
        name: str,
    ) -> None:
        super().__init__(name=name)
        size = operation.kernel_size
        self.operation = operation
        self.depthwise = WeightBank(
            num_rows,
            (size, size, filters, 1),
            fan_in=size * size if fan_in is None else fan_in,
            seed=next_seed(),
            name=f"{name}_depthwise",
        )
        self.pointwise = WeightBank(
            num_rows, (filters, filters), fan_in=fan_in, seed=next_seed(), name=f"{name}_pointwise"
        )
        self.norm = BatchNormalizationBank(num_rows, filters, name=f"{name}_norm")
        self.built = True

    def select(self, rows: tf.Tensor) -> SeparableWeights:
        """Looks up rows, int32 `[n]`."""
        return SeparableWeights(
            self.depthwise.select(rows), self.pointwise.select(rows), self.norm.select(rows)
        )


class CellWeights(NamedTuple):
    """All that a cell is a function of, besides its two inputs.

    Attributes:
      inputs: int32 `[num_nodes, 2]`, which earlier tensor each operand reads.
      operations: int32, same shape.
      separable: for each separable operation the weights of all operands; first axis: node,
        operand and stack.
      blocks: `[num_nodes + 2, filters, filters]`, the closing convolution's kernel for each tensor.
      norm: batch normalisation behind the closing convolution.
      gains: `[num_nodes, 2]`, by what each operand is multiplied; None: by nothing.
    """

    inputs: tf.Tensor
    operations: tf.Tensor
    separable: tuple[SeparableWeights, ...]
    blocks: tf.Tensor
    norm: BatchNormalizationEntry
    gains: tf.Tensor | None = None


class CellStatistics(NamedTuple):
    """Batch statistics of one pass through a cell.

    Attributes:
      operands: mean and variance `[num_nodes * 2 * 2, filters]` (node, operand, stack) of the
        separable convolution that ran; zeros where none did.
      output: mean and variance `[filters]` behind the closing convolution.
    """

    operands: tuple[tf.Tensor, tf.Tensor]
    output: tuple[tf.Tensor, tf.Tensor]


class StageCells(keras.layers.Layer):
    """The shared weights of all cells between two reductions.

    Args:
      space: gives the number of nodes, the operations and the initialisation.
      places: the cells; all have the same width.
      next_seed: returns a new seed at each call, for the initial weights.
    """

    def __init__(
        self, space: MicroDecisionSpace, places: Sequence[CellPlace], next_seed: Callable[[], int]
    ) -> None:
        stage, filters = places[0].stage, places[0].filters
        super().__init__(name=f"stage_{stage}")
        self.space = space
        self.places = tuple(places)
        self.filters = filters
        self.num_tensors = space.num_nodes + NUM_CELL_INPUTS
        self.first_rows, num_rows, fan_in = _rows(space.num_nodes, len(places))
        as_released = space.bank_initialization == "release"
        self.separable = [
            SeparableBank(
                operation,
                num_rows,
                filters,
                fan_in if as_released else None,
                next_seed,
                name=f"stage_{stage}_{operation.label}",
            )
            for operation in space.operations
            if operation.is_separable
        ]
        self.blocks = WeightBank(
            len(places) * self.num_tensors,
            (filters, filters),
            fan_in=self.num_tensors if as_released else None,
            seed=next_seed(),
            name=f"stage_{stage}_blocks",
        )
        self.norm = BatchNormalizationBank(len(places), filters, name=f"stage_{stage}_norm")
        self._run = traced_once(self._run_cell)
        self._choose = traced_once(choose)
        self._operate = traced_once(functools.partial(operate, space.operations))
        self._add_loose_end = traced_once(add_if_loose)
        self.built = True

    def rows(self, decisions: MicroDecisions) -> tf.Tensor:
        """Returns the row of every cell, node, operand and stack, int32 `[n]`."""
        kinds = [int(place.is_reduction) for place in self.places]
        inputs = tf.gather(decisions.inputs, kinds)[..., None]
        return tf.reshape(self.first_rows + inputs, [-1])

    def select(self, decisions: MicroDecisions | MicroPaths) -> list[CellWeights]:
        """Looks up the weights of every cell of one architecture."""
        gains = decisions.gains if isinstance(decisions, MicroPaths) else [None, None]
        rows = self.rows(decisions)
        separable = tuple(bank.select(rows) for bank in self.separable)
        blocks = tf.convert_to_tensor(self.blocks.kernel.value)
        weights = unstack_entries((separable, blocks), len(self.places))
        kinds = [int(place.is_reduction) for place in self.places]
        return [
            CellWeights(decisions.inputs[kind], decisions.operations[kind], *own, norm, gains[kind])
            for kind, own, norm in zip(kinds, weights, unstack_entries(self.norm.select()))
        ]

    def run(
        self, older: tf.Tensor, newer: tf.Tensor, weights: CellWeights, use_batch_statistics: bool
    ) -> tuple[tf.Tensor, CellStatistics]:
        """Runs one cell.

        Args:
          older: its input 0, `[batch, height, width, filters]`.
          newer: its input 1, of the same shape.
          weights: what `select` returned for the cell.
          use_batch_statistics: whether batch or moving statistics normalise.

        Returns:
          The output, of the same shape, and statistics for `collect`.
        """
        return self._run(older, newer, weights, use_batch_statistics)

    def _run_cell(
        self, older: tf.Tensor, newer: tf.Tensor, weights: CellWeights, use_batch_statistics: bool
    ) -> tuple[tf.Tensor, CellStatistics]:
        tensors = [older, newer]
        statistics = []
        # For each node and operand the weights of both stacks of every separable operation.
        stacks = iter(unstack_entries(weights.separable, self.space.num_nodes * OPERANDS_PER_NODE))
        for node in range(self.space.num_nodes):
            terms = []
            for operand in range(OPERANDS_PER_NODE):
                tensors, chosen = self._choose(weights.inputs[node, operand], tensors)
                term, *moments = self._operate(
                    weights.operations[node, operand], chosen, next(stacks), use_batch_statistics
                )
                if weights.gains is not None:
                    term *= weights.gains[node, operand]
                terms.append(term)
                statistics.append(moments)
            tensors.append(tf.add(*terms))
        numbers = tf.range(self.num_tensors)
        read = tf.reduce_any(tf.equal(tf.reshape(weights.inputs, [-1, 1]), numbers), axis=0)
        outputs = tf.zeros_like(older)
        for tensor, block, was_read in zip(tensors, tf.unstack(weights.blocks), tf.unstack(read)):
            outputs = self._add_loose_end(outputs, tensor, block, was_read)
        outputs, *moments = batch_normalization(outputs, weights.norm, use_batch_statistics)
        mean, variance = (tf.concat(parts, axis=0) for parts in zip(*statistics))
        return outputs, CellStatistics((mean, variance), tuple(moments))

    def collect(
        self, decisions: MicroDecisions, statistics: Sequence[CellStatistics]
    ) -> dict[str, BatchStatistics]:
        """Puts the statistics of the stage's cells into the shapes of their banks."""
        rows = self.rows(decisions)
        kinds = [int(place.is_reduction) for place in self.places]
        operations = tf.reshape(tf.gather(decisions.operations, kinds), [-1, 1])
        operations = tf.reshape(tf.repeat(operations, NUM_STACKS, axis=1), [-1, 1])
        mean, variance = (
            tf.concat(parts, axis=0) for parts in zip(*(cell.operands for cell in statistics))
        )
        collected = {
            bank.norm.name: bank.norm.collect(
                mean, variance, rows, tf.cast(tf.equal(operations, int(bank.operation)), tf.float32)
            )
            for bank in self.separable
        }
        outputs = map(tf.stack, zip(*(cell.output for cell in statistics)))
        collected[self.norm.name] = self.norm.collect(*outputs)
        return collected


def _rows(num_nodes: int, num_cells: int) -> tuple[np.ndarray, int, np.ndarray]:
    """Numbers the rows of a bank.

    Returns:
      The first row of every cell, node, operand and stack, int32 `[num_cells, num_nodes, 2, 2]`, to
      which the chosen input is added; the number of rows; and for every row, how many inputs its
      operand can read.
    """
    shape = (num_cells, num_nodes, OPERANDS_PER_NODE, NUM_STACKS)
    inputs = np.arange(num_nodes) + NUM_CELL_INPUTS
    sizes = np.broadcast_to(inputs[:, None, None], shape).ravel()
    ends = np.cumsum(sizes)
    first = (ends - sizes).astype(np.int32).reshape(shape)
    return first, int(ends[-1]), np.repeat(sizes, sizes)
