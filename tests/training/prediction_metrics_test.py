import math

import numpy as np
import pytest
from sklearn.metrics import balanced_accuracy_score, f1_score

from enas_tf.errors import ConfigurationError
from enas_tf.training import prediction_metrics
from enas_tf.training.prediction_metrics import (
    Predictions,
    check_metric,
    metric_value,
    register_metric,
    score_name,
    together,
)

LABELS = np.array([0, 0, 0, 0, 1, 1, 2], np.int32)
TAKEN_FOR = np.array([0, 0, 1, 0, 1, 2, 0])
PROBABILITIES = np.eye(4, dtype=np.float32)[TAKEN_FOR]


@pytest.fixture(autouse=True)
def own_metrics(monkeypatch):
    """Lets no other test see what a test registers."""
    monkeypatch.setattr(prediction_metrics, "_METRICS", dict(prediction_metrics._METRICS))


def geometric_mean(labels, probabilities):
    return float(np.exp(np.mean(np.log(probabilities[np.arange(len(labels)), labels]))))


@pytest.mark.parametrize(
    ("metric", "expected"),
    [
        ("balanced_accuracy", balanced_accuracy_score(LABELS, TAKEN_FOR)),
        ("macro_f1", f1_score(LABELS, TAKEN_FOR, average="macro")),
    ],
)
def test_metrics_are_those_of_scikit_learn(metric, expected):
    assert metric_value(metric, LABELS, PROBABILITIES) == expected


@pytest.mark.parametrize(
    ("metric", "expected"),
    # Class 2 has no example but was predicted; class 3 has neither.
    [("balanced_accuracy", (0.75 + 0.5) / 2), ("macro_f1", (6 / 7 + 0.5 + 0.0) / 3)],
)
def test_a_part_may_lack_classes(metric, expected):
    value = metric_value(metric, LABELS[:6], PROBABILITIES[:6])
    assert value == pytest.approx(expected)


def test_a_function_is_a_metric_by_its_name():
    assert register_metric(geometric_mean) == "geometric_mean"
    assert register_metric(lambda labels, probabilities: len(labels), "size") == "size"
    assert metric_value("size", LABELS, PROBABILITIES) == 7.0
    assert score_name("size") == "size"
    register_metric(lambda labels, probabilities: 2, "size")
    assert metric_value("size", LABELS, PROBABILITIES) == 2.0


@pytest.mark.parametrize(
    ("function", "name", "says"),
    [
        (lambda labels, probabilities: 1.0, None, "'<lambda>'; give another one as name="),
        (geometric_mean, "two words", "letters, digits and underscores"),
        (geometric_mean, "macro_f1", "which are metrics already"),
        (geometric_mean, "likelihood", "which are metrics already"),
        ("macro_f1", "mine", "must be a function. Received: str"),
    ],
)
def test_what_cannot_be_a_metric_is_told(function, name, says):
    with pytest.raises(ConfigurationError, match=says):
        register_metric(function, name)


@pytest.mark.parametrize("value", [math.nan, math.inf, -0.1, None, [0.5, 0.5], "0.5"])
def test_a_value_that_is_no_reward_is_told(value):
    register_metric(lambda labels, probabilities: value, "odd")
    with pytest.raises(ConfigurationError, match="'odd' must return a finite number from 0 on"):
        metric_value("odd", LABELS, PROBABILITIES)


def test_what_nobody_registered_is_told():
    check_metric("loss")
    with pytest.raises(ConfigurationError, match=r"enas_tf.register_metric. Received: 'unknown'"):
        check_metric("unknown")
    with pytest.raises(ConfigurationError, match="unknown"):
        metric_value("unknown", LABELS, PROBABILITIES)


def test_probabilities_that_are_no_numbers_have_no_value():
    register_metric(lambda labels, probabilities: pytest.fail("asked"), "never")
    assert math.isnan(metric_value("never", LABELS, PROBABILITIES * math.nan))


def test_rows_that_fill_up_do_not_count():
    first = Predictions(LABELS, PROBABILITIES, 4.0)
    labels, probabilities = together([first, Predictions(LABELS[4:], PROBABILITIES[4:], 3.0)])
    np.testing.assert_array_equal(labels, LABELS)
    np.testing.assert_array_equal(probabilities, PROBABILITIES)
