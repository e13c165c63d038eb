"""Studies: what the searches of some methods are worth, beside architectures drawn at random.

Every search and every training is a run of its own below the folder of the study, and resumes as
such; what is finished is read from there, so that nothing is done twice.
"""

import dataclasses
import gc
import json
import logging
import pathlib
import time
from collections.abc import Mapping, Sequence
from typing import Any

import tensorflow as tf

from enas_tf.environment.console import say
from enas_tf.environment.progress import duration
from enas_tf.errors import RunDirectoryError, RunInUseError
from enas_tf.files.reading import read_bytes
from enas_tf.files.writing import to_json_text, write_text
from enas_tf.final_training.api import retrain
from enas_tf.runs.contents import BEST_ARCHITECTURE, RESULTS
from enas_tf.runs.directory import RunDirectory
from enas_tf.runs.phases import DERIVE, RETRAIN
from enas_tf.searching.api import search
from enas_tf.searching.ranking_again import score_again
from enas_tf.settings.setting import Settings
from enas_tf.spaces.architectures import architecture_from_document
from enas_tf.spaces.base import Architecture
from enas_tf.spaces.registry import get_space
from enas_tf.studies.arrangement import Arrangement
from enas_tf.studies.outcomes import (
    FoundBySearch,
    Retraining,
    SharedWeightsScores,
    StudyOutcome,
    Trained,
)
from enas_tf.studies.plan import Part, SearchJob, TrainingJob

# Until it is looked again whether another part has ended a training.
_WAITING_SECONDS = 5.0


@dataclasses.dataclass(frozen=True)
class Study:
    """The jobs of a study, and where their results are.

    Attributes:
      arrangement: what is searched and trained, and how.
      run: the folder of the study.
      preset: name of the preset that the settings come from.
      distribution: which devices train; default: see `default_strategy`.
      finished: the run of the one search of the plan, if that is not made by the study.
    """

    arrangement: Arrangement
    run: RunDirectory
    preset: str | None = None
    distribution: Any | None = None
    finished: pathlib.Path | None = None

    def do(self, part: Part) -> None:
        """Does the jobs of a part that are not done yet."""
        # It warns of functions that are traced often; here every job has its own.
        tf.get_logger().setLevel(logging.ERROR)
        jobs = self.arrangement.plan.jobs(part)
        left = [job for job in jobs if not self.is_done(job)]
        seconds: dict[type, list[float]] = {}
        for number, job in enumerate(left):
            _tell(
                job, len(jobs) - len(left) + number, len(jobs), _time_left(left[number:], seconds)
            )
            before = time.monotonic()
            self._do(job)
            seconds.setdefault(type(job), []).append(time.monotonic() - before)
            # Graphs and their variables refer to each other.
            gc.collect()

    def _do(self, job: SearchJob | TrainingJob) -> None:
        if isinstance(job, TrainingJob):
            self._train(job)
            return
        if not self._scores_file(job).is_file():
            self._search(job)
        for training in self.arrangement.plan.trainings_of(self.found(job)):
            self._train(training)

    def is_done(self, job: SearchJob | TrainingJob) -> bool:
        """Whether nothing is left to do of a job."""
        if isinstance(job, TrainingJob):
            return (self._folder(job) / RESULTS).is_file()
        return self._scores_file(job).is_file() and all(
            map(self.is_done, self.arrangement.plan.trainings_of(self.found(job)))
        )

    def _folder(self, job: SearchJob | TrainingJob) -> pathlib.Path:
        if isinstance(job, TrainingJob):
            return self.run.path / "trainings" / job.name
        return self.finished or self.run.path / "searches" / job.name

    def _scores_file(self, job: SearchJob) -> pathlib.Path:
        return self.run.path / "scores" / f"{job.name}.json"

    def found(self, job: SearchJob) -> Architecture:
        """Returns what a finished search found."""
        document = _read(self._folder(job) / BEST_ARCHITECTURE)
        return architecture_from_document(document["architecture"], self.arrangement.space.name)

    def _search(self, job: SearchJob) -> None:
        """Searches, and lets the shared weights score the random architectures."""
        config = self.arrangement.search.replace(strategy=job.method, seed=job.seed)
        folder = self._folder(job)
        if self.finished is None:
            search(
                self.arrangement.space,
                self.arrangement.data,
                config,
                folder,
                distribution=self.distribution,
                preset=self.preset,
                # Costs are of what the study trains; where none decide, nothing changes.
                network=self.arrangement.network if config.costs.counted else None,
            )
        scores = None
        started = time.monotonic()
        if config.evaluation == "shared_weights":
            scores = score_again(folder, self.arrangement.data, self.arrangement.plan.random)
        path = self._scores_file(job)
        path.parent.mkdir(exist_ok=True)
        seconds = time.monotonic() - started
        write_text(path, to_json_text({"scores": scores, "seconds": seconds}) + "\n")

    def _train(self, job: TrainingJob) -> None:
        config = self.arrangement.retrain.replace(seed=job.seed)
        while not self.is_done(job):
            try:
                retrain(
                    job.architecture,
                    self.arrangement.final_data,
                    config,
                    self.network_of(job.architecture),
                    self._folder(job),
                    distribution=self.distribution,
                    preset=self.preset,
                )
            except RunInUseError:
                # A search of another part found the same. Should that part end before its
                # training does, this one takes it over.
                time.sleep(_WAITING_SECONDS)

    def network_of(self, architecture: Architecture) -> Settings:
        """Returns the settings of an architecture's network."""
        return get_space(self.arrangement.space.name).fit_network(
            architecture, self.arrangement.network
        )

    def outcome(self) -> StudyOutcome:
        """Returns what came of all jobs.

        Raises:
          RunDirectoryError: jobs are missing; says which.
        """
        plan = self.arrangement.plan
        missing = [job for job in plan.jobs() if not self.is_done(job)]
        if missing:
            names = ", ".join(job.name for job in missing[:5])
            more = f" and {len(missing) - 5} more" if len(missing) > 5 else ""
            raise RunDirectoryError(
                f"{self.run.path} lacks {len(missing)} of {len(plan.jobs())} jobs: {names}"
                f"{more}. Run the parts that they belong to."
            )
        random = tuple(self._trained(one) for one in self.arrangement.plan.random)
        methods: dict[str, list[FoundBySearch]] = {}
        scores = []
        for job in self.arrangement.plan.searches:
            methods.setdefault(job.method, []).append(self._outcome_of(job))
            of_random = _read(self._scores_file(job))["scores"]
            if of_random is not None:
                scores.append(SharedWeightsScores(job.method, job.seed, tuple(of_random)))
        lower_is_better = get_space(self.arrangement.space.name).data.name == "texts"
        first = _read(self._folder(self.arrangement.plan.searches[0]) / BEST_ARCHITECTURE)
        return StudyOutcome(
            space=self.arrangement.space.name,
            dataset=self.arrangement.data.config.dataset,
            budget={
                "search": self.arrangement.search.to_json(),
                "retrain": self.arrangement.retrain.to_json(),
                "network": self.arrangement.network.to_json(),
            },
            lower_is_better=lower_is_better,
            score_kind=first["score_kind"],
            methods={name: tuple(found) for name, found in methods.items()},
            random=random,
            ranked=random,
            shared_weights=tuple(scores),
        )

    def _outcome_of(self, job: SearchJob) -> FoundBySearch:
        folder = self._folder(job)
        document = _read(folder / BEST_ARCHITECTURE)
        ends = [e for e in _events(folder) if e["phase"] == DERIVE and "rank" not in e]
        search_seconds = ends[-1]["seconds"] if ends else document["seconds"]
        scored = _read(self._scores_file(job))["seconds"]
        return FoundBySearch(
            seed=job.seed,
            score=document["score"],
            search_seconds=search_seconds,
            scoring_seconds=document["seconds"] - search_seconds + scored,
            trained=self._trained(self.found(job)),
        )

    def _trained(self, architecture: Architecture) -> Trained:
        network = self.network_of(architecture)
        costs = self.arrangement.space.costs(architecture, network)
        trainings = self.arrangement.plan.trainings_of(architecture)
        return Trained(
            architecture=architecture,
            parameters=costs.parameters,
            multiply_adds=costs.multiply_adds,
            retrainings=tuple(map(self._retraining, trainings)),
        )

    def _retraining(self, job: TrainingJob) -> Retraining:
        folder = self._folder(job)
        results = _read(folder / RESULTS)
        last = [event for event in _events(folder) if event["phase"] == RETRAIN][-1]
        (metric,) = {"accuracy", "perplexity"} & {n.removeprefix("test_") for n in results}
        return Retraining(
            seed=job.seed,
            # Of the weights that were tested.
            validation=(results if "best_epoch" in results else last)[f"validation_{metric}"],
            test=results[f"test_{metric}"],
            seconds=results["seconds"],
        )


def _read(path: pathlib.Path) -> dict[str, Any]:
    try:
        return json.loads(read_bytes(path))
    except (OSError, ValueError) as error:
        raise RunDirectoryError(
            f"{path} is damaged: {error}. Delete its folder, and the same command makes it anew."
        ) from error


def _events(folder: pathlib.Path) -> list[dict[str, Any]]:
    return RunDirectory(folder).metrics.read()


def _time_left(jobs: Sequence[Any], seconds: Mapping[type, Sequence[float]]) -> float | None:
    """Returns the seconds that jobs will take at the mean speed of those that are done."""
    times = [seconds.get(type(job)) for job in jobs]
    if not all(times):
        return None
    return sum(sum(past) / len(past) for past in times if past)


def _tell(job: Any, number: int, count: int, time_left: float | None) -> None:
    left = "" if time_left is None else f", about {duration(time_left)} left"
    what = "search" if isinstance(job, SearchJob) else "training"
    say(f"Job {number + 1} of {count}{left}: {what} {job.name}")
