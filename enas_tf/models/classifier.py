"""The trained network as a classifier of raw pixels, and its evaluation."""

from collections.abc import Callable, Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from enas_tf.data.images.dataset import ImageData
from enas_tf.data.images.pictures import batches
from enas_tf.data.images.preprocessing import Normalization
from enas_tf.data.matching import match
from enas_tf.errors import DataError
from enas_tf.models.remembered import label_names_of
from enas_tf.models.scores import Evaluation
from enas_tf.training.image_metrics import classification_metrics


def build_classifier(network: keras.Model, normalization: Normalization) -> keras.Model:
    """Puts the normalisation of the training data in front of a network.

    Args:
      network: from normalised pictures to logits.
      normalization: mean and standard deviation of each channel, in pixel units.

    Returns:
      A functional model of stock layers from pixels 0 to 255, `[batch, height, width, channels]`
      of any number type, to logits `[batch, num_classes]`. It has the weights of `network`.
    """
    inputs = keras.Input(network.input_shape[1:], name="images")
    variance = np.square(normalization.standard_deviation.astype(np.float64))
    normalize = keras.layers.Normalization(
        mean=normalization.mean.tolist(), variance=variance.tolist(), name="normalization"
    )
    return keras.Model(inputs, network(normalize(inputs)), name="image_classifier")


def evaluate(
    model: keras.Model, data: ImageData, part: str = "test", *, batch_size: int = 200
) -> Evaluation:
    """Returns how good a classifier is on a part of a dataset.

    Args:
      model: from pixels 0 to 255 to logits, as `retrain` returns it or as loaded from its file.
      data: the dataset.
      part: `"test"`, `"validation"`, `"train"` or `"train_and_validation"`.
      batch_size: pictures in one pass.

    Classes are compared by their names, and may have another order in the data.

    Raises:
      DataError: the model is for pictures of another size, or for other classes.
    """
    if tuple(model.input_shape[1:]) != data.input_shape:
        raise DataError(
            f"The model takes pictures of {_sides(model.input_shape[1:])}, the dataset "
            f"{data.name} has pictures of {_sides(data.input_shape)}."
        )
    names = label_names_of(model)
    numbers = match(
        names,
        model.output_shape[-1],
        data.label_names,
        kind="classes",
        dataset=data.name,
    )
    images, labels = data.part(part)
    return evaluate_logits(
        forward_of(model), images, numbers[labels], names or data.label_names, batch_size=batch_size
    )


def forward_of(model: keras.Model) -> Callable[[Any], Any]:
    """Returns a function from uint8 pictures of the model's size to logits, traced once."""
    return tf.function(
        lambda images: model(images, training=False),
        input_signature=[tf.TensorSpec([None, *model.input_shape[1:]], tf.uint8)],
    )


def evaluate_logits(
    forward: Callable[[tf.Tensor], Any],
    images: Any,
    labels: np.ndarray,
    label_names: Sequence[str],
    *,
    batch_size: int = 200,
) -> Evaluation:
    """Returns how good a function from pixels to logits is.

    Args:
      forward: takes uint8 pictures `[batch, height, width, channels]`.
      images: uint8 `[examples, height, width, channels]`, an array or `Pictures`.
      labels: int32 `[examples]`.
      label_names: of the logits, in their order.
      batch_size: pictures in one pass.
    """
    loss = correct = 0.0
    probabilities = np.empty((len(labels), len(label_names)), np.float32)
    predictions = np.empty(len(labels), np.int32)
    for number, pictures in enumerate(batches(images, batch_size)):
        batch = slice(number * batch_size, (number + 1) * batch_size)
        logits = forward(tf.constant(pictures))
        metrics = classification_metrics(tf.constant(labels[batch]), logits)
        loss += float(metrics.loss)
        correct += float(metrics.correct)
        probabilities[batch] = tf.nn.softmax(logits)
        predictions[batch] = tf.argmax(logits, axis=-1)
    return Evaluation(
        accuracy=correct / len(labels),
        loss=loss / len(labels),
        labels=labels,
        predictions=predictions,
        probabilities=probabilities,
        label_names=tuple(label_names),
    )


def _sides(shape: tuple[int | None, ...]) -> str:
    return " x ".join(map(str, shape))
