"""What a search needs of who scores its proposals, and nothing more."""

import abc
from collections.abc import Sequence
from typing import Any, ClassVar

from enas_tf.runs.directory import RunDirectory
from enas_tf.runs.phases import SHARED_WEIGHTS
from enas_tf.searching.ranking import Candidate
from enas_tf.searching.shared_weights import SharedWeights
from enas_tf.settings.search import SearchConfig
from enas_tf.spaces.base import Architecture, SearchSpace


class Evaluator(abc.ABC):
    """Says what architectures are worth.

    Attributes:
      weights: the supernet and its functions.
      training_steps: steps of an epoch that train the weights which all architectures share.
      steps_per_update: in how many steps the proposals of one update are scored; between two of
        them a search can be interrupted.
    """

    weights: SharedWeights
    training_steps: int
    steps_per_update: int = 1
    # Where the weights come from; scores are called after it.
    kind: ClassVar[str] = SHARED_WEIGHTS

    def __init__(
        self,
        space: SearchSpace,
        config: SearchConfig,
        streams: Any,
        run: RunDirectory,
        distribution: Any | None,
    ) -> None:
        """Initializes what scores; arguments as for `build_evaluator`."""
        self._space = space
        self._config = config
        self._streams = streams
        self._run = run

    @property
    def score_kind(self) -> str:
        """What a score is, as it is called in logs and files."""
        return self._named(self.weights.score_kind)

    def score_metrics(self, score: float) -> dict[str, float]:
        """Returns a score and what else is logged of it, by name."""
        others = self.weights.supernet.score_metrics(score)
        return {
            self.score_kind: score,
            **{self._named(name): value for name, value in others.items()},
        }

    def _named(self, name: str) -> str:
        return name.replace(SHARED_WEIGHTS, self.kind)

    @abc.abstractmethod
    def saved_objects(self) -> dict[str, Any]:
        """Returns what a checkpoint must hold, by name."""

    def check(self) -> None:  # noqa: B027 (a hook; nothing needs to be done)
        """Raises `NumericalError` if what a checkpoint holds is not worth going back to."""

    def rewind(self) -> None:  # noqa: B027 (a hook; nothing needs to be done)
        """Forgets what is not in a checkpoint, after one was restored."""

    def prepare(self, architecture: Architecture) -> None:  # noqa: B027 (likewise)
        """Takes one of the steps of an update before the last one.

        Args:
          architecture: one of those that `rewards` will be asked for.
        """

    @abc.abstractmethod
    def rewards(self, architectures: Sequence[Architecture], update: int) -> list[float]:
        """Returns the rewards of proposed architectures; higher is better.

        Args:
          architectures: as many as an update has.
          update: number of the update, from 0.
        """

    @abc.abstractmethod
    def score(self, architecture: Architecture) -> float:
        """Returns the score of an architecture on the whole validation part."""

    def scored(self) -> list[Candidate] | None:
        """Returns candidates that need no scoring any more; None: there are none."""
        return None
