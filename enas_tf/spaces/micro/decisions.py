"""What can be decided in the micro space: its sizes, its architectures, and their decisions."""

import dataclasses
import functools
import math
from collections.abc import Sequence
from typing import Any, ClassVar, NamedTuple

import numpy as np

from enas_tf.errors import ArchitectureError, ConfigurationError
from enas_tf.settings.groups import Group
from enas_tf.settings.setting import section, setting
from enas_tf.spaces.base import MOST_PARTS
from enas_tf.spaces.images.stem import AUTO, CIFAR, HELP, STEMS
from enas_tf.spaces.micro.architecture import (
    NUM_CELL_INPUTS,
    OPERANDS_PER_NODE,
    RELEASE_OPERATIONS,
    MicroArchitecture,
    MicroCell,
    MicroNode,
    MicroOperand,
    MicroOperation,
)
from enas_tf.spaces.micro.config import MicroControllerConfig
from enas_tf.spaces.micro.layout import check_picture_size
from enas_tf.spaces.operations import OwnOperation, chosen_operations, whole_names
from enas_tf.spaces.relaxation import RelaxableSpace

NUM_CELLS = 2


class MicroDecisions(NamedTuple):
    """Batched architectures, as the controller decides them and the supernet reads them.

    The second axis is the cell: 0 is the normal, 1 the reduction cell.

    Attributes:
      inputs: int32 `[batch, 2, num_nodes, 2]`, which earlier tensor each operand reads.
      operations: int32, same shape, numbers in the space's `searched_operations`.
    """

    inputs: Any
    operations: Any


class MicroMixture(NamedTuple):
    """Cells in which every operand is a mixture of all that it could be.

    Attributes:
      weights: float32 `[2, num_nodes, 2, num_nodes + 1, operations]`, for each operand a
        distribution over the pairs of an earlier tensor and an operation.
    """

    weights: Any


class MicroPartialMixture(NamedTuple):
    """A mixture of which only some channels see the operations (PC-DARTS, arXiv 1907.05737).

    Attributes:
      weights: as of `MicroMixture`.
      chosen: for each stage the channels that do, int32 `[channels / K]`.
      passed: for each stage the others, which every operand passes on as they are.
    """

    weights: Any
    chosen: Any
    passed: Any


class MicroPaths(NamedTuple):
    """One architecture, and what each of its operands is multiplied by (GDAS, arXiv 1910.04465).

    Attributes:
      inputs: as of `MicroDecisions`, without the batch axis.
      operations: likewise.
      gains: float32, of the same shape.
    """

    inputs: Any
    operations: Any
    gains: Any


@dataclasses.dataclass(frozen=True)
class MicroDecisionSpace(RelaxableSpace):
    """The architectures of a micro space; see `MicroSpace`."""

    num_layers: int = setting(
        6, "Number of cells without the two reduction cells that come on top.", minimum=1
    )
    filters: int = setting(20, "Channels of the nodes in the first cells; even.", minimum=2)
    num_nodes: int = setting(5, "Computed nodes in a cell.", minimum=1, maximum=MOST_PARTS)
    input_shape: tuple[int, ...] = setting(
        (32, 32, 3), "Height, width and channels of a picture.", flag=False
    )
    num_classes: int = setting(10, "Number of classes.", minimum=2, flag=False)
    num_operations: int = setting(
        len(RELEASE_OPERATIONS),
        "Use the first so many operations: separable convolution 3x3, separable 5x5, average "
        "pooling, max pooling, identity.",
        minimum=1,
        maximum=len(RELEASE_OPERATIONS),
    )
    operations: tuple[str, ...] | None = setting(
        None,
        "Use these operations, separated by commas: "
        f"{', '.join(one.label for one in MicroOperation)}, or of your own "
        "(--operations_module). Some words of a name are enough if they fit one alone: "
        "separable_3x3 (default: the first num_operations).",
    )
    stem: str = setting(AUTO, HELP, choices=STEMS, before=CIFAR)
    dropout_rate: float = setting(
        0.1, "Share of features dropped before the supernet's classifier.", minimum=0.0, below=1.0
    )
    auxiliary_weight: float = setting(
        0.4,
        "Weight of the auxiliary classifier's cross-entropy in the training of the shared weights; "
        "0: there is none.",
        minimum=0.0,
    )
    bank_initialization: str = setting(
        "he_normal",
        "Start of the cells' shared weights: He-normal with the kernels' true fan-in, or with the "
        "number of rows of a bank as fan-in, as in the release.",
        choices=("he_normal", "release"),
    )
    controller: MicroControllerConfig = section(
        MicroControllerConfig(), prefix="controller_", group=Group.CONTROLLER
    )
    name: ClassVar[str] = "micro"
    samplings: ClassVar[tuple[str, ...]] = ("full", "partial", "gumbel")
    mixture_type: ClassVar[type[Any]] = MicroMixture
    path_type: ClassVar[type[Any]] = MicroPaths

    def __post_init__(self) -> None:
        super().__post_init__()
        check_picture_size(self.input_shape, self.stem)
        whole = whole_names(MicroOperation, self.operations, RELEASE_OPERATIONS)
        object.__setattr__(self, "operations", whole)
        if whole is not None and self.num_operations != len(RELEASE_OPERATIONS):
            raise ConfigurationError(
                "Give `operations` or `num_operations`, not both. Received: "
                f"operations={','.join(whole)} and num_operations={self.num_operations}."
            )

    @functools.cached_property
    def searched_operations(self) -> tuple[MicroOperation | OwnOperation, ...]:
        """The operations that an operand can have."""
        if self.operations is None:
            return RELEASE_OPERATIONS[: self.num_operations]
        return chosen_operations(MicroOperation, self.operations)

    @property
    def mixed_operations(self) -> tuple[MicroOperation | OwnOperation, ...]:
        """The operations in the order of a mixture's last axis."""
        return self.searched_operations

    def strongest_edges(self, strengths: np.ndarray) -> np.ndarray:
        """Returns the strongest pair of *different* tensors for the operands of each node.

        The authors keep of each node the two strongest edges from different tensors. Here each
        operand has weights of its own, so it is the likeliest pair of different tensors.
        """
        first, second = strengths[..., 0, :], strengths[..., 1, :]
        pairs = np.maximum(first, 0.0)[..., :, None] * np.maximum(second, 0.0)[..., None, :]
        possible = (first[..., :, None] >= 0) & (second[..., None, :] >= 0)
        possible &= ~np.eye(strengths.shape[-1], dtype=bool)
        flat = np.where(possible, pairs, -1.0).reshape(*pairs.shape[:-2], -1).argmax(axis=-1)
        return np.stack(np.unravel_index(flat, pairs.shape[-2:]), axis=-1)

    @property
    def num_architectures(self) -> int:
        """Inputs and operations of all operands of both cells."""
        inputs = math.prod(n + NUM_CELL_INPUTS for n in range(self.num_nodes))
        operations = len(self.searched_operations) ** self.num_nodes
        return (inputs * operations) ** (OPERANDS_PER_NODE * NUM_CELLS)

    @property
    def _decisions_shape(self) -> tuple[int, int, int]:
        return NUM_CELLS, self.num_nodes, OPERANDS_PER_NODE

    @property
    def _num_inputs(self) -> np.ndarray:
        """How many inputs each operand can have, `[2, num_nodes, 2]`."""
        nodes = np.arange(self.num_nodes)[:, None] + NUM_CELL_INPUTS
        return np.broadcast_to(nodes, self._decisions_shape)

    def random_architecture(
        self, seed: "int | np.random.Generator | None" = None
    ) -> MicroArchitecture:
        """Returns an architecture drawn uniformly from the space.

        Args:
          seed: an integer, a NumPy generator (which is advanced), or None for a random one.
        """
        generator = np.random.default_rng(seed)
        inputs = generator.integers(0, self._num_inputs)
        operations = generator.integers(0, len(self.searched_operations), size=inputs.shape)
        return self.decode(MicroDecisions(inputs[None], operations[None]))[0]

    def mutate(
        self, architecture: MicroArchitecture, generator: np.random.Generator
    ) -> MicroArchitecture:
        """Returns an architecture in which one input or one operation is another one.

        Args:
          architecture: of this space.
          generator: makes the random choices and is advanced.
        """
        decisions = self.encode([architecture])
        place = tuple(int(generator.integers(size)) for size in self._decisions_shape)
        num_operations = len(self.searched_operations)
        changes_input = num_operations == 1 or generator.random() < 0.5
        values = decisions.inputs[0] if changes_input else decisions.operations[0]
        options = int(self._num_inputs[place]) if changes_input else num_operations
        # A shift by 1 to n - 1 modulo n reaches every option but the same one.
        values[place] = (values[place] + generator.integers(1, options)) % options
        return self.decode(decisions)[0]

    def check(self, architecture: Any) -> None:
        """Raises `ArchitectureError` unless the architecture belongs to this space."""
        if not isinstance(architecture, MicroArchitecture):
            raise ArchitectureError(
                f"Expected a MicroArchitecture. Received: {type(architecture).__name__}."
            )
        if architecture.num_nodes != self.num_nodes:
            raise ArchitectureError(
                f"The architecture's cells have {architecture.num_nodes} nodes, the space's "
                f"{self.num_nodes}; set num_nodes={architecture.num_nodes}."
            )
        for name, cell in architecture.cells.items():
            for index, node in enumerate(cell.nodes):
                for operand in node.operands:
                    if operand.operation not in self.searched_operations:
                        labels = ", ".join(one.label for one in self.searched_operations)
                        raise ArchitectureError(
                            f"{name.capitalize()} cell: node {index}: operation "
                            f"{operand.operation.label} is not among the operations of this "
                            f"space: {labels}."
                        )

    def encode(self, architectures: Sequence[MicroArchitecture]) -> MicroDecisions:
        """Returns the decisions of architectures as int32 arrays; see `MicroDecisions`."""
        for architecture in architectures:
            self.check(architecture)
        number_of = self.searched_operations.index
        numbers = [
            (operand.input, number_of(operand.operation))
            for architecture in architectures
            for cell in architecture.cells.values()
            for node in cell.nodes
            for operand in node.operands
        ]
        shape = (len(architectures), *self._decisions_shape, 2)
        integers = np.array(numbers, np.int32).reshape(shape)
        return MicroDecisions(integers[..., 0].copy(), integers[..., 1].copy())

    def decode(self, decisions: Any) -> list[MicroArchitecture]:
        """Returns the architectures of batched decisions (arrays or eager tensors)."""
        integers = np.stack([np.asarray(field) for field in decisions], axis=-1)
        operation_of = self.searched_operations.__getitem__

        def cell(nodes: Any) -> MicroCell:
            pairs = [[MicroOperand(i, operation_of(o)) for i, o in operands] for operands in nodes]
            return MicroCell(tuple(MicroNode(tuple(operands)) for operands in pairs))

        return [MicroArchitecture(*map(cell, cells)) for cells in integers.tolist()]

    @property
    def num_growing_parts(self) -> int:
        """The nodes of a cell, if there is an operation that changes nothing."""
        return self.num_nodes if MicroOperation.IDENTITY in self.searched_operations else 0

    def shrunk(self, architecture: MicroArchitecture, num_parts: int) -> MicroArchitecture:
        """Returns the architecture with the first nodes of its cells; see `DecisionSpace.shrunk`.

        The other nodes pass the input of the cell through.
        """
        inputs, operations = self.encode([architecture])
        inputs[:, :, num_parts:] = NUM_CELL_INPUTS - 1
        operations[:, :, num_parts:] = self.searched_operations.index(MicroOperation.IDENTITY)
        return self.decode(MicroDecisions(inputs, operations))[0]

    def decision_options(self) -> MicroDecisions:
        """Returns how many values each decision can have; see `DecisionSpace.decision_options`."""
        number = len(self.searched_operations)
        return MicroDecisions(self._num_inputs, np.full(self._decisions_shape, number))

    def operation_counts(self, architectures: Sequence[Any]) -> dict[str, list[int]]:
        """Returns how often each operation has each operand.

        Returns:
          For each operation's name a count for each operand, first those of the normal cell's
          nodes, then those of the reduction cell's: `4 * num_nodes` of them.
        """
        operations = self.encode(architectures).operations.reshape(len(architectures), -1)
        return {
            operation.label: np.sum(operations == number, axis=0).tolist()
            for number, operation in enumerate(self.searched_operations)
        }
