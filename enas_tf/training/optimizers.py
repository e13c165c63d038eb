"""The optimiser of shared weights and of derived networks: Nesterov momentum, L2, clipping."""

import math
from collections.abc import Sequence
from typing import Any

import keras
import tensorflow as tf

from enas_tf.settings.training import TrainingConfig
from enas_tf.training.loss_scaling import LossScaling, ScaledSGD, times, unscaled
from enas_tf.training.schedules import CosineRestarts, Horizon
from enas_tf.training.update import apply_update


def build_optimizer(
    config: TrainingConfig,
    steps_per_epoch: int,
    horizon: Horizon | None = None,
    precision: str = "float32",
) -> keras.optimizers.SGD:
    """Returns gradient descent with Nesterov momentum and the cosine rate of `CosineRestarts`.

    The momentum holds past *updates* (rate times gradient), Keras's rule; the release's optimiser
    held past gradients. The two differ only when the rate changes. For the horizon see
    `learning_rate`. In float16 it has `LossScaling`.
    """
    kind = ScaledSGD if precision == "float16" else keras.optimizers.SGD
    return kind(
        CosineRestarts(config, steps_per_epoch, horizon), momentum=config.momentum, nesterov=True
    )


def sum_of_squares(variables: Sequence[Any]) -> tf.Tensor:
    """Returns the sum of the squares of all elements of all variables, a float32 scalar."""
    return tf.add_n(
        [tf.reduce_sum(tf.square(tf.convert_to_tensor(variable))) for variable in variables]
    )


def global_norm(gradients: Sequence[Any]) -> tf.Tensor:
    """Returns the root of the sum of the squares of all elements, a float32 scalar.

    TensorFlow cuts the sum over a whole tensor into as many parts as there are threads, so that its
    last bits depend on them. Here each sum over the last axis is made by one thread, and the sums
    of those have so many digits more than the result that their order does not show in it.

    Args:
      gradients: dense tensors, or `tf.IndexedSlices` in which no row stands twice.
    """
    sums = []
    for gradient in gradients:
        values = gradient.values if isinstance(gradient, tf.IndexedSlices) else gradient
        rows = tf.reduce_sum(tf.square(values), axis=-1) if values.shape.rank else values**2
        sums.append(tf.reduce_sum(tf.cast(rows, tf.float64)))
    return tf.cast(tf.sqrt(tf.add_n(sums)), tf.float32)


def decayed_loss(loss: tf.Tensor, decayed: Sequence[Any], config: TrainingConfig) -> tf.Tensor:
    """Adds this replica's share of the weight decay of some tensors to its share of a loss.

    Args:
      loss: float32 scalar; over all replicas the shares add up to the loss.
      decayed: the tensors that weight decay applies to, for example the entries of a bank that
        are in use.
      config: weight decay.
    """
    num_replicas = tf.distribute.get_strategy().num_replicas_in_sync
    return loss + config.weight_decay / num_replicas * sum_of_squares(decayed)


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


def _prepared(pair: tuple[Any, Any], keep_row: bool) -> Any:
    """Returns the gradient of a variable as a tensor, or as the one row that it is about."""
    gradient, variable = pair
    if gradient is None:
        return tf.zeros(variable.shape, variable.dtype)
    # Several rows might be the same one twice, which would be wrong in a norm.
    is_one_row = isinstance(gradient, tf.IndexedSlices) and gradient.indices.shape == [1]
    return gradient if is_one_row and keep_row else tf.convert_to_tensor(gradient)


def apply_gradients(
    optimizer: keras.optimizers.Optimizer,
    gradients: Sequence[Any],
    variables: Sequence[Any],
    config: TrainingConfig,
    *,
    decay: bool = True,
    rate_scale: float | tf.Tensor | None = None,
) -> tf.Tensor:
    """Takes one optimiser step on the cross-entropy, weight decay and clipping included.

    Inside a replica of a `tf.distribute` strategy the gradients are summed over the replicas; the
    loss must have been divided by the *global* batch size.

    Args:
      optimizer: made by `build_optimizer`.
      gradients: of this replica's share of the mean cross-entropy; of an optimiser with
        `LossScaling`, times its scale.
      variables: all trained variables, one for each gradient.
      config: weight decay and the clipping norm. With `clip_norm` above 0 the gradient of the
        whole loss, weight decay included, is scaled down to that global norm.
      decay: whether weight decay of all variables is added here. False: the gradients are those
        of a loss that has it already, see `decayed_loss`.
      rate_scale: factor of the learning rate in this step, a float32 scalar, the same in every
        replica; None: 1. Gradients are multiplied by it after clipping, which is the same in
        gradient descent, since Keras's momentum holds updates (rate times gradient).

    Returns:
      The norm of the gradient of the whole loss before clipping, a float32 scalar; not a number
      without clipping on several replicas, where each knows its own part only.
    """
    num_replicas = tf.distribute.get_strategy().num_replicas_in_sync
    gradients = unscaled(optimizer, gradients)
    if decay:
        gradients = add_weight_decay(gradients, variables, config.weight_decay / num_replicas)
    else:
        # Of a bank, only the entry that was chosen moves; the others need not be touched, unless
        # momentum moves them too.
        pairs = zip(gradients, variables, strict=True)
        gradients = [_prepared(pair, keep_row=not config.momentum) for pair in pairs]
    scale = None if rate_scale is None else tf.convert_to_tensor(rate_scale, tf.float32)
    clips = config.clip_norm > 0.0
    if clips and num_replicas > 1:
        context = tf.distribute.get_replica_context()
        gradients = [tf.convert_to_tensor(gradient) for gradient in gradients]
        gradients = context.all_reduce(tf.distribute.ReduceOp.SUM, gradients)
    is_known = clips or num_replicas == 1
    norm = global_norm(gradients) if is_known else tf.constant(math.nan)
    if clips:
        # The optimizer sums over the replicas once more.
        clipping = _clipping(norm, config.clip_norm) / num_replicas
        scale = clipping if scale is None else scale * clipping
    if scale is not None:
        # All at once, since every factor of its own would be one more pass over the memory.
        gradients = [times(gradient, scale) for gradient in gradients]
    if isinstance(optimizer, LossScaling):
        optimizer.observe(norm if is_known else _norm_of_parts(gradients))
    apply_update(optimizer, gradients, variables)
    return norm


def _norm_of_parts(gradients: Sequence[Any]) -> tf.Tensor:
    """Returns what is finite where the gradients of all replicas are, the same in each."""
    context = tf.distribute.get_replica_context()
    return context.all_reduce(tf.distribute.ReduceOp.SUM, global_norm(gradients))


def _clipping(norm: tf.Tensor, clip_norm: float) -> tf.Tensor:
    """Returns the factor that brings a norm down to another; not a number if the norm is none."""
    # The difference is zero, or not a number if the norm is infinite.
    return clip_norm * tf.minimum(1.0 / norm, 1.0 / clip_norm) + (norm - norm)
