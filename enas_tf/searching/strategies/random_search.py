"""Random search: the baseline that every other strategy must beat."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from enas_tf.searching.strategies.base import Strategy
from enas_tf.spaces.batch import ArchitectureBatch


class RandomSearch(Strategy):
    """Proposes architectures drawn uniformly from the space and learns nothing.

    With it the shared weights are trained as in ENAS, and the ranking of candidates alone chooses
    the result: the paper's ablation of a controller that is never updated.
    """

    learns = False

    def draw(self, count: int, seeds: np.random.SeedSequence) -> Sequence[Any]:
        """Returns random architectures; see `Strategy.draw`."""
        generator = np.random.default_rng(seeds)
        return self.limits.draw(
            count, lambda number: [self.space.random_architecture(generator) for _ in range(number)]
        )

    def learn(self, architectures: ArchitectureBatch, rewards: np.ndarray) -> Mapping[str, float]:
        """Learns nothing; reports the highest reward of this call as `best_reward`."""
        return {"best_reward": float(np.max(rewards))}
