"""From values to positions in a chart, and where its axes have ticks."""

import dataclasses
import math
from collections.abc import Iterable

from typing_extensions import Self

from enas_tf.reporting.page.numbers import percent, plain

# A step becomes the nearest of 1, 2, 5 and 10, by ratio: the bounds are their geometric means.
_STEPS = ((math.sqrt(50), 10.0), (math.sqrt(10), 5.0), (math.sqrt(2), 2.0), (0.0, 1.0))
_LOGARITHMIC_FROM = 8.0
# Smaller differences are rounding.
_SMALLEST_RATIO, _SMALLEST = 1e-12, 1e-290


@dataclasses.dataclass(frozen=True)
class Axis:
    """What an axis shows.

    Attributes:
      label: what, with its unit.
      is_share: whether the values are shares from 0 to 1, to be shown in percent.
      is_whole: whether there is nothing between whole numbers.
      may_be_logarithmic: whether values that span decades are shown so.
    """

    label: str
    is_share: bool = False
    is_whole: bool = False
    may_be_logarithmic: bool = False

    def text(self, value: float) -> str:
        """Returns a value as people read it."""
        return percent(value) if self.is_share else plain(value)


@dataclasses.dataclass(frozen=True)
class Scale:
    """Maps values of an axis to positions.

    Attributes:
      axis: what is shown.
      low: the smallest value.
      high: the largest value, above `low`.
      start: position of `low`.
      end: position of `high`.
      is_logarithmic: whether equal ratios have equal lengths.
    """

    axis: Axis
    low: float
    high: float
    start: float
    end: float
    is_logarithmic: bool = False

    @classmethod
    def of(cls, axis: Axis, values: Iterable[float], start: float, end: float) -> Self:
        """Returns a scale on which all values have a place.

        Args:
          axis: what is shown.
          values: at least one, all finite.
          start: position of the smallest.
          end: position of the largest.
        """
        values = list(values)
        low, high = min(values), max(values)
        is_logarithmic = axis.may_be_logarithmic and low > 0 and high / low >= _LOGARITHMIC_FROM
        if high - low <= max(_SMALLEST_RATIO * max(abs(low), abs(high)), _SMALLEST):
            room = abs(low) * 0.1 or 1.0
            low, high = low - room, high + room
        elif not is_logarithmic and not axis.is_whole:
            room = 0.04 * (high - low)
            # Values that are never negative need no room below zero.
            low, high = (low - room if low < 0 else max(low - room, 0.0)), high + room
        return cls(axis, low, high, start, end, is_logarithmic)

    def __call__(self, value: float) -> float:
        """Returns the position of a value."""
        low, high = self.low, self.high
        if self.is_logarithmic:
            value, low, high = math.log(value), math.log(low), math.log(high)
        return self.start + (value - low) / (high - low) * (self.end - self.start)

    def ticks(self) -> list[tuple[float, str]]:
        """Returns values for ticks, ascending, and their texts."""
        if self.is_logarithmic:
            ticks = logarithmic_ticks(self.low, self.high)
            return [(tick, self.axis.text(tick)) for tick in ticks]
        ticks = linear_ticks(self.low, self.high, is_whole=self.axis.is_whole)
        step = ticks[1] - ticks[0] if len(ticks) > 1 else abs(ticks[0]) if ticks else 1.0
        return [(tick, _tick_text(tick, step, self.axis.is_share)) for tick in ticks]


def linear_ticks(low: float, high: float, number: int = 5, is_whole: bool = False) -> list[float]:
    """Returns multiples of a round step, 1, 2 or 5 times a power of ten.

    Args:
      low: no tick is below it.
      high: no tick is above it; greater than `low`.
      number: how many ticks there are, about.
      is_whole: whether the step is at least 1.
    """
    rough = (high - low) / number
    power = 10.0 ** math.floor(math.log10(rough))
    step = power * next(factor for bound, factor in _STEPS if rough / power >= bound)
    step = max(step, 1.0) if is_whole else step
    first = math.ceil(low / step - 1e-9)
    last = math.floor(high / step + 1e-9)
    return [multiple * step for multiple in range(first, last + 1)]


def logarithmic_ticks(low: float, high: float, most: int = 6) -> list[float]:
    """Returns powers of ten, with 2 and 5 times them if there is room, or every n-th power.

    Args:
      low: no tick is below it; positive.
      high: no tick is above it.
      most: the largest number of ticks, about.
    """
    first, last = math.floor(math.log10(low)), math.ceil(math.log10(high))
    for factors in ((1, 2, 5), (1, 3), (1,)):
        ticks = [factor * 10.0**power for power in range(first, last + 1) for factor in factors]
        ticks = [tick for tick in ticks if low * (1 - 1e-9) <= tick <= high * (1 + 1e-9)]
        if len(ticks) <= most:
            return ticks
    return ticks[:: math.ceil(len(ticks) / most)]


def _tick_text(value: float, step: float, is_share: bool) -> str:
    if is_share:
        value, step = 100 * value, 100 * step
    decimals = max(0, -math.floor(math.log10(step) + 1e-9))
    if decimals > 4 or abs(value) >= 1e9:
        return f"{value:.3g}"
    if step >= 1000 and step % 1000 == 0 and abs(value) >= 1000:
        return f"{value / 1000:,.0f}k"
    # Without a sign in front of a zero.
    return f"{value + 0.0:,.{decimals}f}{' %' if is_share else ''}"
