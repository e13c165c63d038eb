"""ENAS's own strategy: a controller trained by REINFORCE."""

from collections.abc import Mapping

import numpy as np

from enas_tf.searching.limits import NO_LIMITS, Limits
from enas_tf.searching.policy import PolicyGradient
from enas_tf.searching.strategies.frozen import Frozen
from enas_tf.settings.search import SearchConfig
from enas_tf.spaces.base import SearchSpace
from enas_tf.spaces.batch import ArchitectureBatch
from enas_tf.training.schedules import Horizon


class Reinforce(Frozen):
    """Samples architectures from a controller and updates it with their rewards.

    Under limits it learns the distribution that its proposals have: that of the controller, under
    the condition that a network is within them. See `PolicyGradient`.

    Attributes:
      policy: the controller's update, with optimizer and baseline.
    """

    learns = True

    def __init__(self, space: SearchSpace, config: SearchConfig, limits: Limits = NO_LIMITS):
        """Initializes controller, optimizer and baseline; arguments as for `Strategy`."""
        super().__init__(space, config, limits)
        self.horizon = None if config.time_budget is None else Horizon()
        self.policy = PolicyGradient(
            self.controller,
            config.policy,
            config.num_updates,
            is_conditioned=bool(limits.maxima),
            horizon=self.horizon,
        )

    def learn(self, architectures: ArchitectureBatch, rewards: np.ndarray) -> Mapping[str, float]:
        """Makes one update of the controller and returns its metrics."""
        return self.policy.update(architectures.decisions, rewards)
