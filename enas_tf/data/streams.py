"""The streams of batches that a search reads, whatever it works on."""

import abc
import dataclasses
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from typing_extensions import Self

from enas_tf.data.sharing import ALONE, Share

if TYPE_CHECKING:
    import numpy as np
    import tensorflow as tf


@dataclasses.dataclass(frozen=True, eq=False, kw_only=True)
class SearchStreams(abc.ABC):
    """Training, reward and validation batches of a search; the test part is never read.

    Training batches are divided among replicas by rows, all others are spread as `SpreadBatch`es;
    see `data.sharing`.

    Attributes:
      batch_size: examples (rows of text) in a training or validation batch, over all devices.
      reward_batch_size: validation examples (segments) behind one reward; at most as many as
        there are.
      seed: of order and augmentation (of lengths).
      steps_per_epoch: full batches in one pass over the training part.
    """

    batch_size: int
    reward_batch_size: int
    seed: int
    steps_per_epoch: int

    @abc.abstractmethod
    def preview(self) -> Any:
        """Returns the beginning of the training as people can look at it; see `write_about`."""

    @abc.abstractmethod
    def training(self, first_step: int, share: Share = ALONE) -> "tf.data.Dataset":
        """Returns endless training batches from a step on, divided by rows."""

    def reader(self) -> Callable[[Any], Any]:
        """Returns what a step does first with a batch of any of the streams.

        To be called eagerly, before a step is traced. Default: a batch is used as it comes.
        """
        return lambda batch: batch

    @abc.abstractmethod
    def divided(self, share: float) -> tuple[Self, Self]:
        """Returns streams whose training parts are the beginning and the end of this one's.

        Args:
          share: of the end, above 0 and below 1.

        Raises:
          DataError: a part is too small for a batch.
        """

    @abc.abstractmethod
    def refitting(self, count: int, share: Share = ALONE) -> "tf.data.Dataset":
        """Returns training batches without random changes, always the same ones, spread."""

    @abc.abstractmethod
    def rewards(
        self,
        first_update: int,
        samples_per_update: int,
        share: Share = ALONE,
        *,
        same_in_update: bool = False,
    ) -> "tf.data.Dataset":
        """Returns endless validation minibatches, one for each sampled architecture, spread.

        Args:
          first_update: the update that the dataset begins with.
          samples_per_update: architectures of an update.
          share: whose minibatches are made.
          same_in_update: whether all architectures of an update get the same minibatch.
        """

    def class_weights(self, kind: str) -> "np.ndarray | None":
        """Returns what the loss of an example of each class is multiplied by in training.

        Args:
          kind: see `LossConfig.class_weights`.

        Returns:
          float32 `[classes]`; None: by 1, or there are no classes.
        """
        del kind
        return None

    def minibatch(self, share: Share = ALONE) -> "tf.data.Dataset":
        """Returns the first validation minibatch of `rewards` only, spread."""
        return self.rewards(0, 1, share).take(share.count)

    @abc.abstractmethod
    def validation(self, share: Share = ALONE) -> "tf.data.Dataset":
        """Returns the whole validation part once, spread."""
