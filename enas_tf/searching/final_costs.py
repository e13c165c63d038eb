"""What the final networks of a search's architectures cost, and how that counts."""

import dataclasses
import functools
from collections.abc import Sequence
from typing import Any

from enas_tf.runs.contents import LATENCIES
from enas_tf.runs.directory import RunDirectory
from enas_tf.searching.latencies import Latencies
from enas_tf.settings.costs import COSTS, CostConfig
from enas_tf.settings.setting import Settings
from enas_tf.spaces.base import Architecture, SearchSpace
from enas_tf.spaces.costs import Costs
from enas_tf.spaces.registry import get_space

# A search comes back to the same architectures; each takes about a millisecond.
_REMEMBERED = 20_000


class FinalCosts:
    """What the networks cost that are trained from scratch when a search has ended.

    Args:
      space: the search space, in the sizes of the data.
      network: the settings of the networks.
      latencies: of their layers; None: latencies are not asked for.

    Attributes:
      network: as given.
    """

    def __init__(
        self, space: SearchSpace, network: Settings, latencies: Latencies | None = None
    ) -> None:
        self._space = space
        self.network = network
        self._latencies = latencies
        self._fit = get_space(space.name).fit_network
        self.of = functools.lru_cache(_REMEMBERED)(self._of)

    def _of(self, architecture: Architecture) -> Costs:
        """Returns what the network of an architecture costs."""
        network = self._fit(architecture, self.network)
        costs = self._space.costs(architecture, network)
        if self._latencies is None:
            return costs
        latency = self._latencies.of(self._space.layers(architecture, network))
        return dataclasses.replace(costs, latency_ms=latency)

    def of_all(self, architectures: Sequence[Architecture], machines: Any) -> list[Costs]:
        """Returns what the networks of some architectures cost, on all machines the same.

        Args:
          architectures: of the space.
          machines: the `Machines` that search; the first one has measured the layers.
        """
        found = machines.decide(lambda: [vars(self.of(one)) for one in architectures])
        return [Costs(**one) for one in found]


def final_costs(
    space: SearchSpace,
    network: Settings,
    config: CostConfig,
    run: RunDirectory,
    *,
    keep: bool = True,
) -> FinalCosts:
    """Returns what the final networks of a search cost, as far as its settings ask for it.

    Args:
      space: the search space, in the sizes of the data.
      network: the settings of the networks.
      config: says whether latencies are asked for.
      run: of the search, which has what was measured.
      keep: whether what is measured now is written there.
    """
    latencies = None
    if COSTS["latency"] in config.counted:
        latencies = Latencies(run.file(LATENCIES), space.layer_latency, keep=keep)
    return FinalCosts(space, network, latencies)


class Objective:
    """What a search looks for: quality alone, or quality and a cost near its target.

    Sources: Bender et al.: *Can Weight Sharing Outperform Random Architecture Search? An
    Investigation With TuNAS*, CVPR 2020, arXiv 2008.06120 (the absolute reward); Tan et al.:
    *MnasNet: Platform-Aware Neural Architecture Search for Mobile*, CVPR 2019, arXiv 1807.11626
    (the power law).

    Args:
      config: the settings.
    """

    def __init__(self, config: CostConfig) -> None:
        self._config = config

    @property
    def has_target(self) -> bool:
        """Whether the cost counts."""
        return self._config.cost is not None

    def cost(self, costs: Costs) -> float:
        """Returns what counts of the costs of a network, in the unit of the target."""
        return getattr(costs, COSTS[str(self._config.cost)])

    def reward(self, quality: float, costs: Costs) -> float:
        """Returns what an architecture is rewarded with; without a target, its quality.

        Args:
          quality: what it would be rewarded with if it cost nothing.
          costs: of its final network.
        """
        if self._config.target_cost is None:
            return quality
        ratio = self.cost(costs) / self._config.target_cost
        if self._config.cost_reward == "power":
            return quality * ratio**self._config.cost_weight
        return quality + self._config.cost_weight * abs(ratio - 1.0)
