"""What can be decided in the rnn space: its sizes, its architectures, and their decisions."""

import dataclasses
import functools
import math
from collections.abc import Sequence
from typing import Any, ClassVar, NamedTuple

import numpy as np

from enas_tf.errors import ArchitectureError
from enas_tf.settings.groups import Group
from enas_tf.settings.setting import section, setting
from enas_tf.spaces.base import MOST_PARTS
from enas_tf.spaces.operations import chosen_operations, whole_names
from enas_tf.spaces.relaxation import RelaxableSpace
from enas_tf.spaces.rnn.architecture import LstmBaseline, RnnArchitecture, RnnFunction, RnnNode
from enas_tf.spaces.rnn.config import (
    CELL_OUTPUT_HELP,
    CELL_OUTPUTS,
    RnnControllerConfig,
    RnnRegularization,
)

# The release's: a reward is this divided by the perplexity, so that 80 gives 1.
REWARD_CONSTANT = 80.0


def perplexity_of_reward(reward: float) -> float:
    """Returns the perplexity that belongs to a reward; 0 is the reward of an infinite one."""
    return REWARD_CONSTANT / reward if reward else math.inf


class RnnDecisions(NamedTuple):
    """Batched architectures, as the controller decides them and the supernet reads them.

    Attributes:
      previous: int32 `[batch, num_nodes]`, the earlier node that each node reads.
      functions: int32, same shape, numbers in the space's `searched_operations`.
    """

    previous: Any
    functions: Any


class RnnMixture(NamedTuple):
    """A cell in which every node is a mixture of all that it could be.

    Attributes:
      weights: float32 `[num_nodes, num_nodes, functions]`, for each node a distribution over the
        pairs of an earlier node and a function.
    """

    weights: Any


class RnnPaths(NamedTuple):
    """One cell, and what the value of each of its nodes is multiplied by (GDAS, 1910.04465).

    Attributes:
      previous: as of `RnnDecisions`, without the batch axis.
      functions: likewise.
      gains: float32 `[num_nodes]`.
    """

    previous: Any
    functions: Any
    gains: Any


@dataclasses.dataclass(frozen=True)
class RnnDecisionSpace(RelaxableSpace):
    """The architectures of an rnn space; see `RnnSpace`."""

    num_nodes: int = setting(
        8, "Computed nodes of the cell (the paper: 12).", minimum=1, maximum=MOST_PARTS
    )
    hidden_size: int = setting(200, "Features of a word's embedding and of the state.", minimum=1)
    vocabulary_size: int = setting(
        10000, "Number of words that the model knows.", minimum=2, flag=False
    )
    operations: tuple[str, ...] | None = setting(
        None,
        "Use these functions, separated by commas: "
        f"{', '.join(one.label for one in RnnFunction)} (default: all).",
    )
    cell_output: str = setting("mean", CELL_OUTPUT_HELP, choices=CELL_OUTPUTS)
    initial_range: float = setting(
        0.04, "Shared weights start uniform between minus and plus this.", above=0.0
    )
    regularization: RnnRegularization = section(RnnRegularization())
    controller: RnnControllerConfig = section(
        RnnControllerConfig(), prefix="controller_", group=Group.CONTROLLER
    )
    name: ClassVar[str] = "rnn"
    mixture_type: ClassVar[type[Any]] = RnnMixture
    path_type: ClassVar[type[Any]] = RnnPaths

    def __post_init__(self) -> None:
        super().__post_init__()
        whole = whole_names(RnnFunction, self.operations, tuple(RnnFunction))
        object.__setattr__(self, "operations", whole)

    @functools.cached_property
    def searched_operations(self) -> tuple[RnnFunction, ...]:
        """The functions that a node can have."""
        if self.operations is None:
            return tuple(RnnFunction)
        return chosen_operations(RnnFunction, self.operations)

    @property
    def mixed_operations(self) -> tuple[RnnFunction, ...]:
        """The functions in the order of a mixture's last axis."""
        return self.searched_operations

    @property
    def num_architectures(self) -> int:
        """Earlier nodes and functions of all nodes: `num_nodes! * functions ** num_nodes`."""
        return math.factorial(self.num_nodes) * len(self.searched_operations) ** self.num_nodes

    def random_architecture(
        self, seed: "int | np.random.Generator | None" = None
    ) -> RnnArchitecture:
        """Returns an architecture drawn uniformly from the space.

        Args:
          seed: an integer, a NumPy generator (which is advanced), or None for a random one.
        """
        generator = np.random.default_rng(seed)
        previous = generator.integers(0, np.arange(self.num_nodes) + 1)
        functions = generator.integers(0, len(self.searched_operations), size=self.num_nodes)
        return self.decode(RnnDecisions(previous[None], functions[None]))[0]

    def mutate(
        self, architecture: RnnArchitecture, generator: np.random.Generator
    ) -> RnnArchitecture:
        """Returns an architecture in which one node reads another node or has another function.

        Args:
          architecture: of this space; returned as it is if the space has no other.
          generator: makes the random choices and is advanced.
        """
        num_functions = len(self.searched_operations)
        # Node 1 can read nothing but node 0, and one function alone is no choice.
        num_places = self.num_nodes * (2 if num_functions > 1 else 1)
        if num_places == 1:
            return architecture
        decisions = self.encode([architecture])
        place = int(generator.integers(1, num_places))
        node, is_function = place % self.num_nodes, place >= self.num_nodes
        values = (decisions.functions if is_function else decisions.previous)[0]
        options = num_functions if is_function else node + 1
        # A shift by 1 to n - 1 modulo n reaches every option but the same one.
        values[node] = (values[node] + generator.integers(1, options)) % options
        return self.decode(decisions)[0]

    def check(self, architecture: Any) -> None:
        """Raises `ArchitectureError` unless the architecture belongs to this space."""
        if isinstance(architecture, LstmBaseline):
            raise ArchitectureError(
                "The LSTM is a baseline and no cell of the search space; it can only be retrained."
            )
        if not isinstance(architecture, RnnArchitecture):
            raise ArchitectureError(
                f"Expected an RnnArchitecture. Received: {type(architecture).__name__}."
            )
        if architecture.num_nodes != self.num_nodes:
            raise ArchitectureError(
                f"The architecture has {architecture.num_nodes} nodes, the space's cells have "
                f"{self.num_nodes}; set num_nodes={architecture.num_nodes}."
            )
        for index, node in enumerate(architecture.nodes, 1):
            if node.function not in self.searched_operations:
                labels = ", ".join(one.label for one in self.searched_operations)
                raise ArchitectureError(
                    f"Node {index}: function {node.function.label} is not among those of this "
                    f"space: {labels}."
                )

    def encode(self, architectures: Sequence[RnnArchitecture]) -> RnnDecisions:
        """Returns the decisions of architectures as int32 arrays; see `RnnDecisions`."""
        for architecture in architectures:
            self.check(architecture)
        number_of = self.searched_operations.index
        numbers = [
            (node.previous, number_of(node.function))
            for architecture in architectures
            for node in architecture.nodes
        ]
        integers = np.array(numbers, np.int32).reshape(len(architectures), self.num_nodes, 2)
        return RnnDecisions(integers[..., 0].copy(), integers[..., 1].copy())

    def decode(self, decisions: Any) -> list[RnnArchitecture]:
        """Returns the architectures of batched decisions (arrays or eager tensors)."""
        integers = np.stack([np.asarray(field) for field in decisions], axis=-1)
        function_of = self.searched_operations.__getitem__
        return [
            RnnArchitecture(tuple(RnnNode(i, function_of(f)) for i, f in nodes))
            for nodes in integers.tolist()
        ]

    def decision_options(self) -> RnnDecisions:
        """Returns how many values each decision can have; see `DecisionSpace.decision_options`."""
        return RnnDecisions(
            np.arange(self.num_nodes) + 1,
            np.full(self.num_nodes, len(self.searched_operations)),
        )

    def operation_counts(self, architectures: Sequence[Any]) -> dict[str, list[int]]:
        """Returns how often each function occurs in each node.

        Returns:
          For each function's name a count for each node.
        """
        functions = self.encode(architectures).functions
        return {
            function.label: np.sum(functions == number, axis=0).tolist()
            for number, function in enumerate(self.searched_operations)
        }
