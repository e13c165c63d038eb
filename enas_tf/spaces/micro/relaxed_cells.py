"""The cells of the micro supernet as mixtures: every operand computes all that it could be.

The weights are those of `StageCells`. A cell of one-hot mixtures computes what the discrete cell
does. Poolings and the identity have no weights, so each earlier tensor goes through them once for
all that read it; operations with weights run for every operand and every earlier tensor.
Source of mixtures: DARTS (arXiv 1806.09055); of partial channels: PC-DARTS (arXiv 1907.05737).
"""

import functools
import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import tensorflow as tf

from enas_tf.layers.banks import BatchNormalizationEntry, BatchStatistics, unstack_entries
from enas_tf.layers.functional import batch_normalization, convolution
from enas_tf.layers.graph_options import traced_once
from enas_tf.spaces.micro.architecture import NUM_CELL_INPUTS, OPERANDS_PER_NODE
from enas_tf.spaces.micro.decisions import MicroMixture, MicroPartialMixture
from enas_tf.spaces.micro.supernet_operations import CellOperation, SeparableWeights, Weights

Mixture = MicroMixture | MicroPartialMixture


class RelaxedWeights(NamedTuple):
    """All that a relaxed cell is a function of, besides its two inputs.

    Attributes:
      mixture: `[num_nodes, 2, inputs, operations]`.
      chosen: channels that the operations see, int32; None: all.
      passed: the other channels; None: there are none.
      weighted: for each operation with weights those of all rows of the cell's banks.
      blocks: `[num_nodes + 2, filters, filters]`, the closing convolution's kernel for each tensor.
      norm: batch normalisation behind the closing convolution.
    """

    mixture: tf.Tensor
    chosen: Any
    passed: Any
    weighted: tuple[Weights, ...]
    blocks: tf.Tensor
    norm: BatchNormalizationEntry


class RelaxedStatistics(NamedTuple):
    """Batch statistics of one pass through a relaxed cell.

    Attributes:
      weighted: for each operation with weights mean and variance `[rows, channels]` in the order
        of the banks' rows.
      output: mean and variance `[filters]` behind the closing convolution.
    """

    weighted: tuple[tuple[tf.Tensor, tf.Tensor], ...]
    output: tuple[tf.Tensor, tf.Tensor]


class RelaxedCells:
    """Runs the cells of a stage as mixtures; has the methods of `StageCells` that a pass uses.

    Args:
      stage: has the weights.
    """

    def __init__(self, stage: Any) -> None:
        self._stage = stage
        self._number = stage.places[0].stage
        self._operations = tuple(stage.operations.values())
        self._run = traced_once(self._run_cell)
        self._runs = {
            one.operation.label: traced_once(one.run) for one in self._operations if one.num_stacks
        }

    def _place(self, mixture: Mixture) -> tuple[Any, Any]:
        if isinstance(mixture, MicroPartialMixture):
            return mixture.chosen[self._number], mixture.passed[self._number]
        return None, None

    def select(self, mixture: Mixture) -> list[RelaxedWeights]:
        """Returns the weights of every cell."""
        stage = self._stage
        chosen, passed = self._place(mixture)
        whole = tuple(bank.whole() for bank in stage.banks)
        if chosen is not None:
            whole = tuple(_of_channels(weights, chosen) for weights in whole)
        blocks = stage.blocks.select()
        weights = unstack_entries((whole, blocks), len(stage.places))
        return [
            RelaxedWeights(mixture.weights[int(place.is_reduction)], chosen, passed, *own, norm)
            for place, own, norm in zip(stage.places, weights, unstack_entries(stage.norm.select()))
        ]

    def run(
        self, older: tf.Tensor, newer: tf.Tensor, weights: RelaxedWeights, use_batch: bool
    ) -> tuple[tf.Tensor, RelaxedStatistics]:
        """Runs one cell; see `StageCells.run`."""
        return self._run(older, newer, weights, use_batch)

    def _run_cell(
        self, older: tf.Tensor, newer: tf.Tensor, weights: RelaxedWeights, use_batch: bool
    ) -> tuple[tf.Tensor, RelaxedStatistics]:
        rows = [unstack_entries(own) for own in weights.weighted]
        moments: list[list[Any]] = [[None] * len(own) for own in rows]
        tensors = [older, newer]
        # What the operations see of each tensor, and what those without weights make of it.
        seen: list[tf.Tensor] = []
        simple: list[list[Any]] = []
        # The own layers do not know fewer channels: of all, those that are not chosen are zeros.
        see = functools.partial(_seen, chosen=weights.chosen)
        mixture = tf.cast(weights.mixture, older.dtype)
        # Of the first cell; in all others they follow each other alike.
        places = [bank.rows.first[0].tolist() for bank in self._stage.banks]
        for node in range(self._stage.space.num_nodes):
            for tensor in tensors[len(seen) :]:
                seen.append(_gathered(tensor, weights.chosen))
                simple.append(
                    [
                        None if one.num_stacks else see(one, one.run, tensor, seen[-1])
                        for one in self._operations
                    ]
                )
            terms, passed_on = [], []
            for operand in range(OPERANDS_PER_NODE):
                for number in range(node + NUM_CELL_INPUTS):
                    shares = mixture[node, operand, number]
                    banks = iter(zip(rows, moments, places))
                    for place, outputs in enumerate(simple[number]):
                        if outputs is None:
                            own, kept, first = next(banks)
                            stacks = [row + number for row in first[node][operand]]
                            operation = self._operations[place]
                            run = functools.partial(
                                self._runs[operation.operation.label],
                                weights=_stacked([own[row] for row in stacks]),
                                use_batch_statistics=use_batch,
                            )
                            outputs, mean, variance = see(
                                operation, run, tensors[number], seen[number]
                            )
                            for row, *both in zip(stacks, tf.unstack(mean), tf.unstack(variance)):
                                kept[row] = both
                        terms.append(shares[place] * outputs)
                    if weights.passed is not None:
                        rest = _gathered(tensors[number], weights.passed)
                        passed_on.append(tf.reduce_sum(shares) * rest)
            mixed = tf.add_n(terms)
            if passed_on:
                order = tf.argsort(tf.concat([weights.chosen, weights.passed], axis=0))
                both = tf.concat([mixed, tf.add_n(passed_on)], axis=-1)
                mixed = tf.ensure_shape(tf.gather(both, order, axis=-1), older.shape)
            tensors.append(mixed)
        looseness = tf.unstack(tf.cast(self._looseness(weights.mixture), older.dtype))
        outputs = tf.add_n(
            [
                share * convolution(tf.nn.relu(tensor), block)
                for share, tensor, block in zip(looseness, tensors, tf.unstack(weights.blocks))
            ]
        )
        outputs, *output = batch_normalization(outputs, weights.norm, use_batch)
        weighted = tuple(tuple(map(tf.stack, zip(*kept))) for kept in moments)
        return outputs, RelaxedStatistics(weighted, tuple(output))

    def _looseness(self, mixture: tf.Tensor) -> tf.Tensor:
        """Returns the probability that no operand reads a tensor, `[num_nodes + 2]`.

        The operands choose independently, so it is the product of the probabilities that each
        reads something else.
        """
        reads = tf.reduce_sum(mixture, axis=-1)
        missing = self._stage.num_tensors - reads.shape[-1]
        reads = tf.pad(reads, [[0, 0], [0, 0], [0, missing]])
        return tf.reduce_prod(1.0 - reads, axis=[0, 1])

    def collect(
        self, mixture: Mixture, statistics: Sequence[RelaxedStatistics]
    ) -> dict[str, BatchStatistics]:
        """Puts the statistics of the stage's cells into the shapes of their banks.

        What has no share at all is as if it had not run. With partial channels only the closing
        normalisations have statistics of all channels.
        """
        stage = self._stage
        outputs = map(tf.stack, zip(*(cell.output for cell in statistics)))
        collected = {stage.norm.name: stage.norm.collect(*outputs)}
        if self._place(mixture)[0] is not None:
            return collected
        for number, bank in enumerate(stage.banks):
            mean, variance = (
                tf.concat(parts, axis=0)
                for parts in zip(*(cell.weighted[number] for cell in statistics))
            )
            place = stage.space.searched_operations.index(bank.operation)
            ran = [
                tf.cast(shares > 0.0, tf.float32)
                for cell in stage.places
                for node, operands in enumerate(
                    tf.unstack(mixture.weights[int(cell.is_reduction), ..., place])
                )
                for shares in tf.unstack(operands[:, : node + NUM_CELL_INPUTS])
                for _ in range(bank.rows.num_stacks)
            ]
            collected[bank.norm.name] = bank.norm.collect(
                mean, variance, ran=tf.concat(ran, axis=0)[:, None]
            )
        return collected


def partial_mixture(
    mixture: MicroMixture, widths: Sequence[int], divisor: int, seed: tf.Tensor
) -> MicroPartialMixture:
    """Returns the mixture with one channel in `divisor` chosen at random in each stage.

    The authors of PC-DARTS take the first channels and shuffle them between cells; here other ones
    are drawn at every step, so that all weights of the banks are trained.

    Args:
      mixture: of all channels.
      widths: channels of each stage.
      divisor: K.
      seed: int32 `[2]`.
    """
    chosen, passed = [], []
    for stage, width in enumerate(widths):
        own = tf.random.experimental.stateless_fold_in(seed, stage)
        order = tf.argsort(tf.random.stateless_uniform([width], own))
        count = math.ceil(width / divisor)
        chosen.append(order[:count])
        passed.append(order[count:])
    return MicroPartialMixture(mixture.weights, tuple(chosen), tuple(passed))


def _gathered(tensor: tf.Tensor, channels: tf.Tensor | None) -> tf.Tensor:
    return tensor if channels is None else tf.gather(tensor, channels, axis=-1)


def _seen(
    operation: CellOperation, run: Any, tensor: tf.Tensor, gathered: tf.Tensor, chosen: Any
) -> Any:
    """Runs an operation on the chosen channels.

    Args:
      operation: which one.
      run: runs it; returns the outputs, or a tuple of which they are the first.
      tensor: has all channels.
      gathered: has the chosen ones.
      chosen: which these are; None: all.
    """
    if chosen is None or operation.layer is None:
        return run(gathered)
    mask = tf.reduce_sum(tf.one_hot(chosen, tensor.shape[-1], dtype=tensor.dtype), axis=0)
    outcome = run(tensor * mask)
    if operation.num_stacks:
        outputs, *moments = outcome
        return (_gathered(outputs, chosen), *moments)
    return _gathered(outcome, chosen)


def _of_channels(weights: Weights, channels: tf.Tensor) -> Weights:
    if not isinstance(weights, SeparableWeights):
        return weights
    pointwise = tf.gather(tf.gather(weights.pointwise, channels, axis=1), channels, axis=2)
    norm = BatchNormalizationEntry(*(tf.gather(part, channels, axis=1) for part in weights.norm))
    return SeparableWeights(tf.gather(weights.depthwise, channels, axis=3), pointwise, norm)


def _stacked(entries: Sequence[Weights]) -> Weights:
    flat = [tf.stack(parts) for parts in zip(*map(tf.nest.flatten, entries))]
    return tf.nest.pack_sequence_as(entries[0], flat)
