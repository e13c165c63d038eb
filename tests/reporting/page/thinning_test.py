import pytest

from enas_tf.reporting.page.thinning import buckets, evenly, quantile


def test_few_points_stay():
    found = buckets([(1, 2.0), (2, 4.0)], 5)
    assert [(one.x, one.mean, one.low, one.high) for one in found] == [(1, 2, 2, 2), (2, 4, 4, 4)]


def test_many_points_become_means_and_ranges():
    found = buckets([(x, float(x)) for x in range(10)], 3)
    assert [one.mean for one in found] == [1.5, 5.5, 8.5]
    assert [(one.low, one.high) for one in found] == [(0, 3), (4, 7), (8, 9)]
    assert [(one.first, one.last) for one in found] == [(0, 3), (4, 7), (8, 9)]


def test_a_mean_lies_within_the_range():
    (found,) = buckets([(x, 0.1) for x in range(10)], 1)
    assert found.low == found.mean == found.high


def test_no_points():
    assert buckets([], 3) == []


def test_evenly():
    assert evenly("abcdefgh", 4) == ["a", "c", "e", "g"]
    assert evenly("ab", 4) == ["a", "b"]


def test_quantiles():
    values = [1.0, 2.0, 4.0]
    assert [quantile(values, share) for share in (0, 0.25, 0.5, 1)] == pytest.approx([1, 1.5, 2, 4])
    assert quantile([3.0], 0.75) == 3.0
