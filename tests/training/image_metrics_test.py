import numpy as np
import tensorflow as tf

from enas_tf.training.image_metrics import classification_metrics


def test_metrics_are_sums_over_examples():
    logits = tf.constant([[0.0, 0.0], [np.log(3.0), 0.0]], tf.float32)
    metrics = classification_metrics(tf.constant([1, 0]), logits)
    np.testing.assert_allclose(metrics.loss, np.log(2.0) + np.log(4.0 / 3.0), rtol=1e-6)
    assert float(metrics.correct) == 1.0
    assert float(metrics.examples) == 2.0


def test_mixed_labels_count_by_their_shares():
    logits = tf.constant([[np.log(3.0), 0.0], [0.0, np.log(3.0)]], tf.float32)
    metrics = classification_metrics(tf.constant([[0.75, 0.25], [0.4, 0.6]]), logits)
    right, wrong = np.log(4.0 / 3.0), np.log(4.0)
    expected = 0.75 * right + 0.25 * wrong + 0.6 * right + 0.4 * wrong
    np.testing.assert_allclose(metrics.loss, expected, rtol=1e-6)
    np.testing.assert_allclose(metrics.correct, 1.35, rtol=1e-6)
    assert float(metrics.examples) == 2.0


def test_mixed_labels_of_one_class_are_that_label():
    logits = tf.constant([[1.0, 2.0, 0.5], [0.3, 0.1, 0.2]])
    labels = tf.constant([2, 0])
    for one, other in zip(
        classification_metrics(labels, logits),
        classification_metrics(tf.one_hot(labels, 3), logits),
    ):
        np.testing.assert_allclose(one, other, rtol=1e-6)
