import numpy as np
import tensorflow as tf

from enas_tf.spaces.rnn.tied_softmax import tied_cross_entropy

FEATURES = np.random.default_rng(0).normal(size=(5, 3)).astype(np.float32)
EMBEDDING = np.random.default_rng(1).normal(size=(7, 3)).astype(np.float32)
TARGETS = np.array([0, 6, 3, 3, 1], np.int32)
WEIGHTS = np.array([1.0, 0.5, 2.0, 0.0, -1.0], np.float32)


def losses_and_gradients(function):
    features, embedding = tf.constant(FEATURES), tf.constant(EMBEDDING)
    with tf.GradientTape() as tape:
        tape.watch([features, embedding])
        losses = function(features, embedding, tf.constant(TARGETS))
        total = tf.reduce_sum(losses * WEIGHTS)
    return losses, *tape.gradient(total, [features, embedding])


def by_tensorflow(features, embedding, targets):
    logits = tf.matmul(features, embedding, transpose_b=True)
    return tf.nn.sparse_softmax_cross_entropy_with_logits(targets, logits)


def test_losses_and_gradients_are_tensorflows():
    for ours, theirs in zip(
        losses_and_gradients(tied_cross_entropy), losses_and_gradients(by_tensorflow)
    ):
        np.testing.assert_allclose(ours, theirs, atol=1e-6)


def test_zero_features_give_the_logarithm_of_the_vocabulary():
    losses = tied_cross_entropy(tf.zeros([2, 3]), tf.constant(EMBEDDING), tf.constant([0, 5]))
    np.testing.assert_allclose(losses, np.full(2, np.log(7)), rtol=1e-6)


def test_words_that_are_all_but_impossible_have_a_finite_loss():
    # Logits 0 and -1000: the probability of the second is zero in single precision.
    features, embedding = tf.constant([[1.0]]), tf.constant([[0.0], [-1000.0]])
    losses = tied_cross_entropy(features, embedding, tf.constant([1]))
    np.testing.assert_allclose(losses, [1000.0], rtol=1e-6)


def test_what_is_not_finite_stays_so():
    losses = tied_cross_entropy(tf.constant([[np.nan]]), tf.ones([3, 1]), tf.constant([1]))
    assert np.isnan(losses)
