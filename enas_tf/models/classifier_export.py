"""What an exported classifier of pictures is, and reading it back.

Every format holds the normalisation: it takes pixels as they are. SavedModel, TFLite and ONNX have
the input `images`, uint8 `[batch, height, width, channels]`, and the outputs `probabilities`,
float32 `[batch, classes]`, and `classes`, int64 `[batch]`. Pictures of another size are an error,
but for TFLite, whose interpreter fits the network to whatever it is given.

A SavedModel of grey or RGB pictures has a second signature, `serving_images`, whose `images` are
strings `[batch]`: JPEG and PNG files of any size, which it brings to the size of the network as
training did (`enas_tf.models.encoded_pictures`). It brings its warm-up requests
(`enas_tf.models.warm_up`), and what it remembers of its training: `classifier.json`, and the names
of the classes in `label_names.txt`, one a line.
"""

import json
import logging
import pathlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

import keras
import tensorflow as tf

from enas_tf.errors import ExportError
from enas_tf.files.reading import read_bytes
from enas_tf.files.writing import to_json_text
from enas_tf.models import formats as export_formats
from enas_tf.models import warm_up
from enas_tf.models.encoded_pictures import decode_pictures
from enas_tf.models.files import MODEL_FILE
from enas_tf.models.formats import SIGNATURE
from enas_tf.models.reading import load_saved_model, read_lines, reading
from enas_tf.models.remembered import (
    attach_label_names,
    attach_picture_settings,
    attach_versions,
    has_place_for_names,
    label_names_of,
    picture_settings_of,
    recall,
    settings_of_json,
    versions_of,
)
from enas_tf.runs.contents import RESULTS

_log = logging.getLogger(__name__)
_LABELS_FILE = "label_names.txt"
_DESCRIPTION_FILE = "classifier.json"
_DESCRIPTION_FORMAT = 1
IMAGES_SIGNATURE = "serving_images"


def check_classifier(model: keras.Model) -> None:
    """Raises `ExportError` unless a model is a classifier of pictures."""
    inputs, outputs = getattr(model, "input_shape", None), getattr(model, "output_shape", None)
    is_picture = isinstance(inputs, tuple) and len(inputs) == 4 and None not in inputs[1:]
    is_class = isinstance(outputs, tuple) and len(outputs) == 2 and outputs[1] is not None
    if not is_picture or not is_class:
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
      ExportError: the names are not one line for each class, all different.
    """
    names = label_names_of(model) if label_names is None else label_names
    if names is None:
        return None
    count = model.output_shape[-1]
    if isinstance(names, str) or len(names) != count:
        raise ExportError(
            f"`label_names` must have {count} names, one for each class. "
            f"Received: {'one text' if isinstance(names, str) else len(names)}."
        )
    names = tuple(map(str, names))
    for name in names:
        # The names are the lines of a file.
        if "\n" in name or any("\ud800" <= letter <= "\udfff" for letter in name):
            raise ExportError(
                "`label_names` must be texts of one line that UTF-8 can write. "
                f"Received: {name!r:.60}."
            )
    if len(set(names)) != count:
        raise ExportError("`label_names` must differ from each other.")
    return names


def warn_if_nameless(
    model: keras.Model,
    names: tuple[str, ...] | None,
    format: str,  # noqa: A002 (the word of the command's flag)
) -> None:
    """Says why an exported model has no names of its classes, if it has none.

    Args:
      model: a classifier.
      names: of its classes, if they are known.
      format: in which it was written.
    """
    if names is None:
        reason = "the model brings none; `enas_tf.export` takes some as `label_names`"
    elif format == "keras" and not has_place_for_names(model):
        reason = "its last layer is no Dense layer without a bias, which would keep them"
    elif format in ("tflite", "onnx"):
        reason = f"the format {format} has no place for them"
    else:
        return
    _log.warning("No names of classes were written: %s.", reason)


def _servable(model: keras.Model, *, checked: bool) -> tf.Module:
    """Returns the weights of a classifier with its functions `serve` and `serve_images`.

    Args:
      model: the classifier.
      checked: whether requests without pictures, and of encoded ones, are answered.
    """
    # A plain module, since Keras's ExportArchive takes no assets.
    module = tf.Module()
    module.weights = export_formats.weights(model)
    specification = tf.TensorSpec([None, *model.input_shape[1:]], tf.uint8, name="images")

    @tf.function(input_signature=[specification])
    def serve(images: tf.Tensor) -> dict[str, tf.Tensor]:
        # Neither a server nor TensorFlow itself compares shapes with the signature, and the
        # network would give some answer to pictures of any size.
        images = tf.ensure_shape(images, specification.shape)
        pixels, count = tf.cast(images, tf.float32), tf.shape(images)[0]
        if checked:
            # oneDNN's convolutions cannot do without a picture. (TFLite, which may be made of a
            # SavedModel, pads floats only.)
            added = tf.cast(count == 0, tf.int32)
            pixels = tf.pad(pixels, [[0, added], [0, 0], [0, 0], [0, 0]])
        logits = model(pixels, training=False)
        if checked:
            logits = logits[:count]
        return {"probabilities": tf.nn.softmax(logits), "classes": tf.argmax(logits, axis=-1)}

    module.serve = serve
    settings = picture_settings_of(model)
    if checked and settings is not None:

        @tf.function(input_signature=[tf.TensorSpec([None], tf.string, name="images")])
        def serve_images(images: tf.Tensor) -> dict[str, tf.Tensor]:
            return serve(decode_pictures(tf.ensure_shape(images, [None]), settings))

        module.serve_images = serve_images
    return module


def _write_saved_model(
    model: keras.Model, path: pathlib.Path, label_names: tuple[str, ...] | None
) -> None:
    module = _servable(model, checked=True)
    signatures = {SIGNATURE: module.serve}
    if hasattr(module, "serve_images"):
        signatures[IMAGES_SIGNATURE] = module.serve_images
    description = to_json_text(_description(model, label_names), indent=2)
    texts = {_DESCRIPTION_FILE: f"{description}\n"}
    if label_names:
        texts[_LABELS_FILE] = "".join(f"{name}\n" for name in label_names)
    with export_formats.assets(texts) as paths:
        module.description = tf.saved_model.Asset(paths[_DESCRIPTION_FILE])
        if label_names:
            module.label_names = tf.saved_model.Asset(paths[_LABELS_FILE])
        tf.saved_model.save(module, str(path), signatures=signatures)
    warm_up.write(path, _warm_up_requests(model, signatures))


def _description(model: keras.Model, label_names: tuple[str, ...] | None) -> dict[str, Any]:
    """Returns what a SavedModel says of itself, for programs."""
    settings = picture_settings_of(model)
    return {
        "format_version": _DESCRIPTION_FORMAT,
        "input_shape": model.input_shape[1:],
        "label_names": label_names,
        "picture_settings": None if settings is None else settings.to_json(),
        "versions": versions_of(model),
    }


def _warm_up_requests(model: keras.Model, signatures: Iterable[str]) -> Iterator[bytes]:
    shape = model.input_shape[1:]
    for batch_size in warm_up.BATCH_SIZES:
        images = {SIGNATURE: warm_up.filled(0, tf.uint8, [batch_size, *shape])}
        if IMAGES_SIGNATURE in signatures:
            file = tf.io.encode_png(tf.zeros(shape, tf.uint8)).numpy()
            images[IMAGES_SIGNATURE] = warm_up.filled(file, tf.string, [batch_size])
        for signature in signatures:
            yield warm_up.predict_request(signature, {"images": images[signature]})


def _write_keras(
    model: keras.Model, path: pathlib.Path, label_names: tuple[str, ...] | None
) -> None:
    if isinstance(model, _SavedClassifier):
        raise export_formats.no_keras_file()
    before = label_names_of(model)
    if label_names is not None:
        attach_label_names(model, label_names)
    try:
        export_formats.write_keras(model, path)
    finally:
        if before is not None:
            attach_label_names(model, before)


def _write_tflite(
    model: keras.Model, path: pathlib.Path, label_names: tuple[str, ...] | None
) -> None:
    del label_names
    module = _servable(model, checked=False)
    export_formats.write_tflite(module, module.serve, path)


def _write_onnx(
    model: keras.Model, path: pathlib.Path, label_names: tuple[str, ...] | None
) -> None:
    del label_names
    export_formats.write_onnx(_servable(model, checked=False).serve, path)


WRITERS: dict[str, Callable[[keras.Model, pathlib.Path, tuple[str, ...] | None], None]] = {
    "saved_model": _write_saved_model,
    "keras": _write_keras,
    "tflite": _write_tflite,
    "onnx": _write_onnx,
}


def recall_training(model: keras.Model, path: pathlib.Path) -> None:
    """Gives a classifier what its file, or the retraining's folder, remembers of its training.

    Args:
      model: read from the path.
      path: of the `.keras` file.
    """
    recall(model)
    names = label_names_of(model)
    if names is None and path.name == MODEL_FILE:
        names = _label_names_of_run(path.parent)
    if names is not None and len(names) == model.output_shape[-1]:
        attach_label_names(model, names)


def _label_names_of_run(folder: pathlib.Path) -> tuple[str, ...] | None:
    try:
        names = json.loads(read_bytes(folder / RESULTS))["label_names"]
        return tuple(map(str, names))
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        # The names are an extra; a model without them works.
        return None


def load_saved_classifier(path: pathlib.Path) -> keras.Model:
    """Reads a SavedModel.

    Args:
      path: of a folder with one version.

    Returns:
      A model from pixels 0 to 255 to log-probabilities, with the attributes `label_names`,
      `picture_settings` and `versions`.

    Raises:
      ExportError: it holds no classifier.
    """
    with reading(path, "a SavedModel of a classifier"):
        loaded = load_saved_model(path)
        model = _SavedClassifier(loaded)
        asset = getattr(loaded, "label_names", None)
        if asset is not None:
            name = pathlib.PurePath(asset.asset_path.numpy().decode()).name
            names = read_lines(path / "assets" / name)
            if len(names) != model.output_shape[-1]:
                raise ValueError(f"it has {len(names)} names for {model.output_shape[-1]} classes")
            model.label_names = names
        asset = getattr(loaded, "description", None)
        # Those of version 0.1.0 have none.
        description = {} if asset is None else json.loads(_read_asset(path, asset))
        settings = settings_of_json(description.get("picture_settings"))
        attach_picture_settings(model, settings)
        attach_versions(model, description.get("versions") or {})
        recall(model)
    return model


def _read_asset(path: pathlib.Path, asset: Any) -> bytes:
    """Returns what an asset of a SavedModel holds."""
    name = pathlib.PurePath(asset.asset_path.numpy().decode()).name
    return read_bytes(path / "assets" / name)


class _SavedClassifier(keras.Model):
    """A loaded SavedModel as a Keras model from pixels to log-probabilities."""

    def __init__(self, loaded: Any) -> None:
        super().__init__(name="saved_classifier")
        # What is loaded holds the variables, as long as it is held itself.
        self._loaded = loaded
        self._serve = serve = loaded.signatures[SIGNATURE]
        inputs = serve.structured_input_signature[1]
        if len(inputs) != 1:
            raise ValueError(f"it has {len(inputs)} inputs")
        self._input_shape = _shape(inputs, "images", tf.uint8, 4)
        self._output_shape = _shape(serve.structured_outputs, "probabilities", tf.float32, 2)
        self.built = True

    @property
    def variables(self) -> list[Any]:
        """The weights."""
        return list(self._serve.variables)

    @property
    def input_shape(self) -> tuple[int | None, ...]:
        """Shape of the pictures."""
        return self._input_shape

    @property
    def output_shape(self) -> tuple[int | None, ...]:
        """Shape of the log-probabilities."""
        return self._output_shape

    def call(self, images: tf.Tensor, training: bool = False) -> tf.Tensor:
        """Returns log-probabilities `[batch, classes]`."""
        del training  # A SavedModel is for inference only.
        probabilities = self._serve(images=tf.cast(images, tf.uint8))["probabilities"]
        return tf.math.log(tf.maximum(probabilities, 1e-37))


def _shape(
    specifications: Mapping[str, tf.TensorSpec], name: str, dtype: tf.DType, rank: int
) -> tuple[int | None, ...]:
    """Returns the shape of an input or output of a signature, `[batch, ...]`."""
    specification = specifications[name]
    shape = specification.shape
    if (
        specification.dtype != dtype
        or shape.rank != rank
        or [size is None for size in shape] != [True, *([False] * (rank - 1))]
    ):
        raise ValueError(
            f"`{name}` must be {dtype.name}, any number of {rank - 1} known sizes, but is "
            f"{specification.dtype.name} {shape}"
        )
    return tuple(shape)
