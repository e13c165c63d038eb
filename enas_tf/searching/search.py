"""The search: epochs of two alternating phases, then deriving.

The loop knows neither the space nor the strategy. It takes batches from the data, runs the shared
weights, and tells the strategy the rewards of what it proposed.
"""

import logging
import math
import time
from collections.abc import Callable, Iterator
from typing import Any, Literal

import numpy as np

from enas_tf.errors import NumericalError, RunDirectoryError
from enas_tf.reporting.progress import Progress
from enas_tf.reporting.search_report import DERIVE, SearchReport
from enas_tf.runs.directory import BEST_ARCHITECTURE, RunDirectory
from enas_tf.searching.collapse import CollapseMonitor
from enas_tf.searching.ranking import derive
from enas_tf.searching.result import SearchResult
from enas_tf.searching.running_metrics import RunningMetrics
from enas_tf.searching.saved_search import SavedSearch
from enas_tf.searching.shared_weights import SharedWeights
from enas_tf.searching.state import CONTROLLER, PHASES, SHARED_WEIGHTS, SearchState
from enas_tf.searching.strategies import build_strategy
from enas_tf.searching.strategies.of_chief import ChiefsStrategy
from enas_tf.settings.config import SearchConfig
from enas_tf.spaces.base import SearchSpace
from enas_tf.training.callbacks import asks_to_stop
from enas_tf.training.interruption import DeferredSignals
from enas_tf.training.pauses import Pause, Pauses

logger = logging.getLogger(__name__)

# Metrics are read from the device only now and then, since reading waits for it.
STEPS_PER_LOG = 20
# Takes the metrics of an epoch; an answer of True ends the search.
OnEpochEnd = Callable[[dict[str, Any]], Any]
# What the progress line shows of an update of the strategy.
SHOWN_OF_UPDATES: tuple[str, ...] = ("reward", "entropy")


class Search:
    """A search that can be resumed: everything it needs, restored from its run directory.

    Args:
      space: the search space.
      data: what it is searched on.
      config: the settings.
      run: where it is kept.
      distribution: see `enas_tf.searching.api.search`.
      checkpoint: which one a run that is only derived from goes on from, `latest` or `best`; a
        run without one is an error then. None: the search goes on from the latest, or starts.

    Attributes:
      weights: the shared weights.
      strategy: what proposes architectures.
      state: how far the search has come.
      streams: the batches.
      resumed: whether a checkpoint was restored.
    """

    def __init__(
        self,
        space: SearchSpace,
        data: Any,
        config: SearchConfig,
        run: RunDirectory,
        *,
        distribution: Any | None = None,
        checkpoint: Literal["latest", "best"] | None = None,
    ) -> None:
        self._space = space
        self._config = config
        self._data = data
        self._run = run
        training = config.shared_weights
        self.streams = data.search_streams(
            batch_size=training.batch_size,
            reward_batch_size=config.reward_batch_size or training.batch_size,
            seed=config.seed,
        )
        self.weights = SharedWeights(space, config, self.streams.steps_per_epoch, distribution)
        strategy = build_strategy(config.strategy, space, config)
        self.strategy = ChiefsStrategy(strategy, self.weights.workers)
        self._proposals_per_epoch = self.streams.steps_per_epoch * self.weights.samples_per_step
        example = space.encode([space.random_architecture(seed=0)])
        self._decisions_type = type(example)
        self.state = SearchState(
            [np.repeat(array, self._proposals_per_epoch, axis=0) for array in example]
        )
        self._saved = SavedSearch(
            run,
            self.weights.workers,
            state=self.state,
            strategy=strategy,
            **self.weights.saved_objects(),
        )
        self.resumed = self._saved.restore(checkpoint or "latest")
        if checkpoint is not None and not self.resumed:
            raise RunDirectoryError(f"{run.path} has no checkpoint yet; let the search run longer.")
        self._started = time.monotonic() - self._saved.seconds
        for name, text in data.assets().items():
            run.keep_asset(name, text)
        # What was logged after the best checkpoint stays.
        self._take_up(rewinds=checkpoint != "best")

    def _take_up(self, *, rewinds: bool = True) -> None:
        """Brings logs and batches to where the restored variables are."""
        done = {phase: self._global_step(phase) for phase in PHASES}
        done[DERIVE] = int(self.state.epoch)
        if rewinds:
            self._saved.rewind_logs()
        self._report = SearchReport(
            self._run, self._space, done if rewinds else dict.fromkeys(done)
        )
        self._collapse = CollapseMonitor(self._space, self._config, self._report)
        # Since the last event; not empty after an interruption of phase 1.
        self._running = RunningMetrics(self._saved.unlogged)
        self._training_batches: Iterator[Any] | None = None
        self._reward_batches: Iterator[Any] | None = None

    def __enter__(self) -> "Search":
        return self

    def __exit__(self, *exception: object) -> None:
        self._report.close()
        # Left to the garbage collector, iterators over several machines may end after what they
        # need, and then take many seconds.
        self._training_batches = self._reward_batches = None

    @property
    def _seconds(self) -> float:
        return time.monotonic() - self._started

    def _global_step(self, phase: str) -> int:
        """Steps of a phase that are done, in all epochs."""
        if phase == CONTROLLER:
            return int(self.state.updates)
        running = int(self.state.phase_step) if self.state.phase_name == phase else 0
        past = int(self.state.epoch) + (self.state.phase_name == CONTROLLER)
        return past * self.streams.steps_per_epoch + running

    def _updates_in_epoch(self, epoch: int) -> int:
        return self._config.policy.updates_per_epoch * (epoch >= self._config.policy_start_epoch)

    def run(self, on_epoch_end: OnEpochEnd | None = None) -> None:
        """Runs the epochs that are left.

        An interruption waits until the state is saved, and is then raised. When a number is not
        finite, the search goes back to its last checkpoint.

        Args:
          on_epoch_end: see `enas_tf.searching.api.search`.

        Raises:
          NumericalError: going back did not help.
        """
        if self.resumed:
            logger.info("Going on in %s.", self._place())
        else:
            self._report.begin(self.streams.preview(), self.weights.supernet.score_kind)
            self._save()
        with DeferredSignals() as signals:
            pauses = Pauses(signals, self.weights.workers)
            while True:
                try:
                    self._run_epochs(pauses, on_epoch_end)
                    # So that one that came late ends all machines alike.
                    signals.agree(self.weights.workers)
                    break
                except NumericalError as error:
                    self._go_back(error)
        signals.check_finished()

    def _place(self) -> str:
        state, epochs = self.state, self._config.shared_weights.epochs
        return (
            f"epoch {int(state.epoch) + 1} of {epochs}, phase {state.phase_name}, "
            f"step {int(state.phase_step)}"
        )

    def _go_back(self, error: NumericalError) -> None:
        """Goes back to the last checkpoint, and on from there with other random numbers."""
        limit = self._config.max_rollbacks
        self._saved.go_back(error, limit)
        self._report.close()
        self._take_up()
        logger.warning(
            "%s Going back to the last checkpoint, %s, and on with other random numbers (%d of at "
            "most %d times).",
            error,
            self._place(),
            self._saved.rollbacks,
            limit,
        )
        # The same architectures might lead to the same end.
        self.strategy.skip_proposal()
        if self.state.phase_name == SHARED_WEIGHTS and int(self.state.phase_step):
            self._propose_for_epoch()
        self._save()

    def _run_epochs(self, pauses: Pauses, on_epoch_end: OnEpochEnd | None) -> None:
        epochs, policy = self._config.shared_weights.epochs, self._config.policy
        updates = policy.updates_per_epoch * max(0, epochs - self._config.policy_start_epoch)
        progress = Progress(
            {SHARED_WEIGHTS: epochs * self.streams.steps_per_epoch, CONTROLLER: updates},
            {phase: self._global_step(phase) for phase in PHASES},
            shown=self.weights.workers.is_chief,
        )
        phases = {SHARED_WEIGHTS: self._train_weights, CONTROLLER: self._update_strategy}
        try:
            while int(self.state.epoch) < epochs and not self._saved.ended:
                phase = self.state.phase_name
                if not phases[phase](progress, pauses):
                    self._save()
                    progress.message(f"Interrupted; the state is saved in {self._run.path}.")
                    break
                self.state.next_phase()
                metrics = self._end_epoch() if phase == CONTROLLER else {}
                self._save(metrics.get(self.weights.supernet.score_kind))
                pauses.saved()
                # After the save, so that nothing is lost if it fails.
                answer = on_epoch_end(metrics) if metrics and on_epoch_end is not None else None
                if asks_to_stop(answer, self.weights.workers):
                    self._saved.ended = True
                    self._save()
                    logger.info("Ended after epoch %d, as on_epoch_end asked.", metrics["epoch"])
                progress.skip_time()
        finally:
            progress.close()

    def _save(self, score: float | None = None) -> None:
        # No event that is older than the checkpoint may get lost.
        self._report.flush()
        self._saved.save(self._seconds, self._running.sums(), score)

    def _propose_for_epoch(self) -> None:
        proposed = self.strategy.propose(self._proposals_per_epoch)
        self.state.keep_proposals(self._space.encode(proposed))
        step = self._global_step(SHARED_WEIGHTS)
        self._report.sampled(proposed, step)
        self._collapse.sampled(proposed, int(self.state.epoch) + 1, step)

    def _train_weights(self, progress: Progress, pauses: Pauses) -> bool:
        """Phase 1: one pass over the training part, new architectures for every step."""
        state, samples = self.state, self.weights.samples_per_step
        if self._training_batches is None:
            first = self._global_step(SHARED_WEIGHTS)
            self._training_batches = self.weights.training_batches(
                lambda share: self.streams.training(first, share)
            )
        shown = int(state.phase_step)
        for step in range(shown, self.streams.steps_per_epoch):
            number = int(state.epoch) * self.streams.steps_per_epoch + step
            if (pause := pauses.before(step)) is not Pause.NONE:
                self._check_training(number)
                if pause is Pause.STOP:
                    return False
                self._save()
                pauses.saved()
            if step == 0:
                # After a pause, since the state says nothing of proposals before the first step.
                self._propose_for_epoch()
            decisions = state.proposals_of(self._decisions_type, step * samples, samples)
            batch, rollbacks = next(self._training_batches), self._saved.rollbacks
            self._running.add(self.weights.train(batch, decisions, number, rollbacks))
            state.phase_step.assign_add(1)
            if (step + 1) % STEPS_PER_LOG == 0 or step + 1 == self.streams.steps_per_epoch:
                self._running.check_finite(number + 1)
                means = self._running.means()
                self._log(SHARED_WEIGHTS, number + 1, {**means, **self.weights.step_metrics()})
                self._show(progress, SHARED_WEIGHTS, step + 1 - shown, means)
                self._running, shown = RunningMetrics(), step + 1
        self._check_training((int(state.epoch) + 1) * self.streams.steps_per_epoch)
        return True

    def _check_training(self, step: int) -> None:
        """Sees to it that no checkpoint holds weights that it is no use to go back to."""
        self._running.check_finite(step)
        self.weights.check_finite()

    def _update_strategy(self, progress: Progress, pauses: Pauses) -> bool:
        """Phase 2: the strategy learns from the rewards of what it proposes."""
        state = self.state
        samples = self._config.policy.samples_per_update
        if self._reward_batches is None:
            first = int(state.updates)
            self._reward_batches = iter(
                self.weights.batches(lambda share: self.streams.rewards(first, samples, share))
            )
        for step in range(int(state.phase_step), self._updates_in_epoch(int(state.epoch))):
            if (pause := pauses.before(step)) is Pause.STOP:
                return False
            if pause is Pause.SAVE:
                self._save()
                pauses.saved()
            architectures = self.strategy.propose(samples)
            rewards = self.weights.rewards(self._reward_batches, architectures)
            metrics = self.strategy.observe(architectures, rewards)
            state.phase_step.assign_add(1)
            state.updates.assign_add(1)
            epoch, update = int(state.epoch) + 1, int(state.updates)
            self._log(CONTROLLER, update, metrics)
            self._report.rewarded(architectures, rewards, epoch, update)
            self._collapse.updated(metrics, epoch, update)
            shown = {name: metrics[name] for name in SHOWN_OF_UPDATES if name in metrics}
            self._show(progress, CONTROLLER, 1, shown)
        return True

    def _end_epoch(self) -> dict[str, Any]:
        """Scores an architecture that the strategy would propose on the whole validation part."""
        # Not the most likely one: decision by decision it may be far from all that are sampled (a
        # controller that skips with probability 0.4 most likely never skips).
        (proposed,) = self.strategy.candidates(1)
        score = self.weights.validation_score(
            self.weights.batches(self.streams.validation),
            proposed,
            use_batch_statistics=self._config.reward_statistics == "batch",
        )
        if not math.isfinite(score):
            raise NumericalError(f"The score of a proposed architecture is not finite: {score}.")
        epoch = int(self.state.epoch)
        metrics = self._score_metrics(score)
        self._log(DERIVE, epoch, metrics)
        self._report.proposed(proposed, score, self.strategy.most_likely(), epoch)
        logger.info(
            "epoch %d: %s of a proposed architecture %.4f%s",
            epoch,
            self.weights.supernet.score_kind.replace("_", " "),
            score,
            f", {note}" if (note := self._space.score_note(score)) else "",
        )
        return {"epoch": epoch, "architecture": proposed, **metrics}

    def _score_metrics(self, score: float) -> dict[str, float]:
        supernet = self.weights.supernet
        return {supernet.score_kind: score, **supernet.score_metrics(score)}

    def _log(self, phase: str, step: int, metrics: dict[str, float]) -> None:
        epoch = int(self.state.epoch) + (phase != DERIVE)
        self._report.metrics(phase, step, epoch, self._seconds, metrics)

    def _show(self, progress: Progress, phase: str, steps: int, metrics: dict[str, float]) -> None:
        progress.update(
            phase,
            steps,
            epoch=int(self.state.epoch) + 1,
            epochs=self._config.shared_weights.epochs,
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
        )
        self._report.derived(candidates, int(self.state.epoch), self._seconds, self._ranked_by())
        return SearchResult.of_candidates(candidates, self._run)

    def finish(self) -> SearchResult:
        """Returns the result of a search whose epochs are done, and logs all candidates once."""
        result = self._stored_result() or self.derive()
        if not self._saved.ranked:
            for rank, candidate in enumerate(result.candidates, 1):
                metrics = self._score_metrics(candidate.shared_weights_score)
                self._report.ranked(int(self.state.epoch), self._seconds, {**metrics, "rank": rank})
            self._saved.ranked = True
            self._save()
        return result

    def _ranked_by(self) -> dict[str, Any]:
        """Returns what decides the ranking, besides the configuration of the run."""
        return {"epochs": int(self.state.epoch), "derive": self._config.derive.to_json()}

    def _stored_result(self) -> SearchResult | None:
        """Returns the result if it was derived before, from this state and in the same way."""
        document = self.weights.workers.decide(self._stored_document)
        if document is None:
            return None
        return SearchResult.of_document(document, self._run, self._space.name)

    def _stored_document(self) -> dict[str, Any] | None:
        if not self._run.file(BEST_ARCHITECTURE).is_file():
            return None
        document = self._run.read_json(BEST_ARCHITECTURE)
        return document if document.get("ranked_by") == self._ranked_by() else None
