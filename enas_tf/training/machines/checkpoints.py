"""Checkpoints of a training on several machines."""

from typing import Literal

from enas_tf.training.checkpoints import Checkpoints, PlainState
from enas_tf.training.machines.agreement import Machines


class ChiefsCheckpoints:
    """Checkpoints that the chief keeps for all machines; they need no common file system.

    All machines must call the methods in the same order.

    Args:
      checkpoints: of this machine; only the chief's are used.
      machines: the machines.
    """

    def __init__(self, checkpoints: Checkpoints, machines: Machines) -> None:
        self._checkpoints = checkpoints
        self._machines = machines

    @property
    def state(self) -> PlainState:
        """Plain values that are saved too."""
        return self._checkpoints.state

    def restore(self, which: Literal["latest", "best"] = "latest") -> bool:
        """Restores the chief's checkpoint on all machines; see `Checkpoints.restore`."""
        checkpoints, machines = self._checkpoints, self._machines
        found = machines.decide(lambda: checkpoints.restore(which))
        if found and machines.are_several:
            self.state.values = machines.decide(lambda: self.state.values)
            machines.assign_of_chief(checkpoints.variables)
        return found

    def save(self, score: float | None = None) -> None:
        """Saves the state of all machines under the next number; see `Checkpoints.save`."""
        checkpoints = self._checkpoints
        self._machines.decide(lambda: checkpoints.save(checkpoints.newest + 1, score))
