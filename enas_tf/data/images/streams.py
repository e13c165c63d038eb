"""The streams of batches that a search reads from a dataset of pictures."""

from typing import Any

import tensorflow as tf

from enas_tf.data.batching import steps_per_epoch
from enas_tf.data.images.dataset import ImageData
from enas_tf.data.images.pipeline import (
    first_batches,
    reward_batches,
    training_batches,
    validation_batches,
)
from enas_tf.data.images.preprocessing import PREVIEWED, Normalization
from enas_tf.data.sharing import ALONE, Share


class ImageSearchStreams:
    """Training, reward and validation batches of a search; the test set is never read.

    Training batches are divided among replicas by rows, all others are spread as `SpreadBatch`es;
    see `data.sharing`.

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

    def preview(self) -> Any:
        """Returns the first pictures of the training, augmented, uint8; see `write_about`."""
        images, _ = next(iter(self.training(0)))
        return self.normalization.pictures(images.numpy()[:PREVIEWED])

    def training(self, first_step: int, share: Share = ALONE) -> tf.data.Dataset:
        """Returns endless augmented training batches from a step on, divided by rows."""
        return training_batches(
            *self._data.part("train"),
            normalization=self.normalization,
            batch_size=self._batch_size,
            seed=self._seed,
            first_step=first_step,
            augmentation=self._data.augmentation,
            share=share,
        )

    def refitting(self, count: int, share: Share = ALONE) -> tf.data.Dataset:
        """Returns training batches without augmentation, always the same ones, spread."""
        return first_batches(
            *self._data.part("train"),
            normalization=self.normalization,
            batch_size=self._batch_size,
            seed=self._seed,
            count=count,
            share=share,
        )

    def rewards(
        self, first_update: int, samples_per_update: int, share: Share = ALONE
    ) -> tf.data.Dataset:
        """Returns endless validation minibatches, one for each sampled architecture, spread."""
        return reward_batches(
            *self._data.part("validation"),
            normalization=self.normalization,
            batch_size=self._reward_batch_size,
            seed=self._seed,
            samples_per_update=samples_per_update,
            first_update=first_update,
            share=share,
        )

    def minibatch(self, share: Share = ALONE) -> tf.data.Dataset:
        """Returns the first validation minibatch of `rewards` only, spread."""
        return first_batches(
            *self._data.part("validation"),
            normalization=self.normalization,
            batch_size=self._reward_batch_size,
            seed=self._seed,
            count=1,
            share=share,
        )

    def validation(self, share: Share = ALONE) -> tf.data.Dataset:
        """Returns the whole validation part once, spread."""
        return validation_batches(
            *self._data.part("validation"),
            normalization=self.normalization,
            batch_size=self._batch_size,
            share=share,
        )
