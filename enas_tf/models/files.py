"""Where trained models are read from and written to; nothing here imports TensorFlow."""

import importlib.util
import json
import os
import pathlib
import zipfile

from enas_tf.errors import ExportError
from enas_tf.files.places import user_path
from enas_tf.files.reading import check_regular
from enas_tf.files.replacing import clear_up

MODEL_FILE = "model.keras"
_SAVED_MODEL = "saved_model"
_SAVED_MODEL_FILE = "saved_model.pb"

# The kinds of models.
CLASSIFIER = "classifier"
LANGUAGE_MODEL = "language_model"
_LANGUAGE_MODEL_CLASS = "LanguageModel"
# A few compressed bytes may stand for more than there is memory.
_LARGEST_CONFIG = 2**28

# The asset by which the SavedModel of a language model is known, and what it is made of.
LANGUAGE_MODEL_FILE = "language_model.json"
_ASSETS = "assets"

NEEDS_TF2ONNX = (
    "The format onnx needs the package tf2onnx; install it, from the project's folder, with: "
    "pip install '.[onnx]'."
)

# Every format, and what it is called in the folder of a retraining.
FORMATS = {
    "saved_model": _SAVED_MODEL,
    "keras": MODEL_FILE,
    "tflite": "model.tflite",
    "onnx": "model.onnx",
}


def find_model(path: str | os.PathLike[str]) -> pathlib.Path:
    """Returns where the model is that a path stands for.

    Args:
      path: the output folder of a retraining, a `.keras` file, a folder of a SavedModel's versions,
        or the folder of one version.

    Returns:
      A `.keras` file, or the folder of one version of a SavedModel, the newest one.

    Raises:
      ExportError: there is no such file or folder, or it is neither.
    """
    path = user_path(path)
    try:
        # os.path answers no to a text that is too long for a path; pathlib would raise.
        if os.path.isdir(path):
            return _in_folder(path)
        if not os.path.exists(path):
            raise ExportError(
                f"{path} does not exist; expected the output_dir of a retraining, a .keras file or "
                "a SavedModel folder."
            )
        check_regular(path)
    except OSError as error:
        raise ExportError(f"Cannot read a model from {path}: {error.strerror or error}.") from error
    if not zipfile.is_zipfile(path):
        raise ExportError(f"{path} is not a Keras model file (.keras), or is damaged.")
    return path


def run_folder(path: str | os.PathLike[str]) -> pathlib.Path:
    """Returns the folder that a retraining has, if it made the model that a path stands for.

    Args:
      path: as for `find_model`.

    Raises:
      ExportError: there is no such file or folder, or it is no model.
    """
    path = find_model(path)
    return path.parent if path.is_file() else path.parent.parent


def kind_of(path: str | os.PathLike[str]) -> str:
    """Returns what kind of model a path stands for.

    Args:
      path: as for `find_model`.

    Returns:
      `LANGUAGE_MODEL`, or else `CLASSIFIER`; whether it is one is found out by loading it.

    Raises:
      ExportError: there is no such file or folder, or it is no model.
    """
    path = find_model(path)
    if path.is_dir():
        is_language_model = (path / _ASSETS / LANGUAGE_MODEL_FILE).is_file()
    else:
        is_language_model = _class_of(path) == _LANGUAGE_MODEL_CLASS
    return LANGUAGE_MODEL if is_language_model else CLASSIFIER


def check_target(
    path: str | os.PathLike[str],
    format: str,  # noqa: A002 (the word of the command's flag)
    overwrite: bool,
) -> pathlib.Path:
    """Returns what an export writes, after finding out that it may; changes nothing.

    Args:
      path: for `"saved_model"` the folder of its versions, else a file.
      format: a key of `FORMATS`.
      overwrite: whether an earlier export may be replaced.

    Returns:
      The folder of the version, or the file.

    Raises:
      ExportError: the format is unknown or needs a package that is missing, or something is there
        that must not be replaced.
    """
    if format not in FORMATS:
        raise ExportError(
            f"`format` must be one of {', '.join(FORMATS)}. Received: format={format!r}."
        )
    if format == "onnx" and importlib.util.find_spec("tf2onnx") is None:
        raise ExportError(NEEDS_TF2ONNX)
    target = user_path(path)
    if format == _SAVED_MODEL:
        target = target / "1"
    if format == "keras" and target.suffix != ".keras":
        raise ExportError(f"The name of a Keras file must end in .keras. Received: {target}.")
    if not os.path.lexists(target):
        return target
    is_export = target.is_file()
    if format == _SAVED_MODEL:
        is_export = (target / _SAVED_MODEL_FILE).is_file()
    if not is_export:
        raise ExportError(f"{target} is something else than an export; give another path.")
    if not overwrite:
        raise ExportError(f"{target} exists already; give another path, or --overwrite.")
    return target


def _class_of(path: pathlib.Path) -> str | None:
    """Returns the name of the class of the model in a `.keras` file."""
    try:
        with zipfile.ZipFile(path) as archive, archive.open("config.json") as file:
            return json.loads(file.read(_LARGEST_CONFIG))["class_name"]
    # Whatever is wrong with the file, and whatever that raises, loading the model will say.
    except Exception:
        return None


def _in_folder(path: pathlib.Path) -> pathlib.Path:
    if (path / MODEL_FILE).exists():
        return find_model(path / MODEL_FILE)
    for folder in (path, path / _SAVED_MODEL):
        if (folder / _SAVED_MODEL_FILE).exists():
            return folder
        versions = _versions(folder)
        if versions:
            return max(versions, key=lambda entry: int(entry.name))
    raise ExportError(f"{path} holds neither {MODEL_FILE} nor a SavedModel.")


def _versions(folder: pathlib.Path) -> list[pathlib.Path]:
    found = _numbered(folder)
    if not found:
        # Where an export was killed, the old version may stand aside.
        clear_up(folder)
        found = _numbered(folder)
    return found


def _numbered(folder: pathlib.Path) -> list[pathlib.Path]:
    if not folder.is_dir():
        return []
    return [entry for entry in folder.iterdir() if entry.name.isdecimal() and entry.is_dir()]
