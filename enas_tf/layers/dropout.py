"""Dropout whose masks depend on a saved counter, so that a run can be resumed exactly."""

from typing import Any

import keras
import tensorflow as tf


def call_counter() -> keras.Variable:
    """Returns a counter of a layer's training calls.

    Every replica counts for itself: all count the same, without a word to each other.
    """
    return keras.Variable(0, dtype="int64", trainable=False, name="num_calls")


def call_seed(seed: int, num_calls: keras.Variable) -> tf.Tensor:
    """Returns the seed of one training call, int64 `[2]`; each replica has its own.

    Args:
      seed: of the layer.
      num_calls: number of training calls before this one.
    """
    pair = tf.stack([tf.constant(seed, tf.int64), num_calls.value])
    context = tf.distribute.get_replica_context()
    if context is None or context.num_replicas_in_sync == 1:
        return pair
    replica = tf.cast(context.replica_id_in_sync_group, tf.int64)
    return tf.random.experimental.stateless_fold_in(pair, replica)


class ResumableDropout(keras.layers.Layer):
    """Dropout with a mask drawn from the seed, the number of training calls and the replica.

    The state of Keras's own dropout is not part of a `tf.train.Checkpoint`, and with a seed it
    gives every replica of a strategy the same mask. Here the number of training calls is a weight
    of the layer: restoring it continues the sequence of masks exactly.

    Args:
      rate: share of the elements that are set to zero; the others are scaled up.
      seed: of the masks.
      **kwargs: `name` and `dtype`, as for any Keras layer.

    Call arguments:
      inputs: any shape.
      training: whether anything is dropped.
    """

    def __init__(self, rate: float, seed: int = 0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.rate = rate
        self.seed = seed
        self.num_calls = call_counter()
        self.built = True

    def call(self, inputs: tf.Tensor, training: bool | None = None) -> tf.Tensor:
        """Returns the inputs, in training with some of them dropped."""
        if not training or self.rate == 0.0:
            return inputs
        seed = call_seed(self.seed, self.num_calls)
        outputs = tf.nn.experimental.stateless_dropout(inputs, self.rate, seed)
        self.num_calls.assign_add(1)
        return outputs

    def get_config(self) -> dict[str, Any]:
        """Returns what `from_config` needs."""
        return {**super().get_config(), "rate": self.rate, "seed": self.seed}
