"""Moving statistics of batch normalisation that stay the same on all replicas."""

from collections.abc import Sequence

import keras
import tensorflow as tf

from enas_tf.training.checkpoints import first_component


class MeanMovingStatistics:
    """Gives all replicas the mean of their moving statistics, after every step.

    Statistics that each replica moves for itself must be the same when they are saved and when they
    are restored, or an interrupted training would go on with others than one that was not.

    Args:
      network: a built network.
      strategy: whose replicas it runs on.
    """

    def __init__(self, network: keras.Model, strategy: tf.distribute.Strategy) -> None:
        self._strategy = strategy
        several = strategy.num_replicas_in_sync > 1
        self._variables = [
            weight.value
            for weight in network.non_trainable_variables
            if several and weight.value.synchronization == tf.VariableSynchronization.ON_READ
        ]

    def of_replica(self) -> list[tf.Tensor]:
        """Returns those of a replica, inside of it, after its forward pass."""
        return [tf.convert_to_tensor(variable) for variable in self._variables]

    def spread(self) -> None:
        """Gives all replicas the statistics of the first one, which checkpoints hold."""
        for variable in self._variables:
            variable.assign(first_component(variable))

    def share(self, sums: Sequence[tf.Tensor]) -> None:
        """Gives all replicas the mean; in cross-replica context.

        Args:
          sums: over the replicas, of what `of_replica` returned.
        """
        replicas = self._strategy.num_replicas_in_sync
        for variable, total in zip(self._variables, sums, strict=True):
            variable.assign(total / replicas)
