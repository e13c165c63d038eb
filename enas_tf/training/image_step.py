"""What one training step on pictures computes, whatever the network is."""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import keras
import tensorflow as tf

from enas_tf.settings.config import TrainingConfig
from enas_tf.training.optimizers import apply_gradients, build_optimizer


class ImageMetrics(NamedTuple):
    """Sums over examples; they add up over replicas and over steps.

    Attributes:
      loss: float32, sum of the cross-entropies in nats, without weight decay.
      correct: float32, number of examples whose most likely class is the right one.
      examples: float32, number of examples.
    """

    loss: tf.Tensor
    correct: tf.Tensor
    examples: tf.Tensor

    @property
    def num_predictions(self) -> tf.Tensor:
        """The number of examples: what the sums are divided by for means."""
        return self.examples

    def means(self) -> dict[str, float]:
        """Returns the mean `loss` in nats and the `accuracy`."""
        examples = float(self.examples)
        return {"loss": float(self.loss) / examples, "accuracy": float(self.correct) / examples}


def classification_metrics(labels: tf.Tensor, logits: tf.Tensor) -> ImageMetrics:
    """Returns the metrics of labels `[batch]` and logits `[batch, num_classes]`."""
    losses = tf.nn.sparse_softmax_cross_entropy_with_logits(labels, logits)
    predictions = tf.argmax(logits, axis=-1, output_type=labels.dtype)
    return ImageMetrics(
        tf.reduce_sum(losses),
        tf.reduce_sum(tf.cast(predictions == labels, tf.float32)),
        tf.cast(tf.size(labels), tf.float32),
    )


def image_objective(
    labels: tf.Tensor, outputs: Any, auxiliary_weight: float = 0.0
) -> tuple[tf.Tensor, ImageMetrics]:
    """Returns what training minimises, and the metrics of what the network says.

    Args:
      labels: int32 `[batch]`.
      outputs: logits `[batch, num_classes]`, or a list of them and of an auxiliary head's logits.
      auxiliary_weight: of the auxiliary head's cross-entropy.

    Returns:
      The sum over the examples of the cross-entropies, a float32 scalar, and the metrics of the
      logits alone.
    """
    logits, *auxiliary = outputs if isinstance(outputs, (list, tuple)) else [outputs]
    metrics = classification_metrics(labels, logits)
    objective = metrics.loss
    for head in auxiliary:
        objective += auxiliary_weight * classification_metrics(labels, head).loss
    return objective, metrics


def training_step(
    forward: Callable[[tf.Tensor], Any],
    batch: tuple[tf.Tensor, tf.Tensor],
    variables: Sequence[Any],
    optimizer: keras.optimizers.Optimizer,
    config: TrainingConfig,
    auxiliary_weight: float = 0.0,
) -> ImageMetrics:
    """Takes one step on the mean cross-entropy plus weight decay.

    To be called in a `tf.function`, and inside `strategy.run` when there are several devices: the
    mean is over the `config.batch_size` examples of all of them.

    Args:
      forward: from pictures to logits in training mode, or to a list of them and of an auxiliary
        head's logits.
      batch: this device's pictures `[batch, height, width, channels]` and int32 labels `[batch]`.
      variables: the variables to train.
      optimizer: made by `enas_tf.training.optimizers.build_optimizer`.
      config: weight decay, clipping and the global batch size.
      auxiliary_weight: of the auxiliary head's cross-entropy.

    Returns:
      The metrics of this device's examples, before the step.
    """
    images, labels = batch
    with tf.GradientTape() as tape:
        objective, metrics = image_objective(labels, forward(images), auxiliary_weight)
        loss = objective / config.batch_size
    gradients = tape.gradient(loss, variables)
    apply_gradients(optimizer, gradients, variables, config)
    return metrics


def static_step(
    network: keras.Model, config: TrainingConfig, auxiliary_weight: float = 0.0
) -> Callable[[tuple[tf.Tensor, tf.Tensor]], ImageMetrics]:
    """Returns a training step of a plain network, to compare the speed of a supernet with.

    Args:
      network: from pictures to logits, or to a list of them and of an auxiliary head's logits.
      config: settings of the training.
      auxiliary_weight: of the auxiliary head's cross-entropy, if there is one.

    Returns:
      A traced function that trains the network on a batch and returns its metrics.
    """
    optimizer = build_optimizer(config, steps_per_epoch=1000)
    optimizer.build(network.trainable_variables)

    @tf.function(autograph=False)
    def step(batch: tuple[tf.Tensor, tf.Tensor]) -> ImageMetrics:
        return training_step(
            lambda images: network(images, training=True),
            batch,
            network.trainable_variables,
            optimizer,
            config,
            auxiliary_weight,
        )

    return step
