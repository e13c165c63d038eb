"""Batches of pictures for training and for evaluation, as `tf.data` datasets.

A batch is a function of the seed and its number: nothing needs to be saved for a run to go on
exactly where it stopped, and of batches that are divided among several machines, each machine makes
its own part only.
"""

import math
from collections.abc import Callable
from typing import Any

import tensorflow as tf

from enas_tf.data.batching import check_batch_size, steps_per_epoch
from enas_tf.data.images.augmentation import Draws, augment, draw, normalize
from enas_tf.data.images.preprocessing import Augmentation, Normalization
from enas_tf.data.sharing import ALONE, Share, SpreadBatch
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
    share: Share = ALONE,
) -> tf.data.Dataset:
    """Returns endless batches in a random order that is new in every epoch, divided by rows.

    Step `s` belongs to epoch `s // steps_per_epoch`. The dataset that starts at step `k` yields
    exactly what the one that starts at 0 yields for the steps from `k` on. The rows of a batch do
    not depend on how many replicas share it.

    Args:
      images: uint8 `[examples, height, width, channels]`; a `tf.Tensor` is used without a copy.
      labels: int32 `[examples]`.
      normalization: statistics of the training part.
      batch_size: examples in every batch, over all replicas.
      seed: of the order and of the augmentation.
      first_step: number of the step that the first batch is for.
      augmentation: random changes of the pictures. Default: none.
      share: whose rows are made. Default: those of all.

    Returns:
      Dataset of float32 `[rows, height, width, channels]` and int32 `[rows]`: for each step the
      rows of each of the share's replicas in turn. `rows` is `batch_size / share.total`; if that is
      no integer, the dimension is not static.

    Raises:
      ConfigurationError: there are more replicas than rows.
      DataError: there are not enough examples for one batch.
    """
    images, labels = _to_tensors(images, labels)
    num_examples, height, width, _ = images.shape
    batch = _shuffled_rows(num_examples, batch_size, seed)
    share.check_batch_size(batch_size)
    evenly = batch_size % share.total == 0

    def rows(element: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        step, replica = element // share.count, share.first + element % share.count
        begin, end = share.rows(replica, batch_size)
        count = batch_size // share.total if evenly else end - begin
        examples = batch(step, begin, count)
        own_labels = tf.gather(labels, examples)
        if augmentation is None:
            return normalize(tf.gather(images, examples), normalization), own_labels
        # Drawn for the whole batch: a row's draws do not depend on who makes it.
        drawn = draw(augmentation, batch_size, height, width, _pair(seed, step))
        own = Draws(*(tf.slice(choices, [begin], [count]) for choices in drawn))
        return augment(images, examples, own, augmentation, normalization), own_labels

    return _endless(first_step * share.count, rows)


def shuffled_batches(
    images: Any,
    labels: Any,
    *,
    normalization: Normalization,
    batch_size: int,
    seed: int,
    count: int,
    first_group: int | None = None,
    share: Share = ALONE,
) -> tf.data.Dataset:
    """Returns batches of `training_batches` without augmentation, spread, in groups.

    Batch `b` of group `g` is batch `g * count + b` of `training_batches`. Every group is spread by
    itself, and so filled up to whole blocks.

    Args:
      images: as for `training_batches`, likewise `labels`, `normalization` and `seed`.
      labels: see `images`.
      normalization: see `images`.
      batch_size: examples in every batch, each of which one replica gets.
      seed: of the order.
      count: number of batches in a group, for example one for each architecture of an update.
      first_group: the dataset is endless and begins with this group. Default: it has group 0 only.
      share: whose batches are made. Default: those of all.

    Returns:
      Dataset of `SpreadBatch`es of float32 `[batch_size, height, width, channels]` and int32
      `[batch_size]`; `share.count * ceil(count / share.total)` for each group.

    Raises:
      DataError: there are not enough examples for one batch.
    """
    images, labels = _to_tensors(images, labels)
    rows = _shuffled_rows(len(labels), batch_size, seed)

    def batch(number: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        examples = rows(number, 0, batch_size)
        return normalize(tf.gather(images, examples), normalization), tf.gather(labels, examples)

    return _spread(batch, count, share, first_group)


def validation_batches(
    images: Any,
    labels: Any,
    *,
    normalization: Normalization,
    batch_size: int,
    share: Share = ALONE,
) -> tf.data.Dataset:
    """Returns all examples once, in order, spread; the last batch may be smaller.

    Args:
      images: uint8 `[examples, height, width, channels]`; a `tf.Tensor` is used without a copy.
      labels: int32 `[examples]`.
      normalization: statistics of the training part.
      batch_size: examples in a batch, which one replica gets.
      share: whose batches are made. Default: those of all.

    Returns:
      Dataset of `SpreadBatch`es of float32 `[batch, height, width, channels]` and int32 `[batch]`.

    Raises:
      DataError: the batch size is not positive, or there are no examples.
    """
    images, labels = _to_tensors(images, labels)
    check_batch_size(batch_size)
    if not len(labels):
        raise DataError("There are no examples to evaluate on; choose a part that has some.")

    def batch(number: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        start = number * batch_size
        end = start + batch_size
        return normalize(images[start:end], normalization), labels[start:end]

    return _spread(batch, math.ceil(len(labels) / batch_size), share)


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


def _shuffled_rows(num_examples: int, batch_size: int, seed: int) -> Callable[..., tf.Tensor]:
    """Returns what tells the examples of a batch, from its row `begin` on, in a random order."""
    steps = steps_per_epoch(num_examples, batch_size)

    def rows(number: tf.Tensor, begin: Any, count: Any) -> tf.Tensor:
        epoch, step_of_epoch = number // steps, number % steps
        positions = step_of_epoch * batch_size + begin + tf.range(count, dtype=tf.int64)
        return shuffled(positions, num_examples, _pair(seed, epoch))

    return rows


def _spread(
    batch: Callable[[tf.Tensor], Any], count: int, share: Share, first_group: int | None = None
) -> tf.data.Dataset:
    """Spreads groups of batches, each group by itself.

    Args:
      batch: makes the batch of a number.
      count: of batches in a group.
      share: whose batches are made.
      first_group: the dataset is endless and begins with this group. Default: there is only one.
    """
    numbers, weights = share.spread(count)
    size = len(numbers)

    def element(place: tf.Tensor) -> SpreadBatch:
        number = place // size * count + tf.gather(tf.constant(numbers, tf.int64), place % size)
        weight = tf.gather(tf.constant(weights, tf.float32), place % size)
        return SpreadBatch(batch(number), weight)

    if first_group is None:
        return _mapped(tf.data.Dataset.range(size), element)
    return _endless(first_group * size, element)


def _pair(seed: int, number: tf.Tensor) -> tf.Tensor:
    return tf.stack([tf.constant(seed, tf.int64), number])


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


def _endless(first: int, function: Callable[[tf.Tensor], Any]) -> tf.data.Dataset:
    dataset = _mapped(tf.data.Dataset.range(first, _NO_END), function)
    # Otherwise several machines would ask each other at every step whether they are at the end.
    return dataset.apply(tf.data.experimental.assert_cardinality(tf.data.INFINITE_CARDINALITY))


def _mapped(dataset: tf.data.Dataset, function: Callable[[tf.Tensor], Any]) -> tf.data.Dataset:
    dataset = dataset.map(function, num_parallel_calls=tf.data.AUTOTUNE, deterministic=True)
    return dataset.prefetch(tf.data.AUTOTUNE)
