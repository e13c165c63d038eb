"""What a training saves in order to go on after an interruption, or to go back."""

import logging
from typing import Any

from enas_tf.runs import RunDirectory
from enas_tf.training.checkpoints import Checkpoints

_log = logging.getLogger(__name__)


class SavedTraining:
    """The checkpoints of a training, and the plain values in them.

    Args:
      training: a `Training`, which is saved and restored.
      run: where.
      checkpoints: hold `training.state()`.
    """

    def __init__(self, training: Any, run: RunDirectory, checkpoints: Checkpoints) -> None:
        self._training = training
        self._run = run
        self._checkpoints = checkpoints
        self._saves = 0

    def save(self) -> None:
        """Saves everything."""
        training = self._training
        # A new number every time, so that no checkpoint is ever written over.
        self._saves += 1
        self._checkpoints.state.values = {
            "seconds": training.seconds,
            "log": self._run.position(),
            "history": training.history,
            "saves": self._saves,
        }
        self._checkpoints.save(self._saves)

    def restore(self) -> bool:
        """Restores the newest checkpoint and takes the log back to it; returns if there was one."""
        training = self._training
        found = self._checkpoints.restore()
        values = self._checkpoints.state.values if found else {}
        if found:
            training.seconds = values["seconds"]
            training.history = values.get("history", training.history)
            self._saves = values.get("saves", training.step)
            _log.info("going on at step %d of %d", training.step, training.total_steps)
        self._run.rewind(values.get("log", {}))
        return found
