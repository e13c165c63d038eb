"""What a search saves in order to go on after an interruption, or to go back."""

from collections.abc import Sequence
from typing import Any

from enas_tf.errors import NumericalError
from enas_tf.runs import RunDirectory
from enas_tf.training.checkpoints import Checkpoints


class SavedSearch:
    """The checkpoints of a search, and the plain numbers in them.

    Args:
      run: where they are kept.
      **objects: what has the variables, by name.

    Attributes:
      seconds: the search took until the checkpoint.
      unlogged: sums of training metrics that stand in no event yet.
      rollbacks: how often the search went back.
    """

    def __init__(self, run: RunDirectory, **objects: Any) -> None:
        self._run = run
        self._checkpoints = Checkpoints(run.checkpoints, **objects)
        self._logs: dict[str, int] = {}
        self._saves = 0
        self.seconds = 0.0
        self.unlogged: list[float] = []
        self.rollbacks = 0

    def restore(self) -> bool:
        """Restores the newest checkpoint; returns whether there was one."""
        found = self._checkpoints.restore()
        values = self._checkpoints.state.values
        self._logs = values.get("logs", {})
        self._saves = values.get("saves", 0)
        self.seconds = values.get("seconds", 0.0)
        self.unlogged = values.get("unlogged", [])
        self.rollbacks = values.get("rollbacks", 0)
        return found

    def rewind_logs(self) -> None:
        """Forgets what was logged after the checkpoint."""
        self._run.rewind(self._logs)

    def save(self, seconds: float, unlogged: Sequence[float]) -> None:
        """Saves everything.

        Args:
          seconds: the search took until now.
          unlogged: sums of training metrics that stand in no event yet.
        """
        # A new number every time, so that no checkpoint is ever written over.
        self._saves += 1
        self._checkpoints.state.values = {
            "seconds": seconds,
            "logs": self._run.position(),
            "unlogged": unlogged,
            "saves": self._saves,
            "rollbacks": self.rollbacks,
        }
        self._checkpoints.save(self._saves)

    def go_back(self, error: NumericalError, limit: int) -> None:
        """Restores the newest checkpoint because something is not finite, and counts that.

        Args:
          error: says what is not finite.
          limit: how often a search may go back.

        Raises:
          NumericalError: it went back that often already.
        """
        if self.rollbacks >= limit:
            raise NumericalError(
                f"{error} The search went back to its last checkpoint as often as "
                f"max_rollbacks={limit} allows."
            ) from error
        # The checkpoint may be older than the last time it was gone back to.
        rollbacks = self.rollbacks
        self.restore()
        self.rollbacks = rollbacks + 1
