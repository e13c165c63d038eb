"""Runs as the report needs them: searches and retrainings, finished or not."""

import dataclasses
import os
import pathlib
from collections.abc import Mapping, Sequence
from typing import Any

from enas_tf.errors import ArchitectureError, ConfigurationError, RunDirectoryError
from enas_tf.records.logs import Lines, last_written, logged_warnings, optional_json
from enas_tf.reporting.page.numbers import is_number
from enas_tf.reporting.page.sampled import Sampled, read_sampled
from enas_tf.runs.directory import (
    ARCHITECTURES,
    BEST_ARCHITECTURE,
    CONFIG,
    METRICS,
    RESULTS,
    RunDirectory,
)
from enas_tf.runs.phases import RETRAIN
from enas_tf.settings.setting import Settings
from enas_tf.spaces.architectures import architecture_from_document
from enas_tf.spaces.base import Architecture, SearchSpace
from enas_tf.spaces.costs import Costs
from enas_tf.spaces.registry import SpaceEntry, get_space

Event = Mapping[str, Any]

# What enas-study writes, if it lies in the folder of the search.
STUDY = "study.json"


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
      costs: of its network, as large as in the search, if known.
    """

    architecture: Architecture | None
    release_string: str
    score: float
    score_kind: str
    shared_weights_score: float | None
    standard_error: float | None = None
    tied_with_first: bool | None = None
    costs: Costs | None = None


@dataclasses.dataclass(frozen=True)
class Record:
    """What searches and retrainings have in common.

    Attributes:
      path: the run directory.
      entry: the kind of space.
      versions: of the software that began the run.
      configuration: as in `config.json`.
      events: the lines of `metrics.jsonl` by phase.
      warnings: warnings in the log.
      complaints: sentences on what could not be read.
      written: when the run was last written to, in seconds of the epoch, if known.
    """

    path: pathlib.Path
    entry: SpaceEntry
    versions: Mapping[str, Any]
    configuration: Mapping[str, Any]
    events: Mapping[str, Sequence[Event]]
    warnings: Sequence[str]
    complaints: Sequence[str]
    written: float | None

    def last(self, name: str) -> float | None:
        """Returns the largest number of a name, for example `epoch`, in all events."""
        numbers = [event.get(name) for row in self.events.values() for event in row]
        return max((number for number in numbers if is_number(number)), default=None)


@dataclasses.dataclass(frozen=True)
class SearchRecord(Record):
    """A search.

    Attributes:
      settings: of the space, the data and the search, under these names.
      sampled: the architectures that were sampled for the controller.
      document: `best_architecture.json`, if it is there.
      candidates: the ranking in it, best first.
      study: `study.json`, if it is there.
    """

    settings: Mapping[str, Any]
    sampled: Sampled
    document: Mapping[str, Any] | None
    candidates: Sequence[RankedCandidate]
    study: Mapping[str, Any] | None = None

    @property
    def space(self) -> SearchSpace:
        """The space that is searched."""
        return self.settings["space"]


@dataclasses.dataclass(frozen=True)
class TrainingRecord(Record):
    """A retraining.

    Attributes:
      architecture: what is trained.
      settings: of the network and the training, as `network` and `retrain`.
      results: `results.json`, if it is there.
    """

    architecture: Architecture
    settings: Mapping[str, Any]
    results: Mapping[str, Any] | None


def read_run(path: str | os.PathLike[str]) -> SearchRecord | TrainingRecord:
    """Returns the search or the retraining in a folder, whatever there is of it so far.

    Raises:
      RunDirectoryError: the folder holds neither, or its `config.json` is damaged.
    """
    run = RunDirectory(path)
    # os.path answers no to a text that is too long for a path; pathlib would raise.
    if not os.path.isfile(run.file(CONFIG)):
        what = f"has no {CONFIG}" if os.path.isdir(run.path) else "is not a folder"
        raise RunDirectoryError(
            f"{run.path} {what}; expected the output_dir of enas-search or enas-retrain."
        )
    configuration = run.configuration
    try:
        if configuration.get("command") == "search":
            return _read_search(run, configuration)
        if configuration.get("command") == RETRAIN:
            return _read_training(run, configuration)
    except (ConfigurationError, ArchitectureError) as error:
        raise RunDirectoryError(f"{run.path / CONFIG} is damaged: {error}") from error
    raise RunDirectoryError(
        f"{run.path} holds neither a search nor a retraining; expected the output_dir of "
        "enas-search or enas-retrain."
    )


def _read_search(run: RunDirectory, configuration: Mapping[str, Any]) -> SearchRecord:
    sections = {name: _section(run, configuration, name) for name in ("space", "data", "search")}
    entry = get_space(str(sections["space"].pop("name", "")))
    preset = entry.search_presets["default"]
    space = entry.space.from_json(sections["space"])
    settings = {
        "space": space,
        "data": entry.data.config.from_json(sections["data"]),
        "search": type(preset.search).from_json(sections["search"]),
    }
    sampled, sampled_complaints = read_sampled(run.file(ARCHITECTURES), space)
    document, complaints = optional_json(run, BEST_ARCHITECTURE)
    study, study_complaints = optional_json(run, STUDY)
    candidates = [] if document is None else _candidates(document, entry.name)
    return SearchRecord(
        **_common(run, entry, [*sampled_complaints, *complaints, *study_complaints]),
        settings=settings,
        sampled=sampled,
        document=document,
        candidates=candidates,
        study=study,
    )


def _read_training(run: RunDirectory, configuration: Mapping[str, Any]) -> TrainingRecord:
    entry = get_space(str(configuration.get("space", "")))
    classes: dict[str, type[Settings]] = {
        "network": entry.network,
        "retrain": type(entry.retrain_presets["default"].retrain),
    }
    settings = {
        name: kind.from_json(_section(run, configuration, name)) for name, kind in classes.items()
    }
    architecture = architecture_from_document(
        _section(run, configuration, "architecture"), entry.name, "its architecture"
    )
    results, complaints = optional_json(run, RESULTS)
    return TrainingRecord(
        **_common(run, entry, complaints),
        architecture=architecture,
        settings=settings,
        results=results,
    )


def _common(run: RunDirectory, entry: SpaceEntry, complaints: Sequence[str]) -> dict[str, Any]:
    """Returns the attributes of a `Record`."""
    lines = Lines(run.file(METRICS))
    events: dict[str, list[Event]] = {}
    for event in lines:
        events.setdefault(str(event.get("phase")), []).append(event)
    versions = run.read_json(CONFIG).get("versions")
    names = (CONFIG, METRICS, BEST_ARCHITECTURE, RESULTS)
    times = [last_written(run.file(name)) for name in names]
    return {
        "path": run.path,
        "entry": entry,
        "versions": versions if isinstance(versions, dict) else {},
        "configuration": run.configuration,
        "events": events,
        "warnings": logged_warnings(run.file("log.txt")),
        "complaints": [*lines.complaints(), *complaints],
        "written": max((time for time in times if time is not None), default=None),
    }


def _section(run: RunDirectory, configuration: Mapping[str, Any], name: str) -> dict[str, Any]:
    section = configuration.get(name)
    if not isinstance(section, dict):
        raise RunDirectoryError(f"{run.path / CONFIG} is damaged: it has no object {name!r}.")
    return dict(section)


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
