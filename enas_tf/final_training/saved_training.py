"""What a training saves in order to go on after an interruption, or to go back."""

import logging
from collections.abc import Mapping
from typing import Any, Literal

from enas_tf.reporting.training_report import TrainingReport
from enas_tf.runs.directory import RunDirectory
from enas_tf.training.checkpoints import Checkpoints
from enas_tf.training.machines.checkpoints import ChiefsCheckpoints

_log = logging.getLogger(__name__)


class SavedTraining:
    """The checkpoints of a training, and the plain values in them.

    Args:
      training: a `Training`, which is saved and restored.
      run: where.
    """

    def __init__(self, training: Any, run: RunDirectory) -> None:
        self._training = training
        self._run = run
        self._checkpoints = ChiefsCheckpoints(
            Checkpoints(run.checkpoints, run.configuration, **training.state()), training.machines
        )

        # Opened by `restore`, which comes first.
        self._report: Any = None

    def log(self, event: Mapping[str, Any]) -> None:
        """Writes an event to the logs of the run."""
        self._report.event(event)

    def begin(self) -> None:
        """Writes what a new training is about, and its first checkpoint."""
        training = self._training
        self._report.begin(training.architecture, training.preview(), training.drawing_options())
        self.save()

    def close(self) -> None:
        """Closes the files of the logs."""
        if self._report is not None:
            self._report.close()

    def save(self, score: float | None = None) -> None:
        """Saves everything.

        Args:
          score: how good the network is here, more is better; the best checkpoint is kept.
        """
        training = self._training
        # No event that is older than the checkpoint may get lost.
        self._report.flush()
        self._checkpoints.state.values = {
            "seconds": training.seconds,
            "log": self._run.position(),
            "history": training.history,
        }
        if training.plan is not None:
            self._checkpoints.state.values["plan"] = training.plan.to_json()
        self._checkpoints.save(score)

    def restore(self, which: Literal["latest", "best"] = "latest") -> bool:
        """Restores a checkpoint and takes the log back to it.

        Args:
          which: the newest or the best one.

        Returns:
          Whether there was one.
        """
        training = self._training
        found = self._checkpoints.restore(which)
        values = self._checkpoints.state.values if found else {}
        if found:
            training.seconds = values["seconds"]
            training.history = values.get("history", training.history)
        if training.plan is not None:
            training.plan.restore(values.get("plan", {}))
        if found:
            training.after_restore()
            of = "" if training.total_steps is None else f" of {training.total_steps}"
            _log.info("going on at step %d%s", training.step, of)
        self._run.rewind(values.get("log", {}))
        self.close()
        self._report = TrainingReport(self._run, training.step if found else 0)
        return found
