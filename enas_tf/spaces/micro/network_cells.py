"""The cells of a derived network, in the release's final form and in the supernet's."""

import abc
from collections.abc import Mapping, Sequence

import keras

from enas_tf.layers.drop_path import DropPath
from enas_tf.spaces.images.network_builder import NetworkBuilder
from enas_tf.spaces.micro.architecture import MicroCell, MicroOperand, MicroOperation
from enas_tf.spaces.micro.layout import CellPlace

# A separable operation of the micro space is so many separable convolutions in a row.
STACKED_CONVOLUTIONS = 2

# Cell, node and operand.
OperandPlace = tuple[int, int, int]


class CellBuilder(NetworkBuilder, abc.ABC):
    """Adds cells to a functional model.

    Args:
      portable: only stock Keras layers.
      seed: of the initial weights and of dropout.
      drop_factors: what a `DropPathSchedule` returned, for the operands that may be dropped.
    """

    def __init__(
        self, *, portable: bool, seed: int, drop_factors: Mapping[OperandPlace, keras.KerasTensor]
    ) -> None:
        super().__init__(portable=portable, seed=seed)
        self._drop_factors = drop_factors
        self._rectified: dict[int, tuple[keras.KerasTensor, keras.KerasTensor]] = {}

    @abc.abstractmethod
    def cell(
        self, place: CellPlace, cell: MicroCell, older: keras.KerasTensor, newer: keras.KerasTensor
    ) -> tuple[keras.KerasTensor, keras.KerasTensor]:
        """Adds one cell.

        Args:
          place: where it stands in the network.
          cell: its nodes.
          older: output of the cell before the last one.
          newer: output of the last one.

        Returns:
          What the next cell has as `older` and `newer`.
        """

    def relu(self, inputs: keras.KerasTensor, name: str) -> keras.KerasTensor:
        """ReLU; a tensor that several operations read goes through it once.

        The layer has the name of the first of them.
        """
        if id(inputs) not in self._rectified:
            self._rectified[id(inputs)] = inputs, super().relu(inputs, name)
        return self._rectified[id(inputs)][1]

    def _calibrated(
        self, older: keras.KerasTensor, newer: keras.KerasTensor, filters: int, name: str
    ) -> list[keras.KerasTensor]:
        """Brings both inputs of a cell to one size and to `filters` channels."""
        inputs = []
        for number, tensor in enumerate((older, newer)):
            input_name = f"{name}_input_{number}"
            if tensor.shape[1:3] != newer.shape[1:3]:
                tensor = self.relu(tensor, input_name)
                tensor = self.factorized_reduction(tensor, filters, input_name)
            elif tensor.shape[-1] != filters:
                tensor = self.rectified_convolution(tensor, filters, input_name)
            inputs.append(tensor)
        return inputs

    def _with_nodes(
        self,
        inputs: Sequence[keras.KerasTensor],
        place: CellPlace,
        cell: MicroCell,
        input_strides: int,
    ) -> list[keras.KerasTensor]:
        """Returns the inputs of a cell followed by the outputs of its nodes.

        Args:
          inputs: both inputs.
          place: of the cell.
          cell: its nodes.
          input_strides: stride of the operations that read an input.
        """
        tensors = list(inputs)
        for index, node in enumerate(cell.nodes):
            node_name = f"cell_{place.index}_node_{index}"
            terms = []
            for number, operand in enumerate(node.operands):
                name = f"{node_name}_operand_{number}"
                strides = input_strides if operand.input < len(inputs) else 1
                term = self._operand(tensors[operand.input], operand, place.filters, name, strides)
                factors = self._drop_factors.get((place.index, index, number))
                if factors is not None:
                    term = DropPath(name=f"{name}_drop_path")([term, factors])
                terms.append(term)
            tensors.append(keras.layers.Add(name=node_name)(terms))
        return tensors

    def _operand(
        self,
        inputs: keras.KerasTensor,
        operand: MicroOperand,
        filters: int,
        name: str,
        strides: int,
    ) -> keras.KerasTensor:
        operation = operand.operation
        if operation is MicroOperation.IDENTITY:
            return self.factorized_reduction(inputs, filters, name) if strides > 1 else inputs
        if operation.is_pooling:
            return self.pooling(inputs, operation, name, strides)
        outputs = inputs
        for number in range(STACKED_CONVOLUTIONS):
            stack = f"{name}_convolution_{number}"
            outputs = self.separable_convolution(
                self.relu(outputs, stack), filters, operation.kernel_size, stack, strides
            )
            outputs, strides = self.normalization(outputs, stack), 1
        return outputs


class FinalCellBuilder(CellBuilder):
    """Cells of the release's final network.

    The newer input goes through one more convolution (`layer_base` in the release); in a reduction
    cell the operations that read an input have stride 2; the output is the concatenation of the
    loose ends.
    """

    def cell(
        self, place: CellPlace, cell: MicroCell, older: keras.KerasTensor, newer: keras.KerasTensor
    ) -> tuple[keras.KerasTensor, keras.KerasTensor]:
        """Adds one cell; see `CellBuilder.cell`."""
        name = f"cell_{place.index}"
        inputs = self._calibrated(older, newer, place.filters, name)
        inputs[1] = self.rectified_convolution(inputs[1], place.filters, f"{name}_base")
        tensors = self._with_nodes(inputs, place, cell, 2 if place.is_reduction else 1)
        loose = []
        for index in cell.loose_ends:
            tensor = tensors[index]
            if place.is_reduction and index < len(inputs):
                tensor = self.factorized_reduction(
                    tensor, place.filters, f"{name}_loose_end_{index}"
                )
            loose.append(tensor)
        return newer, self.concatenated(loose, name)


class SupernetCellBuilder(CellBuilder):
    """Cells that compute what those of the supernet compute.

    A factorised reduction stands in front of a reduction cell, whose operations have stride 1; a
    1 x 1 convolution merges the loose ends.
    """

    def cell(
        self, place: CellPlace, cell: MicroCell, older: keras.KerasTensor, newer: keras.KerasTensor
    ) -> tuple[keras.KerasTensor, keras.KerasTensor]:
        """Adds one cell; see `CellBuilder.cell`."""
        name = f"cell_{place.index}"
        if place.is_reduction:
            reduced = self.factorized_reduction(newer, place.filters, f"{name}_reduction")
            older, newer = newer, reduced
        inputs = self._calibrated(older, newer, place.filters, name)
        tensors = self._with_nodes(inputs, place, cell, 1)
        merged = self.concatenated([tensors[index] for index in cell.loose_ends], name)
        return newer, self.rectified_convolution(merged, place.filters, f"{name}_merge")
