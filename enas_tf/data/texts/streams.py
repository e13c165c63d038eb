"""The streams of batches that a search reads from a text."""

import dataclasses

import numpy as np
import tensorflow as tf

from enas_tf.data.sharing import ALONE, Share
from enas_tf.data.streams import SearchStreams
from enas_tf.data.texts.pipeline import (
    first_batches,
    reward_batches,
    training_batches,
    validation_batches,
)

# The first words of a segment, which have nothing before them, weigh less in a longer one.
_VALIDATION_LENGTHS = 4


@dataclasses.dataclass(frozen=True, eq=False, kw_only=True)
class TextSearchStreams(SearchStreams):
    """The batches of a search on a text.

    Attributes:
      train: words of the training part, int32 `[words]`.
      held_out: of the validation part.
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

    def refitting(self, count: int, share: Share = ALONE) -> tf.data.Dataset:
        """Returns training segments of one length, always the same ones, spread."""
        return first_batches(
            self.train,
            rows=self.batch_size,
            sequence_length=self.sequence_length,
            count=count,
            share=share,
        )

    def rewards(
        self, first_update: int, samples_per_update: int, share: Share = ALONE
    ) -> tf.data.Dataset:
        """Returns endless validation minibatches, one for each sampled architecture, spread."""
        return reward_batches(
            self.held_out,
            rows=self.reward_batch_size,
            sequence_length=self.sequence_length,
            seed=self.seed,
            samples_per_update=samples_per_update,
            first_update=first_update,
            share=share,
        )

    def validation(self, share: Share = ALONE) -> tf.data.Dataset:
        """Returns the validation part once, in segments that all begin with the state zero, spread.

        They are longer than those of training. There are fewer rows than in a training batch if
        the part is too short for so many.
        """
        length = _VALIDATION_LENGTHS * self.sequence_length
        tokens = self.held_out
        rows = max(1, min(self.batch_size, (len(tokens) - 1) // length))
        return validation_batches(tokens, rows=rows, length=length, share=share)
