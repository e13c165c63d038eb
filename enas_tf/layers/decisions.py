"""Decisions of a controller: drawn, given or most likely, all in one code path.

A controller makes one categorical decision after the other. Each is an integer that may be
*given* (to score an architecture) or *free* (`FREE`, to sample one); the same graph serves both, so
that the score of a sample equals the sample's own log-probability to the last bit.
"""

from typing import NamedTuple

import numpy as np
import tensorflow as tf

from enas_tf.errors import ConfigurationError

FREE = -1


class Decision(NamedTuple):
    """One categorical decision for each element of a batch.

    Attributes:
      choice: int32 `[batch, …]`, the option taken.
      log_probability: float32, same shape, logarithm of the probability of that option.
      entropy: float32, same shape, entropy in nats of the whole distribution.
    """

    choice: tf.Tensor
    log_probability: tf.Tensor
    entropy: tf.Tensor


def decide(
    logits: tf.Tensor, given: tf.Tensor, seed: tf.Tensor, exploration: tf.Tensor
) -> Decision:
    """Takes one decision.

    Free decisions are drawn by the Gumbel-max trick: the largest of logits plus Gumbel noise is
    distributed as the softmax of the logits.

    Args:
      logits: float32 `[batch, …, options]`; minus infinity rules an option out.
      given: int32 `[batch, …]`, the option to take; negative: free.
      seed: int32 `[2]` of the noise.
      exploration: float32 scalar, 1 to draw free decisions, 0 to take the most likely option.

    Returns:
      A `Decision`. Its gradients are finite also where options are ruled out.
    """
    log_probabilities = tf.nn.log_softmax(logits)
    noise = exploration * _gumbel(tf.shape(logits), seed)
    drawn = tf.argmax(logits + noise, axis=-1, output_type=tf.int32)
    choice = tf.where(given < 0, drawn, given)
    chosen = tf.one_hot(choice, logits.shape[-1], on_value=True, off_value=False, dtype=tf.bool)
    # `where` and not a product: 0 times minus infinity is not a number.
    zero = tf.zeros_like(log_probabilities)
    log_probability = tf.reduce_sum(tf.where(chosen, log_probabilities, zero), axis=-1)
    finite = tf.where(logits > -np.inf, log_probabilities, zero)
    entropy = -tf.reduce_sum(tf.exp(log_probabilities) * finite, axis=-1)
    return Decision(choice, log_probability, entropy)


class DecisionSequence(NamedTuple):
    """The decisions of one pass through a controller, numbered and summed up.

    A value without hidden state, so that it can be carried through a `tf.while_loop`. Decision
    number `n` draws its noise from the pass's seed and `n` alone.

    Attributes:
      seed: int32 `[2]`, of the pass.
      exploration: float32 scalar, as in `decide`.
      number: int32 scalar, how many decisions were taken.
      log_probability: float32 `[batch]`, of all decisions so far together.
      entropy: float32 `[batch]`, sum of the entropies of all distributions so far, without a
        gradient.
      release_entropy: float32 `[batch]`, sum of −p·log p of the options taken only, without a
        gradient; the release of the macro space uses it in place of the entropy.
    """

    seed: tf.Tensor
    exploration: tf.Tensor
    number: tf.Tensor
    log_probability: tf.Tensor
    entropy: tf.Tensor
    release_entropy: tf.Tensor

    @classmethod
    def start(
        cls, seed: tf.Tensor, exploration: tf.Tensor, batch_size: tf.Tensor
    ) -> "DecisionSequence":
        """Starts a pass over `batch_size` architectures."""
        zeros = tf.zeros([batch_size])
        return cls(seed, exploration, tf.constant(0), zeros, zeros, zeros)

    def decide(
        self, logits: tf.Tensor, given: tf.Tensor, counted: tf.Tensor | None = None
    ) -> "tuple[DecisionSequence, tf.Tensor]":
        """Takes the next decision.

        Args:
          logits: as in `decide`.
          given: as in `decide`.
          counted: bool, broadcast to the shape of `given`: False where the decision is only
            padding and adds nothing to the sums. None: everywhere True.

        Returns:
          The sequence that goes on from here, and the choice, int32 `[batch, …]`.
        """
        seed = tf.random.experimental.stateless_fold_in(self.seed, self.number)
        decision = decide(logits, given, seed, self.exploration)
        log_probability, entropy = decision.log_probability, decision.entropy
        # What cannot be chosen has the term 0 and not 0 times infinity.
        chosen_term = -tf.math.multiply_no_nan(log_probability, tf.exp(log_probability))
        terms = [log_probability, entropy, chosen_term]
        if counted is not None:
            terms = [tf.where(counted, term, tf.zeros_like(term)) for term in terms]
        axes = list(range(1, log_probability.shape.rank))
        if axes:
            terms = [tf.reduce_sum(term, axes) for term in terms]
        log_probability, entropy, chosen_term = terms
        # Policy gradients take entropies as constants (as the release does); to leave them out of
        # the gradient's graph halves the time until the first update.
        sequence = self._replace(
            number=self.number + 1,
            log_probability=self.log_probability + log_probability,
            entropy=tf.stop_gradient(self.entropy + entropy),
            release_entropy=tf.stop_gradient(self.release_entropy + chosen_term),
        )
        return sequence, decision.choice


def squash(
    logits: tf.Tensor, temperature: float | None = None, tanh_constant: float | None = None
) -> tf.Tensor:
    """Returns `tanh_constant * tanh(logits / temperature)`, which keeps a controller exploring.

    Args:
      logits: of any shape.
      temperature: None: no division.
      tanh_constant: bound of the result; None: no tanh.
    """
    if temperature is not None:
        logits = logits / temperature
    if tanh_constant is not None:
        logits = tanh_constant * tf.tanh(logits)
    return logits


def seed_tensor(seed: "int | tf.Tensor | np.ndarray | None") -> tf.Tensor:
    """Returns a seed for TensorFlow's stateless random functions, int32 `[2]`.

    Args:
      seed: a non-negative integer below 2**62, an int32 tensor or array of shape `[2]`, or None
        for another seed at each call (which `tf.random.set_seed` fixes).

    Raises:
      ConfigurationError: the seed is something else.
    """
    if seed is None:
        return tf.random.uniform([2], maxval=np.iinfo(np.int32).max, dtype=tf.int32)
    if isinstance(seed, (int, np.integer)):
        if 0 <= seed < 2**62:
            return tf.constant([seed % 2**31, seed // 2**31], tf.int32)
    elif getattr(seed, "shape", None) == (2,) and seed.dtype in (tf.int32, np.dtype(np.int32)):
        return tf.convert_to_tensor(seed)
    raise ConfigurationError(
        "`seed` must be None, an integer from 0 to 2**62 - 1, or an int32 tensor of shape [2]. "
        f"Received: seed={seed!r:.80}."
    )


def _gumbel(shape: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
    # The smallest normal number instead of 0 keeps the noise finite.
    smallest = np.finfo(np.float32).tiny
    uniform = tf.random.stateless_uniform(shape, seed, minval=smallest, maxval=1.0)
    return -tf.math.log(-tf.math.log(uniform))
