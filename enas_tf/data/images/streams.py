"""The streams of batches that a search reads from a dataset of pictures."""

import dataclasses
from typing import Any

import numpy as np
import tensorflow as tf

from enas_tf.data.images.pipeline import shuffled_batches, training_batches, validation_batches
from enas_tf.data.images.preprocessing import PREVIEWED, Augmentation, Normalization
from enas_tf.data.sharing import ALONE, Share
from enas_tf.data.streams import SearchStreams

Examples = tuple[np.ndarray, np.ndarray]


@dataclasses.dataclass(frozen=True, eq=False, kw_only=True)
class ImageSearchStreams(SearchStreams):
    """The batches of a search on pictures.

    Attributes:
      train: pictures and labels of the training part.
      held_out: of the validation part.
      normalization: statistics of the training part.
      augmentation: random changes of training pictures.
    """

    train: Examples
    held_out: Examples
    normalization: Normalization
    augmentation: Augmentation

    def preview(self) -> Any:
        """Returns the first pictures of the training, augmented, uint8."""
        images, _ = next(iter(self.training(0)))
        return self.normalization.pictures(images.numpy()[:PREVIEWED])

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

    def refitting(self, count: int, share: Share = ALONE) -> tf.data.Dataset:
        """Returns training batches without augmentation, always the same ones, spread."""
        return self._shuffled(self.train, self.batch_size, count, None, share)

    def rewards(
        self, first_update: int, samples_per_update: int, share: Share = ALONE
    ) -> tf.data.Dataset:
        """Returns endless validation minibatches, one for each sampled architecture, spread."""
        size = self.reward_batch_size
        return self._shuffled(self.held_out, size, samples_per_update, first_update, share)

    def validation(self, share: Share = ALONE) -> tf.data.Dataset:
        """Returns the whole validation part once, spread."""
        return validation_batches(
            *self.held_out,
            normalization=self.normalization,
            batch_size=self.batch_size,
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
            normalization=self.normalization,
            batch_size=batch_size,
            seed=self.seed,
            count=count,
            first_group=first_group,
            share=share,
        )
