"""Predicting words with the embedding that reads them, without keeping the logits twice."""

from collections.abc import Callable

import tensorflow as tf


@tf.custom_gradient
def tied_cross_entropy(
    features: tf.Tensor, embedding: tf.Tensor, targets: tf.Tensor
) -> tuple[tf.Tensor, Callable[[tf.Tensor], tuple[tf.Tensor, tf.Tensor, None]]]:
    """Returns the cross-entropy of words whose logits are features times the embedding.

    The gradient by the logits is the largest tensor of a language model. It comes out of the same
    kernel as the loss; what flows back from above multiplies the far smaller features instead.

    Args:
      features: float32 `[words, hidden]`.
      embedding: float32 `[vocabulary, hidden]`.
      targets: int32 `[words]`, the right words.

    Returns:
      Float32 `[words]`, in nats.
    """
    logits = tf.matmul(features, embedding, transpose_b=True)
    losses, of_logits = tf.raw_ops.SparseSoftmaxCrossEntropyWithLogits(
        features=logits, labels=targets
    )

    def gradient(of_losses: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor, None]:
        weights = of_losses[:, None]
        of_features = weights * tf.matmul(of_logits, embedding)
        of_embedding = tf.matmul(of_logits, weights * features, transpose_a=True)
        return of_features, of_embedding, None

    return losses, gradient
