"""Regularised evolution: tournaments in an ageing population.

Source: Real, Aggarwal, Huang and Le: *Regularized Evolution for Image Classifier Architecture
Search*, AAAI 2019, arXiv 1802.01548.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import tensorflow as tf

from enas_tf.searching.strategies.base import Strategy
from enas_tf.settings.config import SearchConfig
from enas_tf.spaces.base import SearchSpace
from enas_tf.spaces.batch import ArchitectureBatch


class Evolution(Strategy):
    """Mutates the winners of tournaments and lets the oldest architectures die.

    Until the population is full, architectures are random. From then on each proposal is a mutation
    (`SearchSpace.mutate`) of the best of some members drawn at random, and each observed
    architecture takes the place of the oldest. Dying of age matters here more than with networks
    trained from scratch: a reward is as old as the shared weights that earned it.

    Attributes:
      num_observed: int64 scalar variable, how many architectures were ever observed.
      rewards: float32 variable `[population_size]`.
      members: int32 variables, the population in the form of `space.encode`.
    """

    def __init__(self, space: SearchSpace, config: SearchConfig):
        """Initializes an empty population; arguments as for `Strategy`."""
        super().__init__(space, config)
        size = config.evolution.population_size
        example = space.encode([space.random_architecture(0)])
        self._decisions_type = type(example)
        self.num_observed = tf.Variable(0, dtype=tf.int64, trainable=False, name="num_observed")
        self.rewards = tf.Variable(np.zeros([size], np.float32), trainable=False, name="rewards")
        self.members = [
            tf.Variable(np.zeros([size, *field.shape[1:]], np.int32), trainable=False, name=name)
            for name, field in example._asdict().items()
        ]

    def draw(self, count: int, seeds: np.random.SeedSequence) -> list[Any]:
        """Returns random architectures or mutated winners; see `Strategy.draw`."""
        generator = np.random.default_rng(seeds)
        rewards = self._population_rewards()
        if len(rewards) < self.config.evolution.population_size:
            return [self.space.random_architecture(generator) for _ in range(count)]
        entrants = generator.integers(
            0, len(rewards), size=(count, self.config.evolution.tournament_size)
        )
        winners = entrants[np.arange(count), np.argmax(rewards[entrants], axis=1)]
        return [self.space.mutate(parent, generator) for parent in self._decode(winners)]

    def learn(self, architectures: ArchitectureBatch, rewards: np.ndarray) -> Mapping[str, float]:
        """Puts the architectures in the places of the oldest members.

        Returns:
          `best_reward` and `population_reward` (mean), both of the population.
        """
        size = self.config.evolution.population_size
        places = (int(self.num_observed) + np.arange(len(architectures))) % size
        # NumPy keeps the last of several values for one place, which is the youngest.
        fields = (rewards, *architectures.decisions)
        for variable, new in zip((self.rewards, *self.members), fields):
            values = variable.numpy()
            values[places] = new
            variable.assign(values)
        self.num_observed.assign_add(len(architectures))
        population = self._population_rewards()
        return {
            "best_reward": float(np.max(population)),
            "population_reward": float(np.mean(population)),
        }

    def most_likely(self) -> Any | None:
        """Returns the member with the highest reward, None before anything was observed."""
        ranking = self._ranking()
        return self._decode(ranking[:1])[0] if len(ranking) else None

    def candidates(self, count: int) -> ArchitectureBatch:
        """Returns the best distinct members, then proposals if these are too few."""
        best = list(dict.fromkeys(self._decode(self._ranking())))[:count]
        missing = count - len(best)
        best += super().candidates(missing) if missing else []
        return ArchitectureBatch(self.space, best)

    def _population_rewards(self) -> np.ndarray:
        return self.rewards.numpy()[: int(self.num_observed)]

    def _ranking(self) -> np.ndarray:
        return np.argsort(-self._population_rewards(), kind="stable")

    def _decode(self, places: np.ndarray) -> list[Any]:
        fields = (variable.numpy()[places] for variable in self.members)
        return self.space.decode(self._decisions_type(*fields))
