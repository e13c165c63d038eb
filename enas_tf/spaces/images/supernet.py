"""What every supernet for pictures has in common: its loss, its reward, its batch statistics."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from enas_tf.layers.banks import BatchNormalizationBank, BatchStatistics
from enas_tf.settings.search import TOP
from enas_tf.settings.training import LossConfig
from enas_tf.spaces.supernet import Score, Supernet
from enas_tf.training.image_metrics import (
    CROSS_ENTROPY,
    ImageLoss,
    classification_metrics,
    image_objective,
    top_correct,
)
from enas_tf.training.prediction_metrics import Predictions, metric_value, score_name, together
from enas_tf.training.training_pass import TrainingPass

# Metrics that are means over examples, so that sums say everything.
_MEANS = ("accuracy", "top_5", "loss")


class ImageSupernet(Supernet):
    """All networks for pictures of a space in one, sharing their weights; see `Supernet`.

    A subclass builds the weights, among them a bank `classifier`, and implements `forward`. One
    that computes in half types as well has `precisions`, casts the pictures to `compute_type`, and
    lets the bank of the classifier be always float32.

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
    training_loss: ImageLoss = CROSS_ENTROPY

    def set_loss(self, config: LossConfig, class_weights: np.ndarray | None) -> None:
        """Chooses what training minimises; see `Supernet.set_loss`."""
        self.training_loss = ImageLoss(config.label_smoothing, class_weights)

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
        features = tf.reduce_mean(tf.cast(features, tf.float32), axis=[1, 2])
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
          The loss, metrics, and statistics for `update_statistics`.
        """
        images, labels = batch
        logits, statistics = self.forward(
            images, decisions, use_batch_statistics=True, dropout_seed=dropout_seed
        )
        objective, metrics = image_objective(labels, logits, loss=self.training_loss)
        return TrainingPass(objective, metrics, statistics, state)

    def score_type(self, metric: str) -> Any:
        """Returns the types of a score; see `Supernet.score_type`."""
        if metric in _MEANS:
            return super().score_type(metric)
        return Predictions(tf.int32, tf.float32, tf.float32)

    def reward(self, scores: Sequence[Any], metric: str = "accuracy") -> float:
        """Returns the metric of all examples together; see `Supernet.reward`.

        Of the loss, that is the likelihood: the geometric mean of the right answers' probabilities.
        """
        if metric not in _MEANS:
            return metric_value(metric, *together(scores))
        total, count = map(sum, zip(*scores))
        return math.exp(-total / count) if metric == "loss" else total / count

    def score_kind_of(self, metric: str) -> str:
        """Returns the name of the score, for example `shared_weights_validation_macro_f1`."""
        return f"shared_weights_validation_{score_name(metric)}"

    def score(
        self,
        batch: tuple[tf.Tensor, tf.Tensor],
        decisions: Any,
        *,
        use_batch_statistics: bool,
        metric: str = "accuracy",
    ) -> Score | Predictions:
        """Scores one architecture on validation examples, without dropout.

        Args:
          batch: pictures `[batch, height, width, channels]` and int32 labels `[batch]`.
          decisions: of the architecture.
          use_batch_statistics: whether the batch's or the moving statistics normalise.
          metric: see `SearchConfig.reward_metric`.
        """
        images, labels = batch
        logits, _ = self.forward(images, decisions, use_batch_statistics=use_batch_statistics)
        metrics = classification_metrics(labels, logits)
        if metric not in _MEANS:
            return Predictions(labels, tf.nn.softmax(logits), metrics.examples)
        if metric == "top_5":
            return Score(top_correct(labels, logits, TOP), metrics.examples)
        total = metrics.loss if metric == "loss" else metrics.correct
        return Score(total, metrics.examples)
