"""Training a derived network on labelled pictures from scratch."""

import functools
import math
from collections.abc import Callable, Mapping
from typing import Any

import keras
import tensorflow as tf

from enas_tf.data.batching import steps_per_epoch
from enas_tf.data.images.augmentation import normalize
from enas_tf.data.images.class_weights import class_weights
from enas_tf.data.images.dataset import ImageData, retraining_part
from enas_tf.data.images.preprocessing import PREVIEWED, Normalization
from enas_tf.data.images.streams import reader, training_batches
from enas_tf.data.sharing import ALONE, Share
from enas_tf.final_training.initial_weights import assign_initial_weights
from enas_tf.final_training.training import Training, short_training
from enas_tf.models.classifier import build_classifier, evaluate, evaluate_logits
from enas_tf.models.remembered import attach_label_names, attach_picture_settings, attach_versions
from enas_tf.runs.versions import versions
from enas_tf.settings.search import SearchConfig
from enas_tf.settings.setting import Settings
from enas_tf.settings.training import RetrainConfig
from enas_tf.spaces.base import Architecture
from enas_tf.spaces.images.network_precision import set_network_precision
from enas_tf.spaces.images.stem import chosen_stem
from enas_tf.spaces.registry import get_space
from enas_tf.training.image_metrics import ImageLoss, ImageMetrics, image_pass
from enas_tf.training.moving_statistics import MeanMovingStatistics
from enas_tf.training.prediction_metrics import metric_value, score_name
from enas_tf.training.step import gradient_step
from enas_tf.training.sums import run_and_sum

_USUAL = {"resize": "crop", "background": "white", "split": "last"}


class ImageTraining(Training):
    """The training of one network on labelled pictures; for the arguments see `retrain`.

    The network trains on all training examples, the validation part included, unless
    `config.use_validation`. The result is a classifier of stock Keras layers, from pixels 0 to 255,
    `[batch, height, width, channels]`, to logits; its attribute `label_names` is a tuple of the
    names of the classes.
    """

    metrics = ImageMetrics
    config_class = RetrainConfig
    seconds_of_export = 5.0

    def __init__(
        self,
        architecture: Architecture,
        data: ImageData,
        config: RetrainConfig,
        network_config: Settings,
        strategy: tf.distribute.Strategy,
    ) -> None:
        self.data = data
        stem = getattr(network_config, "stem", None)
        if stem is not None:
            # What `auto` stands for is written down: it may mean another in later versions.
            network_config = network_config.replace(stem=chosen_stem(stem, data.input_shape))
        self.form = get_space(architecture.space_name).network_form()
        self.part = retraining_part(config)
        weights = class_weights(config.loss.class_weights, data.class_counts(self.part))
        self._loss = ImageLoss(config.loss.label_smoothing, weights)
        training = config.training
        epoch_steps = steps_per_epoch(len(data.part(self.part)[1]), training.batch_size)
        super().__init__(
            architecture,
            config,
            network_config,
            build=self._network_in_training,
            epoch_steps=epoch_steps,
            strategy=strategy,
        )
        self._moving = MeanMovingStatistics(self.network, strategy)
        self._read = self._reader()

    def _reader(self) -> Callable[[Any], Any]:
        """Returns what a step does first with a batch; see `SearchStreams.reader`."""
        if self.data.memory is None:
            # A run may still find out the statistics of pictures that are read piece by piece.
            return lambda batch: batch
        images, _ = self.data.streamed(self.part)
        return reader(images, self.normalization, self.data.augmentation)

    def _network_in_training(self) -> keras.Model:
        network = self.form.build(
            self.architecture,
            self.network_config,
            input_shape=self.data.input_shape,
            num_classes=self.data.num_classes,
            portable=False,
            seed=self.config.seed,
            **self._schedule(),
        )
        set_network_precision(network, self.config.precision)
        return network

    def _schedule(self) -> dict[str, Any]:
        """Returns what a network wants to know that changes in the course of its training."""
        if not self.form.is_scheduled:
            return {}
        if self.horizon is not None:
            return {"share": self.horizon.share}
        steps = self.config.training.epochs * self.epoch_steps
        return {"training_steps": steps, "epoch_steps": self.epoch_steps}

    @property
    def steps_of_test(self) -> float:
        """How long the test and the last validation take; a forward pass takes half a step."""
        examples = len(self.data.y_test)
        if self.config.use_validation:
            examples += 2 * self.data.validation_size
        return 0.5 * examples / self.config.training.batch_size

    @classmethod
    def short_config(cls, search: SearchConfig) -> RetrainConfig:
        """Returns the settings of the short training of a finalist; see `Training`."""
        return RetrainConfig(
            seed=search.seed,
            use_validation=True,
            precision=search.precision,
            training=short_training(search),
            loss=search.loss,
        )

    @classmethod
    def short_score(
        cls, event: Mapping[str, Any], model: keras.Model, data: Any, search: SearchConfig
    ) -> tuple[float, str]:
        """Returns the metric of the ranking on the validation part; see `Training`."""
        metric = search.ranking_metric
        name = f"validation_{score_name(metric)}"
        if metric == "accuracy":
            return event[name], name
        found = evaluate(model, data, "validation")
        if metric == "loss":
            return math.exp(-found.loss), name
        if metric == "top_5":
            return found.top_5_accuracy, name
        return metric_value(metric, found.labels, found.probabilities), name

    def data_identity(self) -> dict[str, Any]:
        """Returns the sizes of the data, and how they are changed at random."""
        data = self.data
        return {
            "dataset": data.name,
            "input_shape": list(data.input_shape),
            "num_classes": data.num_classes,
            "train_examples": len(data.y_train),
            "test_examples": len(data.y_test),
            "validation_size": data.validation_size,
            # What is as it was before there was a choice is not told, so that earlier runs go on.
            **{
                name: value
                for name, usual in _USUAL.items()
                if (value := getattr(data.config, name)) not in (usual, None)
            },
            **data.augmentation.identity(),
        }

    @functools.cached_property
    def normalization(self) -> Normalization:
        """Mean and deviation of the part that is trained on."""
        return self.data.normalization(self.part)

    def batches(self, first_step: int, share: Share) -> tf.data.Dataset:
        """Returns normalised and augmented pictures with their labels; see `Training.batches`."""
        images, labels = self.data.streamed(self.part)
        return training_batches(
            images,
            labels,
            normalization=self.normalization,
            batch_size=self.config.training.batch_size,
            # After going back: another order, and other changes of the pictures.
            seed=self.config.seed + int(self.num_rollbacks.numpy()),
            first_step=first_step,
            augmentation=self.data.augmentation,
            share=share,
        )

    def preview(self) -> Any:
        """Returns the first pictures of the training."""
        images, _ = self._read(next(iter(self.batches(0, ALONE))))
        return self.normalization.pictures(images.numpy()[:PREVIEWED])

    def drawing_options(self) -> dict[str, Any]:
        """Returns what a drawing of the architecture needs to know."""
        return get_space(self.architecture.space_name).space().for_data(self.data).drawing_options()

    def train_step(self, batch: Any) -> ImageMetrics:
        """Takes one step and returns its metrics."""
        (metrics, moving), _ = run_and_sum(self.strategy, self._replica_step, (batch,))
        self._moving.share(moving)
        return metrics

    def present_model(self) -> keras.Model:
        """Returns the network in its present state as a classifier of raw pixels."""
        network = self.form.to_portable(self.network, self.architecture, self.network_config)
        model = build_classifier(network, self.normalization)
        attach_label_names(model, self.data.label_names)
        # Where pictures were brought to a size, those of a prediction are so too.
        attach_picture_settings(model, self.data.picture_settings)
        attach_versions(model, versions())
        return model

    def test(self, model: keras.Model) -> dict[str, Any]:
        """Returns accuracies and losses, and what belongs to the pictures."""
        test = evaluate(model, self.data)
        results = {
            "test_accuracy": test.accuracy,
            "test_loss": test.loss,
            "test_examples": len(self.data.y_test),
            "dataset": self.data.name,
            "input_shape": list(self.data.input_shape),
            "label_names": list(self.data.label_names),
        }
        if self.config.use_validation:
            results["validation_accuracy"] = evaluate(model, self.data, "validation").accuracy
        return results

    def validate(self, epoch: int) -> dict[str, Any]:
        """Returns accuracy and loss on the validation part, if it was kept out of training."""
        del epoch
        if not self.config.use_validation:
            return {}
        images, labels = self.data.part("validation")
        validation = evaluate_logits(self._logits, images, labels, self.data.label_names)
        return {
            "validation_accuracy": validation.accuracy,
            "validation_loss": validation.loss,
        }

    def begin(self) -> None:
        """Takes the weights of another model, if the training begins with them."""
        if self.config.initial_weights is not None:
            assign_initial_weights(self.network, self.config.initial_weights)
            self._moving.spread()

    def after_restore(self) -> None:
        """Gives all replicas the moving statistics that were restored."""
        self._moving.spread()

    def validation_score(self, validation: Mapping[str, Any]) -> float | None:
        """Returns the accuracy on the validation part, None if there is none."""
        return validation.get("validation_accuracy")

    def _replica_step(self, batch: Any) -> tuple[Any, Any]:
        examples = self._read(batch)
        outcome, _ = gradient_step(
            lambda: image_pass(
                lambda images: self.network(images, training=True),
                examples,
                self.form.auxiliary_weight(self.network_config),
                self._loss,
            ),
            self.network.trainable_variables,
            self.optimizer,
            self.config.training,
        )
        return (outcome.metrics, self._moving.of_replica()), ()

    @tf.function(reduce_retracing=True)
    def _logits(self, images: tf.Tensor) -> tf.Tensor:
        outputs = self.network(normalize(images, self.normalization), training=False)
        # An auxiliary head comes second; what nobody reads is not computed.
        return outputs[0] if isinstance(outputs, (list, tuple)) else outputs
