"""Batches of pictures for training and for evaluation, as `tf.data` datasets.

A training batch is a function of the seed and the number of its step: nothing needs to be saved
for a run to go on exactly where it stopped.
"""

from typing import Any

import tensorflow as tf

from enas_tf.data.augmentation import augment, draw, normalize
from enas_tf.data.batching import check_batch_size, steps_per_epoch
from enas_tf.data.preprocessing import Augmentation, Normalization
from enas_tf.errors import DataError

# Far more steps than any run takes.
_NO_END = 2**62


def training_batches(
    images: Any,
    labels: Any,
    *,
    normalization: Normalization,
    batch_size: int,
    seed: int,
    first_step: int = 0,
    augmentation: Augmentation | None = None,
) -> tf.data.Dataset:
    """Returns endless batches in a random order that is new in every epoch.

    Step `s` belongs to epoch `s // steps_per_epoch`. The dataset that starts at step `k` yields
    exactly what the one that starts at 0 yields from its element `k` on.

    Args:
      images: uint8 `[examples, height, width, channels]`; a `tf.Tensor` is used without a copy.
      labels: int32 `[examples]`.
      normalization: statistics of the training part.
      batch_size: examples in every batch.
      seed: of the order and of the augmentation.
      first_step: number of the step that the first batch is for.
      augmentation: random changes of the pictures. Default: none.

    Returns:
      Dataset of float32 `[batch_size, height, width, channels]` and int32 `[batch_size]`.

    Raises:
      DataError: there are not enough examples for one batch.
    """
    images, labels = _to_tensors(images, labels)
    num_examples, height, width, _ = images.shape
    steps = steps_per_epoch(num_examples, batch_size)
    run_seed = tf.constant(seed, tf.int64)

    def batch(step: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        epoch, step_of_epoch = step // steps, step % steps
        positions = step_of_epoch * batch_size + tf.range(batch_size, dtype=tf.int64)
        examples = shuffled(positions, num_examples, tf.stack([run_seed, epoch]))
        batch_labels = tf.gather(labels, examples)
        if augmentation is None:
            return normalize(tf.gather(images, examples), normalization), batch_labels
        draws = draw(augmentation, batch_size, height, width, tf.stack([run_seed, step]))
        return augment(images, examples, draws, augmentation, normalization), batch_labels

    return _mapped(tf.data.Dataset.range(first_step, _NO_END), batch)


def evaluation_batches(
    images: Any, labels: Any, *, normalization: Normalization, batch_size: int
) -> tf.data.Dataset:
    """Returns all examples once, in order; the last batch may be smaller.

    Args:
      images: uint8 `[examples, height, width, channels]`; a `tf.Tensor` is used without a copy.
      labels: int32 `[examples]`.
      normalization: statistics of the training part.
      batch_size: examples in a batch.

    Returns:
      Dataset of float32 `[batch, height, width, channels]` and int32 `[batch]`.

    Raises:
      DataError: the batch size is not positive, or there are no examples.
    """
    images, labels = _to_tensors(images, labels)
    check_batch_size(batch_size)
    if not len(labels):
        raise DataError("There are no examples to evaluate on; choose a part that has some.")

    def batch(start: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        end = start + batch_size
        return normalize(images[start:end], normalization), labels[start:end]

    return _mapped(tf.data.Dataset.range(0, len(labels), batch_size), batch)


def shuffled(positions: tf.Tensor, num_examples: int, seed: tf.Tensor) -> tf.Tensor:
    """Returns which examples stand at some positions of a random order, without the whole order.

    Args:
      positions: int64 `[count]`, from 0 to `num_examples - 1`.
      num_examples: length of the order.
      seed: int64 `[2]`; another seed is another order.

    Returns:
      int64 `[count]`.
    """
    last = tf.constant(num_examples - 1, tf.int64)
    return tf.random.experimental.index_shuffle(positions, seed, last)


def _to_tensors(images: Any, labels: Any) -> tuple[tf.Tensor, tf.Tensor]:
    if len(images) != len(labels):
        raise DataError(
            "`images` and `labels` must have the same length. "
            f"Received: {len(images)} and {len(labels)}."
        )
    # On the host: batches are made there, whatever device trains. As tensors that the functions
    # capture, they are not copied into the graph.
    with tf.device("CPU:0"):
        return tf.convert_to_tensor(images, tf.uint8), tf.convert_to_tensor(labels, tf.int32)


def _mapped(dataset: tf.data.Dataset, function: Any) -> tf.data.Dataset:
    dataset = dataset.map(function, num_parallel_calls=tf.data.AUTOTUNE, deterministic=True)
    return dataset.prefetch(tf.data.AUTOTUNE)
