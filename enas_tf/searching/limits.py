"""Limits of what final networks may cost: the one place where architectures beyond are left out."""

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from enas_tf.errors import ConfigurationError
from enas_tf.spaces.base import Architecture
from enas_tf.spaces.costs import Costs

# So many in a row beyond the limits: there are none within, or hardly any.
MOST_DRAWS = 5000
# Beyond that, larger draws save no more time.
_MOST_AT_ONCE = 500


@dataclasses.dataclass(frozen=True)
class Limits:
    """What the network of an architecture may cost at most.

    Whoever draws architectures at random, from whatever distribution, does it through `draw`. What
    comes out has that distribution under the condition that it is within the limits.

    Attributes:
      maxima: the limits by the names of what they limit, attributes of `Costs`; none: all
        architectures are within.
      costs: returns what the network of an architecture costs.
    """

    maxima: Mapping[str, float]
    costs: Callable[[Any], Costs]

    def allows(self, architecture: Architecture) -> bool:
        """Returns whether an architecture is within the limits."""
        if not self.maxima:
            return True
        costs = self.costs(architecture)
        return all(getattr(costs, name) <= limit for name, limit in self.maxima.items())

    def beyond(self, architecture: Architecture) -> str:
        """Returns in words which limits an architecture is beyond; nothing if it is within."""
        costs = self.costs(architecture) if self.maxima else None
        return " and ".join(
            f"{_number(cost)} {_words(name)}, more than max_{name}={_number(limit)}"
            for name, limit in self.maxima.items()
            if (cost := getattr(costs, name)) > limit
        )

    def draw(self, count: int, sample: Callable[[int], Sequence[Any]]) -> Sequence[Any]:
        """Returns random architectures within the limits.

        Args:
          count: how many.
          sample: draws so many architectures, other ones at every call; without limits it is
            called once.

        Raises:
          ConfigurationError: none of `MOST_DRAWS` in a row is within the limits.
        """
        if not self.maxima:
            return sample(count)
        within: list[Any] = []
        seen: list[Costs] = []
        number, missed = count, 0
        while True:
            for architecture in sample(number):
                if self.allows(architecture):
                    within.append(architecture)
                    missed = 0
                else:
                    missed += 1
                    seen.append(self.costs(architecture))
            if len(within) >= count:
                return within[:count]
            if missed >= MOST_DRAWS:
                raise ConfigurationError(self._missed(missed, seen))
            number = min(2 * number, _MOST_AT_ONCE)

    def _missed(self, number: int, seen: Sequence[Costs]) -> str:
        words = " and ".join(
            f"`max_{name}={_number(limit)}` (the smallest of them has "
            f"{_number(min(getattr(costs, name) for costs in seen))})"
            for name, limit in self.maxima.items()
        )
        return (
            f"Of {number:,} architectures drawn in a row none has a final network within {words}. "
            "Raise the limit, or make the networks smaller."
        )


def _number(value: float) -> str:
    return f"{value:,}" if isinstance(value, int) else f"{value:.4g}"


def _words(name: str) -> str:
    return name.replace("multiply_adds", "multiply-adds").replace("latency_ms", "ms")


def _nothing(architecture: Architecture) -> Costs:
    raise NotImplementedError(f"Nobody asks what {architecture} costs.")


NO_LIMITS = Limits({}, _nothing)
