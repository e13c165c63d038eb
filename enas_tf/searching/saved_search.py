"""What a search saves in order to go on after an interruption, or to go back."""

from collections.abc import Sequence
from typing import Any, Literal

from enas_tf.runs.directory import RunDirectory
from enas_tf.searching.state import SearchState
from enas_tf.training.checkpoints import Checkpoints
from enas_tf.training.machines.agreement import Machines
from enas_tf.training.machines.checkpoints import ChiefsCheckpoints


class SavedSearch:
    """The checkpoints of a search, and the plain numbers in them.

    Args:
      run: where they are kept.
      machines: the machines that search.
      state: how far the search is.
      **objects: what has the variables, by name.

    Attributes:
      seconds: the search took until the checkpoint.
      unlogged: sums of training metrics that stand in no event yet.
      rollbacks: how often the search went back.
      ended: whether the search was ended before its last epoch.
      ranked: whether the final ranking stands in the log.
      plan: what a time budget has decided so far, as JSON can hold it; None: there is none.
    """

    def __init__(
        self, run: RunDirectory, machines: Machines, state: SearchState, **objects: Any
    ) -> None:
        self._run = run
        self._state = state
        checkpoints = Checkpoints(
            run.checkpoints, run.configuration, state=state.variables, **objects
        )
        self._checkpoints = ChiefsCheckpoints(checkpoints, machines)
        self._logs: dict[str, int] = {}
        self.seconds = 0.0
        self.unlogged: list[float] = []
        self.rollbacks = 0
        self.ended = False
        self.ranked = False
        self.plan: dict[str, Any] | None = None

    def restore(self, which: Literal["latest", "best"] = "latest") -> bool:
        """Restores the newest or the best checkpoint; returns whether there was one."""
        found = self._checkpoints.restore(which)
        if found:
            self._state.load()
        values = self._checkpoints.state.values
        self._logs = values.get("logs", {})
        self.seconds = values.get("seconds", 0.0)
        self.unlogged = values.get("unlogged", [])
        self.rollbacks = values.get("rollbacks", 0)
        self.ended = values.get("ended", False)
        self.ranked = values.get("ranked", False)
        self.plan = values.get("plan")
        return found

    def rewind_logs(self) -> None:
        """Forgets what was logged after the checkpoint."""
        self._run.rewind(self._logs)

    def save(self, seconds: float, unlogged: Sequence[float], score: float | None = None) -> None:
        """Saves everything.

        Args:
          seconds: the search took until now.
          unlogged: sums of training metrics that stand in no event yet.
          score: how good the search is here, more is better; the best checkpoint is kept.
        """
        self._state.store()
        self._checkpoints.state.values = {
            "seconds": seconds,
            "logs": self._run.position(),
            "unlogged": unlogged,
            "rollbacks": self.rollbacks,
            "ended": self.ended,
            "ranked": self.ranked,
            **({} if self.plan is None else {"plan": self.plan}),
        }
        self._checkpoints.save(score)
