"""What is told of a classifier's answers, on numbers worked out by hand."""

import math
import warnings

import numpy as np
import pytest
from sklearn.metrics import balanced_accuracy_score

from enas_tf.models.scores import Evaluation


def evaluation(labels, predictions, num_classes, probabilities=None):
    labels, predictions = np.array(labels, np.int32), np.array(predictions, np.int32)
    if probabilities is None:
        probabilities = np.eye(num_classes, dtype=np.float32)[predictions]
    return Evaluation(
        accuracy=float(np.mean(labels == predictions)),
        loss=0.5,
        labels=labels,
        predictions=predictions,
        probabilities=probabilities,
        label_names=tuple("abcdefgh"[:num_classes]),
    )


@pytest.fixture
def three():
    """Of four pictures of a, three are right; of two of b, one; there is none of c."""
    return evaluation([0, 0, 0, 0, 1, 1], [0, 0, 0, 2, 1, 0], 3)


def test_it_is_unpacked_as_the_pair_that_it_was(three):
    accuracy, loss = three
    assert (accuracy, loss) == (pytest.approx(4 / 6), 0.5)


def test_scores_of_each_class(three):
    a, b, c = three.classes
    assert a == ("a", 0.75, 0.75, 0.75, 4)
    assert b == ("b", 1.0, 0.5, pytest.approx(2 / 3), 2)
    assert (c.name, c.precision, c.f1, c.examples) == ("c", 0.0, 0.0, 0)
    assert math.isnan(c.recall)


def test_a_class_that_is_never_predicted_has_no_precision():
    assert math.isnan(evaluation([0, 1], [0, 0], 2).classes[1].precision)


def test_rows_of_the_confusion_matrix_are_right_classes(three):
    assert three.confusion_matrix.tolist() == [[3, 0, 1], [1, 1, 0], [0, 0, 0]]


def test_balanced_accuracy_is_the_mean_recall_of_classes_with_pictures(three):
    assert three.balanced_accuracy == 0.625
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert three.balanced_accuracy == balanced_accuracy_score(three.labels, three.predictions)


def test_top_5_counts_the_five_likeliest():
    # Class number n has the rank n in the first row, and 5 - n in the second.
    probabilities = np.float32([[6, 5, 4, 3, 2, 1], [1, 2, 3, 4, 5, 6]]) / 21
    assert evaluation([4, 0], [0, 5], 6, probabilities).top_5_accuracy == 0.5


def test_there_is_no_top_5_of_five_classes():
    assert evaluation([0, 4], [0, 4], 5).top_5_accuracy is None


def test_nothing_is_warned_of(three):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert len(three.classes) == 3
        assert 0.0 < three.balanced_accuracy < 1.0


def test_it_is_shown_in_one_line(three):
    assert repr(three) == (
        "Evaluation(accuracy=0.6667, balanced_accuracy=0.6250, loss=0.5000, "
        "6 examples of 3 classes)"
    )
