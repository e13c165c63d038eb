"""The sampled search: epochs of two alternating phases, then deriving.

The loop knows neither the space nor the strategy. It takes batches from the data, runs the shared
weights, and tells the strategy the rewards of what it proposed.
"""

import itertools
import logging
import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from enas_tf.runs.phases import ALTERNATING, CONTROLLER, SHARED_WEIGHTS
from enas_tf.searching.collapse import CollapseMonitor
from enas_tf.searching.comparison import NUM_RANDOM, Comparison, MeanScore
from enas_tf.searching.evaluators import build_evaluator
from enas_tf.searching.fair_sampling import fair_sample
from enas_tf.searching.ranking import Candidate
from enas_tf.searching.running_metrics import RunningMetrics
from enas_tf.searching.schedule import LEARN, STEP, UPDATE, BudgetedSchedule
from enas_tf.searching.state import SearchState
from enas_tf.searching.strategies import build_strategy
from enas_tf.searching.strategies.of_chief import ChiefsStrategy
from enas_tf.searching.task import STEPS_PER_LOG, SearchTask
from enas_tf.spaces.batch import ArchitectureBatch
from enas_tf.training.trainer import Stretch, StretchEnd

logger = logging.getLogger(__name__)

# What the progress line shows of an update of the strategy.
SHOWN_OF_UPDATES: tuple[str, ...] = ("reward", "quality", "cost", "entropy")
# Keeps the random numbers apart from those of other draws with the seed.
_RANDOM_SCORES = 0x5C0


class Search(SearchTask):
    """Two alternating phases: shared weights, then what proposes architectures.

    Arguments and attributes as of `SearchTask`; `strategy` proposes architectures.
    """

    def _build(self, streams: Any, distribution: Any | None) -> dict[str, Any]:
        """Makes the evaluator and the strategy; see `SearchTask`."""
        space, config = self._space, self._config
        self.streams = streams
        self.evaluator = build_evaluator(space, config, streams, self._run, distribution)
        self.weights = self.evaluator.weights
        self.machines = self.weights.machines
        strategy = build_strategy(config.strategy, space, config, self.limits)
        self.strategy = ChiefsStrategy(strategy, self.machines)
        self._horizon = strategy.horizon
        proposals = self.evaluator.training_steps * self.weights.samples_per_step
        example = space.encode([space.random_architecture(seed=0)])
        self._decisions_type = type(example)
        self.state = SearchState([np.repeat(array, proposals, axis=0) for array in example])
        return {"strategy": strategy}

    def _forget(self) -> None:
        """Forgets what is not in a checkpoint; see `SearchTask`."""
        self._collapse = CollapseMonitor(self._space, self._config, self._report)
        self._awaited: ArchitectureBatch | None = None

    @property
    def _full_updates(self) -> int:
        """Updates of the strategy in an epoch that has any."""
        return self._config.policy.updates_per_epoch

    @property
    def _num_scored(self) -> int:
        """How many architectures are scored after the last epoch, random ones included."""
        if not self.evaluator.training_steps:
            return 0
        return super()._num_scored + NUM_RANDOM * self.strategy.learns

    def _follow_schedule(self, schedule: BudgetedSchedule) -> None:
        """Lets all that falls or rises do so as was decided."""
        super()._follow_schedule(schedule)
        if self._horizon is not None:
            self._horizon.course = schedule.learning

    def _steps_in_all(self) -> dict[str, int]:
        """Returns the steps and the updates of all epochs; see `SearchTask`."""
        schedule = self._schedule
        return {SHARED_WEIGHTS: schedule.steps_in_all(), CONTROLLER: schedule.updates_in_all()}

    def stretch(self) -> Stretch | None:
        """Returns what is left of the running phase; None at the end of the search."""
        state, epoch = self.state, self.state.epoch
        if self._is_over:
            return None
        first = self._shown_step = state.phase_step
        if state.phase_name == SHARED_WEIGHTS:
            return self._training_stretch(self._train_weights, self._end_phase)
        steps = self.evaluator.steps_per_update
        left = range(first * steps, self._schedule.updates(epoch) * steps)
        return Stretch(left, self._evaluate, self._end_phase)

    def _end_phase(self) -> StretchEnd:
        ends_epoch = self.state.phase_name == ALTERNATING[-1]
        if not ends_epoch:
            self.check()
        self.state.next_phase()
        if not ends_epoch:
            return StretchEnd()
        self._schedule.epoch_done()
        # Not the most likely one: decision by decision it may be far from all that are sampled (a
        # controller that skips with probability 0.4 most likely never skips).
        (proposed,) = self.strategy.candidates(1)
        return self._epoch_ended(proposed)

    def went_back(self) -> None:
        """Goes on with other architectures, since the same ones might lead to the same end."""
        self._start_progress()
        self.strategy.skip_proposal()
        if self.state.phase_name == SHARED_WEIGHTS and self.state.phase_step:
            self._propose_for_epoch()

    def _propose_for_epoch(self) -> None:
        warms_up = self._schedule.warms_up(self.state.epoch)
        proposals = self._schedule.steps * self.weights.samples_per_step
        if warms_up or self._config.training_architectures == "fair":
            proposed = self.strategy.of_chief(proposals, self._fair)
        else:
            proposed = self.strategy.propose(proposals)
        self.state.keep_proposals(proposed.decisions)
        step = self._global_step(SHARED_WEIGHTS)
        self._report.sampled(proposed, step)
        self._collapse.sampled(proposed, self.state.epoch + 1, step)

    def _fair(self, count: int) -> ArchitectureBatch:
        """Returns fair random architectures; as fair as limits leave them."""
        seeds = [self._config.seed, self.state.epoch, self.rollbacks]
        draws = itertools.chain([seeds], ([*seeds, number] for number in itertools.count()))
        drawn = self.limits.draw(
            count, lambda number: fair_sample(self._space, number, next(draws))
        )
        return ArchitectureBatch.of(self._space, drawn)

    def _train_weights(self, steps: range) -> None:
        """Phase 1: steps of one pass over the training part, with architectures of their own."""
        with self._measured(STEP, len(steps)):
            self._training_steps(steps)

    def _training_steps(self, steps: range) -> None:
        state, samples = self.state, self.weights.samples_per_step
        number = self._schedule.steps_before(state.epoch) + steps.start
        if self._training_batches is None:
            self._training_batches = self.weights.training_batches(
                lambda share: self.streams.training(number, share)
            )
        if steps.start == 0:
            # After a pause, since the state says nothing of proposals before the first step.
            self._propose_for_epoch()
        decisions = state.proposals_of(
            self._decisions_type, steps.start * samples, len(steps) * samples
        )
        metrics = self.weights.train_several(
            self._training_batches, decisions, number, self._steps_per_call, self.rollbacks
        )
        self._running.add(metrics)
        state.phase_step = done = steps.stop
        if done % STEPS_PER_LOG == 0 or done == self._schedule.steps:
            number += len(steps)
            self._running.check_finite(number)
            means = self._running.means()
            self._log(SHARED_WEIGHTS, number, {**means, **self.weights.step_metrics()})
            self._show(SHARED_WEIGHTS, done - self._shown_step, means)
            self._running, self._shown_step = RunningMetrics(), done

    def _evaluate(self, steps: range) -> None:
        """Phase 2: the strategy learns from the rewards of what it proposes."""
        state, samples = self.state, self._config.policy.samples_per_update
        *others, last = range(self.evaluator.steps_per_update)
        number = steps.start % (last + 1)
        if number in others:
            # Nothing is proposed for good before all are scored, so that each can be the last.
            if self._awaited is None:
                self._awaited = self.strategy.next_proposal(samples)
            with self._measured(UPDATE):
                self.evaluator.prepare(self._awaited[number])
            return
        self._awaited = None
        architectures = self.strategy.propose(samples)
        with self._measured(UPDATE):
            qualities = self.evaluator.rewards(architectures, state.updates)
        rewards = qualities
        parts: dict[str, list[float]] = {}
        if self.objective.has_target:
            costs = self.costs.of_all(architectures, self.machines)
            rewards = list(map(self.objective.reward, qualities, costs))
            parts = {"quality": qualities, "cost": list(map(self.objective.cost, costs))}
        with self._measured(LEARN):
            learned = self.strategy.observe(architectures, rewards)
        metrics = {
            **learned,
            **{name: float(np.mean(values)) for name, values in parts.items()},
        }
        state.phase_step += 1
        state.updates += 1
        epoch, update = state.epoch + 1, state.updates
        self._log(CONTROLLER, update, metrics)
        self._report.rewarded(architectures, {"reward": rewards, **parts}, epoch, update)
        self._collapse.updated(metrics, epoch, update)
        shown = {name: metrics[name] for name in SHOWN_OF_UPDATES if name in metrics}
        self._show(CONTROLLER, 1, shown)

    def _compared(self, candidates: Sequence[Candidate]) -> Comparison | None:
        """Returns how candidates do against random architectures, if the strategy can learn."""
        if self.evaluator.scored() is not None or not self.strategy.learns:
            return None
        drawn = self.strategy.of_chief(NUM_RANDOM, self._random)
        random = self._worth(self.scores(drawn), drawn)
        if not random:
            return None
        scores = self._worth(
            [candidate.shared_weights_score for candidate in candidates],
            [candidate.architecture for candidate in candidates],
        )
        comparison = Comparison(self._config.strategy, MeanScore.of(scores), MeanScore.of(random))
        logger.info("%s.", comparison)
        return comparison

    def _random(self, count: int) -> ArchitectureBatch:
        """Returns uniformly random architectures, within the limits."""
        generator = np.random.default_rng([self._config.seed, _RANDOM_SCORES])
        drawn = self.limits.draw(
            count,
            lambda number: [self._space.random_architecture(generator) for _ in range(number)],
        )
        return ArchitectureBatch.of(self._space, drawn)

    def _worth(self, scores: Sequence[float], architectures: Sequence[Any]) -> list[float]:
        """Returns the finite ones of some scores; with a target, what is rewarded for them."""
        costs = self.costs.of_all(architectures, self.machines)
        return [one for one in map(self.objective.reward, scores, costs) if math.isfinite(one)]
