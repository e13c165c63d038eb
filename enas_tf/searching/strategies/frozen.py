"""The controller as it starts: the ablation of the paper, section 3.2."""

import itertools
from collections.abc import Mapping
from typing import Any

import numpy as np

from enas_tf.searching.limits import NO_LIMITS, Limits
from enas_tf.searching.strategies.base import Strategy
from enas_tf.settings.search import SearchConfig
from enas_tf.spaces.base import SearchSpace
from enas_tf.spaces.batch import ArchitectureBatch


class Frozen(Strategy):
    """Samples architectures from the space's controller, which never learns.

    Unlike random search it has the controller's biases: how often it skips, and which operations
    the release's first weights prefer.

    Attributes:
      controller: the space's controller.
    """

    learns = False

    def __init__(self, space: SearchSpace, config: SearchConfig, limits: Limits = NO_LIMITS):
        """Initializes the controller; arguments as for `Strategy`."""
        super().__init__(space, config, limits)
        self.controller = space.build_controller(seed=config.seed)

    def draw(self, count: int, seeds: np.random.SeedSequence) -> ArchitectureBatch:
        """Samples from the controller; see `Strategy.draw`."""
        # The first seed is that of a search without limits, which draws once.
        draws = itertools.chain([seeds], (seeds.spawn(1)[0] for _ in itertools.count()))

        def sample(number: int) -> ArchitectureBatch:
            seed = next(draws).generate_state(2).view(np.int32)
            decisions = self.controller.sample(number, seed).decisions
            return ArchitectureBatch.from_decisions(self.space, decisions)

        return ArchitectureBatch.of(self.space, self.limits.draw(count, sample))

    def learn(self, architectures: ArchitectureBatch, rewards: np.ndarray) -> Mapping[str, float]:
        """Learns nothing; reports the highest reward of this call as `best_reward`."""
        return {"best_reward": float(np.max(rewards))}

    def most_likely(self) -> Any | None:
        """Returns the controller's most likely architecture, decision by decision.

        None if that is beyond the limits.
        """
        favourite = self.controller.most_likely()
        return favourite if self.limits.allows(favourite) else None
