"""The search: epochs of two alternating phases, then deriving.

The loop knows neither the space nor the strategy. It takes batches from the data, runs the shared
weights, and tells the strategy the rewards of what it proposed.
"""

import functools
import logging
import math
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Literal

import numpy as np

from enas_tf.errors import NumericalError, RunDirectoryError
from enas_tf.reporting.progress import Progress
from enas_tf.reporting.search_report import SearchReport
from enas_tf.runs.directory import BEST_ARCHITECTURE, RunDirectory
from enas_tf.runs.phases import ALTERNATING, CONTROLLER, DERIVE, SHARED_WEIGHTS
from enas_tf.searching.collapse import CollapseMonitor
from enas_tf.searching.comparison import (
    NUM_RANDOM,
    Comparison,
    MeanScore,
)
from enas_tf.searching.evaluators import build_evaluator
from enas_tf.searching.fair_sampling import fair_sample
from enas_tf.searching.ranking import Candidate, derive, random_scores, scores_of
from enas_tf.searching.result import SearchResult
from enas_tf.searching.running_metrics import RunningMetrics
from enas_tf.searching.saved_search import SavedSearch
from enas_tf.searching.state import SearchState
from enas_tf.searching.strategies import build_strategy
from enas_tf.searching.strategies.of_chief import ChiefsStrategy
from enas_tf.settings.config import SearchConfig
from enas_tf.spaces.base import SearchSpace
from enas_tf.spaces.batch import ArchitectureBatch
from enas_tf.training.profiling import Profile
from enas_tf.training.trainer import Stretch, StretchEnd, Task, Trainer

logger = logging.getLogger(__name__)

# Metrics are read from the device only now and then, since reading waits for it.
STEPS_PER_LOG = 20
# Takes the metrics of an epoch; an answer of True ends the search.
OnEpochEnd = Callable[[dict[str, Any]], Any]
# What the progress line shows of an update of the strategy.
SHOWN_OF_UPDATES: tuple[str, ...] = ("reward", "entropy")


class Search(Task):
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
        self.evaluator = build_evaluator(space, config, self.streams, run, distribution)
        self.weights = self.evaluator.weights
        self.machines = self.weights.machines
        strategy = build_strategy(config.strategy, space, config)
        self.strategy = ChiefsStrategy(strategy, self.machines)
        self._training_steps = self.evaluator.training_steps
        self._proposals_per_epoch = self._training_steps * self.weights.samples_per_step
        example = space.encode([space.random_architecture(seed=0)])
        self._decisions_type = type(example)
        self.state = SearchState(
            [np.repeat(array, self._proposals_per_epoch, axis=0) for array in example]
        )
        self._saved = SavedSearch(
            run,
            self.weights.machines,
            state=self.state,
            strategy=strategy,
            **self.evaluator.saved_objects(),
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

    def _take_up(self, *, rewinds: bool = True) -> None:
        """Brings logs and batches to where the restored variables are."""
        done = {phase: self._global_step(phase) for phase in ALTERNATING}
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
        self._awaited: ArchitectureBatch | None = None
        self.evaluator.rewind()

    def __enter__(self) -> "Search":
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
        if phase == CONTROLLER:
            return int(self.state.updates)
        running = int(self.state.phase_step) if self.state.phase_name == phase else 0
        past = int(self.state.epoch) + (self.state.phase_name == CONTROLLER)
        return past * self._training_steps + running

    def _updates_in_epoch(self, epoch: int) -> int:
        return self._config.policy.updates_per_epoch * (epoch >= self._config.first_updating_epoch)

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
        else:
            self._report.begin(self.streams.preview(), self.evaluator.score_kind)
            self.save()

    def _start_progress(self) -> None:
        self._progress.close()
        epochs, policy = self._config.shared_weights.epochs, self._config.policy
        updates = policy.updates_per_epoch * max(0, epochs - self._config.first_updating_epoch)
        self._progress = Progress(
            {SHARED_WEIGHTS: epochs * self._training_steps, CONTROLLER: updates},
            {phase: self._global_step(phase) for phase in ALTERNATING},
            shown=self.machines.is_chief,
        )

    def place(self) -> str:
        """Returns epoch, phase and step."""
        state, epochs = self.state, self._config.shared_weights.epochs
        return (
            f"epoch {int(state.epoch) + 1} of {epochs}, phase {state.phase_name}, "
            f"step {int(state.phase_step)}"
        )

    def stretch(self) -> Stretch | None:
        """Returns what is left of the running phase; None at the end of the search."""
        state, epoch = self.state, int(self.state.epoch)
        if epoch >= self._config.shared_weights.epochs or self._saved.ended:
            return None
        first = self._shown_step = int(state.phase_step)
        if state.phase_name == SHARED_WEIGHTS:
            last, take = self._training_steps, self._train_weights
        else:
            steps = self.evaluator.steps_per_update
            first, last = first * steps, self._updates_in_epoch(epoch) * steps
            take = self._evaluate
        return Stretch(range(first, last), take, self._end_phase)

    def _end_phase(self) -> StretchEnd:
        ends_epoch = self.state.phase_name == ALTERNATING[-1]
        if not ends_epoch:
            self.check()
        self.state.next_phase()
        if not ends_epoch:
            return StretchEnd()
        metrics = self._end_epoch()
        tell = self._on_epoch_end
        ask = None if tell is None else functools.partial(tell, metrics)
        return StretchEnd(metrics[self.evaluator.score_kind], ask)

    def end(self) -> None:
        """Takes note that the search shall end before its last epoch."""
        self._saved.ended = True
        logger.info("Ended after epoch %d, as on_epoch_end asked.", int(self.state.epoch))

    def interrupted(self) -> None:
        """Says where the state is."""
        self._progress.message(f"Interrupted; the state is saved in {self._run.path}.")

    def save(self, score: float | None = None) -> None:
        """Saves everything; see `Task.save`."""
        # No event that is older than the checkpoint may get lost.
        self._report.flush()
        self._saved.save(self._seconds, self._running.sums(), score)
        self._progress.skip_time()

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

    def went_back(self) -> None:
        """Goes on with other architectures, since the same ones might lead to the same end."""
        self._start_progress()
        self.strategy.skip_proposal()
        if self.state.phase_name == SHARED_WEIGHTS and int(self.state.phase_step):
            self._propose_for_epoch()

    def _propose_for_epoch(self) -> None:
        warms_up = int(self.state.epoch) < self._config.warm_up_epochs
        if warms_up or self._config.training_architectures == "fair":
            seeds = [self._config.seed, int(self.state.epoch), self.rollbacks]
            proposed = fair_sample(self._space, self._proposals_per_epoch, seeds)
        else:
            proposed = self.strategy.propose(self._proposals_per_epoch)
        self.state.keep_proposals(proposed.decisions)
        step = self._global_step(SHARED_WEIGHTS)
        self._report.sampled(proposed, step)
        self._collapse.sampled(proposed, int(self.state.epoch) + 1, step)

    def _train_weights(self, step: int) -> None:
        """Phase 1: a step of one pass over the training part, with architectures of its own."""
        state, samples = self.state, self.weights.samples_per_step
        number = int(state.epoch) * self._training_steps + step
        if self._training_batches is None:
            self._training_batches = self.weights.training_batches(
                lambda share: self.streams.training(number, share)
            )
        if step == 0:
            # After a pause, since the state says nothing of proposals before the first step.
            self._propose_for_epoch()
        decisions = state.proposals_of(self._decisions_type, step * samples, samples)
        batch = next(self._training_batches)
        self._running.add(self.weights.train(batch, decisions, number, self.rollbacks))
        state.phase_step.assign_add(1)
        if (step + 1) % STEPS_PER_LOG == 0 or step + 1 == self._training_steps:
            self._running.check_finite(number + 1)
            means = self._running.means()
            self._log(SHARED_WEIGHTS, number + 1, {**means, **self.weights.step_metrics()})
            self._show(SHARED_WEIGHTS, step + 1 - self._shown_step, means)
            self._running, self._shown_step = RunningMetrics(), step + 1

    def _evaluate(self, step: int) -> None:
        """Phase 2: the strategy learns from the rewards of what it proposes."""
        state, samples = self.state, self._config.policy.samples_per_update
        *others, last = range(self.evaluator.steps_per_update)
        number = step % (last + 1)
        if number in others:
            # Nothing is proposed for good before all are scored, so that each can be the last.
            if self._awaited is None:
                self._awaited = self.strategy.next_proposal(samples)
            self.evaluator.prepare(self._awaited[number])
            return
        self._awaited = None
        architectures = self.strategy.propose(samples)
        rewards = self.evaluator.rewards(architectures, int(state.updates))
        metrics = self.strategy.observe(architectures, rewards)
        state.phase_step.assign_add(1)
        state.updates.assign_add(1)
        epoch, update = int(state.epoch) + 1, int(state.updates)
        self._log(CONTROLLER, update, metrics)
        self._report.rewarded(architectures, rewards, epoch, update)
        self._collapse.updated(metrics, epoch, update)
        shown = {name: metrics[name] for name in SHOWN_OF_UPDATES if name in metrics}
        self._show(CONTROLLER, 1, shown)

    def _end_epoch(self) -> dict[str, Any]:
        """Scores an architecture that the strategy would propose on the whole validation part."""
        # Not the most likely one: decision by decision it may be far from all that are sampled (a
        # controller that skips with probability 0.4 most likely never skips).
        (proposed,) = self.strategy.candidates(1)
        score = self.evaluator.score(proposed)
        if not math.isfinite(score):
            raise NumericalError(f"The score of a proposed architecture is not finite: {score}.")
        epoch = int(self.state.epoch)
        metrics = self.evaluator.score_metrics(score)
        self._log(DERIVE, epoch, metrics)
        self._report.proposed(proposed, score, self.strategy.most_likely(), epoch)
        logger.info(
            "epoch %d: %s of a proposed architecture %.4f%s",
            epoch,
            self.evaluator.score_kind.replace("_", " "),
            score,
            f", {note}" if (note := self._space.score_note(score)) else "",
        )
        return {"epoch": epoch, "architecture": proposed, **metrics}

    def _log(self, phase: str, step: int, metrics: dict[str, float]) -> None:
        epoch = int(self.state.epoch) + (phase != DERIVE)
        self._report.metrics(phase, step, epoch, self._seconds, metrics)

    def _show(self, phase: str, steps: int, metrics: dict[str, float]) -> None:
        self._progress.update(
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
            scored=self.evaluator.scored(),
        )
        comparison = self._compared(candidates)
        self._report.derived(
            candidates, int(self.state.epoch), self._seconds, self._ranked_by(), comparison
        )
        return SearchResult.of_candidates(candidates, self._run, comparison)

    def _compared(self, candidates: Sequence[Candidate]) -> Comparison | None:
        """Returns how candidates do against random architectures, if the strategy can learn."""
        if self.evaluator.scored() is not None or not self.strategy.learns:
            return None
        random = random_scores(
            self._space, self._config, weights=self.weights, streams=self.streams, count=NUM_RANDOM
        )
        if not random:
            return None
        scores = [candidate.shared_weights_score for candidate in candidates]
        comparison = Comparison(self._config.strategy, MeanScore.of(scores), MeanScore.of(random))
        logger.info("%s.", comparison)
        return comparison

    def scores(self, architectures: Sequence[Any]) -> list[float]:
        """Returns the scores of architectures with the shared weights, as candidates get them."""
        return scores_of(self._config, self.weights, self.streams, architectures)

    def finish(self) -> SearchResult:
        """Returns the result of a search whose epochs are done, and logs all candidates once."""
        result = self._stored_result() or self.derive()
        if not self._saved.ranked:
            for rank, candidate in enumerate(result.candidates, 1):
                metrics = self.evaluator.score_metrics(candidate.shared_weights_score)
                self._report.ranked(int(self.state.epoch), self._seconds, {**metrics, "rank": rank})
            self._saved.ranked = True
            self.save()
        return result

    def _ranked_by(self) -> dict[str, Any]:
        """Returns what decides the ranking, besides the configuration of the run."""
        return {"epochs": int(self.state.epoch), "derive": self._config.derive.to_json()}

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
        return document if document.get("ranked_by") == self._ranked_by() else None
