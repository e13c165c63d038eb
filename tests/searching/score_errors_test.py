import math

import numpy as np
import pytest

from enas_tf.searching.score_errors import (
    FEWEST_BATCHES,
    batch_error,
    binomial_error,
    reward_of,
    score_error,
    told_apart,
)

KIND = "shared_weights_validation_accuracy"


def mean(total, count):
    return total / count


def batches_of(values, size=10.0):
    return [(float(value) * size, size) for value in values]


def test_binomial_error():
    assert binomial_error(0.5, 396) == pytest.approx(0.025)
    # Not sure of everything, though all answers are right.
    assert 0.0 < binomial_error(1.0, 100) < 0.02


def test_the_error_of_a_mean_of_equal_batches_is_that_of_the_textbook():
    values = np.random.default_rng(0).normal(size=20)
    error = batch_error(lambda some: reward_of(some, mean), batches_of(values))
    assert error == pytest.approx(np.std(values, ddof=1) / math.sqrt(20))


def test_few_batches_say_nothing():
    batches = batches_of(np.arange(FEWEST_BATCHES - 1.0))
    assert batch_error(lambda some: reward_of(some, mean), batches) is None
    assert score_error(0.5, "shared_weights_validation_reward", batches, mean) is None


def test_the_error_of_a_perplexity_comes_from_its_batches():
    def reward(loss, count):
        return 80.0 / math.exp(loss / count)

    losses = np.random.default_rng(1).normal(4.0, 0.1, size=200)
    batches = batches_of(losses)
    score = reward_of(batches, reward)
    # The derivative of the reward by the mean loss is minus the reward.
    expected = score * np.std(losses, ddof=1) / math.sqrt(200)
    error = score_error(score, "shared_weights_validation_reward", batches, reward)
    assert error == pytest.approx(expected, rel=0.02)


def test_the_error_of_an_accuracy_counts_its_examples():
    assert score_error(0.5, KIND, [(30.0, 60.0), (20.0, 40.0)], mean) == binomial_error(0.5, 100)
    assert score_error(0.5, KIND, (), mean, examples=50) == binomial_error(0.5, 50)
    assert score_error(0.5, KIND, (), mean) is None


def test_the_same_batches_tell_apart_what_single_errors_do_not():
    hard = np.random.default_rng(2).uniform(0.2, 0.8, size=20)
    noise = np.random.default_rng(3).normal(0.0, 0.002, size=20)
    first, other = batches_of(hard + 0.02), batches_of(hard + noise)
    scores = reward_of(first, mean), reward_of(other, mean)
    errors = tuple(binomial_error(score, 200) for score in scores)
    assert not told_apart(scores, errors, ((), ()), mean)
    assert told_apart(scores, errors, (first, other), mean)


def test_without_errors_nothing_is_known():
    assert told_apart((0.5, 0.4), (None, None), ((), ()), mean) is None


def test_two_errors_of_the_difference_are_the_limit():
    errors = 0.03, 0.04
    assert not told_apart((0.5, 0.41), errors, ((), ()), mean)
    assert told_apart((0.5, 0.39), errors, ((), ()), mean)


def test_pure_noise_is_seldom_told_apart():
    generator = np.random.default_rng(4)
    apart = []
    for _ in range(300):
        first, other = generator.binomial(40, 0.7, size=(2, 12)) / 40
        batches = batches_of(first, 40.0), batches_of(other, 40.0)
        scores = tuple(reward_of(some, mean) for some in batches)
        errors = tuple(score_error(s, KIND, b, mean) for s, b in zip(scores, batches))
        apart.append(told_apart(scores, errors, batches, mean))
    assert np.mean(apart) < 0.1
