"""What training batches leave to the next one, kept as variables that checkpoints hold."""

from typing import Any

import tensorflow as tf

from enas_tf.data.texts.batch import check_devices


class CarriedState(tf.Module):
    """The state of all rows of the training batch; nothing if batches do not go on from others.

    The variables hold the rows of all replicas and belong to none of them: replica `r` of `n`
    works on the rows from `r * batch_size / n` on, as it does with the batch itself.

    Args:
      initial: nested tensors `[batch_size, …]`; empty: there is no state.
      batch_size: rows of the whole batch.
      distribution: the strategy whose replicas share the rows.

    Attributes:
      tensors: one variable for each tensor of the state.

    Raises:
      ConfigurationError: there is a state, and its rows cannot be divided among the replicas.
    """

    def __init__(self, initial: Any, batch_size: int, distribution: tf.distribute.Strategy) -> None:
        super().__init__(name="carried_state")
        self._structure = initial
        self._distribution = distribution
        self.tensors = [
            tf.Variable(tensor, trainable=False, name=f"carried_{number}")
            for number, tensor in enumerate(tf.nest.flatten(initial))
        ]
        if self.tensors:
            check_devices(batch_size, distribution.num_replicas_in_sync)

    def read(self) -> Any:
        """Returns the state of all rows, for `rows_of`; in cross-replica context."""
        values = [tf.convert_to_tensor(variable) for variable in self.tensors]
        return tf.nest.pack_sequence_as(self._structure, values)

    def rows_of(self, state: Any, replica: Any) -> Any:
        """Returns the rows of one replica.

        Args:
          state: what `read` returned.
          replica: its number.
        """
        replicas = self._distribution.num_replicas_in_sync

        def own_rows(tensor: tf.Tensor) -> tf.Tensor:
            rows = tensor.shape[0] // replicas
            return tf.reshape(tensor, [replicas, rows, *tensor.shape[1:]])[replica]

        return tf.nest.map_structure(own_rows, state)

    def write(self, state: Any) -> None:
        """Keeps the state for the next batch; in cross-replica context.

        Args:
          state: of all replicas, each with its own rows, as `strategy.run` returns it.
        """
        for variable, rows in zip(self.tensors, tf.nest.flatten(state), strict=True):
            variable.assign(self._distribution.gather(rows, axis=0))
