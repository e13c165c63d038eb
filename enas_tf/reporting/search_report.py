"""What a search writes down for people: logs, TensorBoard, the ranking and the drawing."""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from enas_tf.drawing.picture import to_png
from enas_tf.drawing.shares import picture_of_shares, shares_of
from enas_tf.records.next_steps import train_best
from enas_tf.reporting.about import write_about
from enas_tf.reporting.drawing import draw_png, write_drawing
from enas_tf.reporting.tensorboard import TensorBoardWriter
from enas_tf.runs.contents import BEST_ARCHITECTURE
from enas_tf.runs.directory import RunDirectory
from enas_tf.runs.phases import DERIVE, PLAN, SHARED_WEIGHTS
from enas_tf.settings.setting import Settings
from enas_tf.spaces.architectures import architecture_document
from enas_tf.spaces.base import SearchSpace
from enas_tf.spaces.relaxation import RelaxableSpace
from enas_tf.training.pace import REPORT, measured

# Far more steps than any run takes.
_NO_END = 2**62
SCORE_NOTE = (
    "The score ranks architectures that share weights; it is not the performance of the final "
    "network, which is trained from scratch."
)


class SearchReport:
    """Writes the files of a search's run directory.

    Args:
      run: where.
      space: the search space.
      steps_done: for each phase, the steps that are done already; TensorBoard's later events,
        left by an interrupted process, are removed. None: all events stay.
    """

    def __init__(self, run: RunDirectory, space: SearchSpace, steps_done: Mapping[str, int | None]):
        self._run = run
        self._space = space
        self._boards = {
            phase: TensorBoardWriter(
                run.tensorboard / phase, first_step=_NO_END if steps is None else steps + 1
            )
            for phase, steps in steps_done.items()
        }

    @measured(REPORT)
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
        self._append(phase, step, epoch, seconds, values)
        self._boards[phase].scalars(phase, values, step)

    @measured(REPORT)
    def planned(self, epoch: int, step: int, seconds: float, values: Mapping[str, Any]) -> None:
        """Writes what a time budget decided to `metrics.jsonl`.

        Args:
          epoch: epochs that are done.
          step: training steps that are done.
          seconds: since the search began.
          values: what was decided, by name.
        """
        self._append(PLAN, step, epoch, seconds, values)

    @measured(REPORT)
    def ranked(self, epochs: int, seconds: float, values: Mapping[str, float]) -> None:
        """Writes one candidate of the final ranking to `metrics.jsonl`.

        Args:
          epochs: that are done.
          seconds: since the search began.
          values: the numbers by name.
        """
        self._append(DERIVE, epochs, epochs, seconds, values)

    def _append(
        self, phase: str, step: int, epoch: int, seconds: float, values: Mapping[str, Any]
    ) -> None:
        self._run.metrics.append(
            {"phase": phase, "step": step, "epoch": epoch, "seconds": round(seconds, 3), **values}
        )

    @measured(REPORT)
    def rewarded(
        self,
        architectures: Sequence[Any],
        numbers: Mapping[str, Sequence[float]],
        epoch: int,
        update: int,
    ) -> None:
        """Writes the architectures of one update with their rewards.

        Args:
          architectures: what was proposed.
          numbers: by name one for each: the `reward`, and what it is made of.
          epoch: the running epoch, from 1.
          update: number of the update, from 1.
        """
        for architecture, *values in zip(architectures, *numbers.values()):
            self._run.architectures.append(
                {
                    "epoch": epoch,
                    "update": update,
                    **dict(zip(numbers, values)),
                    "release_string": architecture.to_release_string(),
                }
            )

    @measured(REPORT)
    def sampled(self, architectures: Sequence[Any], step: int) -> None:
        """Writes how often each operation was sampled for the next training steps.

        Args:
          architectures: what was proposed.
          step: training steps that are done. The events belong to the next one, so that a search
            that resumes here, and proposes again, does not leave them twice.
        """
        shares = shares_of(self._space.operation_counts(architectures))
        board = self._boards[SHARED_WEIGHTS]
        means = {name: float(np.mean(values)) for name, values in shares.items()}
        board.scalars("sampled", means, step + 1)
        title = "share of each operation by place, %"
        board.png("sampled/operations", to_png(picture_of_shares(shares, title), 1.0), step + 1)

    @measured(REPORT)
    def explored(
        self, phase: str, name: str, value: float, step: int, warning: str | None = None
    ) -> None:
        """Writes a number that says how much the search still explores.

        Args:
          phase: whose steps count.
          name: of the number, for example `sampled/spread`.
          value: the number.
          step: the step of the phase, from 1.
          warning: what is to be said about it; it stands beside the number as a text.
        """
        group, _, short_name = name.partition("/")
        self._boards[phase].scalars(group, {short_name: value}, step)
        if warning is not None:
            self._boards[phase].text(f"{name}_warning", warning, step)

    @measured(REPORT)
    def mixed(self, space: RelaxableSpace, mixture: Any, epoch: int) -> None:
        """Writes what a search by gradient has mixed: `mixtures.jsonl`, and heat maps.

        Args:
          space: says what its weights mean.
          mixture: of one architecture.
          epoch: epochs that are done.
        """
        # Far more digits than a picture shows.
        weights = np.round(np.asarray(mixture.weights, np.float64), 6)
        self._run.mixtures.append({"epoch": epoch, "weights": weights.tolist()})
        for name, shares in zip(("operations", "inputs"), space.marginals(mixture)):
            picture = picture_of_shares(shares, f"weight of the {name} by decision, %")
            self._boards[DERIVE].png(f"mixture/{name}", to_png(picture, 1.0), epoch)

    @measured(REPORT)
    def begin(self, preview: Any, score_kind: str) -> None:
        """Writes what a new search is about.

        Args:
          preview: see `write_about`.
          score_kind: what the score of a proposed architecture is.
        """
        write_about(self._run, preview, {f"{DERIVE}/{score_kind}": DERIVE})

    @measured(REPORT)
    def proposed(
        self,
        architecture: Any,
        score: float,
        favourite: Any | None,
        epoch: int,
        drawing: Mapping[str, Any] | None = None,
    ) -> None:
        """Writes what the strategy would propose now.

        Args:
          architecture: a proposed one.
          score: its score with the shared weights.
          favourite: the most likely architecture, which is drawn; None: the proposed one is.
          epoch: epochs that are done.
          drawing: options of the drawing besides those of the space, if there are any.
        """
        board = self._boards[DERIVE]
        board.text("proposed_architecture", self._score_and_string(architecture, score), epoch)
        name = "proposed_architecture" if favourite is None else "most_likely_architecture"
        drawn = architecture if favourite is None else favourite
        options = {**self._space.drawing_options(), **(drawing or {})}
        board.png(f"drawing/{name}", draw_png(drawn, scale=1.0, **options), epoch)

    @measured(REPORT)
    def derived(
        self,
        candidates: Sequence[Any],
        epochs: int,
        seconds: float,
        ranked_by: Mapping[str, Any],
        comparison: Any | None = None,
        network: Settings | None = None,
    ) -> None:
        """Writes `best_architecture.json` with the ranking, and the drawing of the best.

        Args:
          candidates: `Candidate`s, best first.
          epochs: that are done.
          seconds: the search took.
          ranked_by: what decided the ranking.
          comparison: the `Comparison` with random architectures, if there is one.
          network: the settings of the networks that the candidates' costs are of.
        """
        best = candidates[0]
        path = self._run.file("best_architecture.svg")
        write_drawing(best.architecture, path, **self._space.drawing_options())
        # In a folder of its own, since deriving again replaces it.
        with TensorBoardWriter(self._run.tensorboard / "best") as board:
            text = self._score_and_string(best.architecture, best.score)
            note = (
                f"Train it: `{train_best('RUN').line}`, with this run's folder in the place of RUN."
            )
            board.text("best_architecture", f"{text}\n\n{note}", step=epochs)
            drawing = draw_png(best.architecture, **self._space.drawing_options())
            board.png("drawing/best_architecture", drawing, step=epochs)
        # Last, since a search that finds it has nothing left to do.
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
                **({"comparison": dataclasses.asdict(comparison)} if comparison else {}),
                **({"network": network.to_json()} if network else {}),
                ranking=[_entry(candidate) for candidate in candidates],
            ),
        )

    @measured(REPORT)
    def flush(self) -> None:
        """Makes all that was written readable by others."""
        for board in self._boards.values():
            board.flush()

    def close(self) -> None:
        """Closes the event files."""
        for board in self._boards.values():
            board.close()

    def _score_and_string(self, architecture: Any, score: float) -> str:
        note = self._space.score_note(score)
        words = f"{score:.4f}{f', {note}' if note else ''} ({SCORE_NOTE})"
        return f"{words}\n\n`{architecture.to_release_string()}`"


def _entry(candidate: Any) -> dict[str, Any]:
    """Returns what `best_architecture.json` tells of a candidate."""
    entry = {
        "architecture": candidate.architecture.to_json(),
        "release_string": candidate.architecture.to_release_string(),
        "score": candidate.score,
        "score_kind": candidate.score_kind,
        "shared_weights_score": candidate.shared_weights_score,
    }
    judged = {
        "standard_error": candidate.standard_error,
        "tied_with_first": candidate.tied_with_first,
        **(candidate.costs.to_json() if candidate.costs else {}),
        "reward": candidate.reward,
    }
    return {**entry, **{name: value for name, value in judged.items() if value is not None}}
