"""The streams of batches that a search reads from a text."""

import tensorflow as tf

from enas_tf.data.segments import segments_per_epoch
from enas_tf.data.text_pipeline import (
    evaluation_batches,
    positions_of,
    reward_batches,
    training_batches,
)
from enas_tf.data.texts import TextData

# The first words of a segment, which have nothing before them, weigh less in a longer one.
_VALIDATION_LENGTHS = 4


class TextSearchStreams:
    """Training, reward and validation batches of a search; the test part is never read.

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

    def training(self, first_step: int) -> tf.data.Dataset:
        """Returns endless training segments from a step on."""
        return self._training(first_step, self._data.config.random_lengths)

    def refitting(self) -> tf.data.Dataset:
        """Returns endless training segments of one length, always the same ones."""
        return self._training(0, False)

    def rewards(self, first_sample: int) -> tf.data.Dataset:
        """Returns endless validation minibatches, one for each sampled architecture."""
        return reward_batches(
            self._data.validation,
            rows=self._reward_batch_size,
            sequence_length=self._data.config.sequence_length,
            seed=self._seed,
            first_sample=first_sample,
        )

    def validation(self) -> tf.data.Dataset:
        """Returns the validation part once, in segments that all begin with the state zero.

        They are longer than those of training. There are fewer rows than in a training batch if
        the part is too short for so many.
        """
        length = _VALIDATION_LENGTHS * self._data.config.sequence_length
        tokens = self._data.validation
        rows = max(1, min(self._batch_size, (len(tokens) - 1) // length))
        return evaluation_batches(tokens, rows=rows, length=length, carried=False)

    def _training(self, first_step: int, random_lengths: bool) -> tf.data.Dataset:
        return training_batches(
            self._data.train,
            rows=self._batch_size,
            sequence_length=self._data.config.sequence_length,
            random_lengths=random_lengths,
            seed=self._seed,
            first_step=first_step,
        )
