"""The settings of costs: what the final network of an architecture may and should cost."""

import dataclasses

from enas_tf.errors import ConfigurationError
from enas_tf.settings.setting import Settings, setting

# What a final network costs; the names of the numbers in logs, files and `Costs`.
COSTS = {"parameters": "parameters", "multiply_adds": "multiply_adds", "latency": "latency_ms"}
# More than any network has, and few enough that a float tells them apart.
_MOST_OF_A_NETWORK = 10**15


@dataclasses.dataclass(frozen=True)
class CostConfig(Settings):
    """What the final network of an architecture may cost, and what it should cost."""

    max_parameters: int | None = setting(
        None,
        "Most parameters of the final network that is trained from what is found; no architecture "
        "beyond is proposed, trained or ranked (default: no limit).",
        minimum=1,
        maximum=_MOST_OF_A_NETWORK,
    )
    max_multiply_adds: int | None = setting(
        None,
        "Most multiply-adds of one picture through the final network (default: no limit).",
        minimum=1,
        maximum=_MOST_OF_A_NETWORK,
    )
    max_latency_ms: float | None = setting(
        None,
        "Most milliseconds that one picture takes through the final network on this machine, as "
        "the sum of measured layers (default: no limit).",
        above=0.0,
    )
    cost: str | None = setting(
        None,
        "What of the final network counts in the reward: its parameters, its multiply-adds or its "
        "latency in milliseconds; needs target_cost (default: nothing).",
        choices=tuple(COSTS),
    )
    target_cost: float | None = setting(
        None, "How much of that the final network should cost.", above=0.0
    )
    cost_weight: float = setting(
        -0.5, "How much the cost counts in the reward, below 0: see cost_reward.", below=0.0
    )
    cost_reward: str = setting(
        "absolute",
        "The reward at a cost: absolute: quality + cost_weight * |cost / target - 1| (TuNAS); "
        "power: quality * (cost / target) ^ cost_weight (MnasNet).",
        choices=("absolute", "power"),
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        if (self.cost is None) != (self.target_cost is None):
            raise ConfigurationError(
                "`cost` and `target_cost` belong together; give both or neither. "
                f"Received: cost={self.cost}, target_cost={self.target_cost}."
            )

    @property
    def maxima(self) -> dict[str, float]:
        """The limits that are set, by the names of the numbers, the values of `COSTS`."""
        limits = {name: getattr(self, f"max_{name}") for name in COSTS.values()}
        return {cost: limit for cost, limit in limits.items() if limit is not None}

    @property
    def counted(self) -> tuple[str, ...]:
        """The costs that decide something in a search, the one of the target first.

        By the names of the numbers, the values of `COSTS`.
        """
        target = () if self.cost is None else (COSTS[self.cost],)
        return tuple(dict.fromkeys([*target, *self.maxima]))
