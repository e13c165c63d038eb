"""What a final training writes down for people: its log and TensorBoard."""

from collections.abc import Mapping
from typing import Any

from enas_tf.reporting.about import write_about
from enas_tf.reporting.drawing import draw_png
from enas_tf.reporting.tensorboard import TensorBoardWriter
from enas_tf.runs.directory import RunDirectory
from enas_tf.runs.phases import RETRAIN
from enas_tf.spaces.base import Architecture

# When an event happened, not what was measured.
_PLACES = ("phase", "step", "epoch", "seconds")


class TrainingReport:
    """Writes the events of a training into its run directory.

    Args:
      run: where.
      steps_done: steps that are done already; TensorBoard's later events, left by an interrupted
        process, are removed.
    """

    def __init__(self, run: RunDirectory, steps_done: int) -> None:
        self._run = run
        self._board = TensorBoardWriter(run.tensorboard / RETRAIN, first_step=steps_done + 1)

    def begin(self, architecture: Architecture, preview: Any, options: Mapping[str, Any]) -> None:
        """Writes what a new training is about.

        Args:
          architecture: of the network.
          preview: see `write_about`.
          options: of the architecture's drawing.
        """
        write_about(self._run, preview, {f"{RETRAIN}/loss": RETRAIN})
        with TensorBoardWriter(self._run.tensorboard / "architecture") as board:
            board.png("drawing/architecture", draw_png(architecture, **options), step=0)
            board.text("architecture", f"`{architecture.to_release_string()}`", step=0)

    def event(self, event: Mapping[str, Any]) -> None:
        """Writes an event, a line of `metrics.jsonl`."""
        self._run.metrics.append(event)
        if event["phase"] != RETRAIN:
            return
        values = {
            name: float(value)
            for name, value in event.items()
            if name not in _PLACES and isinstance(value, (bool, int, float))
        }
        self._board.scalars(RETRAIN, values, event["step"])

    def flush(self) -> None:
        """Makes all that was written readable by others."""
        self._board.flush()

    def close(self) -> None:
        """Closes the event file."""
        self._board.close()
