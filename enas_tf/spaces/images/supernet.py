"""What every supernet for pictures has in common: its loss, its reward, its batch statistics."""

import math
from typing import Any

import tensorflow as tf

from enas_tf.layers.banks import BatchNormalizationBank, BatchStatistics
from enas_tf.spaces.supernet import Score, Supernet
from enas_tf.training.image_metrics import classification_metrics, image_objective
from enas_tf.training.training_pass import TrainingPass


class ImageSupernet(Supernet):
    """All networks for pictures of a space in one, sharing their weights; see `Supernet`.

    A subclass builds the weights, among them a bank `classifier`, and implements `forward`.

    Args:
      space: size and form of the networks.
      seed: of the initial weights and of dropout in direct calls.

    Call arguments:
      images: normalised float32 pictures `[batch, height, width, channels]`.
      architecture: an architecture of the space, or its decisions: int32 tensors in the form of
        `space.encode`, without the batch axis.
      training: whether batch statistics normalise (in some spaces they always do), moving
        statistics are updated, and dropout is on. Default: False.
      seed: int32 `[2]`, of dropout; default: a new one at each call.

    Returns:
      Logits `[batch, num_classes]`.
    """

    score_kind = "shared_weights_validation_accuracy"
    # Whether a call with training=False normalises with the batch's statistics too.
    batch_statistics_in_evaluation = False

    def call(
        self,
        images: tf.Tensor,
        architecture: Any,
        training: bool | None = False,
        seed: tf.Tensor | None = None,
    ) -> tf.Tensor:
        """Returns logits `[batch, num_classes]`; the architecture comes as decisions."""
        training = bool(training)
        if seed is None and training:
            seed = tf.cast(self.dropout_seeds.next(), tf.int32)
        logits, statistics = self.forward(
            images,
            architecture,
            use_batch_statistics=training or self.batch_statistics_in_evaluation,
            dropout_seed=seed if training else None,
        )
        if training:
            self.update_statistics(statistics)
        return logits

    def forward(
        self,
        images: tf.Tensor,
        decisions: Any,
        *,
        use_batch_statistics: bool,
        dropout_seed: tf.Tensor | None = None,
    ) -> tuple[tf.Tensor, dict[str, BatchStatistics]]:
        """Computes logits without changing anything.

        Args:
          images: `[batch, height, width, channels]`.
          decisions: of one architecture.
          use_batch_statistics: whether the batch's or the moving statistics normalise.
          dropout_seed: int32 `[2]`; None: no dropout.

        Returns:
          Logits `[batch, num_classes]`, and the batch statistics of every bank, which may be
          summed over replicas and given to `update_statistics`.
        """
        raise NotImplementedError

    def classify(self, features: tf.Tensor, dropout_seed: tf.Tensor | None) -> tf.Tensor:
        """Returns logits: global average, dropout and the classifier.

        Args:
          features: `[batch, height, width, channels]`.
          dropout_seed: as for `forward`.
        """
        features = tf.reduce_mean(features, axis=[1, 2])
        rate = self.space.dropout_rate
        if dropout_seed is not None and rate:
            features = tf.nn.experimental.stateless_dropout(features, rate, dropout_seed)
        return tf.matmul(features, self.classifier.select([0])[0])

    def normalization_banks(self) -> dict[str, BatchNormalizationBank]:
        """Returns every bank of batch normalisation by the name used in `forward`."""
        layers = self._flatten_layers(include_self=False, recursive=True)
        return {bank.name: bank for bank in layers if isinstance(bank, BatchNormalizationBank)}

    def batch_statistics(
        self, batch: tuple[tf.Tensor, tf.Tensor], decisions: Any
    ) -> dict[str, BatchStatistics]:
        """Returns the statistics of a training batch; see `Supernet.batch_statistics`."""
        return self.forward(batch[0], decisions, use_batch_statistics=True)[1]

    def update_statistics(self, statistics: dict[str, BatchStatistics]) -> None:
        """Moves the moving statistics; under a strategy, in cross-replica context.

        Args:
          statistics: what `forward` returned, summed over replicas.
        """
        banks = self.normalization_banks()
        for name, parts in statistics.items():
            banks[name].update(parts)

    def training_pass(
        self,
        batch: tuple[tf.Tensor, tf.Tensor],
        decisions: Any,
        state: Any,
        dropout_seed: tf.Tensor,
    ) -> TrainingPass:
        """Runs one architecture on a training batch.

        Args:
          batch: pictures `[batch, height, width, channels]` and int32 labels `[batch]`.
          decisions: of the architecture.
          state: empty.
          dropout_seed: int32 `[2]`.

        Returns:
          The cross-entropy, its metrics, and statistics for `update_statistics`.
        """
        images, labels = batch
        logits, statistics = self.forward(
            images, decisions, use_batch_statistics=True, dropout_seed=dropout_seed
        )
        objective, metrics = image_objective(labels, logits)
        return TrainingPass(objective, metrics, statistics, state)

    def reward(self, total: float, count: float, metric: str = "accuracy") -> float:
        """Returns the share of right answers, or the geometric mean of their probabilities."""
        return total / count if metric == "accuracy" else math.exp(-total / count)

    def score_kind_of(self, metric: str) -> str:
        """Returns the name of the accuracy, or of the likelihood that belongs to the loss."""
        return self.score_kind if metric == "accuracy" else "shared_weights_validation_likelihood"

    def score(
        self,
        batch: tuple[tf.Tensor, tf.Tensor],
        decisions: Any,
        *,
        use_batch_statistics: bool,
        metric: str = "accuracy",
    ) -> Score:
        """Scores one architecture on validation examples, without dropout.

        Args:
          batch: pictures `[batch, height, width, channels]` and int32 labels `[batch]`.
          decisions: of the architecture.
          use_batch_statistics: whether the batch's or the moving statistics normalise.
          metric: `accuracy` or `loss`.
        """
        images, labels = batch
        logits, _ = self.forward(images, decisions, use_batch_statistics=use_batch_statistics)
        metrics = classification_metrics(labels, logits)
        total = metrics.correct if metric == "accuracy" else metrics.loss
        return Score(total, metrics.examples)
