import types

import pytest

from enas_tf.errors import ConfigurationError
from enas_tf.searching.limits import MOST_DRAWS, NO_LIMITS, Limits
from enas_tf.spaces.costs import Costs


def costs_of(number):
    """The costs of an "architecture" that is a number."""
    return Costs(number, number, 100 * number, number / 4)


def counting(start=0):
    """Returns a sampler of ascending numbers, and how many it was asked for."""
    asked = []

    def sample(number):
        asked.append(number)
        first = start + sum(asked[:-1])
        return list(range(first, first + number))

    return sample, asked


@pytest.mark.parametrize(
    ("maxima", "allowed"),
    [
        ({}, [0, 1, 2, 3, 4]),
        ({"parameters": 2}, [0, 1, 2]),
        ({"parameters": 3, "multiply_adds": 100}, [0, 1]),
        ({"latency_ms": 0.75}, [0, 1, 2, 3]),
    ],
)
def test_what_is_allowed(maxima, allowed):
    limits = Limits(maxima, costs_of)
    assert [one for one in range(5) if limits.allows(one)] == allowed
    assert [one for one in range(5) if not limits.beyond(one)] == allowed


def test_what_is_beyond_is_told_in_words():
    limits = Limits({"parameters": 1000, "multiply_adds": 10**6, "latency_ms": 500.0}, costs_of)
    assert limits.beyond(5000) == (
        "5,000 parameters, more than max_parameters=1,000 and 1250 ms, more than max_latency_ms=500"
    )


def test_without_limits_the_sampler_is_called_once_and_its_answer_kept():
    drawn = [types.SimpleNamespace()]
    assert NO_LIMITS.draw(7, lambda number: drawn if number == 7 else None) is drawn


def test_the_first_within_are_drawn_in_their_order():
    sample, asked = counting()
    even = Limits({"parameters": 0}, lambda number: Costs(number % 2, 0, 0))
    assert even.draw(5, sample) == [0, 2, 4, 6, 8]
    assert asked == [5, 10]


def test_limits_that_allow_all_change_nothing():
    sample, asked = counting()
    assert Limits({"parameters": 99}, costs_of).draw(5, sample) == [0, 1, 2, 3, 4]
    assert asked == [5]


def test_a_limit_that_cannot_be_met_is_an_error_that_names_the_smallest():
    sample, asked = counting(start=2000)
    with pytest.raises(
        ConfigurationError, match=r"max_parameters=1,000` \(the smallest of them has 2,000\)"
    ):
        Limits({"parameters": 1000}, costs_of).draw(3, sample)
    assert MOST_DRAWS <= sum(asked) < 1.2 * MOST_DRAWS
