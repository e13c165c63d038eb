"""What a search needs of every supernet, whatever its networks work on."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import keras
import numpy as np
import tensorflow as tf

from enas_tf.errors import ConfigurationError
from enas_tf.layers.banks import BatchNormalizationBank, WeightBank
from enas_tf.settings.training import PRECISIONS, LossConfig
from enas_tf.spaces.base import Architecture, SearchSpace
from enas_tf.training.training_pass import TrainingPass


class Score(NamedTuple):
    """How well an architecture does on some validation examples; scores of batches add up.

    Attributes:
      total: float32, a sum over predictions, for example the number of right answers.
      count: float32, number of predictions.
    """

    total: tf.Tensor
    count: tf.Tensor


class Supernet(keras.Model):
    """All networks of a space in one, sharing their weights.

    The architecture comes in as integer tensors, so one traced function serves all architectures.
    The supernet of a `RelaxableSpace` takes mixtures and paths of the space in their place too.
    A subclass builds the weights and implements `call`, `training_pass`, `score` and `reward`. The
    other methods do what is right for networks without batch normalisation whose batches have
    nothing to do with each other.

    Args:
      space: size and form of the networks.
      seed: of the initial weights and of dropout in direct calls.
      name: of the model.

    Attributes:
      space: as given.
      dropout_seeds: makes a seed for every direct call that has none.
      compute_type: of activations and products; weights, statistics and logits are float32.
      score_kind: what the score of a validation is by the metric that the space is scored by
        unless told otherwise, as it is called in logs and files; see `score_kind_of`.
    """

    score_kind: str
    # What `set_precision` may be given.
    precisions: tuple[str, ...] = PRECISIONS[:1]
    compute_type = tf.float32
    # Banks of batch normalisation whose scale and offset mixtures train; in all others these would
    # only rescale what the mixture weighs, as in DARTS.
    relaxed_scales: tuple[str, ...] = ()

    def __init__(self, space: SearchSpace, seed: int, name: str) -> None:
        super().__init__(name=name)
        self.space = space
        self.dropout_seeds = keras.random.SeedGenerator(seed)

    def __call__(self, inputs: Any, architecture: Any, *args: Any, **kwargs: Any) -> Any:
        """Runs one architecture.

        Args:
          inputs: a batch.
          architecture: of the space, or its decisions: int32 tensors in the form of
            `space.encode`, without the batch axis.
          *args: see `call` of the subclass.
          **kwargs: likewise.
        """
        # Keras passes only tensors on to `call`.
        return super().__call__(inputs, self.decisions_of(architecture), *args, **kwargs)

    def decisions_of(self, architecture: Any) -> Any:
        """Returns the decisions of one architecture, given as a value or as decisions already."""
        if isinstance(architecture, Architecture):
            batched = self.space.encode([architecture])
            return type(batched)(*(tf.constant(array[0]) for array in batched))
        return architecture

    def initial_state(self, batch_size: int) -> Any:
        """Returns the state before the first training batch.

        Args:
          batch_size: rows of the whole batch, over all devices.

        Returns:
          Nested tensors with `batch_size` rows first; empty if batches have nothing to do with
          each other.
        """
        del batch_size
        return ()

    def set_loss(self, config: LossConfig, class_weights: np.ndarray | None) -> None:
        """Chooses what `training_pass` minimises, where there is a choice; before it is traced.

        Args:
          config: the settings.
          class_weights: float32 `[classes]`, see `SearchStreams.class_weights`; None: 1 each.
        """

    def set_precision(self, precision: str) -> None:
        """Chooses the type of activations and products; before anything is traced.

        Args:
          precision: one of `PRECISIONS`.

        Raises:
          ConfigurationError: the supernet does not compute in it.
        """
        if precision not in self.precisions:
            raise ConfigurationError(
                f"`precision` of the space {self.space.name} must be one of "
                f"{', '.join(self.precisions)}. Received: precision={precision}."
            )
        self.compute_type = tf.as_dtype(precision)
        for layer in self._flatten_layers(include_self=False, recursive=True):
            if isinstance(layer, WeightBank) and not layer.always_float32:
                layer.compute_type = self.compute_type

    def training_pass(
        self, batch: Any, decisions: Any, state: Any, dropout_seed: tf.Tensor
    ) -> TrainingPass:
        """Runs one architecture on a training batch without changing anything.

        Args:
          batch: a batch of the training stream, or one device's rows of it.
          decisions: of the architecture.
          state: what the same rows of the batch before left, see `TrainingPass.state`, or
            `initial_state`. The batch itself says where it starts from zero instead.
          dropout_seed: int32 `[2]`.
        """
        raise NotImplementedError

    def score(
        self,
        batch: Any,
        decisions: Any,
        *,
        use_batch_statistics: bool,
        metric: str = "accuracy",
    ) -> Any:
        """Scores one architecture on validation examples, without dropout.

        Args:
          batch: a batch of a validation stream.
          decisions: of the architecture.
          use_batch_statistics: whether the batch's or the moving statistics normalise.
          metric: see `SearchConfig.reward_metric`; text has one only.

        Returns:
          A `Score`; or `Predictions`, by a metric that is no mean over predictions.
        """
        raise NotImplementedError

    def score_type(self, metric: str) -> Any:
        """Returns the types of the tensors of a score by a metric, in its form."""
        del metric
        return Score(tf.float32, tf.float32)

    def reward(self, scores: Sequence[Any], metric: str = "accuracy") -> float:
        """Returns the reward, higher is better, of all of some batches together.

        Args:
          scores: what `score` returned for each, as numbers and NumPy arrays.
          metric: as `score` had it.
        """
        raise NotImplementedError

    def score_kind_of(self, metric: str) -> str:
        """Returns what the score of a validation by a metric is called."""
        del metric
        return self.score_kind

    def score_metrics(self, score: float) -> dict[str, float]:
        """Returns what else is logged of a score, by name.

        Args:
          score: what `reward` returned for the whole validation part.
        """
        del score
        return {}

    def normalization_banks(self) -> dict[str, BatchNormalizationBank]:
        """Returns every bank of batch normalisation by the name used in its statistics."""
        return {}

    def batch_statistics(self, batch: Any, decisions: Any) -> Any:
        """Returns what `update_statistics` takes, of a training batch without dropout.

        Args:
          batch: a batch of the training stream, or one device's rows of it.
          decisions: of the architecture.
        """
        del batch, decisions
        return ()

    def update_statistics(self, statistics: Any) -> None:
        """Moves the moving statistics; under a strategy, in cross-replica context.

        Args:
          statistics: of `training_pass` or `batch_statistics`, summed over replicas.
        """
        del statistics
