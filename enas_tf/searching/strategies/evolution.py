"""Regularised evolution: tournaments in an ageing population.

Source: Real, Aggarwal, Huang and Le: *Regularized Evolution for Image Classifier Architecture
Search*, AAAI 2019, arXiv 1802.01548.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from enas_tf.searching.limits import NO_LIMITS, Limits
from enas_tf.searching.strategies.remembering import RememberingStrategy
from enas_tf.settings.search import SearchConfig
from enas_tf.spaces.base import SearchSpace
from enas_tf.spaces.batch import ArchitectureBatch


class Evolution(RememberingStrategy):
    """Mutates the winners of tournaments and lets the oldest architectures die.

    Until the population is full, architectures are random. From then on each proposal is a mutation
    (`SearchSpace.mutate`) of the best of some members drawn at random, and each observed
    architecture takes the place of the oldest. Dying of age matters here more than with networks
    trained from scratch: a reward is as old as the shared weights that earned it.
    """

    def __init__(self, space: SearchSpace, config: SearchConfig, limits: Limits = NO_LIMITS):
        """Initializes an empty population; arguments as for `Strategy`."""
        super().__init__(space, config, limits, config.evolution.population_size)

    def draw(self, count: int, seeds: np.random.SeedSequence) -> Sequence[Any]:
        """Returns random architectures or mutated winners; see `Strategy.draw`."""
        generator = np.random.default_rng(seeds)
        rewards = self.remembered_rewards()
        if len(rewards) < self.config.evolution.population_size:
            return self.limits.draw(
                count,
                lambda number: [self.space.random_architecture(generator) for _ in range(number)],
            )
        entrants = generator.integers(
            0, len(rewards), size=(count, self.config.evolution.tournament_size)
        )
        winners = entrants[np.arange(count), np.argmax(rewards[entrants], axis=1)]

        def child(parent: Any) -> Any:
            return self.limits.draw(
                1, lambda number: [self.space.mutate(parent, generator) for _ in range(number)]
            )[0]

        return [child(parent) for parent in self.member(winners)]

    def learn(self, architectures: ArchitectureBatch, rewards: np.ndarray) -> Mapping[str, float]:
        """Puts the architectures in the places of the oldest members.

        Returns:
          `best_reward` and `population_reward` (mean), both of the population.
        """
        self.remember(architectures, rewards)
        population = self.remembered_rewards()
        return {
            "best_reward": float(np.max(population)),
            "population_reward": float(np.mean(population)),
        }
