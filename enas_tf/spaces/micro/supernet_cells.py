"""The shared weights of the cells of the micro supernet.

Those of all cells of one stage (between reductions, all of one width) are banks: one row for each
cell, node, operand, stack of the operation, and *input that the operand may read*. A network's rows
are looked up with one gather a bank; the cell is a function of its weights, `CellFunction`.
"""

import types
from collections.abc import Callable, Sequence

import keras
import numpy as np
import tensorflow as tf

from enas_tf.layers.banks import (
    BatchNormalizationBank,
    BatchStatistics,
    GivenBank,
    WeightBank,
    unstack_entries,
)
from enas_tf.spaces.micro.architecture import NUM_CELL_INPUTS, OPERANDS_PER_NODE
from enas_tf.spaces.micro.decisions import MicroDecisions, MicroDecisionSpace, MicroPaths
from enas_tf.spaces.micro.layout import CellPlace
from enas_tf.spaces.micro.supernet_cell import CellFunction, CellStatistics, CellWeights
from enas_tf.spaces.micro.supernet_operations import (
    NUM_STACKS,
    CellOperation,
    OwnWeights,
    SeparableWeights,
    Weights,
    cell_operation,
)


class Rows:
    """How the rows of a bank are numbered.

    Args:
      num_nodes: of a cell.
      num_cells: of the stage.
      num_stacks: of the operation.

    Attributes:
      num_stacks: as given.
      first: the first row of every cell, node, operand and stack, int32
        `[num_cells, num_nodes, 2, num_stacks]`, to which the chosen input is added.
      count: the number of rows.
      fan_in: for every row, how many inputs its operand can read.
    """

    def __init__(self, num_nodes: int, num_cells: int, num_stacks: int) -> None:
        self.num_stacks = num_stacks
        shape = (num_cells, num_nodes, OPERANDS_PER_NODE, num_stacks)
        inputs = np.arange(num_nodes) + NUM_CELL_INPUTS
        sizes = np.broadcast_to(inputs[:, None, None], shape).ravel()
        ends = np.cumsum(sizes)
        self.first = (ends - sizes).astype(np.int32).reshape(shape)
        self.count = int(sizes.sum())
        self.fan_in = np.repeat(sizes, sizes)


class OperationBank(keras.layers.Layer):
    """The weights of one operation in all cells of a stage.

    Args:
      operation: which one.
      rows: how its rows are numbered.
      name: of the bank.

    Attributes:
      operation: as given.
      rows: as given.
      norm: batch normalisation behind each stack.
    """

    norm: BatchNormalizationBank

    def __init__(self, operation: CellOperation, rows: Rows, name: str) -> None:
        super().__init__(name=name)
        self.operation = operation.operation
        self.rows = rows

    def select(self, rows: tf.Tensor) -> Weights:
        """Looks up rows, int32 `[n]`."""
        raise NotImplementedError

    def whole(self) -> Weights:
        """Returns all rows."""
        raise NotImplementedError


class SeparableBank(OperationBank):
    """The separable or dilated convolutions of one kernel size in all cells of a stage.

    Args:
      operation: gives the kernel size.
      rows: how its rows are numbered.
      filters: channels.
      fan_in: of each row, in place of the true one; None: the true one.
      next_seed: returns a new seed at each call, for the initial weights.
      name: of the bank.
    """

    def __init__(
        self,
        operation: CellOperation,
        rows: Rows,
        filters: int,
        fan_in: np.ndarray | None,
        next_seed: Callable[[], int],
        name: str,
    ) -> None:
        super().__init__(operation, rows, name)
        size, num_rows = self.operation.kernel_size, rows.count
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

    def whole(self) -> SeparableWeights:
        """Returns all rows."""
        return SeparableWeights(
            self.depthwise.select(), self.pointwise.select(), self.norm.select()
        )


class OwnBank(OperationBank):
    """The layers of one operation of the user's own in all cells of a stage.

    Args:
      operation: has the layer.
      rows: how its rows are numbered.
      filters: channels.
      next_seed: returns a new seed at each call, for the initial weights.
      name: of the bank.
    """

    def __init__(
        self,
        operation: CellOperation,
        rows: Rows,
        filters: int,
        next_seed: Callable[[], int],
        name: str,
    ) -> None:
        super().__init__(operation, rows, name)
        assert operation.layer is not None
        values = operation.layer.initial_values([next_seed() for _ in range(rows.count)])
        self.kernels = [GivenBank(own, f"{name}_{number}") for number, own in enumerate(values)]
        self.norm = BatchNormalizationBank(rows.count, filters, name=f"{name}_norm")
        self.built = True

    def select(self, rows: tf.Tensor) -> OwnWeights:
        """Looks up rows, int32 `[n]`."""
        return OwnWeights(tuple(one.select(rows) for one in self.kernels), self.norm.select(rows))

    def whole(self) -> OwnWeights:
        """Returns all rows."""
        return OwnWeights(tuple(bank.select() for bank in self.kernels), self.norm.select())


class StageCells(keras.layers.Layer):
    """The shared weights of all cells between two reductions.

    Args:
      space: gives the number of nodes, the operations and the initialisation.
      places: the cells; all have the same width.
      next_seed: returns a new seed at each call, for the initial weights.
      function: runs one cell. Default: one of its own; stages without operations of the user's own
        may share it.

    Attributes:
      function: as given.
    """

    def __init__(
        self,
        space: MicroDecisionSpace,
        places: Sequence[CellPlace],
        next_seed: Callable[[], int],
        function: CellFunction | None = None,
    ) -> None:
        stage, filters = places[0].stage, places[0].filters
        super().__init__(name=f"stage_{stage}")
        self.space = space
        self.places = tuple(places)
        self.filters = filters
        self.num_tensors = space.num_nodes + NUM_CELL_INPUTS
        # A mapping that nothing looks into for weights: those of own layers are in banks, too.
        self.operations = types.MappingProxyType(
            {one.label: cell_operation(one, filters) for one in space.searched_operations}
        )
        if function is None or function.knows_width:
            function = CellFunction(space.num_nodes, list(self.operations.values()))
        self.function = function
        as_released = space.bank_initialization == "release"
        separable, own = [], []
        for label, operation in self.operations.items():
            name = f"stage_{stage}_{label}"
            rows = Rows(space.num_nodes, len(places), operation.num_stacks)
            if not operation.num_stacks:
                continue
            if operation.layer is not None:
                own.append(OwnBank(operation, rows, filters, next_seed, name))
                continue
            fan_in = rows.fan_in if as_released else None
            separable.append(SeparableBank(operation, rows, filters, fan_in, next_seed, name))
        self.separable: list[SeparableBank] = separable
        self.own: list[OwnBank] = own
        self.blocks = WeightBank(
            len(places) * self.num_tensors,
            (filters, filters),
            fan_in=self.num_tensors if as_released else None,
            seed=next_seed(),
            name=f"stage_{stage}_blocks",
        )
        self.norm = BatchNormalizationBank(len(places), filters, name=f"stage_{stage}_norm")
        self.built = True

    @property
    def banks(self) -> list[OperationBank]:
        """Those of operations, in the order of the space's operations."""
        return [*self.separable, *self.own]

    def rows(self, decisions: MicroDecisions, bank: OperationBank) -> tf.Tensor:
        """Returns the row of every cell, node, operand and stack in a bank, int32 `[n]`."""
        kinds = [int(place.is_reduction) for place in self.places]
        inputs = tf.gather(decisions.inputs, kinds)[..., None]
        return tf.reshape(bank.rows.first + inputs, [-1])

    def select(self, decisions: MicroDecisions | MicroPaths) -> list[CellWeights]:
        """Looks up the weights of every cell of one architecture."""
        gains = decisions.gains if isinstance(decisions, MicroPaths) else [None, None]
        weighted = tuple(bank.select(self.rows(decisions, bank)) for bank in self.banks)
        blocks = self.blocks.select()
        weights = unstack_entries((weighted, blocks), len(self.places))
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
        return self.function(older, newer, weights, use_batch_statistics)

    def collect(
        self, decisions: MicroDecisions, statistics: Sequence[CellStatistics]
    ) -> dict[str, BatchStatistics]:
        """Puts the statistics of the stage's cells into the shapes of their banks."""
        kinds = [int(place.is_reduction) for place in self.places]
        operations = tf.reshape(tf.gather(decisions.operations, kinds), [-1, 1])
        # Operand and stack.
        moments = [
            tf.reshape(tf.concat(parts, axis=0), [-1, NUM_STACKS, self.filters])
            for parts in zip(*(cell.operands for cell in statistics))
        ]
        collected = {}
        for bank in self.banks:
            stacks = bank.rows.num_stacks
            number = self.space.searched_operations.index(bank.operation)
            ran = tf.repeat(tf.cast(tf.equal(operations, number), tf.float32), stacks, axis=1)
            collected[bank.norm.name] = bank.norm.collect(
                *(tf.reshape(one[:, :stacks], [-1, self.filters]) for one in moments),
                self.rows(decisions, bank),
                tf.reshape(ran, [-1, 1]),
            )
        outputs = map(tf.stack, zip(*(cell.output for cell in statistics)))
        collected[self.norm.name] = self.norm.collect(*outputs)
        return collected
