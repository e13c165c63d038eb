import keras
import numpy as np
import tensorflow as tf

from enas_tf.training.image_metrics import (
    ImageLoss,
    classification_metrics,
    image_objective,
    top_correct,
)


def test_metrics_are_sums_over_examples():
    logits = tf.constant([[0.0, 0.0], [np.log(3.0), 0.0]], tf.float32)
    metrics = classification_metrics(tf.constant([1, 0]), logits)
    np.testing.assert_allclose(metrics.loss, np.log(2.0) + np.log(4.0 / 3.0), rtol=1e-6)
    assert float(metrics.correct) == 1.0
    assert float(metrics.examples) == 2.0


def test_the_label_is_looked_for_among_the_likeliest():
    logits = tf.constant([[3.0, 2.0, 1.0, 0.0]] * 4)
    labels = tf.constant([0, 1, 2, 3])
    assert [float(top_correct(labels, logits, k)) for k in (1, 3, 5)] == [1.0, 3.0, 4.0]
    # As the most likely class, of equal ones the first.
    assert float(top_correct(labels, tf.zeros([4, 4]), 2)) == 2.0


LOGITS = np.array([[0.3, -1.0, 2.0], [1.5, 0.2, -0.4]], np.float32)
LABELS = np.array([0, 2], np.int32)


def keras_losses(label_smoothing):
    loss = keras.losses.CategoricalCrossentropy(True, label_smoothing, reduction=None)
    return loss(np.eye(3)[LABELS], LOGITS).numpy()


def test_a_plain_loss_is_the_cross_entropy():
    metrics = classification_metrics(LABELS, LOGITS)
    assert float(ImageLoss()(LABELS, LOGITS)) == float(metrics.loss)


def test_smoothed_labels_are_those_of_keras():
    expected = keras_losses(0.2).sum()
    np.testing.assert_allclose(ImageLoss(0.2)(LABELS, LOGITS), expected, rtol=1e-6)


def test_weights_multiply_the_losses_of_their_classes():
    loss = ImageLoss(0.1, np.array([0.5, 7.0, 3.0], np.float32))
    expected = keras_losses(0.1) @ [0.5, 3.0]
    np.testing.assert_allclose(loss(LABELS, LOGITS), expected, rtol=1e-6)


def test_an_auxiliary_head_has_the_same_loss():
    loss, logits = ImageLoss(0.1, np.array([0.5, 7.0, 3.0], np.float32)), LOGITS
    objective, metrics = image_objective(LABELS, [logits, 2.0 * logits], 0.4, loss)
    expected = loss(LABELS, logits) + 0.4 * loss(LABELS, 2.0 * logits)
    np.testing.assert_allclose(objective, expected, rtol=1e-6)
    # What is told stays comparable.
    assert float(metrics.loss) == float(classification_metrics(LABELS, logits).loss)


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
