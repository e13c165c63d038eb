"""What every search is, however it finds its architectures: state, files, scores, ranking."""

import abc
import contextlib
import functools
import logging
import math
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, ClassVar, Literal

from typing_extensions import Self

from enas_tf.environment.progress import Progress
from enas_tf.errors import NumericalError, RunDirectoryError
from enas_tf.reporting.search_report import SearchReport
from enas_tf.runs.contents import BEST_ARCHITECTURE
from enas_tf.runs.directory import RunDirectory
from enas_tf.runs.phases import ALTERNATING, DERIVE, SHARED_WEIGHTS
from enas_tf.searching.comparison import Comparison
from enas_tf.searching.evaluators.base import Evaluator
from enas_tf.searching.final_costs import Objective, final_costs
from enas_tf.searching.limits import Limits
from enas_tf.searching.ranking import Candidate, derive, scores_of
from enas_tf.searching.result import SearchResult
from enas_tf.searching.running_metrics import RunningMetrics
from enas_tf.searching.saved_search import SavedSearch
from enas_tf.searching.schedule import (
    EPOCH_END,
    SAVE,
    SCORE,
    STEP,
    UPDATE,
    BudgetedSchedule,
    SearchSchedule,
)
from enas_tf.searching.shared_weights import SharedWeights
from enas_tf.searching.state import SearchState
from enas_tf.settings.search import DeriveConfig, SearchConfig
from enas_tf.settings.setting import Settings
from enas_tf.spaces.base import SearchSpace
from enas_tf.training.machines.agreement import Machines
from enas_tf.training.machines.run import data_of_run
from enas_tf.training.pace import REPORT, measured
from enas_tf.training.profiling import Profile
from enas_tf.training.several_steps import most_per_call
from enas_tf.training.time_budget import TimeBudget
from enas_tf.training.trainer import Stretch, StretchEnd, Task, Trainer

logger = logging.getLogger(__name__)

# Metrics are read from the device only now and then, since reading waits for it.
STEPS_PER_LOG = 20
# Takes the metrics of an epoch; an answer of True ends the search.
OnEpochEnd = Callable[[dict[str, Any]], Any]


class SearchTask(Task):
    """A search that can be resumed: everything it needs, restored from its run directory.

    Args:
      space: the search space.
      data: what it is searched on.
      config: the settings.
      run: where it is kept.
      network: the settings of the networks that are trained from scratch in the end, which costs
        are of. Default: as large as in the search.
      distribution: see `enas_tf.searching.api.search`.
      checkpoint: which one a run that is only derived from goes on from, `latest` or `best`; a
        run without one is an error then. None: the search goes on from the latest, or starts.

    Attributes:
      weights: the shared weights.
      evaluator: what scores architectures.
      strategy: what offers the architectures that are ranked.
      limits: what their final networks may cost.
      objective: what a search looks for, quality alone or costs too.
      costs: of the final networks.
      state: how far the search has come.
      streams: the batches.
      resumed: whether a checkpoint was restored.
    """

    # Those that have steps of their own, the one that trains the shared weights first.
    phases: ClassVar[tuple[str, ...]] = ALTERNATING
    # What the ranking says of the architectures that the search proposes.
    proposed_as: ClassVar[str] = "a proposed architecture"

    evaluator: Evaluator
    weights: SharedWeights
    machines: Machines
    state: SearchState
    strategy: Any
    streams: Any

    def __init__(
        self,
        space: SearchSpace,
        data: Any,
        config: SearchConfig,
        run: RunDirectory,
        *,
        network: Settings | None = None,
        distribution: Any | None = None,
        checkpoint: Literal["latest", "best"] | None = None,
    ) -> None:
        # The clock starts.
        budget = None if config.time_budget is None else TimeBudget(config.time_budget)
        self._space = space
        self._config = config
        self.costs = final_costs(space, network or space.network_config(), config.costs, run)
        self.limits = Limits(config.costs.maxima, self.costs.of)
        self.objective = Objective(config.costs)
        self._run = run
        training = config.shared_weights
        data = data_of_run(data, "train", run, Machines(distribution))
        streams = data.search_streams(
            batch_size=training.batch_size,
            reward_batch_size=config.reward_batch_size or training.batch_size,
            seed=config.seed,
        )
        self._data = data
        objects = self._build(streams, distribution)
        # All machines take the same steps at once.
        self._steps_per_call = self.machines.decide(lambda: most_per_call(STEPS_PER_LOG))
        self._schedule = self._schedule_of(budget)
        self._saved = SavedSearch(
            run, self.machines, self.state, **self.evaluator.saved_objects(), **objects
        )
        self.resumed = self._saved.restore(checkpoint or "latest")
        if checkpoint is not None and not self.resumed:
            raise RunDirectoryError(f"{run.path} has no checkpoint yet; let the search run longer.")
        self._started = time.monotonic() - self._saved.seconds
        for name, text in data.assets().items():
            run.keep_asset(name, text)
        self._on_epoch_end: OnEpochEnd | None = None
        self._progress = Progress({}, shown=False)
        # Steps of the phase that the progress line has counted.
        self._shown_step = 0
        # What was logged after the best checkpoint stays.
        self._take_up(rewinds=checkpoint != "best")

    @property
    def _full_updates(self) -> int:
        """Updates of the strategy in an epoch that has any."""
        return 0

    def _schedule_of(self, budget: TimeBudget | None) -> SearchSchedule:
        evaluator = self.evaluator
        sizes = self._config, evaluator.training_steps, self._full_updates
        if budget is None:
            return SearchSchedule(*sizes)
        return BudgetedSchedule(*sizes, budget, evaluator.steps_per_update)

    def _measured(self, kind: str, count: int = 1) -> contextlib.AbstractContextManager[None]:
        """Measures a block, pieces of work of a kind: for the time budget, if there is one."""
        budget = self._schedule.budget
        if budget is None:
            return measured(kind, count)
        return budget.pace.measured(kind, count=count)

    def _training_stretch(
        self, take: Callable[[range], None], end: Callable[[], StretchEnd]
    ) -> Stretch:
        """Returns the training steps that are left of an epoch."""
        left = range(self.state.phase_step, self._schedule.steps)
        return Stretch(left, take, end, self._steps_per_call, STEPS_PER_LOG)

    @abc.abstractmethod
    def _build(self, streams: Any, distribution: Any | None) -> dict[str, Any]:
        """Makes what searches: `streams`, `evaluator`, `weights`, `machines`, `strategy`, `state`.

        Args:
          streams: the batches of the data.
          distribution: over which devices.

        Returns:
          What a checkpoint must hold besides the state and what the evaluator has, by name.
        """

    def _forget(self) -> None:
        """Forgets what is not in a checkpoint, when a search begins or one was restored."""

    def _take_up(self, *, rewinds: bool = True) -> None:
        """Brings logs and batches to where the restored variables are."""
        if isinstance(self._schedule, BudgetedSchedule):
            plan = self._saved.plan or {}
            self._schedule.budget.restore(plan)
            self._schedule.restore(plan)
            self._follow_schedule(self._schedule)
        done = {phase: self._global_step(phase) for phase in self.phases}
        done[DERIVE] = self.state.epoch
        if rewinds:
            self._saved.rewind_logs()
        self._report = SearchReport(
            self._run, self._space, done if rewinds else dict.fromkeys(done)
        )
        # Since the last event; not empty after an interruption of phase 1.
        self._running = RunningMetrics(self._saved.unlogged)
        self._training_batches: Iterator[Any] | None = None
        self.evaluator.rewind()
        self._forget()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self._report.close()
        # Left to the garbage collector, iterators over several machines may end after what they
        # need, and then take many seconds.
        self._training_batches = None
        self.evaluator.rewind()

    @property
    def _seconds(self) -> float:
        return time.monotonic() - self._started

    def _global_step(self, phase: str) -> int:
        """Steps of a phase that are done, in all epochs."""
        if phase != SHARED_WEIGHTS:
            return self.state.updates
        running = self.state.phase_step if self.state.phase_name == phase else 0
        past = self.state.epoch + (self.state.phase_name != SHARED_WEIGHTS)
        before = self._schedule.steps_before(self.state.epoch)
        is_past = past > self.state.epoch
        return before + (self._schedule.steps if is_past else running)

    @property
    def max_rollbacks(self) -> int:
        """How often the search may go back."""
        return self._config.max_rollbacks

    @property
    def rollbacks(self) -> int:
        """How often the search went back to a checkpoint."""
        return self._saved.rollbacks

    @rollbacks.setter
    def rollbacks(self, number: int) -> None:
        self._saved.rollbacks = number

    def run(self, on_epoch_end: OnEpochEnd | None = None) -> None:
        """Runs the epochs that are left; see `Trainer.run`.

        Args:
          on_epoch_end: see `enas_tf.search`.

        Raises:
          NumericalError: going back did not help.
        """
        self._on_epoch_end = on_epoch_end
        try:
            Trainer(self, Profile(self._run.tensorboard, self.machines)).run()
        finally:
            self._progress.close()

    def begin(self) -> None:
        """Writes what a new search is about, and its first checkpoint."""
        self._start_progress()
        if self.resumed:
            logger.info("Going on in %s.", self.place())
            if self._saved.ended:
                self._progress.message("The search was ended early, for good; no epoch follows.")
        else:
            self._report.begin(self.streams.preview(), self.evaluator.score_kind)
            self.save()

    def _start_progress(self) -> None:
        self._progress.close()
        self._progress = Progress(
            self._steps_in_all(),
            {phase: self._global_step(phase) for phase in self.phases},
            shown=self.machines.is_chief,
        )

    @abc.abstractmethod
    def _steps_in_all(self) -> dict[str, int]:
        """Returns how many steps each phase has in the whole search."""

    @property
    def _is_over(self) -> bool:
        """Whether no further epoch follows."""
        epochs = self._schedule.epochs
        return self._saved.ended or (epochs is not None and self.state.epoch >= epochs)

    def place(self) -> str:
        """Returns epoch, phase and step."""
        state, epochs = self.state, self._schedule.epochs
        of = "" if epochs is None else f" of {epochs}"
        return f"epoch {state.epoch + 1}{of}, phase {state.phase_name}, step {state.phase_step}"

    def _epoch_ended(
        self,
        proposed: Any,
        others: Mapping[str, float] | None = None,
        drawing: Mapping[str, Any] | None = None,
    ) -> StretchEnd:
        """Scores an architecture on the whole validation part, and takes note of it.

        Args:
          proposed: one that the search would propose now.
          others: what else there is to be logged, by name.
          drawing: options of the drawing in TensorBoard besides those of the space.
        """
        if self._schedule.epochs is None:
            self._rehearse(proposed)
        with self._measured(EPOCH_END):
            ended = self._take_note(proposed, others, drawing)
        if isinstance(self._schedule, BudgetedSchedule):
            self._plan_rest(self._schedule)
        return ended

    def _rehearse(self, architecture: Any) -> None:
        """Finds out how long rewards and the scores of candidates take; changes nothing."""
        if not self.evaluator.training_steps:
            return
        for _ in range(2):
            if self._full_updates:
                with self._measured(UPDATE):
                    count = self._config.policy.samples_per_update
                    self.evaluator.rewards([architecture] * count, self.state.updates)
            with self._measured(SCORE):
                self.scores([architecture])
        self.evaluator.rewind()

    def _plan_rest(self, schedule: BudgetedSchedule) -> None:
        """Decides how much of a search fits into its time."""
        epoch, is_first = self.state.epoch, schedule.epochs is None
        decision = self.machines.decide(
            lambda: schedule.decision(epoch, self.state.updates, self._seconds_of_end())
        )
        schedule.budget.pace.settle()
        if decision is None:
            return
        schedule.restore(decision)
        self._follow_schedule(schedule)
        epochs, steps, updates = schedule.epochs, schedule.layout.steps, schedule.layout.updates
        text = f"{schedule.budget.text}: {epochs} epochs fit"
        if (whole := self.evaluator.training_steps) > steps:
            text += f", the later ones shorter than the data: {steps} steps of {whole}"
        logger.info("%s (decided after epoch %d).", text, epoch)
        self._report.planned(
            epoch,
            self._global_step(SHARED_WEIGHTS),
            self._seconds,
            {"epochs": epochs, "steps_per_epoch": steps, "updates_per_epoch": updates},
        )
        self._start_progress()
        if is_first:
            self._progress.message(f"{text}; learning rates, warm-ups and the like end with them.")
        if is_first and schedule.budget.used + self._seconds_of_end() > schedule.budget.seconds:
            logger.warning(
                "time_budget=%s is used up, or will be by the ranking; the search goes on for one "
                "short epoch, and ends late.",
                schedule.budget.text,
            )

    def _follow_schedule(self, schedule: BudgetedSchedule) -> None:
        """Lets all that falls or rises do so as was decided."""
        if self.weights.horizon is not None:
            self.weights.horizon.course = schedule.weights

    def _seconds_of_end(self) -> float:
        """Returns about how long all takes that comes after the last epoch."""
        if self._schedule.budget is None:
            return 0.0
        pace, settings = self._schedule.budget.pace, self._config.derive
        steps = settings.finalist_epochs * self.evaluator.training_steps
        of_finalist = pace.first(STEP) + steps * pace.seconds(STEP)
        return (
            self._num_scored * pace.seconds(SCORE)
            + settings.finalists * of_finalist
            + pace.seconds(EPOCH_END)
            + pace.seconds(SAVE)
        )

    @property
    def _num_scored(self) -> int:
        """How many architectures are scored after the last epoch."""
        return self._config.derive.num_candidates

    def _take_note(
        self, proposed: Any, others: Mapping[str, float] | None, drawing: Mapping[str, Any] | None
    ) -> StretchEnd:
        score = self.evaluator.score(proposed)
        if not math.isfinite(score):
            raise NumericalError(f"The score of a proposed architecture is not finite: {score}.")
        epoch = self.state.epoch
        # That of a search which has been prolonged is another one.
        self._saved.ranked = False
        metrics = {**self.evaluator.score_metrics(score), **(others or {})}
        self._log(DERIVE, epoch, metrics)
        favourite = self.strategy.most_likely()
        self._report.proposed(proposed, score, favourite, epoch, drawing)
        logger.info(
            "epoch %d: %s of %s %.4f%s",
            epoch,
            self.evaluator.score_kind.replace("_", " "),
            self.proposed_as,
            score,
            f", {note}" if (note := self._space.score_note(score)) else "",
        )
        tell, told = self._on_epoch_end, {"epoch": epoch, "architecture": proposed, **metrics}
        return StretchEnd(score, None if tell is None else functools.partial(tell, told))

    def end(self) -> None:
        """Takes note that the search shall end before its last epoch."""
        self._saved.ended = True
        logger.info("Ended after epoch %d, as on_epoch_end asked.", self.state.epoch)

    def interrupted(self) -> None:
        """Says where the state is."""
        self._progress.message(f"Interrupted; the state is saved in {self._run.path}.")

    def save(self, score: float | None = None) -> None:
        """Saves everything; see `Task.save`."""
        # No event that is older than the checkpoint may get lost.
        self._report.flush()
        if isinstance(self._schedule, BudgetedSchedule):
            self._saved.plan = {**self._schedule.budget.to_json(), **self._schedule.to_json()}
        with self._measured(SAVE):
            self._saved.save(self._seconds, self._unlogged(), score)
        self._progress.skip_time()

    def _unlogged(self) -> list[float]:
        """Returns the sums of metrics that stand in no event yet."""
        return self._running.sums()

    def check(self) -> None:
        """Sees to it that no checkpoint holds weights that it is no use to go back to."""
        self._running.check_finite(self._global_step(SHARED_WEIGHTS))
        self.evaluator.check()

    def go_back(self) -> bool:
        """Restores the newest checkpoint; returns whether there was one."""
        found = self._saved.restore()
        if found:
            self._report.close()
            self._take_up()
        return found

    def _log(self, phase: str, step: int, metrics: dict[str, float]) -> None:
        epoch = self.state.epoch + (phase != DERIVE)
        self._report.metrics(phase, step, epoch, self._seconds, metrics)

    @measured(REPORT)
    def _show(self, phase: str, steps: int, metrics: dict[str, float]) -> None:
        self._progress.update(
            phase,
            steps,
            epoch=self.state.epoch + 1,
            epochs=self._schedule.epochs,
            **metrics,
        )

    def derive(self) -> SearchResult:
        """Ranks candidates and writes the best architecture; see `enas_tf.searching.ranking`."""
        candidates = derive(
            self._space,
            self._data,
            self._config,
            weights=self.weights,
            strategy=self.strategy,
            streams=self.streams,
            costs=self.costs,
            scored=self.evaluator.scored(),
        )
        comparison = self._compared(candidates)
        self._report.derived(
            candidates,
            self.state.epoch,
            self._seconds,
            self._ranked_by(),
            comparison,
            self.costs.network,
        )
        return SearchResult.of_candidates(candidates, self._run, comparison)

    def _compared(self, candidates: Sequence[Candidate]) -> Comparison | None:
        """Returns how candidates do against random architectures; None: it says nothing."""
        del candidates
        return None

    def scores(self, architectures: Sequence[Any]) -> list[float]:
        """Returns the scores of architectures with the shared weights, as candidates get them."""
        return scores_of(self._config, self.weights, self.streams, architectures)

    def finish(self) -> SearchResult:
        """Returns the result of a search whose epochs are done, and logs all candidates once."""
        result = self._stored_result() or self.derive()
        if not self._saved.ranked:
            for rank, candidate in enumerate(result.candidates, 1):
                metrics = self.evaluator.score_metrics(candidate.shared_weights_score)
                self._report.ranked(self.state.epoch, self._seconds, {**metrics, "rank": rank})
            self._saved.ranked = True
            self.save()
        return result

    def _ranked_by(self) -> dict[str, Any]:
        """Returns what decides the ranking, besides the configuration of the run."""
        return {"epochs": self.state.epoch, "derive": self._config.derive.to_json()}

    def _stored_result(self) -> SearchResult | None:
        """Returns the result if it was derived before, from this state and in the same way."""
        document = self.weights.machines.decide(self._stored_document)
        if document is None:
            return None
        return SearchResult.of_document(document, self._run, self._space.name)

    def _stored_document(self) -> dict[str, Any] | None:
        if not self._run.file(BEST_ARCHITECTURE).is_file():
            return None
        document = self._run.read_json(BEST_ARCHITECTURE)
        stored = document.get("ranked_by") or {}
        # Earlier versions know fewer settings, which have their defaults.
        earlier = DeriveConfig.from_json({}).to_json()
        stored = {**stored, "derive": {**earlier, **stored.get("derive", {})}}
        return document if stored == self._ranked_by() else None
