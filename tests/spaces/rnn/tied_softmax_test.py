import numpy as np
import pytest
import tensorflow as tf

from enas_tf.spaces.rnn import tied_softmax
from enas_tf.spaces.rnn.tied_softmax import tied_cross_entropy

FEATURES = np.random.default_rng(0).normal(size=(5, 3)).astype(np.float32)
EMBEDDING = np.random.default_rng(1).normal(size=(7, 3)).astype(np.float32)
TARGETS = np.array([0, 6, 3, 3, 1], np.int32)


def sum_and_gradients(function):
    features, embedding = tf.constant(FEATURES), tf.constant(EMBEDDING)
    with tf.GradientTape() as tape:
        tape.watch([features, embedding])
        total = function(features, embedding, tf.constant(TARGETS))
        scaled = 0.3 * total
    return total, *tape.gradient(scaled, [features, embedding])


def by_tensorflow(features, embedding, targets):
    logits = tf.matmul(features, embedding, transpose_b=True)
    return tf.reduce_sum(tf.nn.sparse_softmax_cross_entropy_with_logits(targets, logits))


# One word at a time, blocks of which the last is smaller, and all words at once.
@pytest.mark.parametrize("at_a_time", [1, 14, 1000])
def test_the_sum_and_its_gradients_are_tensorflows(at_a_time, monkeypatch):
    monkeypatch.setattr(tied_softmax, "_LOGITS_ON_CPU", at_a_time)
    for ours, theirs in zip(
        sum_and_gradients(tf.function(tied_cross_entropy)), sum_and_gradients(by_tensorflow)
    ):
        np.testing.assert_allclose(ours, theirs, atol=1e-6)


def test_a_score_is_the_same_sum():
    total = tied_cross_entropy(FEATURES, tf.constant(EMBEDDING), TARGETS, trains=False)
    np.testing.assert_allclose(total, by_tensorflow(FEATURES, EMBEDDING, TARGETS), rtol=1e-6)


def test_zero_features_give_the_logarithm_of_the_vocabulary():
    total = tied_cross_entropy(tf.zeros([2, 3]), tf.constant(EMBEDDING), tf.constant([0, 5]))
    np.testing.assert_allclose(total, 2 * np.log(7), rtol=1e-6)


def test_words_that_are_all_but_impossible_have_a_finite_loss():
    # Logits 0 and -1000: the probability of the second is zero in single precision.
    features, embedding = tf.constant([[1.0]]), tf.constant([[0.0], [-1000.0]])
    total = tied_cross_entropy(features, embedding, tf.constant([1]))
    np.testing.assert_allclose(total, 1000.0, rtol=1e-6)


def test_what_is_not_finite_stays_so():
    total = tied_cross_entropy(tf.constant([[np.nan]]), tf.ones([3, 1]), tf.constant([1]))
    assert np.isnan(total)
