"""The streams of batches that a search reads from a text."""

import tensorflow as tf

from enas_tf.data.sharing import ALONE, Share
from enas_tf.data.texts.dataset import TextData
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


class TextSearchStreams:
    """Training, reward and validation batches of a search; the test part is never read.

    Training batches are divided among replicas by rows, all others are spread as `SpreadBatch`es;
    see `data.sharing`.

    Args:
      data: the texts.
      batch_size: rows of a training or validation batch, over all devices.
      reward_batch_size: validation segments behind one reward; fewer if there are not so many.
      seed: of lengths and order.

    Attributes:
      steps_per_epoch: training segments in one pass over the training part.
    """

    def __init__(
        self, data: TextData, *, batch_size: int, reward_batch_size: int, seed: int
    ) -> None:
        self._data = data
        self._batch_size = batch_size
        self._reward_batch_size = min(reward_batch_size, data.num_reward_segments)
        self._seed = seed
        self.steps_per_epoch = segments_per_epoch(
            positions_of(len(data.train), batch_size),
            data.config.sequence_length,
            data.config.random_lengths,
        )

    def preview(self) -> str:
        """Returns the beginning of the training part."""
        return self._data.beginning()

    def training(self, first_step: int, share: Share = ALONE) -> tf.data.Dataset:
        """Returns endless training segments from a step on, divided by rows."""
        return training_batches(
            self._data.train,
            rows=self._batch_size,
            sequence_length=self._data.config.sequence_length,
            random_lengths=self._data.config.random_lengths,
            seed=self._seed,
            first_step=first_step,
            share=share,
        )

    def refitting(self, count: int, share: Share = ALONE) -> tf.data.Dataset:
        """Returns training segments of one length, always the same ones, spread."""
        return first_batches(
            self._data.train,
            rows=self._batch_size,
            sequence_length=self._data.config.sequence_length,
            count=count,
            share=share,
        )

    def rewards(
        self, first_update: int, samples_per_update: int, share: Share = ALONE
    ) -> tf.data.Dataset:
        """Returns endless validation minibatches, one for each sampled architecture, spread."""
        return reward_batches(
            self._data.validation,
            rows=self._reward_batch_size,
            sequence_length=self._data.config.sequence_length,
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
        length = _VALIDATION_LENGTHS * self._data.config.sequence_length
        tokens = self._data.validation
        rows = max(1, min(self._batch_size, (len(tokens) - 1) // length))
        return validation_batches(tokens, rows=rows, length=length, share=share)
