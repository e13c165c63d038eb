"""From a training pass to one gradient step: the same for shared weights and for one network."""

from collections.abc import Callable, Sequence
from typing import Any

import tensorflow as tf

from enas_tf.layers.graph_options import training_graphs
from enas_tf.settings.training import TrainingConfig
from enas_tf.training.carried_state import CarriedState
from enas_tf.training.loss_scaling import scaled_loss
from enas_tf.training.optimizers import apply_gradients, build_optimizer, decayed_loss
from enas_tf.training.training_pass import TrainingPass


def gradient_step(
    training_pass: Callable[[], TrainingPass],
    variables: Sequence[Any],
    optimizer: Any,
    config: TrainingConfig,
) -> tuple[TrainingPass, tf.Tensor]:
    """Takes one step on the mean of what a pass minimises, plus weight decay.

    To be called in a `tf.function`, and inside `strategy.run` when there are several devices: the
    mean is over the `config.batch_size` examples (rows) of all of them.

    Args:
      training_pass: runs the network on this device's part of a batch.
      variables: the variables to train.
      optimizer: made by `enas_tf.training.optimizers.build_optimizer`.
      config: weight decay, clipping and the global batch size.

    Returns:
      The outcome of the pass, and the norm of the gradient; see `apply_gradients`.
    """
    with tf.GradientTape() as tape:
        outcome = training_pass()
        loss = outcome.objective / config.batch_size
        if outcome.decayed is not None:
            loss = decayed_loss(loss, outcome.decayed, config)
        loss = scaled_loss(optimizer, loss)
    norm = apply_gradients(
        optimizer,
        tape.gradient(loss, variables),
        variables,
        config,
        decay=outcome.decayed is None,
        rate_scale=outcome.rate_scale,
    )
    return outcome, norm


def static_step(
    training_pass: Callable[[Any, Any, tf.Tensor], TrainingPass],
    variables: Sequence[Any],
    config: TrainingConfig,
    initial_state: Any = (),
    precision: str = "float32",
) -> Callable[[Any], Any]:
    """Returns a training step of one network, to compare the speed of a supernet with.

    Args:
      training_pass: takes a batch, the state that the batch before left, and a seed, int32 `[2]`.
      variables: the variables to train.
      config: settings of the training.
      initial_state: before the first batch; see `CarriedState`.
      precision: that the network computes in.

    Returns:
      A function that trains the network on a batch and returns its metrics.
    """
    optimizer = build_optimizer(config, steps_per_epoch=1000, precision=precision)
    optimizer.build(variables)
    carried = CarriedState(initial_state, config.batch_size, tf.distribute.get_strategy())

    @tf.function(autograph=False, reduce_retracing=True)
    def step(batch: Any) -> Any:
        seed = tf.stack([0, tf.cast(optimizer.iterations, tf.int32)])
        outcome, _ = gradient_step(
            lambda: training_pass(batch, carried.read(), seed), variables, optimizer, config
        )
        carried.write(outcome.state)
        return outcome.metrics

    def step_as_in_training(batch: Any) -> Any:
        with training_graphs():
            return step(batch)

    return step_as_in_training
