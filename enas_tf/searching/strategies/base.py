"""What the search needs of a strategy, and nothing more."""

import enum
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
import tensorflow as tf

from enas_tf.errors import ConfigurationError, NumericalError
from enas_tf.searching.limits import NO_LIMITS, Limits
from enas_tf.settings.search import SearchConfig
from enas_tf.spaces.base import SearchSpace
from enas_tf.spaces.batch import ArchitectureBatch
from enas_tf.training.schedules import Horizon


class _Purpose(enum.IntEnum):
    """Keeps the random numbers of proposals and of candidates apart."""

    PROPOSALS = 0
    CANDIDATES = 1


class Strategy(tf.Module):
    """Proposes architectures and learns from their rewards.

    All state is in variables that `tf.train.Checkpoint(strategy=strategy)` tracks: a strategy that
    is restored goes on exactly as the one that was saved. Random choices are functions of the
    search's seed and of the number of calls of `propose` before.

    Proposals are made once for all devices: build a strategy outside the scope of a
    `tf.distribute.Strategy`.

    A subclass implements `draw` and `learn`, and `most_likely` if it can answer. Whatever it draws
    at random it draws through `limits`.

    Attributes:
      space: the search space.
      config: the settings of the search.
      limits: what the networks of proposals may cost.
      learns: whether rewards change what is proposed; what learns is compared with random
        architectures at the end of a search.
      num_calls: int64 scalar variable, how often `propose` was called.
    """

    learns: ClassVar[bool] = True
    # What its learning rate follows in a search with a time budget, by the number of updates.
    horizon: Horizon | None = None

    def __init__(self, space: SearchSpace, config: SearchConfig, limits: Limits = NO_LIMITS):
        """Initializes the strategy and all its variables.

        Args:
          space: the search space.
          config: the settings of the search.
          limits: what the networks of proposals may cost.
        """
        super().__init__(name=type(self).__name__)
        self.space = space
        self.config = config
        self.limits = limits
        self.num_calls = tf.Variable(0, dtype=tf.int64, trainable=False, name="num_calls")

    def propose(self, count: int) -> ArchitectureBatch:
        """Returns architectures to train the shared weights with, or to be rewarded.

        Args:
          count: how many, at least 1; some may be equal.

        Returns:
          Architecture values of the space.
        """
        proposed = self.next_proposal(count)
        self.num_calls.assign_add(1)
        return proposed

    def next_proposal(self, count: int) -> ArchitectureBatch:
        """Returns what `propose` will return, and changes nothing."""
        architectures = self.draw(count, self._seeds(_Purpose.PROPOSALS, count))
        return ArchitectureBatch.of(self.space, architectures)

    def skip_proposal(self) -> None:
        """Passes over the random numbers of the next proposal, so that another one is made."""
        self.num_calls.assign_add(1)

    def observe(self, architectures: Sequence[Any], rewards: Sequence[float]) -> dict[str, float]:
        """Learns from the rewards of architectures; one call is one update.

        Args:
          architectures: values of the space, usually those proposed last.
          rewards: one for each; higher is better.

        Returns:
          Metrics for the log by name; `reward` is the mean reward.

        Raises:
          ConfigurationError: there is not one reward for each architecture, or none at all.
          NumericalError: a reward is not finite.
        """
        values = _as_rewards(rewards, len(architectures))
        batch = ArchitectureBatch.of(self.space, architectures)
        return {"reward": float(np.mean(values)), **self.learn(batch, values)}

    def most_likely(self) -> Any | None:
        """Returns the architecture that the strategy favours now, None if it favours none."""
        return None

    def candidates(self, count: int) -> ArchitectureBatch:
        """Returns architectures to choose the result of the search from.

        Changes nothing: calls do not influence what is proposed later, and repeat themselves until
        something new was observed or proposed.

        Args:
          count: how many, at least 1; some may be equal.
        """
        architectures = self.draw(count, self._seeds(_Purpose.CANDIDATES, count))
        return ArchitectureBatch.of(self.space, architectures)

    def draw(self, count: int, seeds: np.random.SeedSequence) -> Sequence[Any]:
        """Returns architectures as a function of the state and the seeds; changes no state.

        All are within the limits.
        """
        raise NotImplementedError

    def learn(self, architectures: ArchitectureBatch, rewards: np.ndarray) -> Mapping[str, float]:
        """Updates the state with finite rewards, float32 `[len(architectures)]`."""
        raise NotImplementedError

    def _seeds(self, purpose: _Purpose, count: int) -> np.random.SeedSequence:
        if not isinstance(count, (int, np.integer)) or count < 1:
            raise ConfigurationError(
                f"`count` must be a positive integer. Received: count={count!r}."
            )
        return np.random.SeedSequence((self.config.seed, int(purpose), int(self.num_calls)))


def _as_rewards(rewards: Sequence[float] | Any, count: int) -> np.ndarray:
    """Returns the rewards of `count` architectures as float32 `[count]`.

    Args:
      rewards: one finite number for each architecture.
      count: number of architectures.

    Raises:
      ConfigurationError: there is not one reward for each of at least one architecture.
      NumericalError: a reward is not finite.
    """
    values = np.asarray(rewards, np.float32)
    if values.shape != (count,) or count < 1:
        raise ConfigurationError(
            "`rewards` must be one number for each of at least one architecture. Received: shape "
            f"{values.shape} for {count} architectures."
        )
    if not np.all(np.isfinite(values)):
        raise NumericalError(
            f"A reward is not finite: {values.tolist()!r:.80}. Lower the learning rate of the "
            "shared weights."
        )
    return values
