"""What a search writes down for people: logs, TensorBoard, the ranking and the drawing."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from enas_tf.architectures import architecture_document
from enas_tf.reporting.draw import write_drawing
from enas_tf.reporting.tensorboard import TensorBoardWriter
from enas_tf.runs import BEST_ARCHITECTURE, RunDirectory
from enas_tf.spaces.base import SearchSpace

SCORE_NOTE = (
    "The score ranks architectures that share weights; it is not the performance of the final "
    "network, which is trained from scratch."
)


class SearchReport:
    """Writes the files of a search's run directory.

    Args:
      run: where.
      space: the search space.
      first_steps: for each phase, the steps that are done already; TensorBoard's later events,
        left by an interrupted process, are removed.
    """

    def __init__(self, run: RunDirectory, space: SearchSpace, first_steps: Mapping[str, int]):
        self._run = run
        self._space = space
        self._boards = {
            phase: TensorBoardWriter(run.tensorboard / phase, first_step=step + 1)
            for phase, step in first_steps.items()
        }

    def metrics(
        self, phase: str, step: int, epoch: int, seconds: float, values: Mapping[str, float]
    ) -> None:
        """Writes one event to `metrics.jsonl` and TensorBoard.

        Args:
          phase: for example `controller`.
          step: steps of the phase that are done.
          epoch: the running epoch, from 1.
          seconds: since the search began.
          values: the numbers by name.
        """
        self._run.metrics.append(
            {"phase": phase, "step": step, "epoch": epoch, "seconds": round(seconds, 3), **values}
        )
        self._boards[phase].scalars(phase, values, step)

    def rewarded(
        self, architectures: Sequence[Any], rewards: Sequence[float], epoch: int, update: int
    ) -> None:
        """Writes the architectures of one update with their rewards.

        Args:
          architectures: what was proposed.
          rewards: one for each.
          epoch: the running epoch, from 1.
          update: number of the update, from 1.
        """
        for architecture, reward in zip(architectures, rewards):
            self._run.architectures.append(
                {
                    "epoch": epoch,
                    "update": update,
                    "reward": reward,
                    "release_string": architecture.to_release_string(),
                }
            )

    def sampled(self, architectures: Sequence[Any], step: int) -> None:
        """Writes how often each operation was sampled for the next training steps.

        Args:
          architectures: what was proposed.
          step: training steps that are done.
        """
        counts = self._space.operation_counts(architectures)
        shares = {
            name: np.asarray(values, np.float64) / len(architectures)
            for name, values in counts.items()
        }
        board = self._boards["shared_weights"]
        board.scalars("sampled", {name: np.mean(values) for name, values in shares.items()}, step)
        board.heatmap("sampled/operations_by_layer", np.stack(list(shares.values())), step)

    def proposed(self, architecture: Any, score: float, epoch: int) -> None:
        """Writes an architecture that the strategy would propose now.

        Args:
          architecture: the proposed one.
          score: its score with the shared weights.
          epoch: epochs that are done.
        """
        self._boards["derive"].text(
            "proposed_architecture", _score_and_string(architecture, score), epoch
        )

    def derived(
        self, candidates: Sequence[Any], seconds: float, ranked_by: Mapping[str, Any]
    ) -> None:
        """Writes `best_architecture.json` with the ranking, and the drawing of the best.

        Args:
          candidates: `Candidate`s, best first.
          seconds: the search took.
          ranked_by: what decided the ranking.
        """
        best = candidates[0]
        self._run.write_json(
            BEST_ARCHITECTURE,
            architecture_document(
                best.architecture,
                score=best.score,
                score_kind=best.score_kind,
                note=SCORE_NOTE,
                seconds=round(seconds, 3),
                space_settings=self._space.to_json(),
                ranked_by=ranked_by,
                ranking=[
                    {
                        "architecture": candidate.architecture.to_json(),
                        "release_string": candidate.architecture.to_release_string(),
                        "score": candidate.score,
                        "score_kind": candidate.score_kind,
                        "shared_weights_score": candidate.shared_weights_score,
                    }
                    for candidate in candidates
                ],
            ),
        )
        self._boards["derive"].text(
            "best_architecture", _score_and_string(best.architecture, best.score), step=0
        )
        path = self._run.path / "best_architecture.svg"
        write_drawing(best.architecture, path, **self._space.drawing_options())

    def flush(self) -> None:
        """Makes all that was written readable by others."""
        for board in self._boards.values():
            board.flush()

    def close(self) -> None:
        """Closes the event files."""
        for board in self._boards.values():
            board.close()


def _score_and_string(architecture: Any, score: float) -> str:
    return f"{score:.4f} ({SCORE_NOTE})\n\n`{architecture.to_release_string()}`"
