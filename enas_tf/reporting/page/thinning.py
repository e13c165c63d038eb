"""Fewer points, so that a long run still makes a small page."""

import math
from collections.abc import Sequence
from typing import NamedTuple

Point = tuple[float, float]


class Bucket(NamedTuple):
    """What neighbouring points have in common.

    Attributes:
      x: of the point in their middle.
      mean: of their values.
      low: their smallest value.
      high: their largest value.
      first: `x` of the first of them.
      last: `x` of the last of them.
    """

    x: float
    mean: float
    low: float
    high: float
    first: float
    last: float


def buckets(points: Sequence[Point], most: int) -> list[Bucket]:
    """Returns equally many neighbouring points as one, or every point if there are few.

    Args:
      points: in the order of `x`.
      most: how many buckets there are at the most.
    """
    size = math.ceil(len(points) / most)
    result = []
    for start in range(0, len(points), max(size, 1)):
        part = points[start : start + size]
        values = [y for _, y in part]
        # Rounding must not move the mean of equal values out of them.
        mean = min(max(math.fsum(values) / len(values), min(values)), max(values))
        middle = part[len(part) // 2][0]
        result.append(Bucket(middle, mean, min(values), max(values), part[0][0], part[-1][0]))
    return result


def evenly(entries: Sequence[str], most: int) -> list[str]:
    """Returns some entries that lie equally far apart, or all if there are few."""
    if len(entries) <= most:
        return list(entries)
    return [entries[number * len(entries) // most] for number in range(most)]


def quantile(ascending: Sequence[float], share: float) -> float:
    """Returns the value below which a share of the values lies, between two of them if need be.

    Args:
      ascending: at least one value.
      share: from 0 to 1.
    """
    position = share * (len(ascending) - 1)
    below = math.floor(position)
    above = min(below + 1, len(ascending) - 1)
    return ascending[below] + (position - below) * (ascending[above] - ascending[below])
