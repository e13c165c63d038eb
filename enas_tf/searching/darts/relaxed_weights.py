"""One step of a search by gradient: first of the architecture, then of the shared weights."""

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from enas_tf.data.sharing import Share
from enas_tf.errors import NumericalError
from enas_tf.layers.graph_options import training_graphs
from enas_tf.searching.darts.architecture import MixtureWeights
from enas_tf.searching.darts.bilevel import Tensors, Unrolling, architecture_gradient
from enas_tf.searching.shared_weights import SharedWeights
from enas_tf.settings.search import SearchConfig
from enas_tf.training.carried_state import CarriedState
from enas_tf.training.loss_scaling import scaled_loss, scaling_metrics
from enas_tf.training.optimizers import add_weight_decay, decayed_loss, global_norm
from enas_tf.training.pace import DATA, TRAIN, measured
from enas_tf.training.several_steps import SeveralSteps
from enas_tf.training.step import gradient_step
from enas_tf.training.sums import run_and_sum


class RelaxedWeights(SharedWeights):
    """Shared weights that a mixture trains; see `SharedWeights`.

    Scales and offsets of batch normalisation stay as they are but where
    `Supernet.relaxed_scales` says otherwise.

    Attributes:
      architecture: the weights of the mixture.
      carried_architecture: what the last batch of the architecture left to the next one.
    """

    def __init__(
        self,
        space: Any,
        config: SearchConfig,
        steps_per_epoch: int,
        distribution: Any = None,
        class_weights: np.ndarray | None = None,
        read: Callable[[Any], Any] = lambda batch: batch,
    ) -> None:
        super().__init__(space, config, steps_per_epoch, distribution, class_weights, read)
        self._total_epochs = config.shared_weights.epochs
        with self.distribution.scope():
            self.architecture = MixtureWeights(space, config.darts, config.seed, config.precision)
        batch_size = config.shared_weights.batch_size
        self.carried_architecture = CarriedState(
            self.supernet.initial_state(batch_size), batch_size, self.distribution
        )
        self._relaxed_step = tf.function(
            self._distributed_relaxed_step, autograph=False, reduce_retracing=True
        )
        self._several_relaxed_steps = SeveralSteps(self._distributed_relaxed_step)

    def _build_supernet(self, space: Any, seed: int) -> Any:
        supernet = super()._build_supernet(space, seed)
        for name, bank in supernet.normalization_banks().items():
            if name not in supernet.relaxed_scales:
                bank.scale.trainable = bank.offset.trainable = False
        return supernet

    def saved_objects(self) -> dict[str, Any]:
        """Returns what a checkpoint must hold, by name."""
        objects = {**super().saved_objects(), "architecture": self.architecture}
        if self.carried_architecture.tensors:
            objects["carried_architecture"] = self.carried_architecture
        return objects

    def check_finite(self) -> None:
        """Raises `NumericalError` if a weight, of the architecture too, is not finite."""
        super().check_finite()
        if not bool(tf.reduce_all(tf.math.is_finite(self.architecture.logits.value))):
            raise NumericalError(
                "The architecture's logits are not finite any more. Lower darts_learning_rate."
            )

    def step_metrics(self) -> dict[str, float]:
        """Returns what else is logged of the last step; see `SharedWeights.step_metrics`."""
        own = scaling_metrics(self.architecture.optimizer, "architecture_")
        return {**super().step_metrics(), **own}

    def relaxed_batches(self, stream: Callable[[Share], Any]) -> Any:
        """Returns an iterator over the batches of a stream for `step`."""
        return iter(self.batches(stream))

    @measured(TRAIN)
    def step(
        self, batch: Any, architecture_batch: Any, number: int, epoch: int, rollbacks: int
    ) -> tuple[Any, Any]:
        """Takes a step of the architecture, unless it is still frozen, and one of the weights.

        Args:
          batch: of the weights' part of the training data.
          architecture_batch: of the architecture's part; None: it is frozen.
          number: of the step, from which everything random is seeded.
          epoch: the running one, from 0, for the temperature.
          rollbacks: how often the search went back; from which it is seeded too.

        Returns:
          The metrics of the pass over the weights' batch, and over the architecture's (None if it
          is frozen), as sums over the whole batch.
        """
        with training_graphs():
            return self._relaxed_step(
                batch,
                architecture_batch,
                tf.constant(number, tf.int64),
                tf.constant(rollbacks, tf.int32),
                tf.constant(self._temperature(number, epoch), tf.float32),
            )

    def step_several(
        self,
        batches: Any,
        architecture_batches: Any,
        numbers: range,
        epoch: int,
        rollbacks: int,
        most: int = 1,
    ) -> tuple[Any, Any]:
        """Takes steps in one call.

        Args:
          batches: from `relaxed_batches`, of the weights' part; the steps' are taken from it.
          architecture_batches: likewise of the architecture's part; None: it is frozen.
          numbers: of the steps.
          epoch: as for `step`.
          rollbacks: as for `step`.
          most: steps of the longest call; with 1 none but `step` is called.

        Returns:
          What `step` returns; where `most` is more than 1, tensors `[steps]`.
        """
        iterators = batches, architecture_batches
        if most == 1:
            with measured(DATA):
                pair = [None if one is None else next(one) for one in iterators]
            return self.step(*pair, numbers.start, epoch, rollbacks)
        count = len(numbers)
        temperatures = [self._temperature(number, epoch) for number in numbers]
        rows = (
            np.array(numbers, np.int64),
            np.full(count, rollbacks, np.int32),
            np.array(temperatures, np.float32),
        )
        with training_graphs(), measured(TRAIN, count):
            return self._several_relaxed_steps(iterators, rows, count, most)

    def _temperature(self, number: int, epoch: int) -> float:
        config = self._config.darts
        if self.horizon is None:
            progress = epoch / max(1, self._total_epochs - 1)
        else:
            progress = self.horizon.course.share_at(number)
        return config.temperature + progress * (config.final_temperature - config.temperature)

    def _distributed_relaxed_step(self, batch: Any, other: Any, *numbers: Any) -> Any:
        (metrics, statistics), (state, other_state, norms) = run_and_sum(
            self.distribution,
            self._relaxed_replica_step,
            (batch, other, self.carried.read(), self.carried_architecture.read(), *numbers),
        )
        self.carried.write(state)
        if other is not None:
            self.carried_architecture.write(other_state)
        self.gradient_norm.assign(self.distribution.experimental_local_results(norms)[0])
        self.supernet.update_statistics(statistics)
        return metrics

    def _relaxed_replica_step(
        self,
        batch: Any,
        other: Any,
        state: Any,
        other_state: Any,
        step: tf.Tensor,
        rollbacks: tf.Tensor,
        temperature: tf.Tensor,
    ) -> tuple[Any, Any]:
        replica = tf.distribute.get_replica_context().replica_id_in_sync_group
        number = tf.cast(step * self.num_replicas + tf.cast(replica, tf.int64), tf.int32)
        seed = tf.stack([self._config.seed + rollbacks, number])
        # The same path and channels in all replicas, another seed for each use.
        shared = tf.stack([self._config.seed + rollbacks, tf.cast(step, tf.int32)])
        path_seed, other_seed = (
            tf.random.experimental.stateless_fold_in(one, 1) for one in (shared, seed)
        )
        rows = self.carried.rows_of(state, replica)
        batch, other_outcome = self._read(batch), None
        if other is not None:
            other = self._read(other)
            other_rows = self.carried_architecture.rows_of(other_state, replica)
            other_outcome = self._learn_architecture(
                (batch, rows, seed), (other, other_rows, other_seed), path_seed, temperature
            )
        logits = tf.convert_to_tensor(self.architecture.logits.value)
        outcome, norm = gradient_step(
            lambda: self.supernet.training_pass(
                batch, self._relaxed(logits, path_seed, temperature), rows, seed
            ),
            self.supernet.trainable_variables,
            self.optimizer,
            self._config.shared_weights,
        )
        summed = (outcome.metrics, other_outcome and other_outcome.metrics), outcome.statistics
        return summed, (outcome.state, other_outcome and other_outcome.state, norm)

    def _relaxed(self, logits: tf.Tensor, seed: tf.Tensor, temperature: tf.Tensor) -> Any:
        """Returns what a pass runs, by the sampling of the settings."""
        config = self._config.darts
        if config.sampling == "gumbel":
            return self.architecture.path(logits, temperature, seed)
        mixture = self.architecture.mixture(logits)
        if config.sampling == "partial":
            return self.supernet.partial_mixture(mixture, config.partial_channels, seed)
        return mixture

    def _learn_architecture(
        self, training: Any, validation: Any, path_seed: tf.Tensor, temperature: tf.Tensor
    ) -> Any:
        """Takes a step of the architecture and returns the pass over its own batch."""
        variables = self.supernet.trainable_variables
        outcomes = []

        def loss(inputs: Any, weights: Tensors, architecture: Tensors, decay: bool) -> tf.Tensor:
            batch, rows, seed = inputs
            # What the supernet reads as its variables.
            with keras.StatelessScope(state_mapping=list(zip(variables, weights))):
                mixture = self._relaxed(architecture[0], path_seed, temperature)
                outcome = self.supernet.training_pass(batch, mixture, rows, seed)
            outcomes.append(outcome)
            value = outcome.objective / self._config.shared_weights.batch_size
            if decay and outcome.decayed is not None:
                value = decayed_loss(value, outcome.decayed, self._config.shared_weights)
            return scaled_loss(self.architecture.optimizer, value)

        weights = [tf.convert_to_tensor(variable.value) for variable in variables]
        logits = tf.convert_to_tensor(self.architecture.logits.value)
        (gradient,) = architecture_gradient(
            lambda weights, own: loss(training, weights, own, decay=True),
            lambda weights, own: loss(validation, weights, own, decay=False),
            weights,
            [logits],
            self._unrolling(weights, training[0]) if self._config.darts.order == 2 else None,
            self._add_up,
        )
        self.architecture.apply(gradient)
        # Of the second order's four passes, only the second one is over the architecture's batch.
        return outcomes[0] if len(outcomes) == 1 else outcomes[1]

    def _unrolling(self, weights: Tensors, batch: Any) -> Unrolling:
        """Returns the step that the optimiser would take, weight decay and momentum included."""
        config = self._config.shared_weights
        current = tf.convert_to_tensor(self.optimizer.learning_rate)
        # Short segments of text have a lower rate.
        relative = getattr(batch, "relative_length", None)
        rate = self._config.darts.xi
        if rate is None:
            rate = current if relative is None else current * tf.reduce_mean(relative)
        momentums = getattr(self.optimizer, "momentums", [])

        def direction(gradients: Tensors) -> list[tf.Tensor]:
            if config.clip_norm:
                scale = tf.minimum(
                    1.0, tf.math.divide_no_nan(config.clip_norm, global_norm(gradients))
                )
                gradients = [gradient * scale for gradient in gradients]
            if relative is None:
                gradients = add_weight_decay(gradients, weights, config.weight_decay)
            if not config.momentum:
                return list(gradients)
            # Keras's momentum holds what was added, rate times gradient, to the weights.
            return [
                gradient - config.momentum * tf.convert_to_tensor(held.value) / current
                for gradient, held in zip(gradients, momentums, strict=True)
            ]

        return Unrolling(tf.convert_to_tensor(rate, tf.float32), direction)

    def _add_up(self, gradients: Tensors) -> Tensors:
        if self.num_replicas == 1:
            return gradients
        context = tf.distribute.get_replica_context()
        return context.all_reduce(tf.distribute.ReduceOp.SUM, list(gradients))
