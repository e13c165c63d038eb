"""The search by gradient: every step learns the architecture, then the shared weights."""

import logging
from collections.abc import Iterator
from typing import Any, ClassVar

from enas_tf.errors import DataError
from enas_tf.runs.phases import ARCHITECTURE, SHARED_WEIGHTS
from enas_tf.searching.darts.architecture import ReadOff
from enas_tf.searching.darts.relaxed_weights import RelaxedWeights
from enas_tf.searching.darts.stopping import StopRule
from enas_tf.searching.evaluators.shared import SharedEvaluator
from enas_tf.searching.running_metrics import RunningMetrics
from enas_tf.searching.schedule import STEP
from enas_tf.searching.state import SearchState
from enas_tf.searching.task import STEPS_PER_LOG, SearchTask
from enas_tf.training.trainer import Stretch, StretchEnd

logger = logging.getLogger(__name__)


class RelaxedEvaluator(SharedEvaluator):
    """Scores single architectures, and the mixture, with the weights that the mixture trained."""

    weights: RelaxedWeights
    weights_type = RelaxedWeights

    def mixture_score(self) -> float:
        """Returns the score of the mixture on the whole validation part."""
        mixture = self.weights.architecture.copies(self.weights.num_replicas)
        use_batch = self._config.reward_statistics == "batch"
        scores = self.weights.scores_of_decisions(
            self.weights.batches(self._streams.validation), mixture, use_batch
        )
        return self.weights.score_of(scores)


class DartsSearch(SearchTask):
    """A search by gradient; arguments and attributes as of `SearchTask`."""

    phases: ClassVar[tuple[str, ...]] = (SHARED_WEIGHTS, ARCHITECTURE)
    proposed_as: ClassVar[str] = "the cell read off"

    weights: RelaxedWeights
    evaluator: RelaxedEvaluator

    def _build(self, streams: Any, distribution: Any | None) -> dict[str, Any]:
        """Makes the mixture and what trains it; see `SearchTask`."""
        space, config = self._space, self._config
        share = config.darts.validation_share
        try:
            self.streams, self._architecture_streams = streams.divided(share)
        except DataError as error:
            raise DataError(
                f"`darts_validation_share={share}` leaves too little on one side: {error}"
            ) from error
        self.evaluator = RelaxedEvaluator(space, config, self.streams, self._run, distribution)
        self.weights = self.evaluator.weights
        self.machines = self.weights.machines
        self.strategy = ReadOff(self.weights.architecture)
        self.state = SearchState([])
        self._stop = StopRule(config.darts.stop, self.weights.architecture.space)
        return {"stop": self._stop}

    def _forget(self) -> None:
        """Forgets what is not in a checkpoint; see `SearchTask`."""
        self._architecture_batches: Iterator[Any] | None = None
        # Since the last event; first those of the weights, then those of the architecture.
        unlogged = self._saved.unlogged
        half = len(unlogged) // 2
        self._running = RunningMetrics(unlogged[:half])
        self._running_architecture = RunningMetrics(unlogged[half:])

    def __exit__(self, *exception: object) -> None:
        super().__exit__(*exception)
        self._architecture_batches = None

    def _unlogged(self) -> list[float]:
        """Returns the sums of both passes' metrics; zeros of a pass that did not run."""
        sums = self._running.sums()
        return [*sums, *(self._running_architecture.sums() or [0.0] * len(sums))]

    @property
    def _num_scored(self) -> int:
        """One architecture is read off."""
        return 1

    def _steps_in_all(self) -> dict[str, int]:
        """Returns the steps of all epochs; see `SearchTask`."""
        steps, epochs = self._schedule.steps_in_all(), self._schedule.epochs
        frozen = 0
        if epochs is not None:
            learns = map(self._schedule.learns, range(epochs))
            frozen = self._schedule.steps * (epochs - sum(learns))
        return {SHARED_WEIGHTS: steps, ARCHITECTURE: max(0, steps - frozen)}

    def stretch(self) -> Stretch | None:
        """Returns what is left of the epoch; None at the end of the search."""
        if self._is_over:
            return None
        self._shown_step = self.state.phase_step
        return self._training_stretch(self._steps, self._end)

    def _steps(self, steps: range) -> None:
        with self._measured(STEP, len(steps)):
            self._training_steps(steps)

    def _training_steps(self, steps: range) -> None:
        state, epoch, count = self.state, self.state.epoch, len(steps)
        number, learned = self._schedule.steps_before(epoch) + steps.start, state.updates
        if self._training_batches is None:
            self._training_batches = self.weights.relaxed_batches(
                lambda share: self.streams.training(number, share)
            )
        other = None
        if self._schedule.learns(epoch):
            if self._architecture_batches is None:
                self._architecture_batches = self.weights.relaxed_batches(
                    lambda share: self._architecture_streams.training(learned, share)
                )
            other = self._architecture_batches
        numbers = range(number, number + count)
        metrics, of_architecture = self.weights.step_several(
            self._training_batches, other, numbers, epoch, self.rollbacks, self._steps_per_call
        )
        self._running.add(metrics)
        state.phase_step = steps.stop
        if of_architecture is not None:
            self._running_architecture.add(of_architecture)
            state.updates += count
        if steps.stop % STEPS_PER_LOG == 0 or steps.stop == self._schedule.steps:
            self._write_metrics(numbers.stop, steps.stop)

    def _write_metrics(self, number: int, step: int) -> None:
        self._running.check_finite(number)
        means, steps = self._running.means(), step - self._shown_step
        self._log(SHARED_WEIGHTS, number, {**means, **self.weights.step_metrics()})
        self._show(SHARED_WEIGHTS, steps, means)
        if self._schedule.learns(self.state.epoch):
            self._running_architecture.check_finite(number)
            decided = self.weights.architecture.metrics()
            own = {**self._running_architecture.means(), **decided}
            self._log(ARCHITECTURE, self.state.updates, own)
            self._show(ARCHITECTURE, steps, decided)
        self._running, self._running_architecture = RunningMetrics(), RunningMetrics()
        self._shown_step = step

    def _end(self) -> StretchEnd:
        self.state.phase_step = 0
        self.state.epoch += 1
        self._schedule.epoch_done()
        epoch = self.state.epoch
        found = self.strategy.most_likely()
        if self._schedule.learns(epoch - 1) and self._stop.reached(found):
            self._saved.ended = True
            logger.info("Ended after epoch %d by the rule %s.", epoch, self._config.darts.stop)
        architecture = self.weights.architecture
        space, mixture = architecture.space, architecture.space.mixture_type(architecture.weights())
        self._report.mixed(space, mixture, epoch)
        of_mixture = self.evaluator.score_metrics(self.evaluator.mixture_score())
        metrics = {n.replace("shared_weights", "mixture"): v for n, v in of_mixture.items()}
        return self._epoch_ended(found, metrics, {"strengths": space.strengths(mixture, found)})

    def went_back(self) -> None:
        """Goes on with other random numbers, since the same might lead to the same end."""
        self._start_progress()
