"""Drop path: operands of a network's cells that are left out at random while it trains."""

from collections.abc import Callable, Sequence
from typing import Any

import keras
import tensorflow as tf

from enas_tf.errors import ConfigurationError
from enas_tf.layers.dropout import call_counter, call_seed


class DropPathSchedule(keras.layers.Layer):
    """Draws in every training step which operands of a whole network are dropped.

    An operand is kept with the probability `1 - progress * rate`, where `rate` is its own and
    `progress` grows from 0 to 1 over the training: `min(1, (step + 1) / training_steps)`. A kept
    one is scaled up, so that its mean stays. Source: the authors' release, `_apply_drop_path` and
    `micro_child.py`. With `epoch_steps`, `progress` is the share of past epochs, as in DARTS.

    One layer serves the network: it counts the training steps and makes all draws at once. The
    draws depend on the seed, that count and the replica alone, and the count is a weight of the
    layer: restoring it goes on with the same draws at the same probabilities.

    Args:
      rates: probability of each operand to be dropped at the end of the training, below 1.
      training_steps: steps of the whole training. Default: unknown, `progress` is always 1.
      epoch_steps: steps of an epoch, in the course of which `progress` stays as it is. Default: it
        grows with every step.
      share: tells `progress` at a step, in place of the two; it is not saved with the layer.
      seed: of the draws.
      **kwargs: `name` and `dtype`, as for any Keras layer.

    Call arguments:
      inputs: `[batch, ...]`; only the number of examples is read.
      training: whether anything is dropped.

    Returns:
      For each operand a factor for every example, `[batch, 1, 1, 1]`: 0, or 1 over the probability
      to be kept. To be applied by `DropPath`.

    Raises:
      ConfigurationError: a rate is not from 0 to below 1, or there are no steps.
    """

    def __init__(
        self,
        rates: Sequence[float],
        *,
        training_steps: int | None = None,
        epoch_steps: int | None = None,
        share: Callable[[Any], tf.Tensor] | None = None,
        seed: int = 0,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.rates = tuple(float(rate) for rate in rates)
        if not self.rates or not all(0.0 <= rate < 1.0 for rate in self.rates):
            raise ConfigurationError(
                "`rates` must be at least one number from 0 to below 1. "
                f"Received: rates={list(self.rates)}."
            )
        for name, steps in (("training_steps", training_steps), ("epoch_steps", epoch_steps)):
            if steps is not None and steps < 1:
                raise ConfigurationError(
                    f"`{name}` must be a positive integer or None. Received: {name}={steps}."
                )
        self.training_steps = training_steps
        self.epoch_steps = epoch_steps
        self._share = share
        self.seed = seed
        self.num_calls = call_counter()
        self.built = True

    def keep_probabilities(self, step: tf.Tensor | int) -> tf.Tensor:
        """Returns the probability of each operand to be kept.

        Args:
          step: number of training steps before this one, a scalar.

        Returns:
          float32 `[len(rates)]`.
        """
        progress = tf.constant(1.0)
        if self._share is not None:
            progress = self._share(step)
        elif self.training_steps is not None:
            # A step counts when it begins, an epoch when it has ended.
            past = step + 1 if self.epoch_steps is None else step // self.epoch_steps
            past *= self.epoch_steps or 1
            progress = tf.minimum(1.0, tf.cast(past, tf.float32) / self.training_steps)
        return 1.0 - progress * tf.constant(self.rates, tf.float32)

    def call(self, inputs: tf.Tensor, training: bool | None = None) -> list[tf.Tensor]:
        """Returns the factors of all operands."""
        shape = [len(self.rates), tf.shape(inputs)[0], 1, 1, 1]
        if not training:
            return tf.unstack(tf.ones(shape, inputs.dtype), len(self.rates))
        keep = self.keep_probabilities(self.num_calls.value)[:, None, None, None, None]
        seed = call_seed(self.seed, self.num_calls)
        factors = tf.floor(keep + tf.random.stateless_uniform(shape, seed)) / keep
        self.num_calls.assign_add(1)
        return tf.unstack(tf.cast(factors, inputs.dtype), len(self.rates))

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> list[tuple]:
        """Returns the shapes of the factors."""
        return [(input_shape[0], 1, 1, 1)] * len(self.rates)

    def get_config(self) -> dict[str, Any]:
        """Returns what `from_config` needs."""
        return {
            **super().get_config(),
            "rates": list(self.rates),
            "training_steps": self.training_steps,
            "epoch_steps": self.epoch_steps,
            "seed": self.seed,
        }


class DropPath(keras.layers.Layer):
    """Drops whole examples of one operand, as a `DropPathSchedule` says.

    Args:
      **kwargs: `name` and `dtype`, as for any Keras layer.

    Call arguments:
      inputs: a pair, the operand `[batch, height, width, channels]` and its factors
        `[batch, 1, 1, 1]`.
      training: whether anything is dropped; otherwise the operand passes unchanged.
    """

    def call(self, inputs: Sequence[tf.Tensor], training: bool | None = None) -> tf.Tensor:
        """Returns the operand, in training times its factors."""
        operand, factors = inputs
        return operand * factors if training else operand

    def compute_output_shape(self, input_shape: Sequence[tuple[int | None, ...]]) -> tuple:
        """Returns the shape of the operand."""
        return tuple(input_shape[0])
