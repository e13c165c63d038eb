"""The loop around the training of a derived network, whatever the network is trained on.

Checkpoints, resuming, epochs, progress, signals, the log and the files of a run stand here; what a
step computes and how good the result is say the subclasses of `Training`.
"""

import abc
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

from enas_tf.architectures import architecture_document
from enas_tf.config import RetrainConfig, TextRetrainConfig
from enas_tf.errors import NumericalError
from enas_tf.files import writing
from enas_tf.model_files import MODEL_FILE
from enas_tf.retrain.saved_training import SavedTraining
from enas_tf.runs import RESULTS, RunDirectory
from enas_tf.settings import Settings
from enas_tf.spaces.base import Architecture
from enas_tf.training.checkpoints import Checkpoints
from enas_tf.training.interruption import DeferredSignals
from enas_tf.training.optimizers import build_optimizer
from enas_tf.training.schedules import learning_rate

PHASE = "retrain"
_PROGRESS_STEPS = 10

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


OnEvent = Callable[[Mapping[str, Any]], None]
OnProgress = Callable[[RetrainProgress], None]


class Training(abc.ABC):
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
      rollbacks: int32 variable, how often it went back to a checkpoint because a loss was not
        finite; what makes random numbers shall take it into account.
      max_rollbacks: how often it may; 0: it ends.
    """

    max_rollbacks = 0
    # A NamedTuple of sums with a method `means`.
    metrics: ClassVar[Any]

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
        self.epoch_steps = epoch_steps
        self.total_steps = config.training.epochs * epoch_steps
        self.history: dict[str, Any] = {}
        self.seconds = 0.0
        self.rollbacks = tf.Variable(0, trainable=False, name="rollbacks")
        with strategy.scope():
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
    def batches(self, first_step: int) -> tf.data.Dataset:
        """Returns endless training batches, the first one for the step of that number."""

    @abc.abstractmethod
    def train_step(self, batch: Any) -> Any:
        """Takes one step in a `tf.function`.

        Args:
          batch: of all devices.

        Returns:
          The sums of `metrics`, one value for each device.
        """

    @abc.abstractmethod
    def model(self) -> keras.Model:
        """Returns the network in its present state, in the form in which it is used."""

    @abc.abstractmethod
    def test(self, model: keras.Model) -> dict[str, Any]:
        """Returns how good the model is on the test part, and what belongs to its data."""

    def state(self) -> dict[str, Any]:
        """Returns what a checkpoint must hold."""
        state = {"network": self.network, "optimizer": self.optimizer, "totals": self.totals}
        return state | {"rollbacks": self.rollbacks} if self.max_rollbacks else state

    def after_step(self) -> None:  # noqa: B027 (a hook; most have nothing to do there)
        """Does what is to be done after every step."""

    def validate(self, epoch: int) -> dict[str, Any]:
        """Returns what the event of an epoch that has just ended says of the validation part."""
        del epoch
        return {}

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
    ) -> keras.Model:
        """Trains to the end, from where an earlier run in the same folder stopped.

        Args:
          output_dir: folder of the run; nothing is written if there is none.
          overwrite: start anew if another run is in `output_dir`.
          on_event: called with every line of `metrics.jsonl`, one an epoch.
          on_progress: called every few steps and after every epoch.

        Returns:
          The trained model.

        Raises:
          RunDirectoryError: `output_dir` holds something else, or cannot be written.
          NumericalError: the loss became infinite or undefined.
          KeyboardInterrupt: on Ctrl-C, after saving.
        """
        if output_dir is None:
            self._train(on_event, on_progress)
            return self.model()
        run = RunDirectory.open(output_dir, self._identity(), overwrite=overwrite)
        with run:
            run.write_json("architecture.json", architecture_document(self.architecture))
            for name, text in self.assets().items():
                run.keep_asset(name, text)
            checkpoints = Checkpoints(run.checkpoints, **self.state())
            self._train(on_event, on_progress, run, checkpoints)
            model = self.model()
            _save_model(model, run.path / MODEL_FILE)
            run.write_json(RESULTS, self._results(model))
        return model

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

    def _train(
        self,
        on_event: OnEvent | None,
        on_progress: OnProgress | None,
        run: RunDirectory | None = None,
        checkpoints: Checkpoints | None = None,
    ) -> None:
        saved = None
        if run is not None and checkpoints is not None:
            saved = SavedTraining(self, run, checkpoints)
            if not saved.restore() and self.max_rollbacks:
                # So that there is something to go back to.
                saved.save()
        dataset = self._distributed_batches()
        # Given, because texts have segments of many lengths, which shall not be traced one by one.
        signature = [dataset.element_spec]
        train_step = tf.function(self._counted_step, signature, autograph=False)

        def end_epoch(step: int) -> None:
            event = self._end_epoch(step)
            if run is not None:
                run.metrics.append(event)
            if on_event is not None:
                on_event(event)

        with DeferredSignals() as signals:
            while self.step < self.total_steps and not signals.pending:
                try:
                    self._run_steps(dataset, train_step, signals, end_epoch, on_progress, saved)
                except NumericalError as error:
                    self._go_back(error, saved)
                    dataset = self._distributed_batches()

    def _distributed_batches(self) -> Any:
        return self.strategy.experimental_distribute_dataset(self.batches(self.step))

    def _run_steps(
        self,
        dataset: Any,
        train_step: Callable[[Any], None],
        signals: DeferredSignals,
        end_epoch: Callable[[int], None],
        on_progress: OnProgress | None,
        saved: SavedTraining | None,
    ) -> None:
        """Takes the steps that are left, until a signal comes."""
        start = time.monotonic() - self.seconds
        step = saved_step = self.step
        batches = iter(dataset)
        while step < self.total_steps and not signals.pending:
            train_step(next(batches))
            self.after_step()
            step += 1
            self.seconds = time.monotonic() - start
            ends_epoch = step % self.epoch_steps == 0
            if on_progress is not None and (ends_epoch or step % _PROGRESS_STEPS == 0):
                on_progress(self._progress(step))
            if ends_epoch:
                end_epoch(step)
                saved_step = step
                if saved is not None:
                    saved.save()
        # Weights that are not finite are not worth going on from; the next run notices them again.
        if saved is not None and step > saved_step and np.all(np.isfinite(self.totals.numpy())):
            saved.save()

    def _go_back(self, error: NumericalError, saved: SavedTraining | None) -> None:
        """Goes back to the last checkpoint, and on from there with other random numbers."""
        limit = self.max_rollbacks
        done = int(self.rollbacks.numpy())
        if saved is None or not limit or done >= limit:
            tried = f" It went back to its last checkpoint {done} times." if done else ""
            raise NumericalError(f"{error}{tried}") from error
        saved.restore()
        self.rollbacks.assign(done + 1)
        saved.save()
        _log.warning(
            "%s Going back to step %d, and on with other random numbers (%d of at most %d times).",
            error,
            self.step,
            done + 1,
            limit,
        )

    def _counted_step(self, batch: Any) -> None:
        metrics = self.train_step(batch)
        sums = [self.strategy.reduce("SUM", value, axis=None) for value in metrics]
        self.totals.assign_add(tf.cast(tf.stack(sums), tf.float64))

    def _means(self) -> dict[str, float]:
        """Returns the means over the running epoch so far."""
        return self.metrics(*self.totals.numpy()).means()

    def _progress(self, step: int) -> RetrainProgress:
        epoch = (step - 1) // self.epoch_steps + 1
        epochs = self.config.training.epochs
        return RetrainProgress(step, self.total_steps, epoch, epochs, self._means())

    def _end_epoch(self, step: int) -> dict[str, Any]:
        """Returns the event of an epoch that has just ended, and starts the next one's sums."""
        means = self._means()
        epoch = step // self.epoch_steps
        self._check_finite("loss", means["loss"], epoch)
        rate = learning_rate(self.config.training, step - 1, self.epoch_steps)
        event = {
            "phase": PHASE,
            "step": step,
            "epoch": epoch,
            "seconds": self.seconds,
            **means,
            "learning_rate": float(rate),
            **self.validate(epoch),
        }
        self.totals.assign(tf.zeros_like(self.totals))
        return event

    def _check_finite(self, name: str, value: float, epoch: int) -> None:
        """Raises `NumericalError` with advice if a loss is infinite or undefined."""
        if math.isfinite(value):
            return
        training = self.config.training
        clipping = (
            f"`clip_norm` (now {training.clip_norm:g})" if training.clip_norm else "set `clip_norm`"
        )
        raise NumericalError(
            f"The {name} is {value} after epoch {epoch}; lower `learning_rate` "
            f"(now {training.learning_rate:g}) or {clipping}, and start anew."
        )

    def _results(self, model: keras.Model) -> dict[str, Any]:
        """Returns what `results.json` holds."""
        return {
            **self.test(model),
            "parameters": sum(int(np.prod(v.shape)) for v in model.trainable_variables),
            "epochs": self.config.training.epochs,
            "steps": self.total_steps,
            "seconds": self.seconds,
            "architecture": architecture_document(self.architecture),
            "network": self.network_config.to_json(),
        }


def _save_model(model: keras.Model, path: pathlib.Path) -> None:
    """Writes a `.keras` file whole or not at all."""
    temporary = path.with_name(f".{path.stem}.{os.getpid()}.keras")
    with writing(path):
        try:
            model.save(temporary)
            os.replace(temporary, path)
        finally:
            temporary.unlink(missing_ok=True)
