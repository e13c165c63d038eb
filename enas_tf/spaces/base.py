"""What the rest of the package needs of a search space, and nothing more.

A search space is a `Settings` dataclass: its fields are its size. It knows its architectures as
typed values and builds, on request, the supernet, the controller and the network of one of them.
Nothing here imports TensorFlow.
"""

import abc
import contextlib
import json
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

import numpy as np
from typing_extensions import Self

from enas_tf.errors import ArchitectureError, ConfigurationError
from enas_tf.settings.search import SearchConfig
from enas_tf.settings.setting import Settings
from enas_tf.settings.training import TrainingConfig
from enas_tf.spaces.costs import Costs

if TYPE_CHECKING:
    import keras

FORMAT_VERSION = 1
# Layers of a network, nodes of a cell: ten times those of the paper. Drawings and networks
# of many more would take minutes and much memory before anything is seen of them.
MOST_PARTS = 128
# Decisions of all architectures of a space that can be listed; more would take days to train.
MOST_ENUMERATED = 5000
# So many times as large as the part that architectures are scored on is the training part of random
# data; of CIFAR-10 too, if 5,000 of its 50,000 pictures are held out.
TRAINING_SHARE = 9


class Architecture(abc.ABC):
    """One point of a search space: an immutable, validated, hashable value."""

    space_name: ClassVar[str]

    def canonical(self) -> Self:
        """Returns the one architecture that stands for all that are the same network."""
        return self

    @abc.abstractmethod
    def to_release_string(self) -> str:
        """Returns the integers of the authors' release, separated by blanks."""

    @abc.abstractmethod
    def to_json(self) -> dict[str, Any]:
        """Returns the architecture as JSON can hold it, with words for operations."""

    @classmethod
    @abc.abstractmethod
    def from_json(cls, value: Mapping[str, Any] | str) -> Self:
        """Makes an architecture from what `to_json` returned, or from its JSON text."""

    def __repr__(self) -> str:
        return f"{type(self).__name__}.from_release_string({self.to_release_string()!r})"


class DecisionSpace(Settings, abc.ABC):
    """The architectures of a search space: how many there are, random ones, and their decisions.

    Batched architectures travel through TensorFlow as *decisions*: a `NamedTuple` of int32 arrays
    whose first axis is the architecture. `encode` and `decode` are the only places that know how.

    What is built for a space (controller, supernet, networks) needs this part of it alone.
    """

    name: ClassVar[str]

    @property
    @abc.abstractmethod
    def num_architectures(self) -> int:
        """The exact number of architectures in the space."""

    @property
    def largest_entropy(self) -> float:
        """The entropy in nats of a policy that proposes all architectures equally often.

        Since the entropies of the decisions of an architecture, one after the other, add up to that
        of the architecture, no controller's mean entropy is larger.
        """
        return math.log(self.num_architectures)

    @abc.abstractmethod
    def random_architecture(self, seed: "int | np.random.Generator | None" = None) -> Any:
        """Returns an architecture drawn uniformly from the space."""

    def architecture_from_release_string(self, text: str) -> Any:
        """Returns the architecture, in this space's form, that `to_release_string` wrote.

        Args:
          text: the integers, separated by blanks.

        Raises:
          ArchitectureError: the integers are those of no architecture.
        """
        return type(self.random_architecture(0)).from_release_string(text)

    @abc.abstractmethod
    def mutate(self, architecture: Any, generator: "np.random.Generator") -> Any:
        """Returns an architecture that differs from another one in a single random decision.

        Args:
          architecture: of this space.
          generator: makes the random choices and is advanced.
        """

    @abc.abstractmethod
    def check(self, architecture: Any) -> None:
        """Raises `ArchitectureError` unless the architecture belongs to this space."""

    @abc.abstractmethod
    def encode(self, architectures: Sequence[Any]) -> NamedTuple:
        """Returns the decisions of architectures as int32 arrays `[len(architectures), …]`."""

    @abc.abstractmethod
    def decode(self, decisions: Any) -> list[Any]:
        """Returns the architectures of batched decisions."""

    @abc.abstractmethod
    def decision_options(self) -> Any:
        """Returns how many values each decision of an architecture can have, from 0 on.

        Returns:
          Integers in the form of the decisions of one architecture, without the first axis; 1 where
          nothing is decided.

        Raises:
          ConfigurationError: the decisions depend on each other.
        """

    @property
    def num_growing_parts(self) -> int:
        """In how many parts `shrunk` opens an architecture; 0: it cannot be shrunk."""
        return 0

    def shrunk(self, architecture: Any, num_parts: int) -> Any:
        """Returns the architecture with its first parts alone, and all others as empty as can be.

        Args:
          architecture: of this space.
          num_parts: from 1 to `num_growing_parts`.
        """
        raise NotImplementedError

    def every_architecture(self) -> list[Any]:
        """Returns all networks of a small space, each once, in the order of their decisions.

        Raises:
          ConfigurationError: there are too many, see `MOST_ENUMERATED`.
        """
        if self.num_architectures > MOST_ENUMERATED:
            raise ConfigurationError(
                f"The space has {self.num_architectures:,} architectures; at most "
                f"{MOST_ENUMERATED:,} can be enumerated. Take fewer layers, nodes or operations."
            )
        options = self.decision_options()
        flat = np.concatenate([np.ravel(field) for field in options])
        # Of decisions with one option nothing is left but their place.
        rows = np.array(list(np.ndindex(*flat[flat > 1])), np.int32)
        full = np.zeros((len(rows), len(flat)), np.int32)
        full[:, flat > 1] = rows
        ends = np.cumsum([np.size(field) for field in options])
        fields = [
            part.reshape(len(rows), *np.shape(field))
            for part, field in zip(np.split(full, ends[:-1], axis=1), options)
        ]
        architectures = self.decode(type(options)(*fields))
        return list(dict.fromkeys(architecture.canonical() for architecture in architectures))

    @abc.abstractmethod
    def operation_counts(self, architectures: Sequence[Any]) -> dict[str, list[int]]:
        """Returns how often each operation occurs at each place of some architectures.

        Returns:
          For each operation's name, a count for each place (layer, node …).
        """


class SearchSpace(DecisionSpace):
    """A family of networks, and what builds the supernet, the controller and single networks.

    Attributes:
      sizes: the settings, integers, that make its networks larger; `enas-benchmark --sweep` lets
        them grow.
    """

    sizes: ClassVar[tuple[str, ...]] = ()

    @abc.abstractmethod
    def for_data(self, data: Any) -> Self:
        """Returns the space with the sizes that depend on the data, all others as they are.

        ```python
        space = enas_tf.MacroSpace(num_layers=6, filters=16).for_data(data)
        ```

        Args:
          data: an `ImageData`, or for recurrent cells a `TextData`.

        Raises:
          DataError: it is something else.
          ConfigurationError: no network of the space can take the data.
        """

    @abc.abstractmethod
    def network_config(self) -> Settings:
        """Returns the settings of a derived network that is about as large as in the search."""

    @abc.abstractmethod
    def build_static_network(self, architecture: Any) -> "keras.Model":
        """Returns the plain network that computes what the supernet computes for an architecture.

        It is what the supernet's speed is compared with.
        """

    @abc.abstractmethod
    def build_static_step(
        self, architecture: Any, config: TrainingConfig, *, precision: str = "float32"
    ) -> Callable[[Any], NamedTuple]:
        """Returns a function that trains a static network on a batch and returns its metrics.

        Args:
          architecture: of this space.
          config: settings of the training.
          precision: that the network computes in, see `SearchConfig.precision`.
        """

    @abc.abstractmethod
    def benchmark_architectures(self) -> list[Any]:
        """Returns a few architectures that together have every operation everywhere equally."""

    @abc.abstractmethod
    def random_data(self, config: SearchConfig, steps: int = 1) -> Any:
        """Returns meaningless data of the right form.

        Args:
          config: the settings of a search; the batch sizes count.
          steps: training batches of an epoch. The validation part is a ninth of the training part,
            as of CIFAR-10, and at least one batch.
        """

    @staticmethod
    def score_note(score: float) -> str:
        """Returns the score of an architecture in terms that people think in, if it is not so.

        Args:
          score: of an architecture, with the shared weights or after a short retraining.

        Returns:
          For example `perplexity 812.50`, or nothing.
        """
        del score
        return ""

    def drawing_options(self) -> dict[str, Any]:
        """Returns what a drawing of an architecture needs to know of the space."""
        return {}

    @abc.abstractmethod
    def build_supernet(self, seed: int = 0) -> "keras.Model":
        """Returns the supernet: the shared weights of all architectures of the space."""

    @abc.abstractmethod
    def build_controller(self, seed: int = 0) -> "keras.Model":
        """Returns the controller that samples and scores architectures of the space."""

    @abc.abstractmethod
    def build_network(
        self, architecture: Any, config: Any = None, *, portable: bool = True, seed: int = 0
    ) -> "keras.Model":
        """Returns the network of one architecture as a plain Keras model.

        Args:
          architecture: of any size that the kind of space can have.
          config: settings of the network; default: the space's defaults.
          portable: only stock Keras layers.
          seed: of the initial weights.
        """

    @abc.abstractmethod
    def costs(self, architecture: Any, config: Any = None, *, portable: bool = True) -> Costs:
        """Returns what the network costs that `build_network` would return, without building it.

        Args:
          architecture: of any size that the kind of space can have.
          config: settings of the network; default: the space's defaults.
          portable: the network for use; False: with what only training needs, an auxiliary head.
        """

    def layers(self, architecture: Any, config: Any = None) -> Mapping[Any, int]:
        """Returns how often the network for use has each kind of layer, without building it.

        Args:
          architecture: of any size that the kind of space can have.
          config: settings of the network; default: the space's defaults.

        Raises:
          ConfigurationError: the layers of the space's networks are not measured.
        """
        del architecture, config
        raise ConfigurationError(
            f"Latencies are predicted for networks that classify pictures. Received: the space "
            f"{self.name}; limit or target parameters or multiply-adds."
        )

    def layer_latency(self, layer: Any) -> float:
        """Returns the milliseconds that one of `layers` takes on this machine for one picture."""
        raise NotImplementedError(f"Nobody asks how long {layer} takes.")


def parse_json_object(value: Mapping[str, Any] | str, what: str) -> Mapping[str, Any]:
    """Returns the mapping that `value` is, or holds as JSON text.

    Args:
      value: a mapping, or the JSON text of an object.
      what: names the thing in the message of the error.

    Raises:
      ArchitectureError: the text is not JSON, or not an object.
    """
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except ValueError as error:
            raise ArchitectureError(f"{what} is not valid JSON: {error}.") from error
    if not isinstance(value, Mapping):
        raise ArchitectureError(
            f"{what} must be a JSON object. Received: {type(value).__name__} {value!r:.60}."
        )
    return value


@contextlib.contextmanager
def naming(place: str) -> Iterator[None]:
    """Puts a place in front of the message of every `ArchitectureError` that is raised inside.

    Args:
      place: for example `Layer 3`.
    """
    try:
        yield
    except ArchitectureError as error:
        # Of the same kind, since some say more than others.
        raise type(error)(f"{place}: {error}") from error


def is_index(value: Any, number: int) -> bool:
    """Whether a value is an integer from 0 to `number - 1`; True and False are none."""
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < number


def check_size(what: str, parts: str, number: int) -> None:
    """Raises `ArchitectureError` if an architecture has more parts than one of any space.

    Args:
      what: names the architecture in the message of the error.
      parts: what they are, for example `layers`.
      number: how many it has.
    """
    if number > MOST_PARTS:
        raise ArchitectureError(f"{what} has at most {MOST_PARTS} {parts}. Received: {number}.")


def parse_integers(text: str, what: str, most: int, names: bool = False) -> list[Any]:
    """Returns the integers of a release string; blanks, commas and `|` separate them.

    Args:
      text: the release string.
      what: names the architecture in the message of the error.
      most: so many integers the largest architecture has.
      names: whether names of operations, which are returned as they are, may stand among them.

    Raises:
      ArchitectureError: something in the text is not an integer, there is nothing in it, or too
        much.
    """
    words = text.replace("|", " ").replace(",", " ").split()
    if len(words) > most:
        raise ArchitectureError(f"{what} has at most {most} integers. Received: {len(words)}.")
    try:
        integers = [word if names and word.isidentifier() else int(word) for word in words]
    except ValueError as error:
        raise ArchitectureError(
            f"{what} must be integers separated by blanks. Received: {text!r:.80}."
        ) from error
    if not integers:
        raise ArchitectureError(f"{what} is empty; expected integers separated by blanks.")
    return integers
