import math

import numpy as np
import pytest

from enas_tf.searching.score_errors import (
    FEWEST_PARTS,
    binomial_error,
    jackknife_error,
    parts_of,
    score_error,
    scores_without_one,
    told_apart,
)
from enas_tf.training.prediction_metrics import Predictions, metric_value, together

KIND = "shared_weights_validation_accuracy"


def mean(batches):
    total, count = map(sum, zip(*batches))
    return total / count


def batches_of(values, size=10.0):
    return [(float(value) * size, size) for value in values]


def without_one(batches, score=mean):
    return scores_without_one(score, batches)


def test_binomial_error():
    assert binomial_error(0.5, 396) == pytest.approx(0.025)
    # Not sure of everything, though all answers are right.
    assert 0.0 < binomial_error(1.0, 100) < 0.02


def test_the_error_of_a_mean_of_equal_batches_is_that_of_the_textbook():
    values = np.random.default_rng(0).normal(size=20)
    error = jackknife_error(without_one(batches_of(values)))
    assert error == pytest.approx(np.std(values, ddof=1) / math.sqrt(20))


def test_few_batches_say_nothing():
    few = without_one(batches_of(np.arange(FEWEST_PARTS - 1.0)))
    assert few == ()
    assert score_error(0.5, "shared_weights_validation_reward", few, 70) is None


def test_the_error_of_a_perplexity_comes_from_its_batches():
    def reward(batches):
        return 80.0 / math.exp(mean(batches))

    losses = np.random.default_rng(1).normal(4.0, 0.1, size=200)
    batches = batches_of(losses)
    score = reward(batches)
    # The derivative of the reward by the mean loss is minus the reward.
    expected = score * np.std(losses, ddof=1) / math.sqrt(200)
    error = score_error(
        score, "shared_weights_validation_reward", without_one(batches, reward), 2000
    )
    assert error == pytest.approx(expected, rel=0.02)


@pytest.mark.parametrize("kind", [KIND, "trained_validation_top_5_accuracy"])
def test_the_error_of_a_share_of_right_answers_counts_its_examples(kind):
    assert score_error(0.5, kind, (0.4, 0.6) * 5, 100) == binomial_error(0.5, 100)
    assert score_error(0.5, kind, (), 50) == binomial_error(0.5, 50)
    assert score_error(0.5, kind, (), None) is None


def test_a_mean_of_recalls_is_no_share_of_right_answers():
    kind = "shared_weights_validation_balanced_accuracy"
    assert score_error(0.5, kind, (), 100) is None
    assert score_error(0.5, kind, (0.4, 0.6) * 5, 100) == pytest.approx(0.3)


def test_groups_of_examples_are_left_out_of_predictions():
    labels = np.arange(45)
    batches = [
        # Filled up after the examples.
        Predictions(np.append(part, 0), np.eye(46, 2)[: len(part) + 1], float(len(part)))
        for part in (labels[:30], labels[30:])
    ]
    parts = parts_of(batches)
    assert len(parts) == 20
    assert sorted(together(parts)[0]) == [*labels]
    assert [*parts[3].labels] == [3, 23, 43]
    assert {one.count for one in parts} == {2.0, 3.0}


def draw(generator, number=400):
    """Returns what a classifier that is often wrong says of a rare class and a frequent one."""
    labels = (generator.uniform(size=number) < 0.1).astype(np.int32)
    right = generator.uniform(size=number) < np.where(labels, 0.6, 0.95)
    predicted = np.where(right, labels, 1 - labels)
    return Predictions(labels, np.eye(2)[predicted], float(number))


def macro_f1(batches):
    return metric_value("macro_f1", *together(batches))


def test_the_error_of_a_macro_f1_is_the_spread_over_validation_parts():
    generator = np.random.default_rng(5)
    scores, errors = [], []
    for _ in range(40):
        batches = [draw(generator)]
        scores.append(macro_f1(batches))
        errors.append(jackknife_error(without_one(parts_of(batches), macro_f1)))
    assert np.mean(errors) == pytest.approx(np.std(scores, ddof=1), rel=0.25)


def test_the_same_batches_tell_apart_what_single_errors_do_not():
    hard = np.random.default_rng(2).uniform(0.2, 0.8, size=20)
    noise = np.random.default_rng(3).normal(0.0, 0.002, size=20)
    first, other = batches_of(hard + 0.02), batches_of(hard + noise)
    scores = mean(first), mean(other)
    errors = tuple(binomial_error(score, 200) for score in scores)
    assert not told_apart(scores, errors, ((), ()))
    assert told_apart(scores, errors, (without_one(first), without_one(other)))


def test_without_errors_nothing_is_known():
    assert told_apart((0.5, 0.4), (None, None), ((), ())) is None


def test_two_errors_of_the_difference_are_the_limit():
    errors = 0.03, 0.04
    assert not told_apart((0.5, 0.41), errors, ((), ()))
    assert told_apart((0.5, 0.39), errors, ((), ()))


def test_pure_noise_is_seldom_told_apart():
    generator = np.random.default_rng(4)
    apart = []
    for _ in range(300):
        first, other = generator.binomial(40, 0.7, size=(2, 12)) / 40
        batches = batches_of(first, 40.0), batches_of(other, 40.0)
        scores = tuple(map(mean, batches))
        errors = tuple(binomial_error(score, 480) for score in scores)
        apart.append(told_apart(scores, errors, tuple(map(without_one, batches))))
    assert np.mean(apart) < 0.1
