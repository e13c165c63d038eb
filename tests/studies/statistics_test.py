"""Numbers worked out by hand, and what is undefined."""

import math

import numpy as np
import pytest
import scipy.stats

from enas_tf.studies.statistics import (
    bootstrap_interval,
    compare,
    equal_size,
    kendall_tau,
    mean,
    mean_interval,
    place_among,
    precision_at,
    probability_better,
    rank_statistics,
    relative_improvement,
    sparse,
    spearman,
    standard_deviation,
)


def test_standard_deviation_is_that_of_a_sample():
    assert standard_deviation([1, 2, 3, 6]) == pytest.approx(math.sqrt(14 / 3))


@pytest.mark.parametrize("function", [mean, standard_deviation, mean_interval])
def test_of_nothing_nothing_is_known(function):
    assert function([]) is None


@pytest.mark.parametrize("function", [standard_deviation, mean_interval])
def test_one_value_does_not_vary(function):
    assert function([0.5]) is None


def test_kendalls_tau():
    # Five pairs of six agree.
    assert kendall_tau([1, 2, 3, 4], [1, 2, 4, 3]) == pytest.approx(4 / 6)


def test_ties_shorten_their_side_only():
    # Five of six pairs are untied on the left, all on the right; all five agree.
    assert kendall_tau([1, 2, 2, 3], [1, 2, 3, 4]) == pytest.approx(5 / math.sqrt(5 * 6))


def test_spearmans_rho():
    # 1 − 6 · 2 / (4 · 15).
    assert spearman([1, 2, 3, 4], [1, 2, 4, 3]) == pytest.approx(0.8)


@pytest.mark.parametrize("function", [kendall_tau, spearman])
@pytest.mark.parametrize("first", [[], [1.0], [1.0, 1.0]])
def test_what_is_constant_ranks_nothing(function, first):
    assert function(first, list(range(len(first)))) is None


def test_sparse_results_are_tied():
    assert sparse([0.9001, 0.9004, 0.9016], 0.001).tolist() == [900, 900, 902]


@pytest.mark.parametrize(
    ("scores", "results", "share"),
    [
        ([4, 3, 2, 1], [4, 3, 2, 1], 1.0),
        ([4, 3, 2, 1], [1, 2, 3, 4], 0.0),
        ([4, 3, 2, 1], [4, 1, 3, 2], 0.5),
        # Three contend for one place among the best two.
        ([4, 3, 3, 3], [4, 3, 2, 1], (1 + 1 / 3) / 2),
        # Scores that say nothing are a draw by lot.
        ([1, 1, 1, 1], [4, 3, 2, 1], 0.5),
        ([2, 1], [2, 1], None),
    ],
)
def test_precision_at_the_top(scores, results, share):
    assert precision_at(scores, results, top=2) == (None if share is None else pytest.approx(share))


def test_a_tie_is_half_a_win():
    # 0.9 beats four of four, 0.7 beats two and ties with one.
    assert probability_better([0.9, 0.7], [0.5, 0.6, 0.7, 0.8]) == 6.5 / 8


def test_without_random_ones_nothing_is_beaten():
    assert probability_better([0.9], []) is None


@pytest.mark.parametrize(("result", "place"), [(0.9, 1), (0.7, 2), (0.6, 3), (0.1, 4)])
def test_places_among_random_ones(result, place):
    assert place_among(result, [0.8, 0.7, 0.5]) == place


@pytest.mark.parametrize(
    ("method", "random", "improvement"),
    [
        (0.9, 0.8, 12.5),
        (-60.0, -80.0, 25.0),
        (None, 0.8, None),
        (0.9, None, None),
        (1.0, 0.0, None),
    ],
)
def test_relative_improvement(method, random, improvement):
    found = relative_improvement(method, random)
    assert found == (None if improvement is None else pytest.approx(improvement))


def test_an_interval_is_the_same_every_time():
    values = [0.1, 0.4, 0.2, 0.9]
    assert mean_interval(values) == mean_interval(values)


def test_the_interval_of_two_values_is_their_range():
    # A quarter of the resamples has the smaller one twice, a quarter the larger one.
    assert mean_interval([0.2, 0.6]) == pytest.approx((0.2, 0.6))


def test_an_interval_agrees_with_scipys():
    values = np.random.default_rng(0).normal(size=40)
    other = scipy.stats.bootstrap((values,), np.mean, method="percentile").confidence_interval
    assert mean_interval(values) == pytest.approx((other.low, other.high), abs=0.05)


def test_a_statistic_that_is_mostly_undefined_has_no_interval():
    assert bootstrap_interval(lambda rows: 1.0 if rows[0] == rows[1] == 0 else None, 2) is None


def test_resamples_have_the_tau_that_scipy_has():
    generator = np.random.default_rng(1)
    scores, results = generator.integers(5, size=12), generator.normal(size=12)
    plain = bootstrap_interval(lambda rows, _: kendall_tau(scores[rows], results[rows]), 12, 1)
    assert rank_statistics([(scores, results)], 0.001).interval == pytest.approx(plain)


def test_rankings_are_averaged():
    results = [0.1, 0.2, 0.3]
    ranks = rank_statistics([([1, 2, 3], results), ([3, 2, 1], results)], 0.001)
    assert (ranks.kendall_tau, ranks.spearman, ranks.num_architectures) == (0, 0, 3)
    assert ranks.interval == pytest.approx((-1, 1))


def test_no_ranking():
    ranks = rank_statistics([], 0.001)
    assert ranks == (None, None, None, None, None, 0)


def test_a_sparse_tau_ignores_what_rounding_hides():
    # The first two results are one and the same; the pair that disagrees is theirs.
    ranks = rank_statistics([([2, 1, 3], [0.9001, 0.9002, 0.91])], 0.001)
    assert ranks.kendall_tau == pytest.approx(1 / 3)
    assert ranks.sparse_kendall_tau == pytest.approx(2 / math.sqrt(3 * 2))


def test_the_test_is_scipys():
    found, random = [0.9, 0.91, 0.95], [0.5, 0.6, 0.7, 0.92]
    comparison = compare(found, random)
    # U = 3 + 3 + 4 of 12; of all 35 ways to deal the ranks, 4 are as far above, 4 as far below.
    assert comparison.probability_beats_random == 10 / 12
    assert comparison.p_value == pytest.approx(8 / 35)


def test_a_single_search_is_not_tested():
    comparison = compare([0.9], [0.5, 0.6])
    assert comparison.probability_beats_random == 1
    assert (comparison.std, comparison.interval, comparison.p_value) == (None, None, None)
    assert comparison.probability_interval is None


SIZES = [1000, 2000, 4000, 8000, 16000]


def on_line(parameters, above=0.0):
    """Returns 0.5 and a tenth for each doubling of size beyond 1000."""
    return 0.5 + 0.1 * math.log2(parameters / 1000) + above


RESULTS = [on_line(size, noise) for size, noise in zip(SIZES, (0.01, -0.01, 0, -0.01, 0.01))]


def test_what_size_explains_is_no_merit():
    # On the line: no better than random ones, although its result is the second best.
    size = equal_size([on_line(8000)], [8000], RESULTS, SIZES)
    assert size.difference == pytest.approx(0, abs=1e-9)
    assert 0 < size.probability_beats_random < 1


def test_a_difference_at_equal_size():
    found = [3000, 5000]
    size = equal_size([on_line(one, 0.1) for one in found], found, RESULTS, SIZES)
    assert size.difference == pytest.approx(0.1)
    assert size.probability_beats_random == 1
    assert 0.08 < size.interval[0] <= size.difference <= size.interval[1] < 0.12
    assert (size.num_compared, size.num_searches) == (2, 2)


def test_no_line_goes_beyond_the_random_ones():
    size = equal_size([0.9, 0.9], [500, 4000], RESULTS, SIZES)
    assert (size.num_compared, size.num_searches) == (1, 2)
    assert equal_size([0.9], [500], RESULTS, SIZES).difference is None


def test_where_all_have_one_size_the_mean_is_compared_with():
    size = equal_size([0.9, 0.7], [1000, 1000], [0.5, 0.6, 0.7, 0.8, 0.9], [1000] * 5)
    assert size.difference == pytest.approx(0.1)
    assert size.interval[0] < 0.1 < size.interval[1]
    assert size.probability_beats_random > 0.5
    assert (size.num_compared, size.num_searches) == (2, 2)
    assert equal_size([0.9], [999], RESULTS[:5], [1000] * 5).difference is None


@pytest.mark.parametrize("sizes", [SIZES[:4], [1000, 1000, 2000, 2000, 2000]])
def test_few_random_ones_or_sizes_make_no_line(sizes):
    assert equal_size([0.9], [1000], RESULTS[: len(sizes)], sizes).difference is None
