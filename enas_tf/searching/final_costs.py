"""What the final networks of a search's architectures cost, and how that counts."""

import functools
from collections.abc import Sequence

from enas_tf.searching.latencies import Latencies
from enas_tf.settings.config import COSTS, CostConfig
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
        layers = self._space.layers(architecture, network)
        return Costs(
            costs.parameters, costs.all_parameters, costs.multiply_adds, self._latencies.of(layers)
        )


class Objective:
    """What a search looks for: quality alone, or quality and a cost near its target.

    Sources: Bender et al.: *Can Weight Sharing Outperform Random Architecture Search? An
    Investigation With TuNAS*, CVPR 2020, arXiv 2008.06120 (the absolute reward); Tan et al.:
    *MnasNet: Platform-Aware Neural Architecture Search for Mobile*, CVPR 2019, arXiv 1807.11626
    (the power law).

    Args:
      config: the settings.
      costs: of the final networks.
    """

    def __init__(self, config: CostConfig, costs: FinalCosts) -> None:
        self._config = config
        self._costs = costs

    @property
    def has_target(self) -> bool:
        """Whether the cost counts."""
        return self._config.cost is not None

    def costs(self, architectures: Sequence[Architecture]) -> list[float]:
        """Returns what each of some architectures costs, in the unit of the target."""
        name = COSTS[str(self._config.cost)]
        return [getattr(self._costs.of(one), name) for one in architectures]

    def reward(self, quality: float, cost: float) -> float:
        """Returns what an architecture is rewarded with; higher is better.

        Args:
          quality: what it would be rewarded with if it cost nothing.
          cost: of its final network.
        """
        ratio = cost / float(self._config.target_cost or 1.0)
        if self._config.cost_reward == "power":
            return quality * ratio**self._config.cost_weight
        return quality + self._config.cost_weight * abs(ratio - 1.0)

    def rewards(
        self, qualities: Sequence[float], architectures: Sequence[Architecture]
    ) -> list[float]:
        """Returns the rewards of some architectures; without a target, their qualities."""
        if not self.has_target:
            return list(qualities)
        return list(map(self.reward, qualities, self.costs(architectures)))
