"""What one training step on text computes, whatever the language model is."""

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import keras
import tensorflow as tf

from enas_tf.settings.config import TrainingConfig
from enas_tf.training.carried_state import CarriedState
from enas_tf.training.optimizers import apply_gradients, build_optimizer


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


def static_step(network: keras.Model, config: TrainingConfig) -> Callable[[Any], TextMetrics]:
    """Returns a training step of a plain language model, to compare a supernet's speed with.

    Args:
      network: with the methods `training_pass` and `zero_state` of a `LanguageModel`.
      config: settings of the training.

    Returns:
      A traced function that trains the network on a `TextBatch`, going on from the state after the
      last one, and returns its metrics.
    """
    optimizer = build_optimizer(config, steps_per_epoch=1000)
    variables = network.trainable_variables
    optimizer.build(variables)
    rows = config.batch_size
    carried = CarriedState(network.zero_state(rows), rows, tf.distribute.get_strategy())

    @tf.function(autograph=False, reduce_retracing=True)
    def step(batch: Any) -> TextMetrics:
        seed = tf.stack([0, tf.cast(optimizer.iterations, tf.int32)])
        with tf.GradientTape() as tape:
            outcome = network.training_pass(batch, carried.read(), seed)
            loss = outcome.objective / rows
        gradients = tape.gradient(loss, variables)
        apply_gradients(optimizer, gradients, variables, config, rate_scale=outcome.rate_scale)
        carried.write(outcome.state)
        return outcome.metrics

    return step
