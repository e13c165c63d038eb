"""What an exported classifier of pictures is, and reading it back.

Every format holds the normalisation: it takes pixels as they are. SavedModel, TFLite and ONNX have
the input `images`, uint8 `[batch, height, width, channels]`, and the outputs `probabilities`,
float32 `[batch, classes]`, and `classes`, int64 `[batch]`. Pictures of another size are an error,
but for TFLite, whose interpreter fits the network to whatever it is given. A SavedModel brings its
warm-up requests (`enas_tf.warm_up`).
"""

import json
import pathlib
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import keras
import tensorflow as tf

from enas_tf import export_formats, warm_up
from enas_tf.errors import ExportError
from enas_tf.export_formats import SIGNATURE
from enas_tf.model_files import MODEL_FILE
from enas_tf.places import plain_path
from enas_tf.reading import read_bytes
from enas_tf.runs import RESULTS

_LABELS_FILE = "label_names.txt"


def check_classifier(model: keras.Model) -> None:
    """Raises `ExportError` unless a model is a classifier of pictures."""
    inputs, outputs = getattr(model, "input_shape", None), getattr(model, "output_shape", None)
    is_picture = isinstance(inputs, tuple) and len(inputs) == 4 and None not in inputs[1:]
    if not is_picture or not isinstance(outputs, tuple) or len(outputs) != 2:
        raise ExportError(
            "Expected a classifier from [batch, height, width, channels] to [batch, classes]. "
            f"Received a model from {inputs} to {outputs}."
        )


def check_label_names(
    model: keras.Model, label_names: Sequence[str] | None
) -> tuple[str, ...] | None:
    """Returns the names of the classes, if they are known.

    Args:
      model: a classifier.
      label_names: None: those that the model has.

    Raises:
      ExportError: there are more or fewer names than classes.
    """
    if label_names is None:
        label_names = getattr(model, "label_names", None)
    if label_names is None:
        return None
    if len(label_names) != model.output_shape[-1]:
        raise ExportError(
            f"`label_names` must have {model.output_shape[-1]} names, one for each class. "
            f"Received: {len(label_names)}."
        )
    return tuple(label_names)


def _servable(model: keras.Model) -> tf.Module:
    """Returns the weights of a classifier with its function `serve`."""
    # A plain module, since Keras's ExportArchive takes no assets.
    module = tf.Module()
    module.weights = [variable.value for variable in model.variables]
    specification = tf.TensorSpec([None, *model.input_shape[1:]], tf.uint8, name="images")

    @tf.function(input_signature=[specification])
    def serve(images: tf.Tensor) -> dict[str, tf.Tensor]:
        # Neither a server nor TensorFlow itself compares shapes with the signature, and the
        # network would give some answer to pictures of any size.
        images = tf.ensure_shape(images, specification.shape)
        logits = model(tf.cast(images, tf.float32), training=False)
        return {"probabilities": tf.nn.softmax(logits), "classes": tf.argmax(logits, axis=-1)}

    module.serve = serve
    return module


def _write_saved_model(
    model: keras.Model, path: pathlib.Path, label_names: tuple[str, ...] | None
) -> None:
    module = _servable(model)
    texts = {_LABELS_FILE: "".join(f"{name}\n" for name in label_names)} if label_names else {}
    with export_formats.assets(texts) as paths:
        if paths:
            module.label_names = tf.saved_model.Asset(paths[_LABELS_FILE])
        tf.saved_model.save(module, str(path), signatures={SIGNATURE: module.serve})
    warm_up.write(path, _warm_up_requests(model))


def _warm_up_requests(model: keras.Model) -> Iterator[bytes]:
    for batch_size in warm_up.BATCH_SIZES:
        images = warm_up.filled(0, tf.uint8, [batch_size, *model.input_shape[1:]])
        yield warm_up.predict_request(SIGNATURE, {"images": images})


def _write_keras(
    model: keras.Model, path: pathlib.Path, label_names: tuple[str, ...] | None
) -> None:
    del label_names  # The format has no place for them.
    export_formats.write_keras(model, path)


def _write_tflite(
    model: keras.Model, path: pathlib.Path, label_names: tuple[str, ...] | None
) -> None:
    del label_names
    module = _servable(model)
    export_formats.write_tflite(module, module.serve, path)


def _write_onnx(
    model: keras.Model, path: pathlib.Path, label_names: tuple[str, ...] | None
) -> None:
    del label_names
    export_formats.write_onnx(_servable(model).serve, path)


WRITERS: dict[str, Callable[[keras.Model, pathlib.Path, tuple[str, ...] | None], None]] = {
    "saved_model": _write_saved_model,
    "keras": _write_keras,
    "tflite": _write_tflite,
    "onnx": _write_onnx,
}


def attach_label_names(model: keras.Model, path: pathlib.Path) -> None:
    """Gives a classifier the names of its classes, if it lies in the folder of a retraining.

    Args:
      model: read from the path.
      path: of the `.keras` file.
    """
    label_names = _label_names_of_run(path.parent) if path.name == MODEL_FILE else None
    if label_names is not None and len(label_names) == model.output_shape[-1]:
        model.label_names = label_names


def _label_names_of_run(folder: pathlib.Path) -> tuple[str, ...] | None:
    try:
        names = json.loads((folder / RESULTS).read_text(encoding="utf-8"))["label_names"]
        return tuple(map(str, names))
    except (OSError, ValueError, KeyError, TypeError):
        # The names are an extra; a model without them works.
        return None


def load_saved_classifier(path: pathlib.Path) -> keras.Model:
    """Reads a SavedModel.

    Args:
      path: of a folder with one version.

    Returns:
      A model from pixels 0 to 255 to log-probabilities, with the attribute `label_names` if they
      are known.

    Raises:
      ExportError: it holds no classifier.
    """
    try:
        with plain_path(path) as plain:
            loaded = tf.saved_model.load(plain)
        serve = loaded.signatures[SIGNATURE]
        specification = serve.structured_input_signature[1]["images"]
        num_classes = serve.structured_outputs["probabilities"].shape[-1]
    except (OSError, ValueError, LookupError, tf.errors.OpError) as error:
        raise ExportError(
            f"{path} is not a SavedModel of a classifier ({str(error).splitlines()[0]:.120})."
        ) from error
    model = _SavedClassifier(loaded, specification.shape, num_classes)
    asset = getattr(loaded, "label_names", None)
    if asset is not None:
        name = pathlib.PurePath(asset.asset_path.numpy().decode()).name
        text = read_bytes(path / "assets" / name).decode()
        model.label_names = tuple(text.splitlines())
    return model


class _SavedClassifier(keras.Model):
    """A loaded SavedModel as a Keras model from pixels to log-probabilities."""

    def __init__(self, loaded: Any, input_shape: tf.TensorShape, num_classes: int) -> None:
        super().__init__(name="saved_classifier")
        self._loaded = loaded
        self._input_shape = tuple(input_shape)
        self._num_classes = num_classes
        self.built = True

    @property
    def input_shape(self) -> tuple[int | None, ...]:
        """Shape of the pictures."""
        return self._input_shape

    @property
    def output_shape(self) -> tuple[int | None, ...]:
        """Shape of the log-probabilities."""
        return (None, self._num_classes)

    def call(self, images: tf.Tensor, training: bool = False) -> tf.Tensor:
        """Returns log-probabilities `[batch, classes]`."""
        del training  # A SavedModel is for inference only.
        serve = self._loaded.signatures[SIGNATURE]
        probabilities = serve(images=tf.cast(images, tf.uint8))["probabilities"]
        return tf.math.log(tf.maximum(probabilities, 1e-37))
