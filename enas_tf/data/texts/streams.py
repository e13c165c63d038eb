"""The streams of batches that a search reads from a text."""

import numpy as np
import tensorflow as tf

from enas_tf.data.sharing import ALONE, Share
from enas_tf.data.streams import SearchStreams
from enas_tf.data.texts.pipeline import (
    first_batches,
    positions_of,
    reward_batches,
    training_batches,
    validation_batches,
)
from enas_tf.data.texts.segments import segments_per_epoch

# The first words of a segment, which have nothing before them, weigh less in a longer one.
_VALIDATION_LENGTHS = 4


class TextSearchStreams(SearchStreams):
    """The batches of a search on a text.

    Args:
      train: words of the training part, int32 `[words]`.
      validation: of the validation part.
      beginning: of the training part, to be looked at.
      sequence_length: words in a segment, on average if lengths are random.
      random_lengths: whether those of training segments are.
      batch_size: rows of a training or validation batch; see `SearchStreams`.
      reward_batch_size: validation segments behind one reward.
      seed: of lengths and order.
    """

    def __init__(
        self,
        train: np.ndarray,
        validation: np.ndarray,
        beginning: str,
        *,
        sequence_length: int,
        random_lengths: bool,
        batch_size: int,
        reward_batch_size: int,
        seed: int,
    ) -> None:
        super().__init__(
            batch_size=batch_size,
            reward_batch_size=reward_batch_size,
            seed=seed,
            steps_per_epoch=segments_per_epoch(
                positions_of(len(train), batch_size), sequence_length, random_lengths
            ),
        )
        self._train = train
        self._validation = validation
        self._beginning = beginning
        self._sequence_length = sequence_length
        self._random_lengths = random_lengths

    def preview(self) -> str:
        """Returns the beginning of the training part."""
        return self._beginning

    def training(self, first_step: int, share: Share = ALONE) -> tf.data.Dataset:
        """Returns endless training segments from a step on, divided by rows."""
        return training_batches(
            self._train,
            rows=self._batch_size,
            sequence_length=self._sequence_length,
            random_lengths=self._random_lengths,
            seed=self._seed,
            first_step=first_step,
            share=share,
        )

    def refitting(self, count: int, share: Share = ALONE) -> tf.data.Dataset:
        """Returns training segments of one length, always the same ones, spread."""
        return first_batches(
            self._train,
            rows=self._batch_size,
            sequence_length=self._sequence_length,
            count=count,
            share=share,
        )

    def rewards(
        self, first_update: int, samples_per_update: int, share: Share = ALONE
    ) -> tf.data.Dataset:
        """Returns endless validation minibatches, one for each sampled architecture, spread."""
        return reward_batches(
            self._validation,
            rows=self._reward_batch_size,
            sequence_length=self._sequence_length,
            seed=self._seed,
            samples_per_update=samples_per_update,
            first_update=first_update,
            share=share,
        )

    def minibatch(self, share: Share = ALONE) -> tf.data.Dataset:
        """Returns the first validation minibatch of `rewards` only, spread."""
        return self.rewards(0, 1, share).take(share.count)

    def validation(self, share: Share = ALONE) -> tf.data.Dataset:
        """Returns the validation part once, in segments that all begin with the state zero, spread.

        They are longer than those of training. There are fewer rows than in a training batch if
        the part is too short for so many.
        """
        length = _VALIDATION_LENGTHS * self._sequence_length
        tokens = self._validation
        rows = max(1, min(self._batch_size, (len(tokens) - 1) // length))
        return validation_batches(tokens, rows=rows, length=length, share=share)
