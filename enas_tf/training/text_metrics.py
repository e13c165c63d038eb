"""What training on text measures, whatever the language model is."""

import math
from typing import NamedTuple

import tensorflow as tf


class TextMetrics(NamedTuple):
    """Sums over words; they add up over replicas and over steps.

    Attributes:
      loss: float32, sum of the cross-entropies in nats, without penalties and weight decay.
      tokens: float32, number of predicted words.
    """

    loss: tf.Tensor
    tokens: tf.Tensor

    @property
    def num_predictions(self) -> tf.Tensor:
        """The number of words: what the sums are divided by for means."""
        return self.tokens

    def means(self) -> dict[str, float]:
        """Returns the mean `loss` per word in nats, and its exponential, the `perplexity`."""
        loss = float(self.loss) / float(self.tokens)
        return {"loss": loss, "perplexity": perplexity(loss)}


def perplexity(loss: float) -> float:
    """Returns the perplexity that belongs to a mean cross-entropy in nats; infinite if huge."""
    try:
        return math.exp(loss)
    except OverflowError:
        return math.inf
