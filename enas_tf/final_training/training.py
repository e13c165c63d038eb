"""What the training of a derived network is, whatever the network is trained on.

What a step computes and how good the result is say the subclasses of `Training`; when to save, to
stop and to go back says `enas_tf.training.trainer`.
"""

import abc
import contextlib
import functools
import logging
import math
import os
import pathlib
import time
from collections.abc import Callable, Mapping
from typing import Any, ClassVar, NamedTuple

import keras
import numpy as np
import tensorflow as tf

from enas_tf.data.sharing import Share
from enas_tf.errors import NumericalError
from enas_tf.files.replacing import replacing
from enas_tf.files.writing import writing
from enas_tf.final_training.saved_training import SavedTraining
from enas_tf.models.files import MODEL_FILE
from enas_tf.reporting.progress import Progress
from enas_tf.reporting.training_report import PHASE
from enas_tf.runs.directory import RESULTS
from enas_tf.settings.config import (
    RetrainConfig,
    SearchConfig,
    TextRetrainConfig,
    TrainingConfig,
)
from enas_tf.settings.setting import Settings
from enas_tf.spaces.architectures import architecture_document
from enas_tf.spaces.base import Architecture
from enas_tf.training.devices import distributed
from enas_tf.training.machines.run import open_run
from enas_tf.training.machines.workers import Workers
from enas_tf.training.optimizers import build_optimizer
from enas_tf.training.profiling import Profile
from enas_tf.training.schedules import learning_rate
from enas_tf.training.trainer import Stretch, StretchEnd, Task, Trainer

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


class Training(Task):
    """One training of a derived network from scratch.

    Args:
      architecture: of the network.
      config: schedule and optimiser.
      network_config: width and form of the network.
      build: makes the network; called in the scope of the strategy.
      epoch_steps: steps in an epoch.
      strategy: which devices train.

    Attributes:
      network: the network in training.
      optimizer: its optimiser, which counts the steps.
      totals: sums over the running epoch, in the order of `metrics`.
      history: what a checkpoint must hold besides variables, as JSON can hold it.
      seconds: how long the training has taken so far, over all interruptions.
      workers: the machines of the strategy.
      num_rollbacks: int32 variable of `Task.rollbacks`.
    """

    # A NamedTuple of sums with a method `means`.
    metrics: ClassVar[Any]
    # An `ImageData` or a `TextData`.
    data: Any
    config_class: ClassVar[type[Settings]]

    @classmethod
    @abc.abstractmethod
    def short_config(cls, search: SearchConfig) -> Any:
        """Returns the settings of a training that is as short as a search wants it of finalists."""

    @classmethod
    @abc.abstractmethod
    def short_score(cls, event: Mapping[str, Any]) -> tuple[float, str]:
        """Returns the score that the event of an epoch tells, higher is better, and its name."""

    def __init__(
        self,
        architecture: Architecture,
        config: RetrainConfig | TextRetrainConfig,
        network_config: Settings,
        *,
        build: Callable[[], keras.Model],
        epoch_steps: int,
        strategy: tf.distribute.Strategy,
    ) -> None:
        self.architecture = architecture
        self.config = config
        self.network_config = network_config
        self.strategy = strategy
        self.workers = Workers(strategy)
        self.epoch_steps = epoch_steps
        self.total_steps = config.training.epochs * epoch_steps
        self.history: dict[str, Any] = {}
        self.seconds = 0.0
        self.num_rollbacks = tf.Variable(0, trainable=False, name="rollbacks")
        self._saved: SavedTraining | None = None
        self._on_event: OnEvent | None = None
        self._on_progress: OnProgress | None = None
        self._progress = Progress({}, shown=False)
        self._traced_step: Any = None
        self._batches: Any = None
        self._started = 0.0
        with self.workers.together(), strategy.scope():
            self.network = build()
            self.optimizer = build_optimizer(config.training, epoch_steps)
            self.optimizer.build(self.network.trainable_variables)
            zeros = tf.zeros([len(self.metrics._fields)], tf.float64)
            self.totals = tf.Variable(zeros, trainable=False)

    @property
    def step(self) -> int:
        """Number of steps done."""
        return int(self.optimizer.iterations.numpy())

    @abc.abstractmethod
    def data_identity(self) -> dict[str, Any]:
        """Returns what tells the data from others, for the configuration of the run."""

    @abc.abstractmethod
    def batches(self, first_step: int, share: Share) -> tf.data.Dataset:
        """Returns endless training batches.

        Args:
          first_step: number of the step that the first batch is for.
          share: for each of its replicas in turn, the rows that it works on are returned.
        """

    @abc.abstractmethod
    def train_step(self, batch: Any) -> Any:
        """Takes one step in a `tf.function`.

        Args:
          batch: of all devices.

        Returns:
          The sums of `metrics` over all devices.
        """

    @abc.abstractmethod
    def model(self) -> keras.Model:
        """Returns the network in its present state, in the form in which it is used."""

    @abc.abstractmethod
    def test(self, model: keras.Model) -> dict[str, Any]:
        """Returns how good the model is on the test part, and what belongs to its data."""

    def state(self) -> dict[str, Any]:
        """Returns what a checkpoint must hold."""
        return {
            "network": self.network,
            "optimizer": self.optimizer,
            "totals": self.totals,
            "rollbacks": self.num_rollbacks,
        }

    @abc.abstractmethod
    def preview(self) -> Any:
        """Returns some training data as the network gets them, for people to look at.

        Returns:
          uint8 pictures `[pictures, height, width, channels]`, or a piece of text.
        """

    def drawing_options(self) -> dict[str, Any]:
        """Returns what a drawing of the architecture needs to know."""
        return {}

    def after_restore(self) -> None:
        """Does what is to be done after a checkpoint was restored."""

    def after_step(self) -> None:
        """Does what is to be done after every step."""

    def validate(self, epoch: int) -> dict[str, Any]:
        """Returns what the event of an epoch that has just ended says of the validation part.

        Called on all machines, of which the chief's answer counts. It must not change anything;
        see `after_validation`.
        """
        del epoch
        return {}

    def after_validation(self, epoch: int, validation: Mapping[str, Any]) -> None:
        """Does what follows from what `validate` returned, on all machines alike."""
        del epoch, validation

    def validation_score(self, validation: Mapping[str, Any]) -> float | None:
        """Returns by what the best checkpoint is chosen, higher is better; None: not at all."""
        del validation
        return None

    def assets(self) -> Mapping[str, str]:
        """Returns further files of the run, texts by name."""
        return {}

    def run(
        self,
        output_dir: str | os.PathLike[str] | None = None,
        *,
        overwrite: bool = False,
        on_event: OnEvent | None = None,
        on_progress: OnProgress | None = None,
        preset: str | None = None,
    ) -> keras.Model:
        """Trains to the end, from where an earlier run in the same folder stopped.

        Args:
          output_dir: folder of the run; nothing is written if there is none. On several machines
            only the chief writes.
          overwrite: start anew if another run is in `output_dir`.
          on_event: called with every line of `metrics.jsonl`, one an epoch.
          on_progress: called every few steps and after every epoch.
          preset: name of the preset that the settings come from, for the run to write down.

        Returns:
          The trained model.

        Raises:
          RunDirectoryError: `output_dir` holds something else, or cannot be written.
          NumericalError: the loss became infinite or undefined.
          KeyboardInterrupt: on Ctrl-C, after saving.
        """
        with self.workers.together():
            if output_dir is None:
                self._finish(None, Profile(None, self.workers), on_event, on_progress)
                return self.model()
            identity, workers = self._identity(), self.workers
            origin = {"preset": preset, "data": self.data.config.to_json()}
            with open_run(output_dir, identity, workers, overwrite=overwrite, origin=origin) as run:
                run.write_json("architecture.json", architecture_document(self.architecture))
                for name, text in self.assets().items():
                    run.keep_asset(name, text)
                with contextlib.closing(SavedTraining(self, run)) as saved:
                    profile = Profile(run.tensorboard, workers)
                    self._finish(saved, profile, on_event, on_progress)
                model = self.model()
                if workers.is_chief:
                    _save_model(model, run.file(MODEL_FILE))
                    run.write_json(RESULTS, self._results(model))
                return model

    def _finish(
        self,
        saved: SavedTraining | None,
        profile: Profile,
        on_event: OnEvent | None,
        on_progress: OnProgress | None,
    ) -> None:
        """Takes all steps that are left; see `Trainer.run`."""
        self._saved, self._on_event, self._on_progress = saved, on_event, on_progress
        try:
            Trainer(self, profile).run()
        finally:
            self._progress.close()
            self._batches = None

    @property
    def max_rollbacks(self) -> int:
        """How often the training may go back."""
        return self.config.max_rollbacks

    @property
    def rollbacks(self) -> int:
        """How often the training went back to a checkpoint."""
        return int(self.num_rollbacks.numpy())

    @rollbacks.setter
    def rollbacks(self, number: int) -> None:
        self.num_rollbacks.assign(number)

    def begin(self) -> None:
        """Restores the newest checkpoint, or writes the first one; makes the batches."""
        if self._saved is not None and not self._saved.restore():
            # So that there is something to go back to.
            self._saved.begin()
        self._start()

    def _start(self) -> None:
        first = self.step
        batches = distributed(self.strategy, lambda share: self.batches(first, share))
        if self._traced_step is None:
            # Given, because texts have segments of many lengths, which shall not be traced one by
            # one.
            self._traced_step = tf.function(
                self._counted_step, [batches.element_spec], autograph=False
            )
        self._batches = iter(batches)
        self._progress.close()
        # What an interrupted run did before does not count into the speed.
        self._progress = Progress(
            {PHASE: self.total_steps}, {PHASE: first}, shown=self.workers.is_chief
        )
        self._shown_step = first
        self._started = time.monotonic() - self.seconds

    def _counted_step(self, batch: Any) -> None:
        metrics = self.train_step(batch)
        self.totals.assign_add(tf.cast(tf.stack(metrics), tf.float64))

    def stretch(self) -> Stretch | None:
        """Returns what is left of the running epoch; None at the end of the training."""
        first = self.step
        if self.history.get(_ENDED) or first >= self.total_steps:
            return None
        last = (first // self.epoch_steps + 1) * self.epoch_steps
        return Stretch(range(first, last), self._take_step, self._end_epoch)

    def _take_step(self, step: int) -> None:
        self._traced_step(next(self._batches))
        self.after_step()
        self.seconds = time.monotonic() - self._started
        done = step + 1
        if done % self.epoch_steps == 0 or done % _PROGRESS_STEPS == 0:
            self._show(done)

    def _show(self, done: int) -> None:
        epoch, epochs = (done - 1) // self.epoch_steps + 1, self.config.training.epochs
        means = self.means()
        self._progress.update(PHASE, done - self._shown_step, epoch=epoch, epochs=epochs, **means)
        self._shown_step = done
        if self._on_progress is not None:
            self._on_progress(RetrainProgress(done, self.total_steps, epoch, epochs, means))

    def _end_epoch(self) -> StretchEnd:
        """Measures an epoch that has just ended, logs it, and starts the next one's sums."""
        self.check()
        step, means = self.step, self.means()
        epoch = step // self.epoch_steps
        # All machines take part where replicas have variables of their own.
        validation = self.validate(epoch)
        validation = self.workers.decide(lambda: validation)
        self.after_validation(epoch, validation)
        rate = learning_rate(self.config.training, step - 1, self.epoch_steps)
        event = {
            "phase": PHASE,
            "step": step,
            "epoch": epoch,
            "seconds": self.seconds,
            **means,
            "learning_rate": float(rate),
            **validation,
        }
        self.totals.assign(tf.zeros_like(self.totals))
        if self._saved is not None:
            self._saved.log(event)
        tell = self._on_event
        ask = None if tell is None else functools.partial(tell, event)
        return StretchEnd(self.validation_score(validation), ask)

    def end(self) -> None:
        """Takes note that the training shall end before its last epoch."""
        self.history[_ENDED] = True
        _log.info("ended after step %d, as on_event asked", self.step)

    def save(self, score: float | None = None) -> None:
        """Saves everything, if the training has a folder; see `Task.save`."""
        if self._saved is not None:
            self._saved.save(score)
        self._progress.skip_time()

    def check(self) -> None:
        """Raises `NumericalError` if a mean over the running epoch is infinite or undefined."""
        epoch = (self.step - 1) // self.epoch_steps + 1
        for name, value in self.means().items():
            self.check_finite(name, value, epoch)

    def go_back(self) -> bool:
        """Restores the newest checkpoint; returns whether there was one."""
        return self._saved is not None and self._saved.restore()

    def went_back(self) -> None:
        """Makes the batches from where the training is now."""
        self._start()

    def place(self) -> str:
        """Returns the step."""
        return f"step {self.step} of {self.total_steps}"

    def means(self) -> dict[str, float]:
        """Returns the means over the running epoch so far."""
        return self.metrics(*self.totals.numpy()).means()

    def check_finite(self, name: str, value: float, epoch: int) -> None:
        """Raises `NumericalError` with advice if a loss is infinite or undefined."""
        if math.isfinite(value):
            return
        training = self.config.training
        clipping = (
            f"`clip_norm` (now {training.clip_norm:g})" if training.clip_norm else "set `clip_norm`"
        )
        raise NumericalError(
            f"The {name} is {value} after epoch {epoch}; lower `learning_rate` "
            f"(now {training.learning_rate:g}) or {clipping}."
        )

    def _identity(self) -> dict[str, Any]:
        """Returns everything that decides what the training does."""
        return {
            "command": PHASE,
            "space": self.architecture.space_name,
            "architecture": self.architecture.to_json(),
            "network": self.network_config.to_json(),
            "retrain": self.config.to_json(),
            "data": self.data_identity(),
        }

    def _results(self, model: keras.Model) -> dict[str, Any]:
        """Returns what `results.json` holds."""
        return {
            **self.test(model),
            "parameters": sum(int(np.prod(v.shape)) for v in model.trainable_variables),
            "epochs": self.step // self.epoch_steps,
            "steps": self.step,
            "seconds": self.seconds,
            "architecture": architecture_document(self.architecture),
            "network": self.network_config.to_json(),
        }


def short_training(search: SearchConfig) -> TrainingConfig:
    """Returns how a finalist of a search trains: as the shared weights did, but briefly."""
    return search.shared_weights.replace(epochs=search.derive.finalist_epochs, restart_epochs=0)


def _save_model(model: keras.Model, path: pathlib.Path) -> None:
    """Writes a `.keras` file whole or not at all."""
    with writing(path), replacing(path) as temporary:
        model.save(temporary)
