"""A final training as a task of the trainer: its steps, its progress, its events."""

import contextlib
import functools
import logging
import time
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import tensorflow as tf

from enas_tf.environment.progress import Progress
from enas_tf.final_training.plan import EPOCH_END, SAVE, STEP
from enas_tf.final_training.saved_training import SavedTraining
from enas_tf.layers.graph_options import training_graphs
from enas_tf.runs.phases import PLAN, RETRAIN
from enas_tf.training.devices import distributed
from enas_tf.training.loss_scaling import scaling_metrics
from enas_tf.training.profiling import Profile
from enas_tf.training.schedules import learning_rate
from enas_tf.training.trainer import Stretch, StretchEnd, Task, Trainer

_PROGRESS_STEPS = 10
# Those in which TensorFlow prepares its functions, which tell nothing of the pace.
_FIRST_STEPS = 2
# In the history of a training that was ended before its last epoch.
_ENDED = "ended"

_log = logging.getLogger(__name__)


class RetrainProgress(NamedTuple):
    """How far a training is.

    Attributes:
      step: steps done.
      total_steps: steps of the whole training; None: a time budget has not decided it yet.
      epoch: the running epoch, from 1.
      epochs: epochs of the whole training; None: likewise.
      metrics: means over the running epoch so far, for example `loss` in nats and `accuracy`.
    """

    step: int
    total_steps: int | None
    epoch: int
    epochs: int | None
    metrics: Mapping[str, float]


# An answer of True ends the training.
OnEvent = Callable[[Mapping[str, Any]], Any]
OnProgress = Callable[[RetrainProgress], None]


class TrainingTask(Task):
    """What the trainer does with a final training.

    Args:
      training: a `Training`.
      saved: its checkpoints; None: nothing is written, and there is nothing to go back to.
      on_event: called with every event, one an epoch; see `enas_tf.retrain`.
      on_progress: called every few steps and after every epoch.
    """

    def __init__(
        self,
        training: Any,
        saved: SavedTraining | None,
        on_event: OnEvent | None,
        on_progress: OnProgress | None,
    ) -> None:
        self.machines = training.machines
        self._training = training
        self._saved = saved
        self._on_event = on_event
        self._on_progress = on_progress
        self._progress = Progress({}, shown=False)
        self._traced_step: Any = None
        self._batches: Any = None
        self._started = 0.0
        # The last step that the progress line has counted.
        self._shown_step = 0

    def finish(self, profile: Profile) -> None:
        """Takes all steps that are left; see `Trainer.run`.

        Args:
          profile: records some of the steps.
        """
        try:
            Trainer(self, profile).run()
        finally:
            self._progress.close()
            self._batches = None

    @property
    def max_rollbacks(self) -> int:
        """How often the training may go back."""
        return self._training.config.max_rollbacks

    @property
    def rollbacks(self) -> int:
        """How often the training went back to a checkpoint."""
        return int(self._training.num_rollbacks.numpy())

    @rollbacks.setter
    def rollbacks(self, number: int) -> None:
        self._training.num_rollbacks.assign(number)

    def begin(self) -> None:
        """Restores the newest checkpoint, or writes the first one; makes the batches."""
        if self._saved is None or not self._saved.restore():
            self._training.begin()
            if self._saved is not None:
                # So that there is something to go back to.
                self._saved.begin()
        self._start()
        total = self._training.total_steps
        if self._training.history.get(_ENDED) and total and self._training.step < total:
            self._progress.message("The training was ended early, for good; no epoch follows.")

    def _start(self) -> None:
        first = self._training.step
        batches = distributed(
            self._training.strategy, lambda share: self._training.batches(first, share)
        )
        if self._traced_step is None:
            # Given, because texts have segments of many lengths, which shall not be traced one by
            # one.
            self._traced_step = tf.function(
                self._counted_step, [batches.element_spec], autograph=False
            )
        self._batches = iter(batches)
        self._start_progress()
        self._started = time.monotonic() - self._training.seconds

    def _start_progress(self) -> None:
        self._progress.close()
        first = self._training.step
        # What an interrupted run did before does not count into the speed.
        self._progress = Progress(
            {RETRAIN: self._training.total_steps or 0},
            {RETRAIN: first},
            shown=self.machines.is_chief,
        )
        self._shown_step = first

    def _counted_step(self, batch: Any) -> None:
        metrics = self._training.train_step(batch)
        self._training.totals.assign_add(tf.cast(tf.stack(metrics), tf.float64))

    def stretch(self) -> Stretch | None:
        """Returns what is left of the running epoch; None at the end of the training."""
        first, total, plan = self._training.step, self._training.total_steps, self._training.plan
        if self._training.history.get(_ENDED) or (total is not None and first >= total):
            return None
        last = (first // self._training.epoch_steps + 1) * self._training.epoch_steps
        if total is not None:
            last = min(last, total)
        end = self._end_epoch
        if plan is not None and plan.stop is not None and first < plan.stop < last:
            last, end = plan.stop, self._end_part
        return Stretch(range(first, last), self._take_steps, end)

    def _take_steps(self, steps: range) -> None:
        plan = self._training.plan
        with self._measured(STEP, _FIRST_STEPS):
            batch = next(self._batches)
            with training_graphs():
                self._traced_step(batch)
            self._training.after_step()
            if plan is not None and plan.total is None:
                # Waits for the device, whose pace is to be found out.
                self._training.means()
        self._training.seconds = time.monotonic() - self._started
        done = steps.stop
        is_last = done % self._training.epoch_steps == 0 or done == self._training.total_steps
        if is_last or done % _PROGRESS_STEPS == 0:
            self._show(done)

    def _measured(self, kind: str, first: int = 1) -> contextlib.AbstractContextManager[None]:
        plan = self._training.plan
        return contextlib.nullcontext() if plan is None else plan.budget.pace.measured(kind, first)

    def _end_part(self) -> StretchEnd:
        self.check()
        self._plan_rest()
        return StretchEnd()

    def _plan_rest(self) -> None:
        """Decides how many steps fit into the time."""
        training, plan = self._training, self._training.plan
        decision = self.machines.decide(
            lambda: plan.decision(training.step, training.epoch_steps, training.seconds_of_end())
        )
        is_first = plan.total is None
        if plan.follow(decision):
            epochs = plan.total / training.epoch_steps
            fit = f"{plan.budget.text}: {epochs:.3g} epochs fit, {plan.total} steps"
            if is_first:
                self._progress.message(f"{fit}; the learning rate falls over these.")
            _log.info("%s (decided after step %d).", fit, training.step)
            if self._saved is not None:
                self._saved.log(
                    {
                        "phase": PLAN,
                        "step": training.step,
                        "epoch": training.step / training.epoch_steps,
                        "seconds": training.seconds,
                        "epochs": epochs,
                        "steps": plan.total,
                    }
                )
            self._start_progress()

    def _show(self, done: int) -> None:
        epoch, epochs = (done - 1) // self._training.epoch_steps + 1, self._training.epochs
        means = self._training.means()
        self._progress.update(RETRAIN, done - self._shown_step, epoch=epoch, epochs=epochs, **means)
        self._shown_step = done
        if self._on_progress is not None:
            self._on_progress(
                RetrainProgress(done, self._training.total_steps, epoch, epochs, means)
            )

    def _end_epoch(self) -> StretchEnd:
        with self._measured(EPOCH_END):
            ended = self._measure_epoch()
        plan = self._training.plan
        if plan is not None and plan.stop is not None and self._training.step >= plan.stop:
            self._plan_rest()
        return ended

    def _measure_epoch(self) -> StretchEnd:
        """Measures an epoch that has just ended, logs it, and starts the next one's sums."""
        self.check()
        step, means = self._training.step, self._training.means()
        epoch = (step - 1) // self._training.epoch_steps + 1
        # All machines take part where replicas have variables of their own.
        validation = self._training.validate(epoch)
        validation = self.machines.decide(lambda: validation)
        score = self._training.validation_score(validation)
        if self._training.has_enough(epoch, score):
            self._training.history[_ENDED] = True
            why = f"nothing was better than epoch {self._training.best_epoch}"
            ended = f"Ended after epoch {epoch}: {why} on the validation part."
            self._progress.message(ended)
            _log.info("%s", ended)
        self._training.after_validation(epoch, validation)
        rate = learning_rate(
            self._training.config.training,
            step - 1,
            self._training.epoch_steps,
            self._training.horizon,
        )
        event = {
            "phase": RETRAIN,
            "step": step,
            "epoch": epoch,
            "seconds": self._training.seconds,
            **means,
            "learning_rate": float(rate),
            **scaling_metrics(self._training.optimizer),
            **validation,
        }
        self._training.totals.assign(tf.zeros_like(self._training.totals))
        if self._saved is not None:
            self._saved.log(event)
        tell = self._on_event
        ask = None if tell is None else functools.partial(tell, event)
        return StretchEnd(score, ask)

    def end(self) -> None:
        """Takes note that the training shall end before its last epoch."""
        self._training.history[_ENDED] = True
        _log.info("ended after step %d, as on_event asked", self._training.step)

    def save(self, score: float | None = None) -> None:
        """Saves everything, if the training has a folder; see `Task.save`."""
        if self._saved is not None:
            with self._measured(SAVE):
                self._saved.save(score)
        self._progress.skip_time()

    def check(self) -> None:
        """Raises `NumericalError` if a mean over the running epoch is infinite or undefined."""
        epoch = (self._training.step - 1) // self._training.epoch_steps + 1
        for name, value in self._training.means().items():
            self._training.check_finite(name, value, epoch)

    def go_back(self) -> bool:
        """Restores the newest checkpoint; returns whether there was one."""
        return self._saved is not None and self._saved.restore()

    def went_back(self) -> None:
        """Makes the batches from where the training is now."""
        self._start()

    def place(self) -> str:
        """Returns the step."""
        total = self._training.total_steps
        return f"step {self._training.step}{'' if total is None else f' of {total}'}"
