"""Phase 1: training of the shared weights.

Everything runs under a `tf.distribute` strategy in `tf.function`s that take the architecture as
integers, so that nothing is traced again when it changes.
"""

import math
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import tensorflow as tf

from enas_tf.data.sharing import Share
from enas_tf.errors import NumericalError
from enas_tf.layers.graph_options import training_graphs
from enas_tf.searching.supernet_scores import SupernetScores
from enas_tf.settings.search import SearchConfig
from enas_tf.spaces.base import SearchSpace
from enas_tf.training.carried_state import CarriedState
from enas_tf.training.devices import default_strategy
from enas_tf.training.loss_scaling import scaling_metrics
from enas_tf.training.machines.agreement import Machines
from enas_tf.training.optimizers import build_optimizer
from enas_tf.training.pace import DATA, TRAIN, measured
from enas_tf.training.schedules import Horizon
from enas_tf.training.several_steps import SeveralSteps
from enas_tf.training.step import gradient_step
from enas_tf.training.sums import run_and_sum


class SharedWeights(SupernetScores):
    """The supernet of a space, its optimiser, and the functions that run it.

    Args:
      space: the search space.
      config: the settings of the search.
      steps_per_epoch: training steps in an epoch, for the learning rate.
      distribution: over which devices; default: see `default_strategy`.
      class_weights: what the loss counts the classes of pictures by; see
        `SearchStreams.class_weights`.
      read: what a step does first with a batch; see `SearchStreams.reader`. Default: nothing.

    Attributes:
      supernet: the shared weights.
      optimizer: their optimiser.
      distribution: the `tf.distribute` strategy.
      machines: the machines of the strategy.
      samples_per_step: architectures that one training step trains; must divide the number of
        replicas.
      horizon: what the learning rate follows if there is a time budget; else None.
      carried: what the last training batch left to the next one.
      gradient_norm: float32 variable, of the last training step, before clipping; not a number
        where it is not known, see `apply_gradients`.

    Raises:
      ConfigurationError: the rows of a batch that goes on from another one cannot be divided
        among the devices, or the supernet does not compute in the precision of the settings.
    """

    def __init__(
        self,
        space: SearchSpace,
        config: SearchConfig,
        steps_per_epoch: int,
        distribution: tf.distribute.Strategy | None = None,
        class_weights: np.ndarray | None = None,
        read: Callable[[Any], Any] = lambda batch: batch,
    ) -> None:
        distribution = distribution or default_strategy()
        with distribution.scope():
            supernet = self._build_supernet(space, config.seed)
            supernet.set_loss(config.loss, class_weights)
            supernet.set_precision(config.precision)
        super().__init__(space, config, supernet, distribution, read)
        self.machines = Machines(self.distribution)
        self.samples_per_step = config.samples_per_step or self.num_replicas
        self.horizon = None if config.time_budget is None else Horizon()
        with self.distribution.scope():
            self.optimizer = build_optimizer(
                config.shared_weights, steps_per_epoch, self.horizon, config.precision
            )
            self.optimizer.build(self.supernet.trainable_variables)
        batch_size = config.shared_weights.batch_size
        self.carried = CarriedState(
            self.supernet.initial_state(batch_size), batch_size, self.distribution
        )
        self.gradient_norm = tf.Variable(0.0, trainable=False, name="gradient_norm")
        # What the batches of `training_batches` have in common, until the step is traced.
        self._untraced: Any = None
        self._training_step = tf.function(
            self._distributed_step, autograph=False, reduce_retracing=True
        )
        self._several_steps = SeveralSteps(self._distributed_step)

    def _build_supernet(self, space: SearchSpace, seed: int) -> Any:
        return space.build_supernet(seed=seed)

    def training_dataset(self, stream: Callable[[Share], tf.data.Dataset]) -> Any:
        """Returns the batches of a stream for `train`, which is traced once for all their shapes.

        Args:
          stream: returns the rows of training batches that a share of the replicas works on; the
            `element_spec` says what the batches have in common.
        """
        batches = self.batches(stream)
        self._untraced = batches.element_spec
        return batches

    def training_batches(self, stream: Callable[[Share], tf.data.Dataset]) -> Iterator[Any]:
        """Returns an iterator over `training_dataset`."""
        return iter(self.training_dataset(stream))

    def _trace_training(self) -> None:
        """Traces the training step for all batches of `training_batches`, if it is not yet."""
        if self._untraced is None:
            return
        decisions = self._space.encode([self._space.random_architecture(0)] * self.samples_per_step)
        self._training_step.get_concrete_function(
            self._untraced,
            type(decisions)(*(tf.TensorSpec(array.shape, tf.int32) for array in decisions)),
            tf.TensorSpec([], tf.int64),
            tf.TensorSpec([], tf.int32),
        )
        self._untraced = None

    def saved_objects(self) -> dict[str, Any]:
        """Returns what a checkpoint must hold, by name."""
        objects: dict[str, Any] = {"supernet": self.supernet, "optimizer": self.optimizer}
        if self.carried.tensors:
            objects["carried"] = self.carried
        return objects

    def check_finite(self) -> None:
        """Raises `NumericalError` if a weight, or what the last batch left, is not finite.

        And if gradients are not, see `scaling_metrics`.
        """
        scaling_metrics(self.optimizer)
        variables = [
            variable
            for variable in (*self.supernet.weights, *self.carried.tensors)
            if tf.as_dtype(variable.dtype).is_floating
        ]
        finite = [
            tf.reduce_all(tf.math.is_finite(tf.convert_to_tensor(variable)))
            for variable in variables
        ]
        # In one piece, since each that is read takes its time.
        for variable, is_finite in zip(variables, tf.stack(finite).numpy(), strict=True):
            if not is_finite:
                raise NumericalError(
                    f"The shared weights are not finite any more ({variable.name}). Lower "
                    "learning_rate, or set clip_norm."
                )

    @measured(TRAIN)
    def train(self, batch: Any, decisions: Any, step: int, rollbacks: int = 0) -> Any:
        """Takes one training step.

        Args:
          batch: from `training_batches`.
          decisions: int32 arrays of `samples_per_step` architectures; neighbouring replicas share
            one if there are fewer of them than of replicas.
          step: number of the step, from which dropout is seeded.
          rollbacks: how often the search went back; from which dropout is seeded too.

        Returns:
          Metrics as tensors, sums over the whole batch: those of `TrainingPass`.
        """
        with training_graphs():
            self._trace_training()
            return self._training_step(
                batch, decisions, tf.constant(step, tf.int64), tf.constant(rollbacks, tf.int32)
            )

    def train_several(
        self, batches: Iterator[Any], decisions: Any, step: int, most: int = 1, rollbacks: int = 0
    ) -> Any:
        """Takes as many training steps as there are decisions for, in one call.

        Args:
          batches: from `training_batches`; the steps' batches are taken from them.
          decisions: as for `train`, those of one step after the other.
          step: number of the first step.
          most: steps of the longest call; with 1 none but `train` is called.
          rollbacks: as for `train`.

        Returns:
          Metrics as of `train`; where `most` is more than 1, tensors `[steps]`.
        """
        if most == 1:
            with measured(DATA):
                batch = next(batches)
            return self.train(batch, decisions, step, rollbacks)
        count = len(decisions[0]) // self.samples_per_step
        rows = type(decisions)(
            *(np.reshape(array, [count, -1, *np.shape(array)[1:]]) for array in decisions)
        )
        numbers = np.arange(step, step + count, dtype=np.int64)
        with training_graphs(), measured(TRAIN, count):
            return self._several_steps(
                (batches,), (rows, numbers, np.full(count, rollbacks, np.int32)), count, most
            )

    def step_metrics(self) -> dict[str, float]:
        """Returns what else is logged of the last training step, by name.

        Raises:
          NumericalError: see `scaling_metrics`.
        """
        metrics = {
            "learning_rate": float(self.optimizer.learning_rate),
            "gradient_norm": float(self.gradient_norm),
            **scaling_metrics(self.optimizer),
        }
        return {name: value for name, value in metrics.items() if math.isfinite(value)}

    def _distributed_step(
        self, batch: Any, decisions: Any, step: tf.Tensor, rollbacks: tf.Tensor
    ) -> Any:
        (metrics, statistics), (state, norms) = run_and_sum(
            self.distribution,
            self._replica_step,
            (batch, decisions, self.carried.read(), step, rollbacks),
        )
        self.carried.write(state)
        self.gradient_norm.assign(self.distribution.experimental_local_results(norms)[0])
        self.supernet.update_statistics(statistics)
        return metrics

    def _replica_step(
        self, batch: Any, decisions: Any, state: Any, step: tf.Tensor, rollbacks: tf.Tensor
    ) -> tuple[Any, Any]:
        replica = tf.distribute.get_replica_context().replica_id_in_sync_group
        own = self._decisions_of(decisions, replica * self.samples_per_step // self.num_replicas)
        # Every replica has masks of its own.
        number = step * self.num_replicas + tf.cast(replica, tf.int64)
        dropout_seed = tf.stack([self._config.seed + rollbacks, tf.cast(number, tf.int32)])
        rows = self.carried.rows_of(state, replica)
        batch = self._read(batch)
        outcome, norm = gradient_step(
            lambda: self.supernet.training_pass(batch, own, rows, dropout_seed),
            self.supernet.trainable_variables,
            self.optimizer,
            self._config.shared_weights,
        )
        return (outcome.metrics, outcome.statistics), (outcome.state, norm)
