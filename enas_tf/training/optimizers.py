"""The optimiser of shared weights and of derived networks: Nesterov momentum, L2, clipping."""

from collections.abc import Sequence
from typing import Any

import keras
import tensorflow as tf

from enas_tf.config import TrainingConfig
from enas_tf.training.schedules import CosineRestarts


def build_optimizer(config: TrainingConfig, steps_per_epoch: int) -> keras.optimizers.SGD:
    """Returns gradient descent with Nesterov momentum and the cosine rate of `CosineRestarts`.

    The momentum holds past *updates* (rate times gradient), Keras's rule; the release's optimiser
    held past gradients. The two differ only when the rate changes.
    """
    return keras.optimizers.SGD(
        CosineRestarts(config, steps_per_epoch), momentum=config.momentum, nesterov=True
    )


def sum_of_squares(variables: Sequence[Any]) -> tf.Tensor:
    """Returns the sum of the squares of all elements of all variables, a float32 scalar."""
    return tf.add_n(
        [tf.reduce_sum(tf.square(tf.convert_to_tensor(variable))) for variable in variables]
    )


def add_weight_decay(
    gradients: Sequence[Any], variables: Sequence[Any], factor: float | tf.Tensor
) -> list[tf.Tensor]:
    """Adds the gradient of `factor` times the sum of squares of the variables.

    Args:
      gradients: dense or sparse gradients, or None where there is none.
      variables: the variables, one for each gradient.
      factor: as in the loss: the gradient gets `2 * factor * variable`.

    Returns:
      Dense gradients.
    """
    return [
        2.0 * factor * tf.convert_to_tensor(variable)
        if gradient is None
        else tf.convert_to_tensor(gradient) + 2.0 * factor * tf.convert_to_tensor(variable)
        for gradient, variable in zip(gradients, variables, strict=True)
    ]


def apply_gradients(
    optimizer: keras.optimizers.Optimizer,
    gradients: Sequence[Any],
    variables: Sequence[Any],
    config: TrainingConfig,
) -> None:
    """Takes one optimiser step on the cross-entropy, weight decay and clipping included.

    Inside a replica of a `tf.distribute` strategy the gradients are summed over the replicas; the
    loss must have been divided by the *global* batch size.

    Args:
      optimizer: made by `build_optimizer`.
      gradients: of this replica's share of the mean cross-entropy.
      variables: all trained variables, one for each gradient; weight decay applies to all.
      config: weight decay and the clipping norm. With `clip_norm` above 0 the gradient of the
        whole loss, weight decay included, is scaled down to that global norm.
    """
    num_replicas = tf.distribute.get_strategy().num_replicas_in_sync
    gradients = add_weight_decay(gradients, variables, config.weight_decay / num_replicas)
    if config.clip_norm > 0.0:
        if num_replicas > 1:
            context = tf.distribute.get_replica_context()
            gradients = context.all_reduce(tf.distribute.ReduceOp.SUM, gradients)
        gradients, _ = tf.clip_by_global_norm(gradients, config.clip_norm)
        # The optimizer sums over the replicas once more.
        gradients = [gradient / num_replicas for gradient in gradients]
    optimizer.apply(gradients, variables)
