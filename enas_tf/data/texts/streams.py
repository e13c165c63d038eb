"""Batches of text for training and for evaluation, as `tf.data` datasets.

A batch is a function of the seed and its number: nothing needs to be saved for a run to go on
exactly where it stopped, but the state that a training batch left, and of batches that are divided
among several machines, each machine makes its own part only.
"""

import dataclasses
import functools
import itertools
import math
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import tensorflow as tf
from typing_extensions import Self

from enas_tf.data.sharing import ALONE, Share, SpreadBatch
from enas_tf.data.streams import SearchStreams
from enas_tf.data.texts.batch import TextBatch
from enas_tf.data.texts.segments import positions_of, segment_bounds, segments_per_epoch
from enas_tf.errors import DataError

# Sets the order of reward segments apart from all else that the seed determines.
_REWARD_ORDER = 1
# The first words of a segment, which have nothing before them, weigh less in a longer one.
_VALIDATION_LENGTHS = 4


@dataclasses.dataclass(frozen=True, eq=False, kw_only=True)
class TextSearchStreams(SearchStreams):
    """The batches of a search on a text.

    Attributes:
      train: words of the training part, int32 `[words]`.
      held_out: of the part that architectures are scored on, mostly the validation part.
      beginning: of the training part, to be looked at.
      sequence_length: words in a segment, on average if lengths are random.
      random_lengths: whether those of training segments are.
    """

    train: np.ndarray
    held_out: np.ndarray
    beginning: str
    sequence_length: int
    random_lengths: bool

    def preview(self) -> str:
        """Returns the beginning of the training part."""
        return self.beginning

    def training(self, first_step: int, share: Share = ALONE) -> tf.data.Dataset:
        """Returns endless training segments from a step on, divided by rows."""
        return training_batches(
            self.train,
            rows=self.batch_size,
            sequence_length=self.sequence_length,
            random_lengths=self.random_lengths,
            seed=self.seed,
            first_step=first_step,
            share=share,
        )

    def divided(self, share: float) -> tuple[Self, Self]:
        """Divides the training part; see `SearchStreams.divided`."""
        place = round(len(self.train) * (1.0 - share))
        return self._of_part(self.train[:place]), self._of_part(self.train[place:])

    def _of_part(self, words: np.ndarray) -> Self:
        positions = positions_of(len(words), self.batch_size)
        steps = segments_per_epoch(positions, self.sequence_length, self.random_lengths)
        return dataclasses.replace(self, train=words, steps_per_epoch=steps)

    def refitting(self, count: int, share: Share = ALONE) -> tf.data.Dataset:
        """Returns training segments of one length, always the same ones, spread."""
        batch = _segment_in_order(
            self.train, self.batch_size, self.sequence_length, random_lengths=False, seed=0
        )
        return _spread(batch, self.batch_size, count, share)

    def rewards(
        self,
        first_update: int,
        samples_per_update: int,
        share: Share = ALONE,
        *,
        same_in_update: bool = False,
    ) -> tf.data.Dataset:
        """Returns endless minibatches of single validation segments, from the state zero, spread.

        A pass takes the part's segments in a random order of its own, no segment twice; those that
        fill no batch are left out. Sample `s` of update `u` has batch `u * samples_per_update + s`,
        or with `same_in_update` batch `u`, which depends on the seed and its number only. The
        samples of every update are spread by themselves, and so filled up to whole blocks.

        Raises:
          DataError: the part has not enough segments for a batch.
        """
        tokens, rows = self.held_out, self.reward_batch_size
        length = min(self.sequence_length, positions_of(len(tokens), 1))
        segments = (len(tokens) - 1) // length
        if not 1 <= rows <= segments:
            raise DataError(
                f"The rows of a batch must number at least 1 and at most the text's segments of "
                f"{length} words, {segments}. Received: {rows}; change the batch size."
            )
        batches_per_pass = segments // rows
        samples_per_batch = samples_per_update if same_in_update else 1

        @functools.lru_cache(maxsize=1)
        def starts_of(number: int) -> np.ndarray:
            generator = np.random.default_rng([self.seed, number, _REWARD_ORDER])
            # What is left over is not always at the end.
            offset = generator.integers(len(tokens) - segments * length)
            return offset + length * generator.permutation(segments)

        def batch(sample: int) -> TextBatch:
            number, place = divmod(sample // samples_per_batch, batches_per_pass)
            starts = starts_of(number)[place * rows : (place + 1) * rows]
            places = starts[:, None] + np.arange(length)
            inputs, targets = tokens[places], tokens[places + 1]
            return _segment(inputs, targets, 0, length, False, self.sequence_length)

        return _spread(batch, rows, samples_per_update, share, first_update)

    def validation(self, share: Share = ALONE) -> tf.data.Dataset:
        """Returns the validation part once, in segments that all begin with the state zero, spread.

        They are longer than those of training. There are fewer rows than in a training batch if
        the part is too short for so many.
        """
        length = _VALIDATION_LENGTHS * self.sequence_length
        rows = max(1, min(self.batch_size, (len(self.held_out) - 1) // length))
        batch, count = _segments_once(self.held_out, rows, length, carried=False)
        return _spread(batch, rows, count, share)


def rows_of(tokens: np.ndarray, rows: int) -> tuple[np.ndarray, np.ndarray]:
    """Divides a text into rows, each a contiguous part of it.

    Fewer than `rows` words at the end of the text are left out; none between two rows.

    Args:
      tokens: int32 `[words]`.
      rows: into how many.

    Returns:
      The words and those that follow them, int32 `[rows, positions]` each, with
      `positions = (words - 1) // rows`; views of `tokens`.

    Raises:
      DataError: there are not enough words.
    """
    positions = positions_of(len(tokens), rows)
    size = rows * positions
    return tokens[:size].reshape(rows, positions), tokens[1 : size + 1].reshape(rows, positions)


def training_batches(
    tokens: np.ndarray,
    *,
    rows: int,
    sequence_length: int,
    random_lengths: bool,
    seed: int,
    first_step: int = 0,
    share: Share = ALONE,
) -> tf.data.Dataset:
    """Returns endless segments of the text's rows, in order, the first again after the last.

    The dataset that starts at step `k` yields exactly what the one that starts at 0 yields for the
    steps from `k` on. Step `s` belongs to epoch `s // segments_per_epoch(…)`, whose first batch has
    the carry 0.

    Args:
      tokens: int32 `[words]`.
      rows: of every batch, over all replicas.
      sequence_length: words in a segment, on average if lengths are random.
      random_lengths: whether each epoch's lengths are drawn anew; see `data.segments`.
      seed: of the lengths.
      first_step: number of the step that the first batch is for.
      share: whose rows are made. Default: those of all.

    Returns:
      Dataset of `TextBatch`: for each step the rows of each of the share's replicas in turn.

    Raises:
      ConfigurationError: there are more replicas than rows.
      DataError: there are not enough words.
    """
    batch = _segment_in_order(tokens, rows, sequence_length, random_lengths, seed)
    share.check_batch_size(rows)

    def elements() -> Iterator[TextBatch]:
        for step in itertools.count(first_step):
            whole = batch(step)
            for replica in share.replicas:
                yield whole.rows(*share.rows(replica, rows))

    signature = _signature(rows // share.total if rows % share.total == 0 else None)
    return _dataset(elements, signature, tf.data.INFINITE_CARDINALITY)


def evaluation_batches(tokens: np.ndarray, *, rows: int, length: int) -> tf.data.Dataset:
    """Returns all segments of a text's rows once, in order, each going on from the one before.

    They cannot be divided among replicas by whole batches, and are not divided.

    Args:
      tokens: int32 `[words]`.
      rows: into which the text is divided; with 1, every word but the first is predicted.
      length: words in a segment; the last one may be shorter.

    Returns:
      Dataset of `TextBatch` of the relative length 1.

    Raises:
      DataError: there are not enough words.
    """
    batch, count = _segments_once(tokens, rows, length, carried=True)
    return _dataset(lambda: map(batch, range(count)), _signature(rows), count)


def _segment_in_order(
    tokens: np.ndarray, rows: int, sequence_length: int, random_lengths: bool, seed: int
) -> Callable[[int], TextBatch]:
    """Returns what makes the batch of a step, of all rows."""
    inputs, targets = rows_of(tokens, rows)
    positions = inputs.shape[1]
    steps = segments_per_epoch(positions, sequence_length, random_lengths)

    @functools.lru_cache(maxsize=1)
    def bounds_of(epoch: int) -> np.ndarray:
        return segment_bounds(
            positions, sequence_length, random_lengths=random_lengths, seed=seed, epoch=epoch
        )

    def batch(step: int) -> TextBatch:
        epoch, number = divmod(step, steps)
        start, end = bounds_of(epoch)[number].tolist()
        return _segment(inputs, targets, start, end, start > 0, sequence_length)

    return batch


def _segments_once(
    tokens: np.ndarray, rows: int, length: int, carried: bool
) -> tuple[Callable[[int], TextBatch], int]:
    """Returns what makes the batch of a number, and how many there are."""
    inputs, targets = rows_of(tokens, rows)
    positions = inputs.shape[1]

    def batch(number: int) -> TextBatch:
        start = number * length
        end = min(start + length, positions)
        return _segment(inputs, targets, start, end, carried and start > 0, end - start)

    return batch, math.ceil(positions / length)


def _segment(
    inputs: np.ndarray, targets: np.ndarray, start: int, end: int, carry: bool, full_length: int
) -> TextBatch:
    rows = len(inputs)
    return TextBatch(
        tokens=inputs[:, start:end],
        targets=targets[:, start:end],
        carry=np.full(rows, carry, np.float32),
        relative_length=np.full(rows, (end - start) / full_length, np.float32),
    )


def _spread(
    batch: Callable[[int], TextBatch],
    rows: int,
    count: int,
    share: Share,
    first_group: int | None = None,
) -> tf.data.Dataset:
    """Spreads groups of batches, each group by itself.

    Args:
      batch: makes the batch of a number.
      rows: of every batch.
      count: of batches in a group.
      share: whose batches are made.
      first_group: the dataset is endless and begins with this group. Default: there is only one.
    """
    numbers, weights = share.spread(count)

    def elements() -> Iterator[SpreadBatch]:
        for group in [0] if first_group is None else itertools.count(first_group):
            for number, weight in zip(numbers, weights):
                yield SpreadBatch(batch(group * count + number), np.float32(weight))

    signature = SpreadBatch(_signature(rows), tf.TensorSpec([], tf.float32))
    size = len(numbers) if first_group is None else tf.data.INFINITE_CARDINALITY
    return _dataset(elements, signature, size)


def _signature(rows: int | None) -> TextBatch:
    words = tf.TensorSpec([rows, None], tf.int32)
    one_a_row = tf.TensorSpec([rows], tf.float32)
    return TextBatch(words, words, one_a_row, one_a_row)


def _dataset(
    elements: Callable[[], Iterator[Any]], signature: Any, cardinality: int
) -> tf.data.Dataset:
    dataset = tf.data.Dataset.from_generator(elements, output_signature=signature)
    # Otherwise several machines would ask each other at every step whether they are at the end.
    dataset = dataset.apply(tf.data.experimental.assert_cardinality(cardinality))
    return dataset.prefetch(tf.data.AUTOTUNE)
