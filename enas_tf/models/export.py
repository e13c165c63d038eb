"""Writing a trained model for use elsewhere, and reading it back.

What an exported model takes and gives is said in `enas_tf.models.classifier_export` for classifiers
of pictures, and in `enas_tf.models.language_model_export` for language models.
"""

import contextlib
import os
import pathlib
from collections.abc import Iterator, Sequence

import keras
import tensorflow as tf

from enas_tf.environment.keras_settings import under_own_settings
from enas_tf.errors import ExportError
from enas_tf.files.places import shown
from enas_tf.files.replacing import replacing
from enas_tf.files.writing import reason
from enas_tf.models import classifier_export as export_classifier
from enas_tf.models import language_model_export as export_language_model
from enas_tf.models.files import LANGUAGE_MODEL, check_target, find_model, kind_of
from enas_tf.models.language_model_export import AnyLanguageModel
from enas_tf.models.reading import load_keras
from enas_tf.spaces.rnn.network import LanguageModel


@under_own_settings
def export(
    model: keras.Model,
    path: str | os.PathLike[str],
    *,
    format: str = "saved_model",  # noqa: A002 (the word of the command's flag)
    label_names: Sequence[str] | None = None,
    overwrite: bool = False,
) -> pathlib.Path:
    """Writes a trained model, whole or not at all.

    Args:
      model: as `enas_tf.retrain` returns it: a classifier from pixels 0 to 255 to logits, or a
        `LanguageModel`.
      path: what to write. For `"saved_model"` a folder, in which version 1 is written as
        TensorFlow Serving expects it: `path/1/`. For the other formats a file.
      format: `"saved_model"` (loads with TensorFlow alone; the names of the classes, or the words
        of the vocabulary, one a line, are its asset `label_names.txt` or `vocabulary.txt`),
        `"keras"` (a classifier loads with Keras alone, a language model with
        `enas_tf.export.load_model`), `"tflite"` or `"onnx"` (needs the package `tf2onnx`).
      label_names: names of the classes of a classifier, for a SavedModel or a `.keras` file;
        a warning says if none are written. Default: those that the model has from `retrain`,
        which its `.keras` file keeps.
      overwrite: replace what is there.

    Returns:
      The path of what was written: of the version's folder, or of the file.

    Raises:
      ExportError: the model is neither, something is there already, a package is missing, the
        format has no place for such a model, or the path cannot be written.
    """
    target = check_target(path, format, overwrite)
    if isinstance(model, AnyLanguageModel):
        if label_names is not None:
            raise ExportError("`label_names` is for classifiers; a language model has no classes.")
        with _replacing(target) as temporary:
            export_language_model.WRITERS[format](model, temporary)
        return shown(target)
    export_classifier.check_classifier(model)
    names = export_classifier.check_label_names(model, label_names)
    with _replacing(target) as temporary:
        export_classifier.WRITERS[format](model, temporary, names)
    export_classifier.warn_if_nameless(model, names, format)
    return shown(target)


@under_own_settings
def load_model(path: str | os.PathLike[str]) -> keras.Model | AnyLanguageModel:
    """Reads a trained model back.

    A SavedModel is a program: load one only from people you trust. A `.keras` file that would run
    code is refused.

    Args:
      path: the output folder of a retraining, a `.keras` file, or a SavedModel: the folder given
        to `export`, or the folder of one version.

    Returns:
      A classifier from pixels 0 to 255 to logits (of a SavedModel: log-probabilities), with the
      attributes `label_names` if they are known, `picture_settings` (how files are brought to its
      size) and `versions` (what it was trained with; None: not known); or a `LanguageModel` (of a
      SavedModel: a `SavedLanguageModel`).

    Raises:
      ExportError: there is no such file or folder, or it holds no such model.
    """
    path = find_model(path)
    is_language_model = kind_of(path) == LANGUAGE_MODEL
    if path.is_dir():
        if is_language_model:
            return export_language_model.load_saved_language_model(path)
        return export_classifier.load_saved_classifier(path)
    model = load_keras(path)
    if not isinstance(model, LanguageModel):
        export_classifier.check_classifier(model)
        export_classifier.recall_training(model, path)
    return model


@contextlib.contextmanager
def _replacing(target: pathlib.Path) -> Iterator[pathlib.Path]:
    """Does what `replacing` does, with errors of its own."""
    try:
        with replacing(target) as temporary:
            yield temporary
    except (OSError, tf.errors.OpError) as error:
        raise ExportError(f"Cannot write {shown(target)}: {reason(error)}.") from error
