"""What the training of a derived network is, whatever the network is trained on.

What a step computes and how good the result is say the subclasses of `Training`; when to save, to
stop and to go back says `enas_tf.training.trainer`.
"""

import abc
import contextlib
import math
import os
import pathlib
from collections.abc import Callable, Mapping
from typing import Any, ClassVar

import keras
import numpy as np
import tensorflow as tf

from enas_tf.data.sharing import Share
from enas_tf.errors import NumericalError
from enas_tf.files.replacing import replacing
from enas_tf.files.writing import writing
from enas_tf.final_training.best_weights import BestWeights
from enas_tf.final_training.plan import EPOCH_END, STEP, TrainingPlan
from enas_tf.final_training.saved_training import SavedTraining
from enas_tf.final_training.task import OnEvent, OnProgress, TrainingTask
from enas_tf.models.files import MODEL_FILE
from enas_tf.records.run import written_settings
from enas_tf.runs.contents import RESULTS
from enas_tf.runs.directory import FILES
from enas_tf.runs.phases import RETRAIN
from enas_tf.settings.search import SearchConfig
from enas_tf.settings.setting import Settings
from enas_tf.settings.training import (
    RetrainConfig,
    TextRetrainConfig,
    TrainingConfig,
    keeps_best,
)
from enas_tf.spaces.architectures import architecture_document
from enas_tf.spaces.base import Architecture
from enas_tf.training.machines.agreement import Machines
from enas_tf.training.machines.run import data_of_run, open_run
from enas_tf.training.optimizers import build_optimizer
from enas_tf.training.profiling import Profile
from enas_tf.training.schedules import Horizon

# In the history: the epoch that was best on the validation part, and its score.
_BEST = "best"


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
      best: the weights of the best epoch; None: the result has the last ones.
      history: what a checkpoint must hold besides variables, as JSON can hold it.
      seconds: how long the training has taken so far, over all interruptions.
      machines: the machines of the strategy.
      plan: how many steps fit into the time; None: there is no time budget.
      horizon: what schedules follow then.
      num_rollbacks: int32 variable, how often it went back to a checkpoint because a loss was not
        finite; what makes random numbers shall take it into account.
    """

    # A NamedTuple of sums with a method `means`.
    metrics: ClassVar[Any]
    # An `ImageData` or a `TextData`.
    data: Any
    # Of the data, that is trained on.
    part = "train"
    # That writing the model in all forms takes, whatever its size; measured on one core.
    seconds_of_export: ClassVar[float] = 0.0
    config_class: ClassVar[type[Settings]]

    @classmethod
    @abc.abstractmethod
    def short_config(cls, search: SearchConfig) -> Any:
        """Returns the settings of a training that is as short as a search wants it of finalists."""

    @classmethod
    @abc.abstractmethod
    def short_score(
        cls, event: Mapping[str, Any], model: Any, data: Any, search: SearchConfig
    ) -> tuple[float, str]:
        """Returns the score of a finalist, higher is better, and its name.

        Args:
          event: of the last epoch of its short training.
          model: what was trained.
          data: what was searched on.
          search: the settings of the search.
        """

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
        self.machines = Machines(strategy)
        self.epoch_steps = epoch_steps
        self.horizon = None if config.time_budget is None else Horizon()
        self.plan: TrainingPlan | None = None
        if config.time_budget is not None and self.horizon is not None:
            # The clock starts.
            self.plan = TrainingPlan(config.time_budget, self.horizon)
        self.history: dict[str, Any] = {}
        self.seconds = 0.0
        self.num_rollbacks = tf.Variable(0, trainable=False, name="rollbacks")
        with self.machines.together(), strategy.scope():
            self.network = build()
            self.optimizer = build_optimizer(
                config.training, epoch_steps, self.horizon, config.precision
            )
            self.optimizer.build(self.network.trainable_variables)
            zeros = tf.zeros([len(self.metrics._fields)], tf.float64)
            self.totals = tf.Variable(zeros, trainable=False)
            self.best = BestWeights(self.network) if keeps_best(config) else None

    @property
    def step(self) -> int:
        """Number of steps done."""
        return int(self.optimizer.iterations.numpy())

    @property
    def total_steps(self) -> int | None:
        """Steps of the whole training; None: a time budget has not decided it yet."""
        if self.plan is not None:
            return self.plan.total
        return self.config.training.epochs * self.epoch_steps

    @property
    def epochs(self) -> int | None:
        """Epochs of the whole training, the last one may be a part; None: not known yet."""
        return None if self.total_steps is None else -(-self.total_steps // self.epoch_steps)

    @property
    @abc.abstractmethod
    def steps_of_test(self) -> float:
        """How long the test and the last validation take, in steps of the training."""

    def seconds_of_end(self) -> float:
        """Returns about how long all takes that comes after the last step, exports included."""
        if self.plan is None:
            return 0.0
        pace = self.plan.budget.pace
        # The network that is tested and exported is traced anew, which takes about as long as for
        # the first steps.
        return (
            self.seconds_of_export
            + pace.first(STEP)
            + self.steps_of_test * pace.seconds(STEP)
            + pace.seconds(EPOCH_END)
        )

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

    def model(self) -> keras.Model:
        """Returns the network as the training has left it, in the form in which it is used.

        With the weights that count: those of the best epoch if they are asked for.
        """
        kept = self.best is not None and _BEST in self.history
        with self.best.applied() if self.best and kept else self.counting_weights():
            return self.present_model()

    @abc.abstractmethod
    def present_model(self) -> keras.Model:
        """Returns the network with its weights as they are, in the form in which it is used."""

    def counting_weights(self) -> contextlib.AbstractContextManager[None]:
        """Puts what is validated into the network, if it is not the weights in training."""
        return contextlib.nullcontext()

    @property
    def best_epoch(self) -> int | None:
        """The epoch whose weights the result has; None: those of the last step."""
        return self.history[_BEST]["epoch"] if _BEST in self.history else None

    def has_enough(self, epoch: int, score: float | None) -> bool:
        """Keeps the weights of an epoch if it was the best; returns whether none shall follow.

        Args:
          epoch: that has just ended.
          score: of the weights that count, on the validation part; None: there is none.
        """
        if self.best is None or score is None:
            return False
        best, patience = self.history.get(_BEST), self.config.early_stopping
        if best is not None and score <= best["score"]:
            return patience is not None and epoch - best["epoch"] >= patience
        self.history[_BEST] = {"epoch": epoch, "score": score}
        with self.counting_weights():
            self.best.keep()
        return False

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
            **({} if self.best is None else {"best": self.best}),
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

    def begin(self) -> None:  # noqa: B027 (a hook, like the next ones)
        """Does what is to be done before the first step of a new training."""

    def after_restore(self) -> None:  # noqa: B027 (a hook, like the next one)
        """Does what is to be done after a checkpoint was restored."""

    def after_step(self) -> None:  # noqa: B027 (a hook; most have nothing to do there)
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
        with self.machines.together():
            if output_dir is None:
                TrainingTask(self, None, on_event, on_progress).finish(Profile(None, self.machines))
                return self.model()
            identity, machines = self._identity(), self.machines
            origin = {
                "preset": preset,
                "data": self.data.config.to_json(),
                FILES: self.data.fingerprint,
            }
            _, defaults = written_settings({"network": self.network_config, "retrain": self.config})
            with open_run(
                output_dir,
                identity,
                machines,
                overwrite=overwrite,
                origin=origin,
                defaults=defaults,
            ) as run:
                self.data = data_of_run(self.data, self.part, run, machines)
                run.write_json("architecture.json", architecture_document(self.architecture))
                for name, text in self.assets().items():
                    run.keep_asset(name, text)
                with contextlib.closing(SavedTraining(self, run)) as saved:
                    profile = Profile(run.tensorboard, machines)
                    TrainingTask(self, saved, on_event, on_progress).finish(profile)
                model = self.model()
                if machines.is_chief:
                    _save_model(model, run.file(MODEL_FILE))
                    run.write_json(RESULTS, self._results(model))
                return model

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
            "command": RETRAIN,
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
            **({} if self.best is None else {"best_epoch": self.best_epoch}),
            "parameters": sum(int(np.prod(v.shape)) for v in model.trainable_variables),
            "epochs": -(-self.step // self.epoch_steps),
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
