"""Training a derived network on labelled pictures from scratch."""

import dataclasses
import logging
import os
import pathlib
import time
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import keras
import numpy as np
import tensorflow as tf

from enas_tf.architectures import architecture_document
from enas_tf.config import RetrainConfig
from enas_tf.data.augmentation import normalize
from enas_tf.data.batching import steps_per_epoch
from enas_tf.data.images import ImageData, retraining_part
from enas_tf.data.pipeline import training_batches
from enas_tf.errors import ArchitectureError, NumericalError
from enas_tf.files import writing
from enas_tf.retrain.classifier import build_classifier, evaluate, evaluate_logits
from enas_tf.runs import RunDirectory
from enas_tf.settings import Settings
from enas_tf.spaces.base import Architecture
from enas_tf.spaces.macro import network as macro_network
from enas_tf.spaces.macro.config import MacroNetworkConfig
from enas_tf.spaces.micro import network as micro_network
from enas_tf.spaces.micro.config import MicroNetworkConfig
from enas_tf.training.checkpoints import Checkpoints
from enas_tf.training.distribution import default_strategy
from enas_tf.training.image_step import ImageMetrics, training_step
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
      loss: mean cross-entropy of the running epoch so far, in nats.
      accuracy: training accuracy of the running epoch so far.
    """

    step: int
    total_steps: int
    epoch: int
    epochs: int
    loss: float
    accuracy: float


@dataclasses.dataclass(frozen=True)
class _NetworkForm:
    """How the networks of one space are built and trained.

    Attributes:
      config: class of a network's settings.
      build: makes a network.
      to_portable: makes its copy of stock layers.
      is_scheduled: whether a network changes in the course of its training, so that `build` wants
        to know its length.
      auxiliary_weight: of the auxiliary head's cross-entropy; takes a network's settings.
    """

    config: type[Settings]
    build: Callable[..., keras.Model]
    to_portable: Callable[..., keras.Model]
    is_scheduled: bool = False
    auxiliary_weight: Callable[[Any], float] = lambda config: 0.0


# A new space of image networks is added here.
_FORMS = {
    "macro": _NetworkForm(
        MacroNetworkConfig, macro_network.build_macro_network, macro_network.to_portable
    ),
    "micro": _NetworkForm(
        MicroNetworkConfig,
        micro_network.build_micro_network,
        micro_network.to_portable,
        is_scheduled=True,
        auxiliary_weight=lambda config: config.auxiliary_weight,
    ),
}


def retrain(
    architecture: Architecture,
    data: ImageData,
    config: RetrainConfig | None = None,
    network: Settings | None = None,
    output_dir: str | os.PathLike[str] | None = None,
    *,
    overwrite: bool = False,
    distribution: tf.distribute.Strategy | None = None,
    on_event: Callable[[Mapping[str, Any]], None] | None = None,
    on_progress: Callable[[RetrainProgress], None] | None = None,
) -> keras.Model:
    """Trains the network of an architecture from scratch and evaluates it on the test part.

    The network trains on all training examples, the validation part included, unless
    `config.use_validation`. Called again with the same arguments and `output_dir`, it goes on
    where it was interrupted, with the same result to the last bit (on the same devices).

    Args:
      architecture: for example a `MacroArchitecture`.
      data: the dataset.
      config: schedule and optimiser. Default: `RetrainConfig()`.
      network: width and form, for example a `MacroNetworkConfig`. Default: of the space.
      output_dir: folder for checkpoints, `metrics.jsonl`, `architecture.json`, `results.json` and
        `model.keras`. Default: nothing is written.
      overwrite: start anew if another run is in `output_dir`.
      distribution: which devices train. Default: `default_strategy()`.
      on_event: called with every line of `metrics.jsonl`, one an epoch.
      on_progress: called every few steps and after every epoch.

    Returns:
      The trained classifier of stock Keras layers, from pixels 0 to 255,
      `[batch, height, width, channels]`, to logits. Its attribute `label_names` is a tuple of the
      names of the classes.

    Raises:
      ArchitectureError: there is no network for such an architecture.
      ConfigurationError: the network's sizes do not fit together.
      DataError: there are fewer training examples than one batch.
      RunDirectoryError: `output_dir` holds something else, or cannot be written.
      NumericalError: the loss became infinite or undefined.
      KeyboardInterrupt: on Ctrl-C, after saving.
    """
    space_name = getattr(architecture, "space_name", None)
    if space_name not in _FORMS:
        raise ArchitectureError(
            f"Expected an architecture of {' or '.join(_FORMS)}. "
            f"Received: {type(architecture).__name__}."
        )
    config = config or RetrainConfig()
    network = network or _FORMS[space_name].config()
    training = _Training(architecture, data, config, network, distribution or default_strategy())
    if output_dir is None:
        training.run(on_event, on_progress)
        return training.classifier()
    run = RunDirectory.open(output_dir, training.identity(), overwrite=overwrite)
    with run:
        run.write_json("architecture.json", architecture_document(architecture))
        checkpoints = Checkpoints(run.checkpoints, **training.state())
        training.run(on_event, on_progress, run, checkpoints)
        model = training.classifier()
        _save_model(model, run.path / "model.keras")
        run.write_json("results.json", training.results(model))
    return model


class _Training:
    """Network, optimiser and data of one training."""

    def __init__(
        self,
        architecture: Architecture,
        data: ImageData,
        config: RetrainConfig,
        network_config: Settings,
        strategy: tf.distribute.Strategy,
    ) -> None:
        self.architecture = architecture
        self.data = data
        self.config = config
        self.network_config = network_config
        self.strategy = strategy
        self.form = _FORMS[architecture.space_name]
        self.part = retraining_part(config)
        self.normalization = data.normalization(self.part)
        settings = config.training
        self.epoch_steps = steps_per_epoch(len(data.part(self.part)[1]), settings.batch_size)
        self.total_steps = settings.epochs * self.epoch_steps
        self.seconds = 0.0
        schedule = {"training_steps": self.total_steps} if self.form.is_scheduled else {}
        with strategy.scope():
            self.network = self.form.build(
                architecture,
                network_config,
                input_shape=data.input_shape,
                num_classes=data.num_classes,
                portable=False,
                seed=config.seed,
                **schedule,
            )
            self.optimizer = build_optimizer(settings, self.epoch_steps)
            self.optimizer.build(self.network.trainable_variables)
            # Sums over the running epoch, in the order of ImageMetrics.
            self.totals = tf.Variable(tf.zeros([3], tf.float64), trainable=False)

    def identity(self) -> dict[str, Any]:
        """Returns everything that decides what the training does."""
        data = self.data
        return {
            "command": PHASE,
            "space": self.architecture.space_name,
            "architecture": self.architecture.to_json(),
            "network": self.network_config.to_json(),
            "retrain": self.config.to_json(),
            "data": {
                "dataset": data.name,
                "input_shape": list(data.input_shape),
                "num_classes": data.num_classes,
                "train_examples": len(data.y_train),
                "test_examples": len(data.y_test),
                "validation_size": data.validation_size,
                **dataclasses.asdict(data.augmentation),
            },
        }

    def state(self) -> dict[str, Any]:
        """Returns what a checkpoint must hold."""
        return {"network": self.network, "optimizer": self.optimizer, "totals": self.totals}

    @property
    def step(self) -> int:
        """Number of steps done."""
        return int(self.optimizer.iterations.numpy())

    def run(
        self,
        on_event: Callable[[Mapping[str, Any]], None] | None,
        on_progress: Callable[[RetrainProgress], None] | None,
        run: RunDirectory | None = None,
        checkpoints: Checkpoints | None = None,
    ) -> None:
        """Trains to the end, from the newest checkpoint if there is one."""
        if run is not None and checkpoints is not None:
            if checkpoints.restore():
                self.seconds = checkpoints.state.values["seconds"]
                _log.info("going on at step %d of %d", self.step, self.total_steps)
            run.rewind(checkpoints.state.values.get("log", {}))
        start = time.monotonic() - self.seconds
        step = saved_step = self.step

        def save() -> None:
            if run is not None and checkpoints is not None:
                checkpoints.state.values = {"seconds": self.seconds, "log": run.position()}
                checkpoints.save(step)

        batches = iter(self._batches(step))
        train_step = tf.function(self._step, autograph=False)
        with DeferredSignals() as signals:
            while step < self.total_steps and not signals.pending:
                train_step(next(batches))
                step += 1
                self.seconds = time.monotonic() - start
                ends_epoch = step % self.epoch_steps == 0
                if on_progress is not None and (ends_epoch or step % _PROGRESS_STEPS == 0):
                    on_progress(self._progress(step))
                if ends_epoch:
                    event = self._end_epoch(step)
                    if run is not None:
                        run.metrics.append(event)
                    if on_event is not None:
                        on_event(event)
                    save()
                    saved_step = step
            if step > saved_step:
                save()

    def classifier(self) -> keras.Model:
        """Returns the network in its present state as a classifier of raw pixels."""
        network = self.form.to_portable(self.network, self.architecture, self.network_config)
        model = build_classifier(network, self.normalization)
        model.label_names = self.data.label_names
        return model

    def results(self, model: keras.Model) -> dict[str, Any]:
        """Returns what `results.json` holds."""
        test = evaluate(model, self.data)
        results = {
            "test_accuracy": test.accuracy,
            "test_loss": test.loss,
            "test_examples": len(self.data.y_test),
            "parameters": sum(int(np.prod(v.shape)) for v in model.trainable_variables),
            "epochs": self.config.training.epochs,
            "steps": self.total_steps,
            "seconds": self.seconds,
            "dataset": self.data.name,
            "input_shape": list(self.data.input_shape),
            "label_names": list(self.data.label_names),
            "architecture": architecture_document(self.architecture),
            "network": self.network_config.to_json(),
        }
        if self.config.use_validation:
            results["validation_accuracy"] = evaluate(model, self.data, "validation").accuracy
        return results

    def _batches(self, first_step: int) -> tf.data.Dataset:
        images, labels = self.data.part(self.part)
        dataset = training_batches(
            images,
            labels,
            normalization=self.normalization,
            batch_size=self.config.training.batch_size,
            seed=self.config.seed,
            first_step=first_step,
            augmentation=self.data.augmentation,
        )
        return self.strategy.experimental_distribute_dataset(dataset)

    def _step(self, batch: tuple[Any, Any]) -> None:
        metrics = self.strategy.run(self._replica_step, (batch,))
        sums = [self.strategy.reduce("SUM", value, axis=None) for value in metrics]
        self.totals.assign_add(tf.cast(tf.stack(sums), tf.float64))

    def _replica_step(self, batch: tuple[tf.Tensor, tf.Tensor]) -> ImageMetrics:
        return training_step(
            lambda images: self.network(images, training=True),
            batch,
            self.network.trainable_variables,
            self.optimizer,
            self.config.training,
            self.form.auxiliary_weight(self.network_config),
        )

    def _means(self) -> tuple[float, float]:
        """Returns loss and accuracy of the running epoch so far."""
        loss, correct, examples = self.totals.numpy()
        return float(loss / examples), float(correct / examples)

    def _progress(self, step: int) -> RetrainProgress:
        epoch = (step - 1) // self.epoch_steps + 1
        epochs = self.config.training.epochs
        return RetrainProgress(step, self.total_steps, epoch, epochs, *self._means())

    def _end_epoch(self, step: int) -> dict[str, Any]:
        """Returns the event of an epoch that has just ended, and starts the next one's sums."""
        loss, accuracy = self._means()
        epoch = step // self.epoch_steps
        if not np.isfinite(loss):
            raise NumericalError(
                f"The loss is {loss} after epoch {epoch}; lower `learning_rate` "
                f"(now {self.config.training.learning_rate:g}) or set `clip_norm`, and start anew."
            )
        rate = learning_rate(self.config.training, step - 1, self.epoch_steps)
        event = {
            "phase": PHASE,
            "step": step,
            "epoch": epoch,
            "seconds": self.seconds,
            "loss": loss,
            "accuracy": accuracy,
            "learning_rate": float(rate),
        }
        if self.config.use_validation:
            validation = self._validate()
            event |= {
                "validation_accuracy": validation.accuracy,
                "validation_loss": validation.loss,
            }
        self.totals.assign(tf.zeros_like(self.totals))
        return event

    def _validate(self) -> Any:
        images, labels = self.data.part("validation")
        return evaluate_logits(self._logits, images, labels)

    @tf.function(reduce_retracing=True)
    def _logits(self, images: tf.Tensor) -> tf.Tensor:
        outputs = self.network(normalize(images, self.normalization), training=False)
        # An auxiliary head comes second; what nobody reads is not computed.
        return outputs[0] if isinstance(outputs, (list, tuple)) else outputs


def _save_model(model: keras.Model, path: pathlib.Path) -> None:
    """Writes a `.keras` file whole or not at all."""
    temporary = path.with_name(f".{path.stem}.{os.getpid()}.keras")
    with writing(path):
        try:
            model.save(temporary)
            os.replace(temporary, path)
        finally:
            temporary.unlink(missing_ok=True)
