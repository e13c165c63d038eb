"""Tests of single decisions and of their sums."""

import numpy as np
import pytest
import tensorflow as tf

from enas_tf.errors import ConfigurationError
from enas_tf.layers.decisions import FREE, DecisionSequence, decide, seed_tensor, squash

MASKED = np.array([[0.5, -np.inf, 1.0], [2.0, 0.0, -np.inf]], np.float32)


def decide_with(logits, given, seed=0, exploration=1.0):
    return decide(
        tf.convert_to_tensor(logits, tf.float32),
        tf.convert_to_tensor(given, tf.int32),
        seed_tensor(seed),
        tf.constant(exploration),
    )


def test_given_decision_is_taken():
    assert decide_with([[0.0, 9.0, 0.0]], [2]).choice.numpy().tolist() == [2]


def test_log_probability_is_log_softmax():
    decision = decide_with([[1.0, 2.0, 3.0]], [0])
    np.testing.assert_allclose(decision.log_probability, [1 - np.log(np.exp([1, 2, 3]).sum())])


def test_entropy_of_equal_logits_is_log_of_their_number():
    np.testing.assert_allclose(decide_with([[3.0] * 4], [FREE]).entropy, [np.log(4)], rtol=1e-6)


def test_ruled_out_options_are_left_out_of_log_probability_and_entropy():
    masked = decide_with(MASKED, [2, 0])
    plain = decide_with([[0.5, 1.0], [2.0, 0.0]], [1, 0])
    np.testing.assert_allclose(masked.log_probability, plain.log_probability, rtol=1e-6)
    np.testing.assert_allclose(masked.entropy, plain.entropy, rtol=1e-6)


def test_ruled_out_options_have_probability_zero():
    assert decide_with(MASKED, [1, 0]).log_probability[0] == -np.inf


def test_ruled_out_options_are_never_drawn():
    choices = decide_with(np.repeat(MASKED, 2000, axis=0), np.full(4000, FREE)).choice
    assert set(choices.numpy()[:2000]) == {0, 2}
    assert set(choices.numpy()[2000:]) == {0, 1}


@pytest.mark.parametrize("quantity", ["log_probability", "entropy"])
def test_gradients_are_finite_where_options_are_ruled_out(quantity):
    logits = tf.constant(MASKED)
    with tf.GradientTape() as tape:
        tape.watch(logits)
        value = getattr(decide_with(logits, [2, 0]), quantity)
    gradient = tape.gradient(value, logits).numpy()
    assert np.all(np.isfinite(gradient))
    assert gradient[0, 1] == 0.0


def test_entropy_gradient():
    logits = np.array([[0.3, -0.2, 1.0]], np.float32)
    variable = tf.constant(logits)
    with tf.GradientTape() as tape:
        tape.watch(variable)
        entropy = decide_with(variable, [0]).entropy
    p = np.exp(logits) / np.exp(logits).sum()
    expected = -p * (np.log(p) - (p * np.log(p)).sum())
    np.testing.assert_allclose(tape.gradient(entropy, variable), expected, atol=1e-6)


def test_frequencies_follow_probabilities():
    logits = np.log(np.array([0.1, 0.2, 0.3, 0.4], np.float32))
    number = 20000
    choices = decide_with(np.tile(logits, (number, 1)), np.full(number, FREE), seed=3).choice
    counts = np.bincount(choices.numpy(), minlength=4)
    expected = number * np.exp(logits)
    chi_square = np.sum((counts - expected) ** 2 / expected)
    assert chi_square < 16.3  # 0.999 quantile for 3 degrees of freedom


def test_without_exploration_the_most_likely_option_is_taken():
    logits = np.random.default_rng(0).normal(size=(50, 5))
    choice = decide_with(logits, np.full(50, FREE), exploration=0.0).choice
    np.testing.assert_array_equal(choice, np.argmax(logits, axis=1))


def test_same_seed_same_choice_other_seed_another():
    logits, given = np.zeros((100, 6)), np.full(100, FREE)
    first = decide_with(logits, given, seed=1).choice.numpy()
    np.testing.assert_array_equal(first, decide_with(logits, given, seed=1).choice)
    assert np.any(first != decide_with(logits, given, seed=2).choice.numpy())


def sequence_of(batch_size):
    return DecisionSequence.start(seed_tensor(0), tf.constant(1.0), batch_size)


def test_sequence_sums_log_probabilities():
    sequence = sequence_of(2)
    for options in (2, 4):
        sequence, _ = sequence.decide(tf.zeros([2, options]), tf.fill([2], FREE))
    np.testing.assert_allclose(sequence.log_probability, [-np.log(8)] * 2, rtol=1e-6)


def test_sequence_draws_other_noise_for_each_decision():
    sequence, first = sequence_of(100).decide(tf.zeros([100, 6]), tf.fill([100], FREE))
    _, second = sequence.decide(tf.zeros([100, 6]), tf.fill([100], FREE))
    assert np.any(first.numpy() != second.numpy())


def test_sequence_leaves_padding_out_of_its_sums():
    given = tf.constant([[0, 1, 1]])
    counted = tf.constant([True, False, True])
    sequence, _ = sequence_of(1).decide(tf.zeros([1, 3, 2]), given, counted)
    np.testing.assert_allclose(sequence.entropy, [2 * np.log(2)], rtol=1e-6)
    np.testing.assert_allclose(sequence.log_probability, [-2 * np.log(2)], rtol=1e-6)
    np.testing.assert_allclose(sequence.release_entropy, [np.log(2)], rtol=1e-6)


def test_a_decision_that_cannot_occur_leaves_the_sums_of_entropies_finite():
    sequence, _ = sequence_of(2).decide(tf.constant(MASKED), tf.constant([1, 0]))
    assert sequence.log_probability[0] == -np.inf
    assert sequence.release_entropy[0] == 0.0
    assert np.all(np.isfinite(sequence.entropy))
    assert sequence.release_entropy[1] > 0.0


def test_squash_divides_before_the_tanh():
    squashed = squash(tf.constant([3.0]), 2.0, 1.5)
    np.testing.assert_allclose(squashed, 1.5 * np.tanh([1.5]), rtol=1e-6)


def test_squash_does_nothing_unless_asked():
    assert squash(tf.constant([30.0])).numpy().tolist() == [30.0]


def test_seeds_of_large_integers_differ():
    assert seed_tensor(5).numpy().tolist() != seed_tensor(5 + 2**31).numpy().tolist()


def test_fresh_seeds_differ():
    assert seed_tensor(None).numpy().tolist() != seed_tensor(None).numpy().tolist()


@pytest.mark.parametrize("seed", [-1, 2**62, 1.5, "7", np.zeros(3, np.int32)])
def test_unusable_seed_is_an_error(seed):
    with pytest.raises(ConfigurationError, match="`seed` must be"):
        seed_tensor(seed)
