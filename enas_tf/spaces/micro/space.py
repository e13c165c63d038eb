"""The micro search space: its size, its architectures, and what builds its parts."""

import dataclasses
import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

import numpy as np

from enas_tf.environment.keras_settings import under_own_settings
from enas_tf.errors import ArchitectureError
from enas_tf.settings.setting import section, setting
from enas_tf.spaces.base import MOST_PARTS
from enas_tf.spaces.images.space import ImageSpace
from enas_tf.spaces.micro.architecture import (
    NUM_CELL_INPUTS,
    OPERANDS_PER_NODE,
    MicroArchitecture,
    MicroCell,
    MicroOperation,
)
from enas_tf.spaces.micro.config import MicroControllerConfig, MicroNetworkConfig
from enas_tf.spaces.micro.layout import check_picture_size

if TYPE_CHECKING:
    import keras

NUM_CELLS = 2


class MicroDecisions(NamedTuple):
    """Batched architectures, as the controller decides them and the supernet reads them.

    The second axis is the cell: 0 is the normal, 1 the reduction cell.

    Attributes:
      inputs: int32 `[batch, 2, num_nodes, 2]`, which earlier tensor each operand reads.
      operations: int32, same shape.
    """

    inputs: Any
    operations: Any


@dataclasses.dataclass(frozen=True)
class MicroSpace(ImageSpace):
    """Networks made of copies of a normal cell and a reduction cell."""

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
        len(MicroOperation),
        "Use the first so many operations: separable convolution 3x3, separable 5x5, average "
        "pooling, max pooling, identity.",
        minimum=1,
        maximum=len(MicroOperation),
    )
    dropout_rate: float = setting(
        0.1,
        "Share of features dropped before the supernet's classifier.",
        minimum=0.0,
        below=1.0,
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
    controller: MicroControllerConfig = section(MicroControllerConfig(), prefix="controller_")

    name: ClassVar[str] = "micro"

    def __post_init__(self) -> None:
        super().__post_init__()
        check_picture_size(self.input_shape)

    @property
    def operations(self) -> tuple[MicroOperation, ...]:
        """The operations that an operand can have."""
        return tuple(MicroOperation)[: self.num_operations]

    @property
    def num_architectures(self) -> int:
        """Inputs and operations of all operands of both cells."""
        inputs = math.prod(n + NUM_CELL_INPUTS for n in range(self.num_nodes))
        operations = self.num_operations**self.num_nodes
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
        operations = generator.integers(0, self.num_operations, size=inputs.shape)
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
        changes_input = self.num_operations == 1 or generator.random() < 0.5
        values = decisions.inputs[0] if changes_input else decisions.operations[0]
        options = int(self._num_inputs[place]) if changes_input else self.num_operations
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
                    if operand.operation >= self.num_operations:
                        raise ArchitectureError(
                            f"{name.capitalize()} cell: node {index}: operation "
                            f"{operand.operation.label} is not among the first "
                            f"{self.num_operations} operations of this space."
                        )

    def encode(self, architectures: Sequence[MicroArchitecture]) -> MicroDecisions:
        """Returns the decisions of architectures as int32 arrays; see `MicroDecisions`."""
        for architecture in architectures:
            self.check(architecture)
        numbers = [cell.to_integers() for a in architectures for cell in (a.normal, a.reduction)]
        shape = (len(architectures), *self._decisions_shape, 2)
        integers = np.array(numbers, np.int32).reshape(shape)
        return MicroDecisions(integers[..., 0].copy(), integers[..., 1].copy())

    def decode(self, decisions: Any) -> list[MicroArchitecture]:
        """Returns the architectures of batched decisions (arrays or eager tensors)."""
        integers = np.stack([np.asarray(field) for field in decisions], axis=-1)
        return [
            MicroArchitecture(*(MicroCell.from_integers(cell.ravel().tolist()) for cell in cells))
            for cells in integers
        ]

    def operation_counts(self, architectures: Sequence[Any]) -> dict[str, list[int]]:
        """Returns how often each operation has each operand.

        Returns:
          For each operation's name a count for each operand, first those of the normal cell's
          nodes, then those of the reduction cell's: `4 * num_nodes` of them.
        """
        operations = self.encode(architectures).operations.reshape(len(architectures), -1)
        return {
            operation.label: np.sum(operations == operation, axis=0).tolist()
            for operation in self.operations
        }

    def network_config(self) -> MicroNetworkConfig:
        """Returns the settings of a derived network that is about as large as in the search."""
        return MicroNetworkConfig(
            num_layers=self.num_layers,
            filters=self.filters,
            dropout_rate=self.dropout_rate,
            drop_path_rate=0.0,
            auxiliary_weight=self.auxiliary_weight,
        )

    def build_static_network(self, architecture: MicroArchitecture) -> "keras.Model":
        """Returns the plain network that computes what the supernet computes."""
        config = self.network_config().replace(form="supernet")
        return self.build_network(architecture, config, portable=False)

    def benchmark_architectures(self) -> list[MicroArchitecture]:
        """Returns architectures whose operands take the operations in turn.

        Number `k` begins with operation `k`, so that together they have each operation at each
        operand once; the inputs are random.
        """
        generator = np.random.default_rng(0)
        shape = (self.num_operations, *self._decisions_shape)
        inputs = generator.integers(0, np.broadcast_to(self._num_inputs, shape))
        places = np.arange(math.prod(self._decisions_shape)).reshape(self._decisions_shape)
        first = np.arange(self.num_operations)[:, None, None, None]
        return self.decode(MicroDecisions(inputs, (first + places) % self.num_operations))

    def drawing_options(self) -> dict[str, Any]:
        """Returns what a drawing needs to know of the space: nothing."""
        return {}

    @under_own_settings
    def build_supernet(self, seed: int = 0) -> "keras.Model":
        """Returns the supernet, a `MicroSupernet`, with fresh weights."""
        from enas_tf.spaces.micro.supernet import MicroSupernet

        return MicroSupernet(self, seed=seed)

    @under_own_settings
    def build_controller(self, seed: int = 0) -> "keras.Model":
        """Returns the controller, a `MicroController`, with fresh weights."""
        from enas_tf.spaces.micro.controller import MicroController

        return MicroController(self, seed=seed)

    @under_own_settings
    def build_network(
        self,
        architecture: MicroArchitecture,
        config: MicroNetworkConfig | None = None,
        *,
        portable: bool = True,
        seed: int = 0,
    ) -> "keras.Model":
        """Returns the network of one architecture as a plain Keras model with fresh weights.

        Args:
          architecture: any micro architecture, of any number of nodes.
          config: depth, width, form and regularisation (default: `MicroNetworkConfig()`).
          portable: only stock Keras layers, so that a saved model loads without this package;
            False: faster layers of this package, with drop path and the auxiliary head, for
            training.
          seed: of the initial weights, of dropout and of drop path.

        Returns:
          A functional `keras.Model` from normalised float32 pictures
          `[batch, height, width, channels]` to logits `[batch, num_classes]`; with
          `portable=False` and an auxiliary head to a list of the logits and the auxiliary logits.
        """
        from enas_tf.spaces.micro.network import build_micro_network

        return build_micro_network(
            architecture,
            config or MicroNetworkConfig(),
            input_shape=self.input_shape,
            num_classes=self.num_classes,
            portable=portable,
            seed=seed,
        )
