"""What a run is, for TensorBoard: its settings and what it trains on."""

from collections.abc import Mapping
from typing import Any

from enas_tf.reporting.tensorboard import TensorBoardWriter
from enas_tf.runs.differences import flatten
from enas_tf.runs.directory import RunDirectory


def write_about(run: RunDirectory, preview: Any, metrics: Mapping[str, str]) -> None:
    """Writes the settings of a run, and a look at its training data, for TensorBoard.

    Args:
      run: the run directory.
      preview: uint8 pictures `[pictures, height, width, channels]` as the network gets them, or a
        piece of the text.
      metrics: see `TensorBoardWriter.hyperparameters`.
    """
    settings = flatten(run.configuration)
    with TensorBoardWriter(run.tensorboard) as board:
        board.hyperparameters(settings, metrics)
        board.text("settings", _table(settings), step=0)
        if isinstance(preview, str):
            board.text("training_text", preview, step=0)
        else:
            board.pictures("augmented_input", preview, step=0)


def _table(settings: Mapping[str, Any]) -> str:
    """Returns a table in Markdown; what is unset is left out."""
    rows = [f"| {name} | `{value}` |" for name, value in settings.items() if value is not None]
    return "\n".join(["| setting | value |", "|---|---|", *rows])
