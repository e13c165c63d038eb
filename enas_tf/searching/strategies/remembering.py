"""Strategies that remember the newest architectures they observed, and their rewards."""

from typing import Any

import numpy as np
import tensorflow as tf

from enas_tf.searching.limits import Limits
from enas_tf.searching.strategies.base import Strategy
from enas_tf.settings.search import SearchConfig
from enas_tf.spaces.base import SearchSpace
from enas_tf.spaces.batch import ArchitectureBatch


class RememberingStrategy(Strategy):
    """A strategy with a memory of fixed size, in which the oldest give their places away.

    Attributes:
      num_observed: int64 scalar variable, how many architectures were ever observed.
      rewards: float32 variable `[size]`.
      members: int32 variables, the architectures in the form of `space.encode`.
    """

    def __init__(self, space: SearchSpace, config: SearchConfig, limits: Limits, size: int):
        """Initializes an empty memory.

        Args:
          space: see `Strategy`.
          config: likewise.
          limits: likewise.
          size: of the memory.
        """
        super().__init__(space, config, limits)
        example = space.encode([space.random_architecture(0)])
        self._size = size
        self._decisions_type = type(example)
        self.num_observed = tf.Variable(0, dtype=tf.int64, trainable=False, name="num_observed")
        self.rewards = tf.Variable(np.zeros([size], np.float32), trainable=False, name="rewards")
        self.members = [
            tf.Variable(np.zeros([size, *field.shape[1:]], np.int32), trainable=False, name=name)
            for name, field in example._asdict().items()
        ]

    def remember(self, architectures: ArchitectureBatch, rewards: np.ndarray) -> None:
        """Puts architectures in the places of the oldest members."""
        places = (int(self.num_observed) + np.arange(len(architectures))) % self._size
        # NumPy keeps the last of several values for one place, which is the youngest.
        fields = (rewards, *architectures.decisions)
        for variable, new in zip((self.rewards, *self.members), fields):
            values = variable.numpy()
            values[places] = new
            variable.assign(values)
        self.num_observed.assign_add(len(architectures))

    def remembered_rewards(self) -> np.ndarray:
        """Returns the rewards of all members, `[members]`."""
        return self.rewards.numpy()[: int(self.num_observed)]

    def remembered_decisions(self) -> Any:
        """Returns all members in the form of `space.encode`."""
        count = len(self.remembered_rewards())
        return self._decisions_type(*(variable.numpy()[:count] for variable in self.members))

    def member(self, places: np.ndarray) -> list[Any]:
        """Returns the architectures at some places of the memory."""
        fields = (variable.numpy()[places] for variable in self.members)
        return self.space.decode(self._decisions_type(*fields))

    def ranking(self) -> np.ndarray:
        """Returns the places of all members, best first."""
        return np.argsort(-self.remembered_rewards(), kind="stable")

    def most_likely(self) -> Any | None:
        """Returns the member with the highest reward, None before anything was observed."""
        ranking = self.ranking()
        return self.member(ranking[:1])[0] if len(ranking) else None

    def candidates(self, count: int) -> ArchitectureBatch:
        """Returns the best distinct members, then proposals if these are too few."""
        best = list(dict.fromkeys(self.member(self.ranking())))[:count]
        missing = count - len(best)
        best += super().candidates(missing) if missing else []
        return ArchitectureBatch(self.space, best)
