"""The numbers by which a search is judged; what too few data leave undefined is None.

Larger is always better here: of perplexities `document.py` turns the sign.

What is asked for, and of whom: relative improvement over random sampling, Yang et al.,
arXiv 1912.12522; ranks, Yu et al., 1902.08142; sparse tau and trivial rankings, Ning et al.,
2008.03064.
"""

import math
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

Interval = tuple[float, float]
Numbers = Sequence[float] | np.ndarray
CONFIDENCE = 0.95
NUM_RESAMPLES = 1000
# Results that round to the same accuracy in 0.1 %, or the same tenth of a perplexity, are equal.
SPARSE_ACCURACY = 0.001
SPARSE_PERPLEXITY = 0.1
TOP = 5
_SEED = 0
# A line through fewer random architectures says nothing of what size explains.
_FEWEST_FOR_A_LINE = 5


def mean(values: Sequence[float]) -> float | None:
    """Returns the mean; of no values none."""
    return float(np.mean(values)) if len(values) else None


def standard_deviation(values: Sequence[float]) -> float | None:
    """Returns the standard deviation of a sample (divided by n − 1); of one value none."""
    return float(np.std(values, ddof=1)) if len(values) > 1 else None


def bootstrap_interval(
    statistic: Callable[..., float | None], *sizes: int, num_resamples: int = NUM_RESAMPLES
) -> Interval | None:
    """Returns the middle 95 % of a statistic over resamples, the same ones at every call.

    Args:
      statistic: of the rows that were drawn from each sample; none of a resample that leaves it
        undefined, which then does not count.
      *sizes: of the samples, each drawn from with replacement on its own.
      num_resamples: how often.

    Returns:
      None if nothing varies, since no sample has two members, or if the statistic is undefined in
      most resamples.
    """
    if not sizes or max(sizes) < 2 or min(sizes) < 1:
        return None
    generator = np.random.default_rng(_SEED)
    values = []
    for _ in range(num_resamples):
        value = statistic(*(generator.integers(size, size=size) for size in sizes))
        if value is not None:
            values.append(value)
    if len(values) <= num_resamples // 2:
        return None
    low, high = np.quantile(values, [(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2])
    return float(low), float(high)


def mean_interval(values: Sequence[float]) -> Interval | None:
    """Returns the bootstrap interval of a mean."""
    array = np.asarray(values, dtype=float)
    return bootstrap_interval(lambda rows: float(array[rows].mean()), len(array))


def kendall_tau(first: Numbers, second: Numbers) -> float | None:
    """Returns Kendall's tau-b; none of fewer than two pairs or where one side is constant."""
    from scipy.stats import kendalltau

    return None if _is_constant(first, second) else _defined(kendalltau(first, second).statistic)


def spearman(first: Numbers, second: Numbers) -> float | None:
    """Returns Spearman's rank correlation; undefined where `kendall_tau` is."""
    from scipy.stats import spearmanr

    return None if _is_constant(first, second) else _defined(spearmanr(first, second).statistic)


def sparse(results: Numbers, step: float) -> np.ndarray:
    """Returns results rounded to multiples of a step, so that what differs by less is tied."""
    return np.round(np.asarray(results, dtype=float) / step)


def precision_at(scores: Numbers, results: Numbers, top: int = TOP) -> float | None:
    """Returns which share of the best by score is among the best by result.

    Ties at the border count as if drawn by lot: it is the expected share.

    Args:
      scores: of architectures, higher is better.
      results: of the same architectures, higher is better.
      top: how many are the best; of no more architectures than these, the share is undefined.
    """
    if len(scores) <= top:
        return None
    return float(np.dot(_membership(scores, top), _membership(results, top)) / top)


def probability_better(found: Numbers, random: Numbers) -> float | None:
    """Returns the share of pairs in which the found one is better, ties counted half."""
    if not len(found) or not len(random):
        return None
    difference = np.subtract.outer(np.asarray(found, float), np.asarray(random, float))
    return float(np.mean((np.sign(difference) + 1) / 2))


def place_among(result: float, random: Sequence[float]) -> int:
    """Returns the place of a result among random ones: one more than how many are better."""
    return 1 + int(np.sum(np.asarray(random, float) > result))


class RankStatistics(NamedTuple):
    """How well scores rank architectures; see `study.json`."""

    kendall_tau: float | None
    interval: Interval | None
    spearman: float | None
    sparse_kendall_tau: float | None
    precision_at_5: float | None
    num_architectures: int


def rank_statistics(
    rankings: Sequence[tuple[Sequence[float], Sequence[float]]], step: float
) -> RankStatistics:
    """Returns the means over rankings of the same architectures.

    The interval is that of the mean tau: architectures are drawn, and where there are several
    rankings, those too.

    Args:
      rankings: scores and results, higher is better in both, in one order of architectures.
      step: of the sparse tau.
    """
    count = len(rankings[0][0]) if rankings else 0
    arrays = [(np.asarray(a, float), np.asarray(b, float)) for a, b in rankings]
    signs = [tuple(map(_signs, pair)) for pair in arrays]
    # Agreeing minus disagreeing pairs, and pairs untied on each side, by ranking.
    products = [np.stack([a * b, a * a, b * b]) for a, b in signs]

    def tau_of(rows: np.ndarray, chosen: np.ndarray) -> float | None:
        # What SciPy says of the drawn rows, a hundred times as fast.
        times = np.bincount(rows, minlength=count)
        taus = []
        for one in chosen:
            agreeing, first, second = products[one] @ times @ times
            if not first * second:
                return None
            taus.append(agreeing / math.sqrt(first * second))
        return mean(taus)

    return RankStatistics(
        _mean_of_defined([kendall_tau(a, b) for a, b in arrays]),
        bootstrap_interval(tau_of, count, len(arrays)) if count > 2 else None,
        _mean_of_defined([spearman(a, b) for a, b in arrays]),
        _mean_of_defined([kendall_tau(a, sparse(b, step)) for a, b in arrays]),
        _mean_of_defined([precision_at(a, b) for a, b in arrays]),
        count,
    )


class Comparison(NamedTuple):
    """What a method found, beside random architectures.

    Attributes:
      mean: of the results.
      std: standard deviation over searches.
      interval: of the mean; searches are drawn.
      probability_beats_random: share of pairs in which the found one is better.
      probability_interval: of that share; searches and random architectures are drawn.
      p_value: how often chance alone would part the two samples at least as far (Mann and Whitney's
        test, two-sided).
    """

    mean: float | None
    std: float | None
    interval: Interval | None
    probability_beats_random: float | None
    probability_interval: Interval | None
    p_value: float | None


def compare(found: Sequence[float], random: Sequence[float]) -> Comparison:
    """Compares what the searches of a method found with random architectures.

    Args:
      found: a result for each search, higher is better.
      random: a result for each random architecture, higher is better.
    """
    from scipy.stats import mannwhitneyu

    first, second = np.asarray(found, float), np.asarray(random, float)
    is_testable = len(first) > 1 and len(second) > 1 and len({*first, *second}) > 1
    return Comparison(
        mean(found),
        standard_deviation(found),
        mean_interval(found),
        probability_better(found, random),
        # A single search tells nothing of how searches differ.
        bootstrap_interval(
            lambda one, two: probability_better(first[one], second[two]), len(first), len(second)
        )
        if len(first) > 1
        else None,
        _defined(mannwhitneyu(first, second).pvalue) if is_testable else None,
    )


def relative_improvement(method: float | None, random: float | None) -> float | None:
    """Returns 100 (method − random) / |random|.

    Both with the sign turned where lower is better, so that an improvement is above zero always.
    """
    if method is None or not random:
        return None
    return 100 * (method - random) / abs(random)


class EqualSize(NamedTuple):
    """What a method found, beside random architectures of its size.

    Attributes:
      difference: mean over searches of the result minus what random architectures with as many
        parameters have by the line through them.
      interval: of the difference; searches and random architectures are drawn.
      probability_beats_random: share of pairs in which the found one lies further above that line.
      num_compared: searches whose find is no smaller than the smallest and no larger than the
        largest random architecture; the others are left out, since the line says nothing of them.
      num_searches: of the method.
    """

    difference: float | None
    interval: Interval | None
    probability_beats_random: float | None
    num_compared: int
    num_searches: int


def equal_size(
    found: Sequence[float],
    found_parameters: Sequence[int],
    random: Sequence[float],
    random_parameters: Sequence[int],
) -> EqualSize:
    """Compares at equal size: beside the least-squares line of random results on log parameters.

    Random ones of nearly the same size are few or none in a study that can be paid for, whereas the
    line uses all. Where all have one size, as cells for text have, the line is their mean. A random
    architecture is compared with the line through the others, as a found one is.

    Args:
      found: a result for each search, higher is better.
      found_parameters: of what was found.
      random: a result for each random architecture.
      random_parameters: of the random architectures.
    """
    size, result = np.log(np.asarray(random_parameters, float)), np.asarray(random, float)
    found_size, found_result = np.log(np.asarray(found_parameters, float)), np.asarray(found, float)
    sizes = len(set(size))
    if len(size) < _FEWEST_FOR_A_LINE or sizes == 2:
        return EqualSize(None, None, None, 0, len(found))
    is_near = (found_size >= size.min()) & (found_size <= size.max())
    found_size, found_result = found_size[is_near], found_result[is_near]
    counts = int(is_near.sum()), len(found)
    if not counts[0]:
        return EqualSize(None, None, None, *counts)

    def difference(chosen: np.ndarray, rows: np.ndarray) -> float | None:
        if len(set(size[rows])) < min(sizes, 2):
            return None
        line = _on_line(size[rows], result[rows], found_size[chosen])
        return float(np.mean(found_result[chosen] - line))

    rows = np.arange(len(size))
    beside = [result[i] - _on_line(size[rows != i], result[rows != i], size[i]) for i in rows]
    return EqualSize(
        difference(np.arange(counts[0]), rows),
        bootstrap_interval(difference, counts[0], len(size)) if counts[0] > 1 else None,
        probability_better(found_result - _on_line(size, result, found_size), beside),
        *counts,
    )


def _on_line(x: np.ndarray, y: np.ndarray, at: np.ndarray) -> np.ndarray:
    """Returns the values of the least-squares line through points, level if they have one x."""
    centred = x - x.mean()
    slope = centred @ y / (centred @ centred) if np.ptp(x) else 0.0
    return y.mean() + slope * (at - x.mean())


def _signs(values: np.ndarray) -> np.ndarray:
    return np.sign(np.subtract.outer(values, values))


def _membership(values: Numbers, top: int) -> np.ndarray:
    """Returns how likely each is among the best, if ties are broken by lot."""
    array = np.asarray(values, float)
    border = np.sort(array)[-top]
    above, at = array > border, array == border
    return above + at * ((top - above.sum()) / at.sum())


def _is_constant(*sides: Numbers) -> bool:
    return any(len(side) < 2 or np.ptp(np.asarray(side, float)) == 0 for side in sides)


def _defined(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None


def _mean_of_defined(values: Sequence[float | None]) -> float | None:
    """Returns the mean, if none of the values is undefined."""
    defined = [value for value in values if value is not None]
    return mean(defined) if len(defined) == len(values) else None
