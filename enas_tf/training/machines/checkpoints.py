"""Checkpoints of a training on several machines."""

from typing import Literal

from enas_tf.training.checkpoints import Checkpoints, PlainState
from enas_tf.training.machines.workers import Workers


class ChiefsCheckpoints:
    """Checkpoints that the chief keeps for all machines; they need no common file system.

    All machines must call the methods in the same order.

    Args:
      checkpoints: of this machine; only the chief's are used.
      workers: the machines.
    """

    def __init__(self, checkpoints: Checkpoints, workers: Workers) -> None:
        self._checkpoints = checkpoints
        self._workers = workers

    @property
    def state(self) -> PlainState:
        """Plain values that are saved too."""
        return self._checkpoints.state

    def restore(self, which: Literal["latest", "best"] = "latest") -> bool:
        """Restores the chief's checkpoint on all machines; see `Checkpoints.restore`."""
        checkpoints, workers = self._checkpoints, self._workers
        found = workers.decide(lambda: checkpoints.restore(which))
        if found and workers.are_several:
            self.state.values = workers.decide(lambda: self.state.values)
            workers.assign_of_chief(checkpoints.variables)
        return found

    def save(self, score: float | None = None) -> None:
        """Saves the state of all machines under the next number; see `Checkpoints.save`."""
        checkpoints = self._checkpoints
        self._workers.decide(lambda: checkpoints.save(checkpoints.newest + 1, score))
