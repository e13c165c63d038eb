"""Predicting words with the embedding that reads them: the largest tensors of a language model."""

from collections.abc import Callable, Sequence
from typing import Any

import tensorflow as tf

from enas_tf.layers.compute_type import product, runs_on_gpu
from enas_tf.layers.deterministic import subtract_rows

# Logits that are computed at a time: 24 MB, which stay in the caches of a CPU from one operation
# to the next. All of a batch would be some 200 MB. On a GPU, few large blocks are faster.
_LOGITS_ON_CPU = 6_000_000
_LOGITS_ON_GPU = 100_000_000
# A smaller probability has lost digits of its logarithm, or all of them.
_SMALLEST = 1e-30


def tied_cross_entropy(
    features: tf.Tensor, embedding: tf.Tensor, targets: tf.Tensor, *, trains: bool = True
) -> tf.Tensor:
    """Returns the summed cross-entropy of words whose logits are features times the embedding.

    The words come in blocks, so that all logits are never there at once. The gradient of a sum is
    known, but for a factor, as soon as the probabilities are, and is computed with them.

    Args:
      features: float32 `[words, hidden]`.
      embedding: `[vocabulary, hidden]`, of the type to multiply in, but for float16; logits and
        softmax are float32.
      targets: int32 `[words]`, the right words.
      trains: whether there is a gradient; what scores needs none.

    Returns:
      Float32 scalar, in nats.
    """
    if embedding.dtype == tf.float16:
        # What is computed before the gradient from above is known, no scale of the loss protects.
        embedding = tf.cast(embedding, tf.float32)
    if not trains:
        return _summed(features, embedding, targets, trains)[0]

    @tf.custom_gradient
    def run(
        features: tf.Tensor, embedding: tf.Tensor
    ) -> tuple[tf.Tensor, Callable[[tf.Tensor], tuple[tf.Tensor, tf.Tensor]]]:
        total, of_embedding, of_features = _summed(features, embedding, targets, trains)
        of_embedding = subtract_rows(of_embedding, targets, features)

        def gradient(upstream: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
            # Scaled before it is rounded: unscaled, small ones would vanish.
            return upstream * of_features.concat(), tf.cast(
                upstream * of_embedding, embedding.dtype
            )

        return total, gradient

    return run(features, embedding)


def _summed(
    features: tf.Tensor, embedding: tf.Tensor, targets: tf.Tensor, trains: bool
) -> Sequence[Any]:
    """Returns the sum, and in training its gradients.

    That of the embedding lacks what the right words take away; that of the features is an array of
    blocks.
    """
    vocabulary, hidden = embedding.shape
    rows = max(1, (_LOGITS_ON_GPU if runs_on_gpu() else _LOGITS_ON_CPU) // vocabulary)
    num_blocks = -(-tf.shape(targets)[0] // rows)

    def block(number: tf.Tensor, total: tf.Tensor, *gradients: Any) -> tuple[Any, ...]:
        words = slice(number * rows, (number + 1) * rows)
        own, right = features[words], targets[words]
        logits = product(own, embedding, transpose_b=True)
        # TensorFlow's own kernel of the cross-entropy takes five times as long on a CPU.
        probabilities = tf.nn.softmax(logits)
        total += tf.reduce_sum(_losses(logits, probabilities, right))
        if trains:
            of_embedding, of_features = gradients
            of_right = tf.cast(tf.gather(embedding, right), tf.float32)
            of_own = product(probabilities, embedding) - of_right
            own = tf.cast(own, embedding.dtype)
            gradients = (
                of_embedding + product(probabilities, own, transpose_a=True),
                of_features.write(number, of_own),
            )
        return number + 1, total, *gradients

    gradients = []
    if trains:
        blocks = tf.TensorArray(
            tf.float32, num_blocks, infer_shape=False, element_shape=[None, hidden]
        )
        gradients = [tf.zeros_like(embedding, tf.float32), blocks]
    _, *results = tf.while_loop(
        lambda number, *_: number < num_blocks, block, (0, tf.zeros([]), *gradients)
    )
    return results


def _losses(logits: tf.Tensor, probabilities: tf.Tensor, right: tf.Tensor) -> tf.Tensor:
    """Returns the cross-entropy of each word."""
    chosen = tf.gather(probabilities, right, batch_dims=1)
    return tf.cond(
        tf.reduce_all(chosen > _SMALLEST),
        lambda: -tf.math.log(chosen),
        lambda: -tf.gather(tf.nn.log_softmax(logits), right, batch_dims=1),
    )
