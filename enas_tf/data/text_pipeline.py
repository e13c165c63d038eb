"""Batches of text for training and for evaluation, as `tf.data` datasets of `TextBatch`.

A training batch is a function of the seed and the number of its step: nothing needs to be saved
for a run to go on exactly where it stopped, but the state that the batch before left.
"""

import itertools
from collections.abc import Callable, Iterator

import numpy as np
import tensorflow as tf

from enas_tf.data.segments import segment_bounds, segments_per_epoch
from enas_tf.data.text_batch import TextBatch
from enas_tf.errors import DataError

# Sets the order of reward segments apart from all else that the seed determines.
_REWARD_ORDER = 1


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


def positions_of(num_tokens: int, rows: int) -> int:
    """Returns how many words are predicted in each of the rows of a text.

    Raises:
      DataError: there are not enough words for any.
    """
    if not 1 <= rows < num_tokens:
        raise DataError(
            f"The rows of a batch must number at least 1 and less than the words of the text, "
            f"{num_tokens}. Received: {rows}; change the batch size."
        )
    return (num_tokens - 1) // rows


def training_batches(
    tokens: np.ndarray,
    *,
    rows: int,
    sequence_length: int,
    random_lengths: bool,
    seed: int,
    first_step: int = 0,
) -> tf.data.Dataset:
    """Returns endless segments of the text's rows, in order, the first again after the last.

    The dataset that starts at step `k` yields exactly what the one that starts at 0 yields from its
    element `k` on. Step `s` belongs to epoch `s // segments_per_epoch(…)`, whose first batch has
    the carry 0.

    Args:
      tokens: int32 `[words]`.
      rows: of every batch.
      sequence_length: words in a segment, on average if lengths are random.
      random_lengths: whether each epoch's lengths are drawn anew; see `data.segments`.
      seed: of the lengths.
      first_step: number of the step that the first batch is for.

    Returns:
      Dataset of `TextBatch`.

    Raises:
      DataError: there are not enough words.
    """
    inputs, targets = rows_of(tokens, rows)
    positions = inputs.shape[1]
    steps = segments_per_epoch(positions, sequence_length, random_lengths)

    def batches() -> Iterator[TextBatch]:
        first_epoch, skipped = divmod(first_step, steps)
        for epoch in itertools.count(first_epoch):
            bounds = segment_bounds(
                positions, sequence_length, random_lengths=random_lengths, seed=seed, epoch=epoch
            )
            for start, end in bounds[skipped:].tolist():
                yield _segment(inputs, targets, start, end, start > 0, sequence_length)
            skipped = 0

    return _dataset(batches, rows)


def reward_batches(
    tokens: np.ndarray, *, rows: int, sequence_length: int, seed: int, first_sample: int = 0
) -> tf.data.Dataset:
    """Returns endless batches of single segments of a text, every one from the state zero.

    A pass takes the text's segments in a random order of its own, no segment twice; those that
    fill no batch are left out.

    Args:
      tokens: int32 `[words]`.
      rows: segments in a batch.
      sequence_length: words in a segment; fewer if the text has not so many.
      seed: of the order.
      first_sample: number of the first batch.

    Returns:
      Dataset of `TextBatch`; the batch of a sample depends on the seed and its number only.

    Raises:
      DataError: the text has not enough segments for a batch.
    """
    length = min(sequence_length, positions_of(len(tokens), 1))
    segments = (len(tokens) - 1) // length
    if not 1 <= rows <= segments:
        raise DataError(
            f"The rows of a batch must number at least 1 and at most the text's segments of "
            f"{length} words, {segments}. Received: {rows}; change the batch size."
        )
    batches_per_pass = segments // rows

    def batches() -> Iterator[TextBatch]:
        first_pass, skipped = divmod(first_sample, batches_per_pass)
        for number in itertools.count(first_pass):
            generator = np.random.default_rng([seed, number, _REWARD_ORDER])
            # What is left over is not always at the end.
            offset = generator.integers(len(tokens) - segments * length)
            starts = offset + length * generator.permutation(segments)
            for batch in range(skipped, batches_per_pass):
                places = starts[batch * rows : (batch + 1) * rows, None] + np.arange(length)
                inputs, targets = tokens[places], tokens[places + 1]
                yield _segment(inputs, targets, 0, length, False, sequence_length)
            skipped = 0

    return _dataset(batches, rows)


def evaluation_batches(
    tokens: np.ndarray, *, rows: int, length: int, carried: bool = True
) -> tf.data.Dataset:
    """Returns all segments of a text's rows once, in order; the last one may be shorter.

    Args:
      tokens: int32 `[words]`.
      rows: into which the text is divided; with 1, every word but the first is predicted.
      length: words in a segment.
      carried: whether each segment but the first goes on from the state of the one before; if
        not, all begin at zero.

    Returns:
      Dataset of `TextBatch` of the relative length 1.

    Raises:
      DataError: there are not enough words.
    """
    inputs, targets = rows_of(tokens, rows)
    positions = inputs.shape[1]

    def batches() -> Iterator[TextBatch]:
        for start in range(0, positions, length):
            end = min(start + length, positions)
            yield _segment(inputs, targets, start, end, carried and start > 0, end - start)

    return _dataset(batches, rows)


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


def _dataset(batches: Callable[[], Iterator[TextBatch]], rows: int) -> tf.data.Dataset:
    words = tf.TensorSpec([rows, None], tf.int32)
    one_a_row = tf.TensorSpec([rows], tf.float32)
    signature = TextBatch(words, words, one_a_row, one_a_row)
    dataset = tf.data.Dataset.from_generator(batches, output_signature=signature)
    return dataset.prefetch(tf.data.AUTOTUNE)
