"""What a supernet says of architectures: rewards (phase 2), validation scores, statistics.

As the training does, it runs under a `tf.distribute` strategy in `tf.function`s that take the
architecture as integers.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from enas_tf.data.sharing import Share, SpreadBatch
from enas_tf.layers.graph_options import training_graphs
from enas_tf.settings.search import SearchConfig
from enas_tf.spaces.base import SearchSpace
from enas_tf.spaces.batch import ArchitectureBatch
from enas_tf.training.devices import distributed
from enas_tf.training.pace import DATA, REWARD, VALIDATE, each, measured
from enas_tf.training.sums import run_and_sum

# Rewards that one device computes at the same time.
PARALLEL_SCORES = 2


class SupernetScores:
    """A supernet, and the functions that score architectures with its weights.

    Args:
      space: the search space.
      config: the settings of the search.
      supernet: the weights.
      distribution: over which devices.
      read: what a pass does first with a batch; see `SearchStreams.reader`.

    Attributes:
      supernet: as given.
      distribution: as given.
    """

    def __init__(
        self,
        space: SearchSpace,
        config: SearchConfig,
        supernet: Any,
        distribution: tf.distribute.Strategy,
        read: Callable[[Any], Any],
    ) -> None:
        self._space = space
        self._config = config
        self._read = read
        self.supernet = supernet
        self.distribution = distribution
        self._scoring = {
            use_batch: tf.function(
                lambda batch, decisions, use_batch=use_batch: self._distributed_scores(
                    batch, decisions, use_batch
                ),
                autograph=False,
                reduce_retracing=True,
            )
            for use_batch in (False, True)
        }
        self._rewarding = tf.function(
            self._distributed_rewards, autograph=False, reduce_retracing=True
        )
        self._refitting_step = tf.function(self._refit_step, autograph=False)

    @property
    def num_replicas(self) -> int:
        """Devices that work on one step."""
        return self.distribution.num_replicas_in_sync

    def batches(self, stream: Callable[[Share], tf.data.Dataset]) -> Any:
        """Returns the batches of a stream, at a time one for every replica; see `distributed`."""
        return distributed(self.distribution, stream)

    def rewards(self, batches: Iterable[Any], architectures: Sequence[Any]) -> list[float]:
        """Scores each architecture on a validation minibatch.

        The architectures are spread over the replicas. Each is scored by one replica on its whole
        minibatch, so that the rewards do not depend on the number of devices.

        Args:
          batches: iterator over what `batches` returned for a stream of `SpreadBatch`; one is
            taken for as many architectures as there are replicas.
          architectures: to be scored.
        """
        encoded = ArchitectureBatch.of(self._space, architectures).decisions
        blocks = -(-len(architectures) // self.num_replicas)
        # Replicas that have nothing to do repeat the last architecture.
        numbers = np.arange(blocks * self.num_replicas).clip(max=len(architectures) - 1)
        decisions = self._on_host(type(encoded)(*(np.asarray(array)[numbers] for array in encoded)))
        with training_graphs(), measured(REWARD):
            scores = _each(self._rewarding([next(batches) for _ in range(blocks)], decisions))
        metric = self._config.reward_metric
        return [self.supernet.reward([score], metric) for score in scores[: len(architectures)]]

    def validation_score(
        self, batches: Iterable[Any], architecture: Any, *, use_batch_statistics: bool
    ) -> float:
        """Scores an architecture on all of some validation batches.

        Args:
          batches: what `batches` returned for a finite stream of `SpreadBatch`.
          architecture: to be scored.
          use_batch_statistics: whether the batch's or the moving statistics normalise.
        """
        return self.score_of(
            self.validation_scores(batches, architecture, use_batch_statistics=use_batch_statistics)
        )

    def score_of(self, scores: Sequence[Any]) -> float:
        """Returns the score of all of some batches together, of each of which one is given."""
        return self.supernet.reward(scores, self._config.ranking_metric)

    @property
    def score_kind(self) -> str:
        """What such a score is, as it is called in logs and files."""
        return self.supernet.score_kind_of(self._config.ranking_metric)

    def validation_scores(
        self, batches: Iterable[Any], architecture: Any, *, use_batch_statistics: bool
    ) -> list[Any]:
        """Returns the score of each validation batch; arguments as of `validation_score`."""
        decisions = self._space.encode([architecture] * self.num_replicas)
        return self.scores_of_decisions(batches, decisions, use_batch_statistics)

    def scores_of_decisions(
        self, batches: Iterable[Any], decisions: Any, use_batch_statistics: bool
    ) -> list[Any]:
        """Returns the score of each validation batch, as `Supernet.reward` takes them.

        Args:
          batches: as for `validation_score`.
          decisions: or mixtures, for each replica the same one.
          use_batch_statistics: as for `validation_score`.
        """
        return [
            score
            for batch in each(DATA, batches)
            for score in self._scores(batch, decisions, use_batch_statistics)
            if score.count
        ]

    def refit_statistics(self, batches: Iterable[Any], architecture: Any) -> None:
        """Replaces the moving statistics, if there are any, by those of one architecture alone.

        Args:
          batches: what `batches` returned for a stream of `SpreadBatch` of training examples; all
            of them are used, each by one replica, so that the number of devices does not matter.
          architecture: whose statistics.
        """
        banks = self.supernet.normalization_banks()
        if not banks:
            return
        for bank in banks.values():
            bank.reset_statistics()
        encoded = self._space.encode([architecture])
        decisions = self._decisions_of(encoded, 0)
        for batch in batches:
            self._refitting_step(batch, decisions)

    def _refit_step(self, batch: SpreadBatch, decisions: Any) -> None:
        statistics = self._of_every_replica(
            lambda batch, _: self.supernet.batch_statistics(self._read(batch), decisions), batch
        )
        # One after the other, as one device does it.
        for replica in range(self.num_replicas):
            self.supernet.update_statistics(
                tf.nest.map_structure(lambda values, number=replica: values[number], statistics)
            )

    def _of_every_replica(
        self, function: Callable[[Any, Any], Any], batch: SpreadBatch | list[SpreadBatch]
    ) -> Any:
        """Returns what every replica computes of its own batch.

        Args:
          function: takes a batch and the number of the replica; returns nested tensors. A list of
            batches comes stacked, and the tensors must have their axis in front.
          batch: one for each replica; or a list of such, all of one shape.

        Returns:
          The tensors with an axis of the replicas in front; zeros for a batch that does not count.
        """

        def placed(batch: Any) -> tuple[Any, Any]:
            if isinstance(batch, list):
                batch = tf.nest.map_structure(lambda *values: tf.stack(values), *batch)
            replica = tf.distribute.get_replica_context().replica_id_in_sync_group
            rank = batch.weight.shape.rank
            is_own = tf.reshape(tf.equal(tf.range(self.num_replicas), replica), [-1] + [1] * rank)
            own = is_own & (batch.weight > 0.0)

            def place(value: tf.Tensor) -> tf.Tensor:
                shape = [*own.shape, *[1] * (value.shape.rank - rank)]
                # A product would be undefined where a score is.
                return tf.where(tf.reshape(own, shape), value[None], tf.zeros([], value.dtype))

            return tf.nest.map_structure(place, function(batch.batch, replica)), ()

        return run_and_sum(self.distribution, placed, (batch,))[0]

    @staticmethod
    def _on_host(decisions: Any) -> Any:
        """Returns decisions as tensors in the memory of the host, which chooses by them."""
        with tf.device("CPU:0"):
            return type(decisions)(*map(tf.convert_to_tensor, decisions))

    @staticmethod
    def _decisions_of(decisions: Any, number: Any) -> Any:
        """Returns one of several architectures, without the batch axis."""
        return type(decisions)(*(array[number] for array in decisions))

    @measured(VALIDATE)
    def _scores(self, batch: SpreadBatch, decisions: Any, use_batch: bool) -> list[Any]:
        """Returns the score of each replica's batch, of no predictions if it does not count."""
        with training_graphs():
            return _each(self._scoring[use_batch](batch, self._on_host(decisions)))

    def _score(self, batch: Any, decisions: Any, use_batch: bool, metric: str) -> Any:
        """Returns the score of an architecture, whose tensors have the same shapes for all batches.

        Those of a replica's smaller batch are filled up, since replicas exchange equal shapes.
        """
        batch = self._read(batch)
        score = self.supernet.score(batch, decisions, use_batch_statistics=use_batch, metric=metric)

        def filled(value: tf.Tensor) -> tf.Tensor:
            if value.shape.is_fully_defined():
                return value
            rows = self._config.shared_weights.batch_size
            rows = max(rows, self._config.reward_batch_size or rows)
            missing = [[0, rows - tf.shape(value)[0]], *[[0, 0]] * (value.shape.rank - 1)]
            return tf.ensure_shape(tf.pad(value, missing), [rows, *value.shape[1:]])

        return tf.nest.map_structure(filled, score)

    def _distributed_scores(self, batch: SpreadBatch, decisions: Any, use_batch: bool) -> Any:
        """Returns scores whose tensors have an axis `[replicas]` in front."""

        def score(batch: Any, replica: Any) -> Any:
            own = self._decisions_of(decisions, replica)
            return self._score(batch, own, use_batch, self._config.ranking_metric)

        return self._of_every_replica(score, batch)

    def _distributed_rewards(self, batches: list[SpreadBatch], decisions: Any) -> Any:
        """Returns scores with an axis `[blocks * replicas]`, in the order of the decisions.

        Args:
          batches: the blocks: one batch for each replica, all of one shape.
          decisions: of as many architectures.
        """
        use_batch = self._config.reward_statistics == "batch"

        def scores(batches: Any, replica: Any) -> Any:
            def score(block: tf.Tensor) -> Any:
                batch = tf.nest.map_structure(lambda values: values[block], batches)
                own = self._decisions_of(decisions, block * self.num_replicas + replica)
                return self._score(batch, own, use_batch, self._config.reward_metric)

            # A loop, since its graph is as small as that of one score.
            return tf.map_fn(
                score,
                tf.range(count),
                fn_output_signature=self.supernet.score_type(self._config.reward_metric),
                parallel_iterations=PARALLEL_SCORES,
            )

        count = len(batches)
        placed = self._of_every_replica(scores, batches)

        def in_order(values: tf.Tensor) -> tf.Tensor:
            axes = [1, 0, *range(2, values.shape.rank)]
            return tf.reshape(tf.transpose(values, axes), [-1, *values.shape[2:]])

        return tf.nest.map_structure(in_order, placed)


def _each(scores: Any) -> list[Any]:
    """Returns each of some scores that stand in one, as numbers and NumPy arrays."""
    fields = [field.numpy() for field in scores]
    # Numbers as Python adds them up: with twice as many digits.
    values = [field.tolist() if field.ndim == 1 else field for field in fields]
    return [type(scores)(*one) for one in zip(*values, strict=True)]
