"""The streams of batches that a search reads from a dataset of pictures."""

from typing import Any

import numpy as np
import tensorflow as tf

from enas_tf.data.batching import steps_per_epoch
from enas_tf.data.images.pipeline import shuffled_batches, training_batches, validation_batches
from enas_tf.data.images.preprocessing import PREVIEWED, Augmentation, Normalization
from enas_tf.data.sharing import ALONE, Share
from enas_tf.data.streams import SearchStreams

Examples = tuple[np.ndarray, np.ndarray]


class ImageSearchStreams(SearchStreams):
    """The batches of a search on pictures.

    Args:
      train: pictures and labels of the training part.
      validation: of the validation part.
      normalization: statistics of the training part.
      augmentation: random changes of training pictures.
      batch_size: see `SearchStreams`.
      reward_batch_size: likewise; fewer if there are not so many.
      seed: likewise.
    """

    def __init__(
        self,
        train: Examples,
        validation: Examples,
        normalization: Normalization,
        augmentation: Augmentation,
        *,
        batch_size: int,
        reward_batch_size: int,
        seed: int,
    ) -> None:
        super().__init__(
            batch_size=batch_size,
            reward_batch_size=min(reward_batch_size, len(validation[1])),
            seed=seed,
            steps_per_epoch=steps_per_epoch(len(train[1]), batch_size),
        )
        self._train = train
        self._validation = validation
        self._normalization = normalization
        self._augmentation = augmentation

    def preview(self) -> Any:
        """Returns the first pictures of the training, augmented, uint8."""
        images, _ = next(iter(self.training(0)))
        return self._normalization.pictures(images.numpy()[:PREVIEWED])

    def training(self, first_step: int, share: Share = ALONE) -> tf.data.Dataset:
        """Returns endless augmented training batches from a step on, divided by rows."""
        return training_batches(
            *self._train,
            normalization=self._normalization,
            batch_size=self._batch_size,
            seed=self._seed,
            first_step=first_step,
            augmentation=self._augmentation,
            share=share,
        )

    def refitting(self, count: int, share: Share = ALONE) -> tf.data.Dataset:
        """Returns training batches without augmentation, always the same ones, spread."""
        return self._shuffled(self._train, self._batch_size, count, None, share)

    def rewards(
        self, first_update: int, samples_per_update: int, share: Share = ALONE
    ) -> tf.data.Dataset:
        """Returns endless validation minibatches, one for each sampled architecture, spread."""
        size = self._reward_batch_size
        return self._shuffled(self._validation, size, samples_per_update, first_update, share)

    def minibatch(self, share: Share = ALONE) -> tf.data.Dataset:
        """Returns the first validation minibatch of `rewards` only, spread."""
        return self._shuffled(self._validation, self._reward_batch_size, 1, None, share)

    def validation(self, share: Share = ALONE) -> tf.data.Dataset:
        """Returns the whole validation part once, spread."""
        return validation_batches(
            *self._validation,
            normalization=self._normalization,
            batch_size=self._batch_size,
            share=share,
        )

    def _shuffled(
        self,
        examples: Examples,
        batch_size: int,
        count: int,
        first_group: int | None,
        share: Share,
    ) -> tf.data.Dataset:
        return shuffled_batches(
            *examples,
            normalization=self._normalization,
            batch_size=batch_size,
            seed=self._seed,
            count=count,
            first_group=first_group,
            share=share,
        )
