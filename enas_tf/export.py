"""Writing a trained classifier for use elsewhere, and reading it back.

Every format holds the normalisation: it takes pixels as they are. SavedModel, TFLite and ONNX have
the input `images`, uint8 `[batch, height, width, channels]`, and the outputs `probabilities`,
float32 `[batch, classes]`, and `classes`, int64 `[batch]`.
"""

import contextlib
import json
import os
import pathlib
import shutil
import tempfile
import zipfile
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import keras
import tensorflow as tf
from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2

from enas_tf.errors import ExportError
from enas_tf.model_files import MODEL_FILE, check_target, find_model

RESULTS_FILE = "results.json"
SIGNATURE = "serving_default"
_ONNX_OPSET = 17


def export(
    model: keras.Model,
    path: str | os.PathLike[str],
    *,
    format: str = "saved_model",  # noqa: A002 (the word of the command's flag)
    label_names: Sequence[str] | None = None,
    overwrite: bool = False,
) -> pathlib.Path:
    """Writes a classifier, whole or not at all.

    Args:
      model: from pixels 0 to 255 to logits, as `enas_tf.retrain` returns it.
      path: what to write. For `"saved_model"` a folder, in which version 1 is written as
        TensorFlow Serving expects it: `path/1/`. For the other formats a file.
      format: `"saved_model"` (loads with TensorFlow alone; the names of the classes, one a line,
        are its asset `label_names.txt`), `"keras"` (loads with Keras alone), `"tflite"` or
        `"onnx"` (needs the package `tf2onnx`).
      label_names: names of the classes. Default: those that `retrain` attached to the model.
      overwrite: replace what is there.

    Returns:
      The path of what was written: of the version's folder, or of the file.

    Raises:
      ExportError: the model is no such classifier, something is there already, a package is
        missing, or the path cannot be written.
    """
    target = check_target(path, format, overwrite)
    _check_classifier(model)
    if label_names is None:
        label_names = getattr(model, "label_names", None)
    if label_names is not None and len(label_names) != model.output_shape[-1]:
        raise ExportError(
            f"`label_names` must have {model.output_shape[-1]} names, one for each class. "
            f"Received: {len(label_names)}."
        )
    with _replacing(target) as temporary:
        _WRITERS[format](model, temporary, tuple(label_names or ()))
    return target


def load_model(path: str | os.PathLike[str]) -> keras.Model:
    """Reads a classifier back.

    Args:
      path: the output folder of a retraining, a `.keras` file, or a SavedModel: the folder given
        to `export`, or the folder of one version.

    Returns:
      A model from pixels 0 to 255 to logits (of a SavedModel: log-probabilities), with the
      attribute `label_names` if they are known.

    Raises:
      ExportError: there is no such file or folder, or it holds no classifier.
    """
    path = find_model(path)
    if path.is_dir():
        return _load_saved_model(path)
    model = _load_keras(path)
    _check_classifier(model)
    label_names = _label_names_of_run(path.parent) if path.name == MODEL_FILE else None
    if label_names is not None and len(label_names) == model.output_shape[-1]:
        model.label_names = label_names
    return model


def _check_classifier(model: keras.Model) -> None:
    inputs, outputs = getattr(model, "input_shape", None), getattr(model, "output_shape", None)
    is_picture = isinstance(inputs, tuple) and len(inputs) == 4 and None not in inputs[1:]
    if not is_picture or not isinstance(outputs, tuple) or len(outputs) != 2:
        raise ExportError(
            "Expected a classifier from [batch, height, width, channels] to [batch, classes]. "
            f"Received a model from {inputs} to {outputs}."
        )


def _serving_function(model: keras.Model) -> Any:
    specification = tf.TensorSpec([None, *model.input_shape[1:]], tf.uint8, name="images")

    @tf.function(input_signature=[specification])
    def serve(images: tf.Tensor) -> dict[str, tf.Tensor]:
        logits = model(tf.cast(images, tf.float32), training=False)
        return {"probabilities": tf.nn.softmax(logits), "classes": tf.argmax(logits, axis=-1)}

    return serve


def _write_saved_model(
    model: keras.Model, path: pathlib.Path, label_names: tuple[str, ...]
) -> None:
    # A plain module, since Keras's ExportArchive takes no assets.
    module = tf.Module()
    module.weights = [variable.value for variable in model.variables]
    module.serve = _serving_function(model)
    with tempfile.TemporaryDirectory() as folder:
        if label_names:
            labels = pathlib.Path(folder) / "label_names.txt"
            labels.write_text("".join(f"{name}\n" for name in label_names), encoding="utf-8")
            module.label_names = tf.saved_model.Asset(str(labels))
        tf.saved_model.save(module, str(path), signatures={SIGNATURE: module.serve})


def _write_keras(model: keras.Model, path: pathlib.Path, label_names: tuple[str, ...]) -> None:
    del label_names  # The format has no place for them.
    # Keras wants the ending, which a temporary name need not have.
    with_ending = path.with_name(f"{path.name}.keras")
    model.save(with_ending)
    os.replace(with_ending, path)


def _write_tflite(model: keras.Model, path: pathlib.Path, label_names: tuple[str, ...]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        _write_saved_model(model, pathlib.Path(folder), label_names)
        converter = tf.lite.TFLiteConverter.from_saved_model(folder, signature_keys=[SIGNATURE])
        path.write_bytes(converter.convert())


def _write_onnx(model: keras.Model, path: pathlib.Path, label_names: tuple[str, ...]) -> None:
    del label_names
    try:
        import tf2onnx
    except ImportError as error:
        raise ExportError(
            f"The format onnx needs the package tf2onnx ({error}); "
            "install it with: pip install 'enas-tf[onnx]'."
        ) from error
    function = _serving_function(model).get_concrete_function()
    # Frozen here, because tf2onnx takes captured constants for inputs.
    frozen = convert_variables_to_constants_v2(function)
    names = {"images": function.inputs[0].name}
    outputs = sorted(function.structured_outputs)  # TensorFlow orders them so.
    names |= {name: tensor.name for name, tensor in zip(outputs, function.outputs)}
    tf2onnx.convert.from_graph_def(
        frozen.graph.as_graph_def(),
        input_names=[names["images"]],
        output_names=[names[name] for name in outputs],
        tensors_to_rename={tensor: name for name, tensor in names.items()},
        opset=_ONNX_OPSET,
        output_path=str(path),
    )


_WRITERS: dict[str, Callable[[keras.Model, pathlib.Path, tuple[str, ...]], None]] = {
    "saved_model": _write_saved_model,
    "keras": _write_keras,
    "tflite": _write_tflite,
    "onnx": _write_onnx,
}


@contextlib.contextmanager
def _replacing(target: pathlib.Path) -> Iterator[pathlib.Path]:
    """Gives a temporary path, and puts what was written there in place of the target."""
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        folder = pathlib.Path(tempfile.mkdtemp(prefix=".export-", dir=target.parent))
    except OSError as error:
        raise ExportError(f"Cannot write {target}: {error.strerror or error}.") from error
    try:
        # mkdtemp makes folders that only their owner can read; what is inside has the usual rights.
        yield folder / target.name
        if target.exists():
            os.replace(target, folder / "replaced")
        os.replace(folder / target.name, target)
    except (OSError, tf.errors.OpError) as error:
        raise ExportError(f"Cannot write {target}: {str(error).splitlines()[0]:.160}.") from error
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _load_keras(path: pathlib.Path) -> keras.Model:
    try:
        return keras.models.load_model(path, compile=False)
    except (ValueError, TypeError, KeyError, OSError, zipfile.BadZipFile) as error:
        raise ExportError(
            f"{path} is not a Keras model file ({str(error).splitlines()[0]:.120})."
        ) from error


def _label_names_of_run(folder: pathlib.Path) -> tuple[str, ...] | None:
    try:
        names = json.loads((folder / RESULTS_FILE).read_text(encoding="utf-8"))["label_names"]
        return tuple(map(str, names))
    except (OSError, ValueError, KeyError, TypeError):
        # The names are an extra; a model without them works.
        return None


def _load_saved_model(path: pathlib.Path) -> keras.Model:
    try:
        loaded = tf.saved_model.load(str(path))
        serve = loaded.signatures[SIGNATURE]
        specification = serve.structured_input_signature[1]["images"]
        num_classes = serve.structured_outputs["probabilities"].shape[-1]
    except (OSError, ValueError, KeyError, tf.errors.OpError) as error:
        raise ExportError(
            f"{path} is not a SavedModel of a classifier ({str(error).splitlines()[0]:.120})."
        ) from error
    model = _SavedClassifier(loaded, specification.shape, num_classes)
    asset = getattr(loaded, "label_names", None)
    if asset is not None:
        text = pathlib.Path(asset.asset_path.numpy().decode()).read_text(encoding="utf-8")
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
