"""What training on pictures minimises and measures, whatever the network is."""

from collections.abc import Callable
from typing import Any, NamedTuple

import tensorflow as tf

from enas_tf.training.training_pass import TrainingPass


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


def cross_entropies(labels: tf.Tensor, logits: tf.Tensor) -> tf.Tensor:
    """Returns the cross-entropy of each example, float32 `[batch]`, in nats.

    Args:
      labels: int32 `[batch]`; or float32 `[batch, num_classes]`, the share of each class in a mixed
        picture.
      logits: `[batch, num_classes]`.
    """
    if tf.as_dtype(labels.dtype).is_floating:
        return tf.nn.softmax_cross_entropy_with_logits(labels, logits)
    return tf.nn.sparse_softmax_cross_entropy_with_logits(labels, logits)


def classification_metrics(labels: tf.Tensor, logits: tf.Tensor) -> ImageMetrics:
    """Returns the metrics of labels and logits.

    Args:
      labels: as for `cross_entropies`; of a mixed picture as much is correct as the share of its
        most likely class.
      logits: `[batch, num_classes]`.
    """
    predictions = tf.argmax(logits, axis=-1, output_type=tf.int32)
    if tf.as_dtype(labels.dtype).is_floating:
        correct = tf.gather(labels, predictions, batch_dims=1)
    else:
        correct = tf.cast(predictions == tf.cast(labels, tf.int32), tf.float32)
    return ImageMetrics(
        tf.reduce_sum(cross_entropies(labels, logits)),
        tf.reduce_sum(correct),
        tf.cast(tf.shape(labels)[0], tf.float32),
    )


def image_objective(
    labels: tf.Tensor, outputs: Any, auxiliary_weight: float = 0.0
) -> tuple[tf.Tensor, ImageMetrics]:
    """Returns what training minimises, and the metrics of what the network says.

    Args:
      labels: as for `cross_entropies`.
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


def image_pass(
    forward: Callable[[tf.Tensor], Any],
    batch: tuple[tf.Tensor, tf.Tensor],
    auxiliary_weight: float = 0.0,
) -> TrainingPass:
    """Runs a network of one architecture on a training batch.

    Args:
      forward: from pictures to logits in training mode, or to a list of them and of an auxiliary
        head's logits.
      batch: pictures `[batch, height, width, channels]` and labels as for
        `classification_metrics`.
      auxiliary_weight: of the auxiliary head's cross-entropy.
    """
    images, labels = batch
    return TrainingPass(*image_objective(labels, forward(images), auxiliary_weight))
