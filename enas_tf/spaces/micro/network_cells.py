"""The cells of a derived network: in the release's final form, the supernet's, and DARTS's."""

import abc
import functools
from collections.abc import Callable, Sequence

from enas_tf.spaces.images.network_layers import Features, NetworkLayers
from enas_tf.spaces.micro.architecture import (
    NUM_CELL_INPUTS,
    MicroCell,
    MicroOperand,
    MicroOperation,
)
from enas_tf.spaces.micro.layout import CellPlace
from enas_tf.spaces.operations import OwnOperation

# A separable operation of the micro space is so many separable convolutions in a row.
STACKED_CONVOLUTIONS = 2

# Cell, node and operand.
OperandPlace = tuple[int, int, int]
DropOperand = Callable[[OperandPlace, Features, str], Features]


class CellBuilder(abc.ABC):
    """Adds cells to a network.

    Args:
      layers: makes or counts the layers.
      drop: may drop an operand in training; takes its place, its value and its name.
    """

    # Where windows of stride 2 lie; see `NetworkLayers.separable_convolution`.
    centred = False

    def __init__(self, layers: NetworkLayers, drop: DropOperand | None = None) -> None:
        self._layers = layers
        self._drop = drop

    def read_inputs(self, cell: MicroCell) -> set[int]:
        """Returns the inputs on which the output of a cell depends, 0 and 1 or one of them."""
        return set(range(NUM_CELL_INPUTS))

    @abc.abstractmethod
    def cell(
        self, place: CellPlace, cell: MicroCell, older: Features, newer: Features
    ) -> tuple[Features, Features]:
        """Adds one cell.

        Args:
          place: where it stands in the network.
          cell: its nodes.
          older: output of the cell before the last one.
          newer: output of the last one.

        Returns:
          What the next cell has as `older` and `newer`.
        """

    def _calibrated(
        self, older: Features, newer: Features, filters: int, name: str
    ) -> list[Features]:
        """Brings both inputs of a cell to one size and to `filters` channels."""
        return [
            tensor
            if tensor.shape[1:] == (*newer.shape[1:3], filters)
            else self._fitted(tensor, newer, filters, f"{name}_input_{number}")
            for number, tensor in enumerate((older, newer))
        ]

    def _fitted(self, inputs: Features, newer: Features, filters: int, name: str) -> Features:
        """Brings an input of a cell to the size of the newer one and to `filters` channels."""
        if inputs.shape[1:3] == newer.shape[1:3]:
            return self._layers.rectified_convolution(inputs, filters, name)
        rectified = self._layers.relu(inputs, name)
        return self._layers.factorized_reduction(rectified, filters, name)

    def _with_nodes(
        self,
        inputs: Sequence[Features],
        place: CellPlace,
        cell: MicroCell,
        input_strides: int,
    ) -> list[Features]:
        """Returns the inputs of a cell followed by the outputs of its nodes.

        Args:
          inputs: both inputs.
          place: of the cell.
          cell: its nodes.
          input_strides: stride of the operations that read an input.
        """
        # The inputs have one size and one width.
        kind = place.is_reduction, input_strides, inputs[0].shape
        return self._layers.alike(kind, lambda: self._tensors(inputs, place, cell, input_strides))

    def _tensors(
        self,
        inputs: Sequence[Features],
        place: CellPlace,
        cell: MicroCell,
        input_strides: int,
    ) -> list[Features]:
        """See `_with_nodes`."""
        tensors = list(inputs)
        for index, node in enumerate(cell.nodes):
            node_name = f"cell_{place.index}_node_{index}"
            terms = []
            for number, operand in enumerate(node.operands):
                name = f"{node_name}_operand_{number}"
                strides = input_strides if operand.input < len(inputs) else 1
                term = self._operand(tensors[operand.input], operand, place.filters, name, strides)
                if self._drop is not None:
                    term = self._drop((place.index, index, number), term, name)
                terms.append(term)
            tensors.append(self._layers.added(terms, node_name))
        return tensors

    def _operand(
        self,
        inputs: Features,
        operand: MicroOperand,
        filters: int,
        name: str,
        strides: int,
    ) -> Features:
        operation = operand.operation
        if isinstance(operation, OwnOperation):
            return self._layers.own_operation(inputs, operation, filters, name, strides)
        if operation is MicroOperation.IDENTITY:
            return (
                self._layers.factorized_reduction(inputs, filters, name) if strides > 1 else inputs
            )
        if operation.is_pooling:
            return self._layers.pooling(inputs, operation, name, strides, centred=self.centred)
        outputs = inputs
        for number in range(STACKED_CONVOLUTIONS if operation.is_separable else 1):
            stack = f"{name}_convolution_{number}"
            outputs = self._layers.separable_convolution(
                self._layers.relu(outputs, stack),
                filters,
                operation.kernel_size,
                stack,
                strides,
                dilation=operation.dilation,
                centred=self.centred,
            )
            outputs, strides = self._layers.normalization(outputs, stack), 1
        return outputs


class FinalCellBuilder(CellBuilder):
    """Cells of the release's final network.

    The newer input goes through one more convolution (`layer_base` in the release); in a reduction
    cell the operations that read an input have stride 2; the output is the concatenation of the
    loose ends.
    """

    def cell(
        self, place: CellPlace, cell: MicroCell, older: Features, newer: Features
    ) -> tuple[Features, Features]:
        """Adds one cell; see `CellBuilder.cell`."""
        name = f"cell_{place.index}"
        inputs = self._calibrated(older, newer, place.filters, name)
        inputs[1] = self._layers.rectified_convolution(inputs[1], place.filters, f"{name}_base")
        tensors = self._with_nodes(inputs, place, cell, 2 if place.is_reduction else 1)
        loose = []
        for index in cell.loose_ends:
            tensor = tensors[index]
            if place.is_reduction and index < len(inputs):
                tensor = self._layers.factorized_reduction(
                    tensor, place.filters, f"{name}_loose_end_{index}"
                )
            loose.append(tensor)
        return newer, self._layers.concatenated(loose, name)


class SupernetCellBuilder(CellBuilder):
    """Cells that compute what those of the supernet compute.

    A factorised reduction stands in front of a reduction cell, whose operations have stride 1; a
    1 x 1 convolution merges the loose ends.
    """

    def cell(
        self, place: CellPlace, cell: MicroCell, older: Features, newer: Features
    ) -> tuple[Features, Features]:
        """Adds one cell; see `CellBuilder.cell`."""
        name = f"cell_{place.index}"
        if place.is_reduction:
            reduced = self._layers.factorized_reduction(newer, place.filters, f"{name}_reduction")
            older, newer = newer, reduced
        inputs = self._calibrated(older, newer, place.filters, name)
        tensors = self._with_nodes(inputs, place, cell, 1)
        merged = self._layers.concatenated([tensors[index] for index in cell.loose_ends], name)
        return newer, self._layers.rectified_convolution(merged, place.filters, f"{name}_merge")


class DartsCellBuilder(CellBuilder):
    """Cells of the final network of DARTS.

    Both inputs go through a convolution or, where they are too large, a factorised reduction; in a
    reduction cell the operations that read an input have stride 2; the output is the concatenation
    of all nodes. Source: the authors' `cnn/model.py`.
    """

    centred = True

    def read_inputs(self, cell: MicroCell) -> set[int]:
        """Returns the inputs that a node reads; the others are no part of the output."""
        read = {operand.input for node in cell.nodes for operand in node.operands}
        return read & super().read_inputs(cell)

    def cell(
        self, place: CellPlace, cell: MicroCell, older: Features, newer: Features
    ) -> tuple[Features, Features]:
        """Adds one cell; see `CellBuilder.cell`."""
        name = f"cell_{place.index}"
        inputs = []
        for number, tensor in enumerate((older, newer)):
            fit = functools.partial(
                self._fitted, tensor, newer, place.filters, f"{name}_input_{number}"
            )
            is_read = number in self.read_inputs(cell)
            inputs.append(fit() if is_read else self._layers.unread(fit))
        tensors = self._with_nodes(inputs, place, cell, 2 if place.is_reduction else 1)
        return newer, self._layers.concatenated(tensors[len(inputs) :], name)

    def _operand(
        self, inputs: Features, operand: MicroOperand, filters: int, name: str, strides: int
    ) -> Features:
        """Adds an operand; an identity that halves the picture begins with a ReLU."""
        if operand.operation is MicroOperation.IDENTITY and strides > 1:
            inputs = self._layers.relu(inputs, name)
        return super()._operand(inputs, operand, filters, name, strides)
