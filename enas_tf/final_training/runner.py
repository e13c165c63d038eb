"""The loop around the training of a derived network: steps, checkpoints, going back, events."""

import contextlib
import logging
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import tensorflow as tf

from enas_tf.errors import NumericalError
from enas_tf.final_training.saved_training import SavedTraining
from enas_tf.reporting.progress import Progress
from enas_tf.reporting.training_report import PHASE
from enas_tf.training.callbacks import asks_to_stop
from enas_tf.training.devices import distributed
from enas_tf.training.interruption import DeferredSignals
from enas_tf.training.pauses import Pause, Pauses
from enas_tf.training.schedules import learning_rate

if TYPE_CHECKING:
    from enas_tf.final_training.training import Training

_PROGRESS_STEPS = 10
# In the history of a training that was ended before its last epoch.
_ENDED = "ended"

_log = logging.getLogger(__name__)


class RetrainProgress(NamedTuple):
    """How far a training is.

    Attributes:
      step: steps done.
      total_steps: steps of the whole training.
      epoch: the running epoch, from 1.
      epochs: epochs of the whole training.
      metrics: means over the running epoch so far, for example `loss` in nats and `accuracy`.
    """

    step: int
    total_steps: int
    epoch: int
    epochs: int
    metrics: Mapping[str, float]


# An answer of True ends the training.
OnEvent = Callable[[Mapping[str, Any]], Any]
OnProgress = Callable[[RetrainProgress], None]


class TrainingRun:
    """Takes the steps of a training that are left.

    Args:
      training: what is trained.
      saved: its checkpoints; None: nothing is written, and there is nothing to go back to.
      on_event: called with every event, one an epoch; see `enas_tf.retrain`.
      on_progress: called every few steps and after every epoch.
    """

    def __init__(
        self,
        training: "Training",
        saved: SavedTraining | None,
        on_event: OnEvent | None,
        on_progress: OnProgress | None,
    ) -> None:
        self._training = training
        self._saved = saved
        self._on_event = on_event
        self._on_progress = on_progress

    def finish(self) -> None:
        """Trains to the end.

        An interruption waits until the state is saved, and is then raised. When a number is not
        finite, the training goes back to its last checkpoint.

        Raises:
          NumericalError: going back did not help.
        """
        training = self._training
        if self._saved is not None and not self._saved.restore():
            # So that there is something to go back to.
            self._saved.begin()
        batches = self._batches()
        # Given, because texts have segments of many lengths, which shall not be traced one by one.
        step = tf.function(self._step, [batches.element_spec], autograph=False)
        with DeferredSignals() as signals:
            pauses = Pauses(signals, training.workers)
            while True:
                try:
                    with contextlib.closing(self._progress_line()) as progress:
                        self._take_steps(iter(batches), step, pauses, progress)
                    # So that one that came late ends all machines alike.
                    signals.agree(training.workers)
                    break
                except NumericalError as error:
                    self._go_back(error)
                    batches = self._batches()
        signals.check_finished()

    def _progress_line(self) -> Progress:
        training = self._training
        # What an interrupted run did before does not count into the speed.
        total, done = {PHASE: training.total_steps}, {PHASE: training.step}
        return Progress(total, done, shown=training.workers.is_chief)

    def _batches(self) -> Any:
        training, first = self._training, self._training.step
        return distributed(training.strategy, lambda share: training.batches(first, share))

    def _step(self, batch: Any) -> None:
        training = self._training
        metrics = training.train_step(batch)
        training.totals.assign_add(tf.cast(tf.stack(metrics), tf.float64))

    def _take_steps(
        self,
        batches: Any,
        train_step: Callable[[Any], None],
        pauses: Pauses,
        progress: Progress,
    ) -> None:
        """Takes the steps that are left, or those before an interruption."""
        training = self._training
        if training.history.get(_ENDED):
            return
        start, shown = time.monotonic() - training.seconds, training.step
        for step in range(training.step, training.total_steps):
            if (pause := pauses.before(step)) is not Pause.NONE:
                self._save_within_epoch(step)
                pauses.saved()
                if pause is Pause.STOP:
                    return
            train_step(next(batches))
            training.after_step()
            training.seconds = time.monotonic() - start
            ends_epoch = (step + 1) % training.epoch_steps == 0
            if ends_epoch or (step + 1) % _PROGRESS_STEPS == 0:
                self._show(progress, self._progress(step + 1), step + 1 - shown)
                shown = step + 1
            if ends_epoch:
                stops = self._end_epoch(step + 1)
                pauses.saved()
                progress.skip_time()
                if stops:
                    self._end()
                    return

    def _show(self, progress: Progress, now: RetrainProgress, steps: int) -> None:
        progress.update(PHASE, steps, epoch=now.epoch, epochs=now.epochs, **now.metrics)
        if self._on_progress is not None:
            self._on_progress(now)

    def _end(self) -> None:
        """Takes note that no further step is wanted."""
        self._training.history[_ENDED] = True
        if self._saved is not None:
            self._saved.save()
        _log.info("ended after step %d, as on_event asked", self._training.step)

    def _save_within_epoch(self, step: int) -> None:
        # Weights that are not finite are not worth going on from; the next run notices them again.
        is_new = step % self._training.epoch_steps != 0
        if self._saved is not None and is_new and np.all(np.isfinite(self._training.totals)):
            self._saved.save()

    def _go_back(self, error: NumericalError) -> None:
        """Goes back to the last checkpoint, and on from there with other random numbers."""
        training = self._training
        limit = training.config.max_rollbacks
        done = int(training.rollbacks.numpy())
        if self._saved is None or done >= limit:
            times = "once" if done == 1 else f"{done} times"
            tried = f" It went back to its last checkpoint {times} in vain." if done else ""
            raise NumericalError(f"{error}{tried}") from error
        self._saved.restore()
        training.rollbacks.assign(done + 1)
        self._saved.save()
        _log.warning(
            "%s Going back to step %d, and on with other random numbers (%d of at most %d times).",
            error,
            training.step,
            done + 1,
            limit,
        )

    def _progress(self, step: int) -> RetrainProgress:
        training = self._training
        epoch = (step - 1) // training.epoch_steps + 1
        epochs = training.config.training.epochs
        return RetrainProgress(step, training.total_steps, epoch, epochs, training.means())

    def _end_epoch(self, step: int) -> bool:
        """Measures an epoch that has just ended, starts the next one's sums, and saves.

        Returns:
          Whether the training shall end here.
        """
        training = self._training
        means = training.means()
        epoch = step // training.epoch_steps
        for name, value in means.items():
            training.check_finite(name, value, epoch)
        # All machines take part where replicas have variables of their own.
        validation = training.validate(epoch)
        validation = training.workers.decide(lambda: validation)
        training.after_validation(epoch, validation)
        rate = learning_rate(training.config.training, step - 1, training.epoch_steps)
        event = {
            "phase": PHASE,
            "step": step,
            "epoch": epoch,
            "seconds": training.seconds,
            **means,
            "learning_rate": float(rate),
            **validation,
        }
        training.totals.assign(tf.zeros_like(training.totals))
        if self._saved is not None:
            self._saved.log(event)
            self._saved.save(training.validation_score(validation))
        answer = None if self._on_event is None else self._on_event(event)
        return asks_to_stop(answer, training.workers)
