"""The streams of batches that a search reads from a dataset of pictures."""

from typing import Any

import tensorflow as tf

from enas_tf.data.batching import steps_per_epoch
from enas_tf.data.images import ImageData
from enas_tf.data.pipeline import evaluation_batches, training_batches
from enas_tf.data.preprocessing import Normalization


class ImageSearchStreams:
    """Training, reward and validation batches of a search; the test set is never read.

    Args:
      data: the pictures.
      batch_size: examples in a training or validation batch, over all devices.
      reward_batch_size: validation examples behind one reward.
      seed: of order and augmentation.

    Attributes:
      steps_per_epoch: full batches in one pass over the training part.
    """

    def __init__(
        self, data: ImageData, *, batch_size: int, reward_batch_size: int, seed: int
    ) -> None:
        self._data = data
        self._batch_size = batch_size
        self._reward_batch_size = min(reward_batch_size, data.validation_size)
        self._seed = seed
        self.steps_per_epoch = steps_per_epoch(len(data.part("train")[1]), batch_size)

    @property
    def normalization(self) -> Normalization:
        """Statistics of the training part."""
        return self._data.normalization("train")

    def training(self, first_step: int) -> tf.data.Dataset:
        """Returns endless augmented training batches from a step on."""
        return self._shuffled("train", self._batch_size, first_step, self._data.augmentation)

    def refitting(self) -> tf.data.Dataset:
        """Returns endless training batches without augmentation, always the same ones."""
        return self._shuffled("train", self._batch_size, 0, None)

    def rewards(self, first_sample: int) -> tf.data.Dataset:
        """Returns endless validation minibatches, one for each sampled architecture."""
        return self._shuffled("validation", self._reward_batch_size, first_sample, None)

    def validation(self) -> tf.data.Dataset:
        """Returns the whole validation part once."""
        images, labels = self._data.part("validation")
        return evaluation_batches(
            images, labels, normalization=self.normalization, batch_size=self._batch_size
        )

    def _shuffled(
        self, part: str, batch_size: int, first_step: int, augmentation: Any
    ) -> tf.data.Dataset:
        images, labels = self._data.part(part)
        return training_batches(
            images,
            labels,
            normalization=self.normalization,
            batch_size=batch_size,
            seed=self._seed,
            first_step=first_step,
            augmentation=augmentation,
        )
