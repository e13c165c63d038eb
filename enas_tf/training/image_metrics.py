"""What training on pictures minimises and measures, whatever the network is."""

import dataclasses
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
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


def top_correct(labels: tf.Tensor, logits: tf.Tensor, number: int) -> tf.Tensor:
    """Returns how many of the labels `[batch]` are among so many likeliest classes."""
    likeliest = tf.math.top_k(logits, min(number, logits.shape[-1])).indices
    found = tf.reduce_any(likeliest == tf.cast(labels, likeliest.dtype)[:, None], axis=-1)
    return tf.reduce_sum(tf.cast(found, tf.float32))


@dataclasses.dataclass(frozen=True, eq=False)
class ImageLoss:
    """What training minimises: the cross-entropy, with weights of classes and smoothed labels.

    Attributes:
      label_smoothing: share of the target that is spread evenly over all classes.
      class_weights: float32 `[classes]`, what the loss of an example of each class is multiplied
        by; None: 1 each.
    """

    label_smoothing: float = 0.0
    class_weights: np.ndarray | None = None

    def __call__(self, labels: tf.Tensor, logits: tf.Tensor) -> tf.Tensor:
        """Returns the sum over the examples.

        Args:
          labels: as for `cross_entropies`; a mixed picture has the mean weight of its classes.
          logits: `[batch, num_classes]`.
        """
        losses = cross_entropies(labels, logits)
        if self.label_smoothing:
            even = -tf.reduce_mean(tf.nn.log_softmax(logits), axis=-1)
            losses = (1.0 - self.label_smoothing) * losses + self.label_smoothing * even
        if self.class_weights is not None:
            weights = tf.constant(self.class_weights, losses.dtype)
            is_mixed = tf.as_dtype(labels.dtype).is_floating
            losses *= tf.linalg.matvec(labels, weights) if is_mixed else tf.gather(weights, labels)
        return tf.reduce_sum(losses)


CROSS_ENTROPY = ImageLoss()


def image_objective(
    labels: tf.Tensor,
    outputs: Any,
    auxiliary_weight: float = 0.0,
    loss: ImageLoss = CROSS_ENTROPY,
) -> tuple[tf.Tensor, ImageMetrics]:
    """Returns what training minimises, and the metrics of what the network says.

    Args:
      labels: as for `cross_entropies`.
      outputs: logits `[batch, num_classes]`, or a list of them and of an auxiliary head's logits.
      auxiliary_weight: of the auxiliary head's loss.
      loss: of either.

    Returns:
      The sum over the examples of the losses, a float32 scalar, and the metrics of the logits
      alone, whose loss is the cross-entropy whatever training minimises.
    """
    logits, *auxiliary = outputs if isinstance(outputs, (list, tuple)) else [outputs]
    objective = loss(labels, logits)
    for head in auxiliary:
        objective += auxiliary_weight * loss(labels, head)
    return objective, classification_metrics(labels, logits)


def image_pass(
    forward: Callable[[tf.Tensor], Any],
    batch: tuple[tf.Tensor, tf.Tensor],
    auxiliary_weight: float = 0.0,
    loss: ImageLoss = CROSS_ENTROPY,
) -> TrainingPass:
    """Runs a network of one architecture on a training batch.

    Args:
      forward: from pictures to logits in training mode, or to a list of them and of an auxiliary
        head's logits.
      batch: pictures `[batch, height, width, channels]` and labels as for `cross_entropies`.
      auxiliary_weight: of the auxiliary head's loss.
      loss: of the network and of the head.
    """
    images, labels = batch
    return TrainingPass(*image_objective(labels, forward(images), auxiliary_weight, loss))
