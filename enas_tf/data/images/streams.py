"""Batches of pictures for training and for evaluation, as `tf.data` datasets.

A batch is a function of the seed and its number: nothing needs to be saved for a run to go on
exactly where it stopped, and of batches that are divided among several machines, each machine makes
its own part only.

Of pictures that are in the memory of devices (`HeldPictures`), a dataset has what batches are to be
made of (`Chosen`), and a `Reader` makes them, within a training step, of the same bits.
"""

import dataclasses
import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf
from typing_extensions import Self

from enas_tf.data.batching import check_batch_size, steps_per_epoch
from enas_tf.data.images.augmentation import (
    changed,
    changes_of,
    draw,
    layer_seed,
    mixed_labels,
    normalize,
    row_statistics,
)
from enas_tf.data.images.class_weights import class_weights
from enas_tf.data.images.device_pictures import HeldPictures, OnDevices
from enas_tf.data.images.fetching import Fetch
from enas_tf.data.images.pictures import as_pictures
from enas_tf.data.images.preprocessing import PREVIEWED, Augmentation, Normalization
from enas_tf.data.sharing import ALONE, Share, SpreadBatch
from enas_tf.data.streams import SearchStreams
from enas_tf.errors import DataError

# Far more steps than any run takes.
_NO_END = 2**62

# Pictures, an array or `Pictures`, and their labels.
Examples = tuple[Any, np.ndarray]


class Chosen(NamedTuple):
    """What a batch is to be made of.

    Attributes:
      numbers: int64 `[pictures]`, of its pictures.
      labels: as the batch has them.
      changes: a `Changes`; (): the pictures are only normalised.
    """

    numbers: tf.Tensor
    labels: tf.Tensor
    changes: Any = ()


class Reader:
    """Makes batches in a step, of pictures in the memory of the device that takes it.

    Args:
      pictures: of the training part; where they are, all pictures are that streams choose.
      normalization: statistics of the training part.
      layer: `Augmentation.layer`.
    """

    def __init__(self, pictures: HeldPictures, normalization: Normalization, layer: Any) -> None:
        self._memory = pictures.memory
        self._layer = layer
        # Of constants TensorFlow would make reciprocals, whose products have other last bits.
        self._statistics = [
            OnDevices(values, self._memory.devices)
            for values in row_statistics(normalization, pictures.shape[2])
        ]

    def __call__(self, batch: Any) -> Any:
        """Returns the batch that is to be made; what is one already, as it is."""
        if not isinstance(batch, Chosen):
            return batch
        statistics = tuple(values.here() for values in self._statistics)
        return _made(self._memory.read(batch.numbers), batch, self._layer, statistics)


def reader(
    images: Any, normalization: Normalization, augmentation: Augmentation
) -> Callable[[Any], Any]:
    """Returns what a step has to do first with batches of the streams; to be called eagerly.

    Args:
      images: of the training part.
      normalization: its statistics.
      augmentation: random changes of training pictures.
    """
    if isinstance(images, HeldPictures):
        return Reader(images, normalization, augmentation.layer)
    return lambda batch: batch


def _made(
    pictures: tf.Tensor, chosen: Chosen, layer: Any, normalization: Any
) -> tuple[tf.Tensor, tf.Tensor]:
    """Returns the batch of what was chosen; for the arguments see `changed`."""
    if chosen.changes:
        return changed(pictures, chosen.changes, layer, normalization), chosen.labels
    return normalize(pictures, normalization), chosen.labels


@dataclasses.dataclass(frozen=True, eq=False, kw_only=True)
class ImageSearchStreams(SearchStreams):
    """The batches of a search on pictures.

    Attributes:
      train: pictures and labels of the training part.
      held_out: of the part that architectures are scored on, mostly the validation part.
      normalization: statistics of the training part.
      augmentation: random changes of training pictures.
      class_counts: pictures of each class in the whole training part, int64 `[classes]`.
    """

    train: Examples
    held_out: Examples
    normalization: Normalization
    augmentation: Augmentation
    class_counts: np.ndarray

    def preview(self) -> Any:
        """Returns the first pictures of the training, augmented, uint8."""
        images, _ = self.reader()(next(iter(self.training(0))))
        return self.normalization.pictures(images.numpy()[:PREVIEWED])

    def reader(self) -> Callable[[Any], Any]:
        """Returns what makes batches of pictures that are on devices; see `SearchStreams`."""
        return reader(self.train[0], self.normalization, self.augmentation)

    def training(self, first_step: int, share: Share = ALONE) -> tf.data.Dataset:
        """Returns endless augmented training batches from a step on, divided by rows."""
        return training_batches(
            *self.train,
            normalization=self.normalization,
            batch_size=self.batch_size,
            seed=self.seed,
            first_step=first_step,
            augmentation=self.augmentation,
            share=share,
        )

    def class_weights(self, kind: str) -> np.ndarray | None:
        """Returns those of the training part; see `SearchStreams.class_weights`."""
        return class_weights(kind, self.class_counts)

    def divided(self, share: float) -> tuple[Self, Self]:
        """Divides the training part; see `SearchStreams.divided`."""
        place = round(len(self.train[1]) * (1.0 - share))
        return self._of_part(slice(place)), self._of_part(slice(place, None))

    def _of_part(self, part: slice) -> Self:
        images, labels = (array[part] for array in self.train)
        steps = steps_per_epoch(len(labels), self.batch_size)
        return dataclasses.replace(self, train=(images, labels), steps_per_epoch=steps)

    def refitting(self, count: int, share: Share = ALONE) -> tf.data.Dataset:
        """Returns training batches without augmentation, always the same ones, spread."""
        return _spread(self._shuffled(self.train, self.batch_size), count, share)

    def rewards(
        self,
        first_update: int,
        samples_per_update: int,
        share: Share = ALONE,
        *,
        same_in_update: bool = False,
    ) -> tf.data.Dataset:
        """Returns endless validation minibatches, one for each sampled architecture, spread.

        Sample `s` of update `u` has batch `u * samples_per_update + s` of those that
        `training_batches` makes of the validation part, or with `same_in_update` batch `u`. The
        samples of every update are spread by themselves, and so filled up to whole blocks.
        """
        batch = self._shuffled(self.held_out, self.reward_batch_size)
        samples_per_batch = samples_per_update if same_in_update else 1
        return _spread(
            lambda sample: batch(sample // samples_per_batch),
            samples_per_update,
            share,
            first_update,
        )

    def validation(self, share: Share = ALONE) -> tf.data.Dataset:
        """Returns all of the validation part once, in order, spread; the last batch may be smaller.

        Raises:
          DataError: the batch size is not positive, or there are no examples.
        """
        part = _Part(*self.held_out, self.normalization)
        size, count = self.batch_size, len(part)
        check_batch_size(size)
        if not count:
            raise DataError("There are no examples to evaluate on; choose a part that has some.")

        def batch(number: tf.Tensor) -> Any:
            start = number * size
            return part.batch(tf.range(start, tf.minimum(start + size, count)))

        return _spread(batch, math.ceil(count / size), share)

    def _shuffled(self, examples: Examples, batch_size: int) -> Callable[[tf.Tensor], Any]:
        """Returns what makes the batch of a number, without augmentation."""
        part = _Part(*examples, self.normalization)
        rows = _shuffled_rows(len(part), batch_size, self.seed)
        return lambda number: part.batch(rows(number, tf.range(batch_size, dtype=tf.int64)))


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
      images: uint8 `[examples, height, width, channels]`, an array or `Pictures`; of
        `HeldPictures`, the dataset has `Chosen`s.
      labels: int32 `[examples]`.
      normalization: statistics of the training part.
      batch_size: examples in every batch, over all replicas.
      seed: of the order and of the augmentation.
      first_step: number of the step that the first batch is for.
      augmentation: random changes of the pictures. Default: none.
      share: whose rows are made. Default: those of all.

    Returns:
      Dataset of float32 `[rows, height, width, channels]` and int32 `[rows]`, or if pictures are
      mixed float32 `[rows, num_classes]`: for each step the rows of each of the share's replicas in
      turn. `rows` is `batch_size / share.total`; if that is no integer, the dimension is not
      static.

    Raises:
      ConfigurationError: there are more replicas than rows.
      DataError: there are not enough examples for one batch.
    """
    num_examples, height, width, _ = images.shape
    augmentation = augmentation or Augmentation()
    part = _Part(images, labels, normalization, augmentation.layer)
    batch = _shuffled_rows(num_examples, batch_size, seed)
    share.check_batch_size(batch_size)
    evenly, changes = batch_size % share.total == 0, augmentation != Augmentation()

    def rows(element: tf.Tensor) -> Any:
        step, replica = element // share.count, share.first + element % share.count
        begin, end = share.rows(replica, batch_size)
        count = batch_size // share.total if evenly else end - begin
        # Every row is mixed with the next one of the batch, so that one more is needed.
        more = int(augmentation.mixes)
        places = (begin + tf.range(count + more, dtype=tf.int64)) % batch_size
        examples = batch(step, places)
        if not changes:
            return part.batch(examples)
        # Drawn for the whole batch: a row's draws do not depend on who makes it.
        pair = _pair(seed, step)
        drawn = draw(augmentation, batch_size, height, width, pair)
        own = tf.nest.map_structure(lambda choices: tf.gather(choices, places), drawn)
        # A layer draws for the rows it gets.
        seed_of_layer = layer_seed(pair, begin)
        own_labels = None
        if augmentation.mixes:
            own_labels = mixed_labels(
                part.labels(examples), own.mixing, augmentation.num_classes, height * width
            )
        return part.batch(
            examples, changes_of(own, augmentation, height, width, seed_of_layer), own_labels
        )

    return _endless(first_step * share.count, rows)


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
    """Returns what tells the examples in some rows of a batch, in a random order."""
    steps = steps_per_epoch(num_examples, batch_size)

    def rows(number: tf.Tensor, places: tf.Tensor) -> tf.Tensor:
        epoch, step_of_epoch = number // steps, number % steps
        positions = step_of_epoch * batch_size + places
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


class _Part:
    """Pictures and labels, and how the host makes batches of them.

    Nothing is copied but the pictures of a batch, wherever the set is.

    Args:
      images: uint8 `[examples, height, width, channels]`, an array or `Pictures`.
      labels: int32 `[examples]`.
      normalization: statistics of the training part.
      layer: `Augmentation.layer`.
    """

    def __init__(
        self, images: Any, labels: Any, normalization: Normalization, layer: Any = None
    ) -> None:
        if len(images) != len(labels):
            raise DataError(
                "`images` and `labels` must have the same length. "
                f"Received: {len(images)} and {len(labels)}."
            )
        self._pictures = as_pictures(images)
        self._read = Fetch(self._pictures)
        self._normalization = normalization
        self._layer = layer
        # On the host: batches are made there, whatever device trains. As a tensor that the
        # functions capture, they are not copied into the graph.
        with tf.device("CPU:0"):
            self._labels = tf.convert_to_tensor(labels, tf.int32)

    def __len__(self) -> int:
        return len(self._pictures)

    def labels(self, numbers: tf.Tensor) -> tf.Tensor:
        """Returns the labels of some pictures, int32 `[pictures]`."""
        return tf.gather(self._labels, numbers)

    def batch(self, numbers: tf.Tensor, changes: Any = (), labels: tf.Tensor | None = None) -> Any:
        """Returns a batch; of pictures that are on devices, what it is to be made of.

        Args:
          numbers: of its pictures, int64 `[pictures]`.
          changes: a `Changes`; (): the pictures are only normalised.
          labels: default: those of the pictures.
        """
        chosen = Chosen(numbers, self.labels(numbers) if labels is None else labels, changes)
        if isinstance(self._pictures, HeldPictures):
            return chosen._replace(numbers=numbers + self._pictures.first)
        read = tf.numpy_function(self._read, [numbers], tf.uint8, stateful=False)
        pictures = tf.ensure_shape(read, [numbers.shape[0], *self._pictures.shape[1:]])
        return _made(pictures, chosen, self._layer, self._normalization)


def _endless(first: int, function: Callable[[tf.Tensor], Any]) -> tf.data.Dataset:
    dataset = _mapped(tf.data.Dataset.range(first, _NO_END), function)
    # Otherwise several machines would ask each other at every step whether they are at the end.
    return dataset.apply(tf.data.experimental.assert_cardinality(tf.data.INFINITE_CARDINALITY))


def _mapped(dataset: tf.data.Dataset, function: Callable[[tf.Tensor], Any]) -> tf.data.Dataset:
    # None of these functions branches on tensors, and to convert them takes most of their tracing.
    function = tf.autograph.experimental.do_not_convert(function)
    dataset = dataset.map(function, num_parallel_calls=tf.data.AUTOTUNE, deterministic=True)
    return dataset.prefetch(tf.data.AUTOTUNE)
