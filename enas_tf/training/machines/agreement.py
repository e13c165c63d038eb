"""What the processes of a training on several machines agree on."""

import contextlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

import enas_tf.errors
from enas_tf.errors import ConfigurationError, EnasError, WorkerLostError
from enas_tf.runs.differences import differences

# What TensorFlow raises when a process does not answer, or gave up because another one did not.
_LOST = (
    tf.errors.UnavailableError,
    tf.errors.AbortedError,
    tf.errors.CancelledError,
    tf.errors.DeadlineExceededError,
)


class Machines:
    """The processes of a training, one a machine, which take every step together.

    The first one, the chief, decides and writes; the others follow. All of them must call the
    methods in the same order. In a training on one machine nothing is exchanged.

    Args:
      distribution: the strategy of the training.

    Attributes:
      distribution: as given.
      count: number of processes.
      index: which one this is; 0 is the chief.
    """

    def __init__(self, distribution: tf.distribute.Strategy) -> None:
        self.distribution = distribution
        self.count, self.index = 1, 0
        if isinstance(distribution, tf.distribute.MultiWorkerMirroredStrategy):
            resolver = distribution.cluster_resolver
            jobs = resolver.cluster_spec().as_dict()
            num_chiefs = len(jobs.get("chief", []))
            self.count = max(1, num_chiefs + len(jobs.get("worker", [])))
            self.index = resolver.task_id + num_chiefs * (resolver.task_type == "worker")
        # Of vectors of any length, so that nothing is traced again. Collective operations on
        # integers of 32 bits do not exist on all devices.
        self._sum_of_vectors = tf.function(
            self._summed, [tf.TensorSpec([None], tf.int64)], autograph=False
        )

    @property
    def is_chief(self) -> bool:
        """Whether this process decides and writes."""
        return self.index == 0

    @property
    def are_several(self) -> bool:
        """Whether there is another process."""
        return self.count > 1

    def of_all(self, numbers: Sequence[int]) -> np.ndarray:
        """Returns the numbers of all processes.

        Args:
          numbers: of this process; everywhere as many.

        Returns:
          int64 `[count, len(numbers)]`.
        """
        table = np.zeros([self.count, len(numbers)], np.int64)
        table[self.index] = numbers
        return self._sum(table) if self.are_several else table

    def of_chief(self, arrays: Sequence[Any]) -> list[np.ndarray]:
        """Returns the chief's numbers.

        Args:
          arrays: of numbers or truth values; everywhere of the same shapes and types. Only the
            chief's values count; they arrive bit for bit.
        """
        arrays = [np.asarray(array) for array in arrays]
        return [self._of_chief(array) for array in arrays] if self.are_several else arrays

    def _of_chief(self, array: np.ndarray) -> np.ndarray:
        # As integers, since a sum of zeros and a float may have other bits than the float.
        bits = np.ascontiguousarray(array).view(f"i{array.dtype.itemsize}")
        bits = self._sum(bits if self.is_chief else np.zeros_like(bits)).astype(bits.dtype)
        return bits.view(array.dtype).reshape(array.shape)

    def decide(self, function: Callable[[], Any]) -> Any:
        """Calls a function on the chief and returns its result everywhere.

        Args:
          function: returns what JSON can hold. An `EnasError` that it raises is raised everywhere.
        """
        if not self.are_several:
            return function()
        answer: dict[str, Any] = {}
        if self.is_chief:
            try:
                answer["result"] = function()
            except EnasError as error:
                answer.update(error=type(error).__name__, message=str(error))
        answer = json.loads(self._text_of_chief(json.dumps(answer)))
        if "error" in answer:
            raise getattr(enas_tf.errors, answer["error"], EnasError)(answer["message"])
        return answer["result"]

    def assign_of_chief(self, variables: Sequence[Any]) -> None:
        """Gives variables the values that they have on the chief."""
        if not self.are_several:
            return
        by_type: dict[str, list[Any]] = {}
        for variable in variables:
            by_type.setdefault(tf.as_dtype(variable.dtype).name, []).append(variable)
        for alike in by_type.values():
            values = [np.asarray(variable.numpy()) for variable in alike]
            # In one piece, since every exchange takes its time.
            (flat,) = self.of_chief([np.concatenate([value.ravel() for value in values])])
            ends = np.cumsum([value.size for value in values])
            for variable, part, value in zip(alike, np.split(flat, ends[:-1]), values):
                variable.assign(part.reshape(value.shape))

    def check_same(self, configuration: Mapping[str, Any]) -> None:
        """Sees to it that all processes have the same configuration.

        Args:
          configuration: as JSON can hold it.

        Raises:
          ConfigurationError: says which machines differ, and each of them in what.
        """
        if not self.are_several:
            return
        own = json.dumps(configuration, sort_keys=True)
        chiefs = self._text_of_chief(own)
        differs = self.of_all([chiefs != own])[:, 0]
        if not differs.any():
            return
        numbers = ", ".join(str(number) for number in np.flatnonzero(differs))
        different = differences(json.loads(chiefs), configuration)
        raise ConfigurationError(
            "The chief was started with other settings or other data than the machines "
            f"{numbers}{f' ({different})' if different else ''}; start the same command on every "
            "machine."
        )

    @contextlib.contextmanager
    def together(self) -> Iterator[None]:
        """Turns what TensorFlow raises when another process is lost into a `WorkerLostError`.

        At the end of the block the processes wait for each other.
        """
        if not self.are_several:
            yield
            return
        try:
            yield
            self.of_all([0])
        except _LOST as error:
            raise WorkerLostError(
                f"Machine {self.index} of {self.count} lost touch with another one "
                f"({type(error).__name__}). Start the same command on every machine again; it "
                "goes on from the last checkpoint."
            ) from error

    def _text_of_chief(self, text: str) -> str:
        own = np.frombuffer(text.encode("utf-8"), np.uint8)
        (length,) = self.of_chief([np.array([own.size])])
        padded = np.zeros(int(length[0]), np.int64)
        padded[: min(own.size, padded.size)] = own[: padded.size]
        return self.of_chief([padded])[0].astype(np.uint8).tobytes().decode("utf-8")

    def _sum(self, array: np.ndarray) -> np.ndarray:
        """Returns the sum over the processes of integers, of 64 bits."""
        if not array.size:
            # TensorFlow's ring would end the process.
            return array
        vector = tf.constant(array.ravel(), tf.int64)
        return self._sum_of_vectors(vector).numpy().reshape(array.shape)

    def _summed(self, vector: tf.Tensor) -> tf.Tensor:
        strategy = self.distribution
        # A process with several devices counts once.
        devices = strategy.num_replicas_in_sync // self.count

        def of_replica(vector: tf.Tensor) -> tf.Tensor:
            context = tf.distribute.get_replica_context()
            counts = tf.equal(context.replica_id_in_sync_group % devices, 0)
            return tf.where(counts, vector, tf.zeros_like(vector))

        values = strategy.run(of_replica, args=(vector,))
        return strategy.reduce(tf.distribute.ReduceOp.SUM, values, axis=None)
