"""What one pass over a training batch gives, whatever the network is."""

from typing import Any, NamedTuple

import tensorflow as tf


class TrainingPass(NamedTuple):
    """The outcome of a training pass, before the step is taken.

    Attributes:
      objective: float32 scalar, what training minimises, summed over the examples (rows) of the
        batch, without weight decay.
      metrics: sums that add up over replicas and over steps; with `loss`, and a method `means`.
      statistics: batch statistics for `update_statistics`, to be summed over replicas.
      state: what the next batch goes on from, every tensor with the batch's rows first; empty if
        batches have nothing to do with each other.
      decayed: tensors that weight decay applies to; None: all trained variables.
      rate_scale: float32 scalar by which the learning rate of this step is multiplied; None: 1.
    """

    objective: tf.Tensor
    metrics: Any
    statistics: Any = ()
    state: Any = ()
    decayed: Any = None
    rate_scale: Any = None
