"""Runs as the report needs them: searches and retrainings, finished or not."""

import dataclasses
import math
import os
from collections.abc import Mapping, Sequence
from typing import Any

from enas_tf.errors import ArchitectureError
from enas_tf.records.logs import Lines, last_written, logged_warnings, optional_json
from enas_tf.records.run import RecordedRun, recorded_run
from enas_tf.reporting.page.mixtures import RecordedMixture, read_mixtures
from enas_tf.reporting.page.numbers import is_number
from enas_tf.reporting.page.sampled import Sampled, read_sampled
from enas_tf.runs.contents import (
    ARCHITECTURES,
    BEST_ARCHITECTURE,
    CONFIG,
    METRICS,
    MIXTURES,
    RESULTS,
    STUDY,
)
from enas_tf.runs.phases import PLAN, RETRAIN
from enas_tf.settings.training import TrainingConfig
from enas_tf.spaces.architectures import architecture_from_document
from enas_tf.spaces.base import Architecture
from enas_tf.spaces.costs import Costs

Event = Mapping[str, Any]


@dataclasses.dataclass(frozen=True)
class RankedCandidate:
    """A candidate of the ranking at the end of a search.

    Attributes:
      architecture: of the search's space; None if the file does not have it as it should be.
      release_string: its integers.
      score: what it was ranked by.
      score_kind: what the score is.
      shared_weights_score: its score with the shared weights.
      standard_error: of the score, if known.
      tied_with_first: whether the score cannot be told apart from the first one's, if known.
      costs: of its network, if known.
      reward: what it was ranked by if a cost had a target: the score and the cost in one.
    """

    architecture: Architecture | None
    release_string: str
    score: float
    score_kind: str
    shared_weights_score: float | None
    standard_error: float | None = None
    tied_with_first: bool | None = None
    costs: Costs | None = None
    reward: float | None = None


@dataclasses.dataclass(frozen=True)
class Record(RecordedRun):
    """What searches and retrainings have in common.

    Attributes:
      versions: of the software that began the run.
      events: the lines of `metrics.jsonl` by phase.
      warnings: warnings in the log.
      complaints: sentences on what could not be read.
      written: when the run was last written to, in seconds of the epoch, if known.
    """

    versions: Mapping[str, Any]
    events: Mapping[str, Sequence[Event]]
    warnings: Sequence[str]
    complaints: Sequence[str]
    written: float | None

    def last(self, name: str) -> float | None:
        """Returns the largest number of a name, for example `epoch`, in all events."""
        numbers = [event.get(name) for row in self.events.values() for event in row]
        return max((number for number in numbers if is_number(number)), default=None)

    def epochs(self, training: TrainingConfig) -> int:
        """Returns how many epochs the run has: as its settings say, or as fit into its time."""
        planned = [event.get("epochs") for event in self.events.get(PLAN, ())]
        numbers = [number for number in planned if is_number(number)]
        return math.ceil(numbers[-1]) if numbers else training.epochs


@dataclasses.dataclass(frozen=True)
class SearchRecord(Record):
    """A search.

    Attributes:
      sampled: the architectures that were sampled for the controller.
      mixtures: of a search by gradient, one after each epoch.
      document: `best_architecture.json`, if it is there.
      candidates: the ranking in it, best first.
      study: `study.json`, if it is there.
    """

    sampled: Sampled
    mixtures: Sequence[RecordedMixture]
    document: Mapping[str, Any] | None
    candidates: Sequence[RankedCandidate]
    study: Mapping[str, Any] | None


@dataclasses.dataclass(frozen=True)
class TrainingRecord(Record):
    """A retraining.

    Attributes:
      results: `results.json`, if it is there.
    """

    architecture: Architecture
    results: Mapping[str, Any] | None


def read_run(path: str | os.PathLike[str]) -> SearchRecord | TrainingRecord:
    """Returns the search or the retraining in a folder, whatever there is of it so far.

    Raises:
      RunDirectoryError: see `recorded_run`.
    """
    recorded = recorded_run(path)
    run, entry = recorded.run, recorded.entry
    lines = Lines(run.file(METRICS))
    events: dict[str, list[Event]] = {}
    for event in lines:
        events.setdefault(str(event.get("phase")), []).append(event)
    versions = run.read_json(CONFIG).get("versions")
    names = (CONFIG, METRICS, BEST_ARCHITECTURE, RESULTS)
    times = [last_written(run.file(name)) for name in names]
    common = {
        **vars(recorded),
        "versions": versions if isinstance(versions, dict) else {},
        "events": events,
        "warnings": logged_warnings(run.file("log.txt")),
        "written": max((time for time in times if time is not None), default=None),
    }
    if recorded.command == RETRAIN:
        results, complaints = optional_json(run, RESULTS)
        complaints = [*lines.complaints(), *complaints]
        return TrainingRecord(**common, complaints=complaints, results=results)
    sampled, of_sampled = read_sampled(run.file(ARCHITECTURES), recorded.space)
    mixtures, of_mixtures = read_mixtures(run.file(MIXTURES), recorded.space)
    document, complaints = optional_json(run, BEST_ARCHITECTURE)
    # What enas-study writes may lie in the folder of the search.
    study, of_study = optional_json(run, STUDY)
    return SearchRecord(
        **common,
        complaints=[*lines.complaints(), *of_sampled, *of_mixtures, *complaints, *of_study],
        sampled=sampled,
        mixtures=mixtures,
        document=document,
        candidates=[] if document is None else _candidates(document, entry.name),
        study=study,
    )


def _candidates(document: Mapping[str, Any], space_name: str) -> list[RankedCandidate]:
    """Returns the ranking of a search; a document without one is a ranking of its best."""
    ranking = document.get("ranking")
    entries = ranking if isinstance(ranking, list) and ranking else [document]
    return [
        RankedCandidate(
            _architecture(entry, document, space_name),
            str(entry.get("release_string", "")),
            entry["score"],
            str(entry.get("score_kind", "score")),
            number if is_number(number := entry.get("shared_weights_score")) else None,
            number if is_number(number := entry.get("standard_error")) else None,
            tie if isinstance(tie := entry.get("tied_with_first"), bool) else None,
            Costs.from_json(entry),
            number if is_number(number := entry.get("reward")) else None,
        )
        for entry in entries
        if isinstance(entry, dict) and is_number(entry.get("score"))
    ]


def _architecture(
    entry: Mapping[str, Any], document: Mapping[str, Any], space_name: str
) -> Architecture | None:
    value = entry.get("architecture")
    if value is None and entry.get("release_string") == document.get("release_string"):
        value = document.get("architecture")
    if not isinstance(value, dict):
        return None
    try:
        return architecture_from_document(value, space_name)
    except ArchitectureError:
        return None
