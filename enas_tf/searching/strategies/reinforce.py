"""ENAS's own strategy: a controller trained by REINFORCE."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from enas_tf.searching.policy import PolicyGradient
from enas_tf.searching.strategies.base import Strategy
from enas_tf.settings.config import SearchConfig
from enas_tf.spaces.base import SearchSpace
from enas_tf.spaces.batch import ArchitectureBatch


class Reinforce(Strategy):
    """Samples architectures from a controller and updates it with their rewards.

    Attributes:
      controller: the space's controller.
      policy: its update, with optimizer and baseline.
    """

    def __init__(self, space: SearchSpace, config: SearchConfig):
        """Initializes controller, optimizer and baseline; arguments as for `Strategy`."""
        super().__init__(space, config)
        self.controller = space.build_controller(seed=config.seed)
        self.policy = PolicyGradient(self.controller, config.policy)

    def draw(self, count: int, seeds: np.random.SeedSequence) -> ArchitectureBatch:
        """Samples from the controller; see `Strategy.draw`."""
        seed = seeds.generate_state(2).view(np.int32)
        decisions = self.controller.sample(count, seed).decisions
        return ArchitectureBatch.from_decisions(self.space, decisions)

    def learn(self, architectures: ArchitectureBatch, rewards: np.ndarray) -> Mapping[str, float]:
        """Makes one update of the controller and returns its metrics."""
        return self.policy.update(architectures.decisions, rewards)

    def most_likely(self) -> Any:
        """Returns the controller's most likely architecture, decision by decision."""
        return self.controller.most_likely()
