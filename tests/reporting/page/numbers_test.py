import datetime

import pytest

from enas_tf.reporting.page.numbers import (
    count,
    is_number,
    moment,
    percent,
    plain,
    score,
    score_words,
    ties_in_words,
)


@pytest.mark.parametrize("value", [0, -1.5, 10**20])
def test_numbers(value):
    assert is_number(value)


@pytest.mark.parametrize("value", [None, True, "1", float("nan"), float("inf"), 10**400, [1]])
def test_no_numbers(value):
    assert not is_number(value)


def test_large_numbers():
    assert count(123456) == "123,456"
    assert count(6**12 * 2**66) == "1.6 \N{MULTIPLICATION SIGN} 10²⁹"
    assert count(10**400) == "1.0 \N{MULTIPLICATION SIGN} 10⁴⁰⁰"


def test_plain_numbers():
    assert [plain(value) for value in (0.123456, 3.0, 12345.6, 1e-7)] == [
        "0.1235",
        "3",
        "12,346",
        "1e-07",
    ]


def test_shares():
    assert [percent(share) for share in (0.1, 0.12345, 1.0)] == ["10 %", "12.35 %", "100 %"]


def test_scores():
    assert score(0.5, "shared_weights_validation_accuracy") == "50.00 %"
    assert score(0.5, "shared_weights_validation_reward") == "0.5000"
    assert score_words("shared_weights_validation_reward") == "shared-weights validation reward"


def test_moments():
    when = datetime.datetime(2026, 1, 2, 3, 4, tzinfo=datetime.timezone.utc)
    assert moment(when) == "2026-01-02 03:04 UTC"
    assert moment(when.timestamp()) == moment(when.astimezone())


@pytest.mark.parametrize(
    ("ties", "expected"),
    [
        ([True], ""),
        ([True, None, None], ""),
        ([True, False, False], "The first of 3 stands apart from all others by over 2 standard"),
        ([True, True, True, False], "The first 3 of 4 cannot be told apart (within 2 standard"),
        ([True, False, True, False], "The first and 1 other of 4 cannot be told apart"),
    ],
)
def test_ties(ties, expected):
    assert ties_in_words(ties).startswith(expected)
    assert bool(ties_in_words(ties)) == bool(expected)
