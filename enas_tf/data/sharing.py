"""Which part of a stream of batches an input pipeline makes; nothing here imports TensorFlow.

There is one pipeline for each machine, and it feeds the replicas of that machine, in their order.
A stream is divided in one of two ways:

* Rows: every replica gets its own rows of every batch. For training.
* Spread: every replica gets whole batches, as `SpreadBatch`. For scores and statistics, which then
  do not depend on the number of replicas.
"""

import dataclasses
from typing import Any, NamedTuple

from enas_tf.errors import ConfigurationError


class SpreadBatch(NamedTuple):
    """A whole batch that one replica works on while the others work on other ones.

    Attributes:
      batch: as the undivided stream has it.
      weight: float32 `[]`, 1; or 0 if the batch is the repetition of another replica's, which only
        keeps this one busy.
    """

    batch: Any
    weight: Any


@dataclasses.dataclass(frozen=True)
class Share:
    """The replicas that one input pipeline feeds.

    Attributes:
      first: number of its first replica among those of all machines.
      count: its replicas, at least 1; their numbers are contiguous.
      total: replicas of all machines.
    """

    first: int
    count: int
    total: int

    @classmethod
    def of_pipeline(cls, context: Any) -> "Share":
        """Returns the share of a pipeline of `strategy.distribute_datasets_from_function`.

        Args:
          context: the `tf.distribute.InputContext` that the function is called with.
        """
        count = context.num_replicas_in_sync // context.num_input_pipelines
        return cls(context.input_pipeline_id * count, count, context.num_replicas_in_sync)

    @property
    def replicas(self) -> range:
        """The numbers of its replicas."""
        return range(self.first, self.first + self.count)

    def rows(self, replica: Any, batch_size: int) -> tuple[Any, Any]:
        """Returns a replica's first row of a batch, and the row after its last one.

        Every row belongs to one replica. The numbers of rows differ by at most one.

        Args:
          replica: its number among those of all machines; an integer or a tensor.
          batch_size: rows of the undivided batch.
        """
        return replica * batch_size // self.total, (replica + 1) * batch_size // self.total

    def check_batch_size(self, batch_size: int) -> None:
        """Raises `ConfigurationError` unless every replica has a row of each batch."""
        if batch_size < self.total:
            raise ConfigurationError(
                f"`batch_size` must be at least the number of devices, {self.total}, because each "
                f"works on rows of its own. Received: batch_size={batch_size}."
            )

    def spread(self, count: int) -> tuple[list[int], list[float]]:
        """Returns which of some batches this pipeline makes.

        Batch `b` belongs to replica `b % total`. The last block is filled up with repetitions of
        the last batch, so that all pipelines make as many batches for each of their replicas.

        Args:
          count: number of batches, over all machines.

        Returns:
          The numbers of the batches, from 0 to `count - 1`, and their weights: 0 for a repetition.
        """
        places = [
            start + replica for start in range(0, count, self.total) for replica in self.replicas
        ]
        return [min(place, count - 1) for place in places], [
            float(place < count) for place in places
        ]


# The share of a pipeline that feeds the only replica.
ALONE = Share(first=0, count=1, total=1)
