"""Training of architectures from scratch, one alone, in the graph of the supernet.

A network of its own would be traced and compiled for every architecture, which takes longer than a
short training on a small space. The supernet computes the same for an architecture that is chosen
in every step, and its step is traced once; what an earlier training left is put back to the start.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from enas_tf.errors import NumericalError
from enas_tf.searching.running_metrics import RunningMetrics
from enas_tf.searching.shared_weights import SharedWeights
from enas_tf.settings.search import SearchConfig
from enas_tf.spaces.base import Architecture, SearchSpace
from enas_tf.training.pace import DATA, each

# As often as the search reads metrics from the device.
_STEPS_PER_READING = 20


class TrainingAlone:
    """Trains architectures from scratch; what comes of one depends on it and the seed alone.

    Args:
      space: the search space.
      config: `shared_weights` says how a network is trained, and for how many epochs.
      streams: the batches.
      distribution: over which devices each batch is divided; default: see `default_strategy`.

    Attributes:
      weights: the supernet and its functions; they hold what was trained last.
    """

    def __init__(
        self,
        space: SearchSpace,
        config: SearchConfig,
        streams: Any,
        distribution: tf.distribute.Strategy | None = None,
    ) -> None:
        self._space = space
        self._epochs = config.shared_weights.epochs
        self._use_batch_statistics = config.reward_statistics == "batch"
        self._streams = streams
        self.weights = SharedWeights(
            space,
            config.replace(samples_per_step=1, time_budget=None),
            streams.steps_per_epoch,
            distribution,
            streams.class_weights(config.loss.class_weights),
            streams.reader(),
        )
        self._other_variables = [*self.weights.optimizer.variables, *self.weights.carried.tensors]
        self._start = [variable.numpy() for variable in self._other_variables]
        # Of the seed that was trained with last.
        self._seed: int | None = None
        self._initial_values: Sequence[np.ndarray] = ()
        self._batches: Any = None
        self._validation = self.weights.batches(streams.validation)

    def train(self, architecture: Architecture, seed: int = 0) -> list[float]:
        """Trains the network of an architecture, and leaves it in `weights`.

        Args:
          architecture: of the space; trained in its canonical form.
          seed: of the first weights, the order of the data and dropout.

        Returns:
          Its validation score after each epoch, higher is better, `[epochs]`.

        Raises:
          NumericalError: the loss, a weight or a score is not finite.
        """
        architecture = architecture.canonical()
        self._begin(seed)
        decisions = self._space.encode([architecture])
        steps = self._streams.steps_per_epoch
        first, batches = self._first_step(seed), each(DATA, self._batches)
        scores, running = [], RunningMetrics()
        for step in range(self._epochs * steps):
            running.add(self.weights.train(next(batches), decisions, first + step))
            if (step + 1) % _STEPS_PER_READING == 0:
                running.check_finite(step + 1)
                running = RunningMetrics()
            if (step + 1) % steps == 0:
                scores.append(self.score(self._validation, architecture))
        self.weights.check_finite()
        return scores

    def score(self, batches: Any, architecture: Architecture) -> float:
        """Returns the score of the architecture that was trained last.

        Args:
          batches: what `weights.batches` returned for a finite stream of `SpreadBatch`es.
          architecture: the one that was trained.

        Raises:
          NumericalError: it is not finite.
        """
        score = self.weights.validation_score(
            batches,
            architecture.canonical(),
            use_batch_statistics=self._use_batch_statistics,
        )
        if not np.isfinite(score):
            raise NumericalError(
                f"The score of {architecture.to_release_string()} trained alone is not finite. "
                "Lower learning_rate, or set clip_norm."
            )
        return score

    def _first_step(self, seed: int) -> int:
        """Returns the number of the first step; no two seeds have a batch or a mask in common."""
        return seed * self._epochs * self._streams.steps_per_epoch

    def _begin(self, seed: int) -> None:
        """Puts everything to where a training of this seed starts."""
        if seed != self._seed:
            first = self._first_step(seed)
            self._batches = self.weights.training_dataset(
                lambda share: self._streams.training(first, share)
            )
            supernet = self._space.build_supernet(seed=seed)
            self._initial_values = [variable.numpy() for variable in supernet.variables]
            self._seed = seed
        variables = [*self.weights.supernet.variables, *self._other_variables]
        for variable, value in zip(variables, [*self._initial_values, *self._start], strict=True):
            variable.assign(value)
