"""Reading models that may come from anybody: whatever is wrong with one is said in one line.

A `.keras` file runs no code of its own, since Keras is told to load safely. A SavedModel is a
program: it is loaded for whoever trusts those that it comes from.
"""

import contextlib
import json
import pathlib
import re
import zipfile
from collections.abc import Iterator
from typing import Any

import keras
import tensorflow as tf

from enas_tf.errors import ExportError
from enas_tf.files.places import plain_path
from enas_tf.files.reading import check_regular, read_bytes

# How Keras says that a class is not registered.
_UNKNOWN_CLASS = re.compile(r"Could not locate class '\w+'")
# Where the files of a SavedModel are that TensorFlow opens.
_FOLDERS = (".", "variables", "assets")


@contextlib.contextmanager
def reading(path: pathlib.Path, what: str) -> Iterator[None]:
    """Makes an `ExportError` of everything that reading a model raises.

    Args:
      path: of the model.
      what: it should be.
    """
    try:
        yield
    except (ExportError, MemoryError, tf.errors.ResourceExhaustedError):
        raise
    # Layers, functions and arguments are what the file says, and so there is no list of what they
    # can raise.
    except Exception as error:
        raise ExportError(f"{path} is not {what} ({_one_line(error)}).") from error


def load_keras(path: pathlib.Path) -> keras.Model:
    """Reads a `.keras` file, without running code that is in it.

    Raises:
      ExportError: it is damaged, unsafe or of a newer Keras, or no model is in it.
    """
    try:
        with reading(path, "a Keras model file"):
            model = keras.models.load_model(path, compile=False, safe_mode=True)
            if not isinstance(model, keras.Model):
                raise TypeError(f"it holds a {type(model).__name__}")
            return model
    except ExportError as error:
        written = _keras_version(path)
        if _numbers(written) <= _numbers(keras.__version__):
            raise
        raise ExportError(
            f"{path} was written by Keras {written}, and Keras {keras.__version__}, which is "
            f"installed, cannot read it; install a newer Keras. {error}"
        ) from error


def load_saved_model(path: pathlib.Path) -> Any:
    """Reads a SavedModel, which has been found by `enas_tf.models.files.find_model`.

    Args:
      path: of a folder with one version.

    Returns:
      What `tf.saved_model.load` returns.

    Raises:
      OSError: one of its files is a pipe, a device or the like.
    """
    for folder in _FOLDERS:
        if (path / folder).is_dir():
            for entry in (path / folder).iterdir():
                if not entry.is_dir():
                    check_regular(entry)
    with plain_path(path) as plain:
        return tf.saved_model.load(plain)


def read_lines(path: pathlib.Path) -> tuple[str, ...]:
    """Returns the lines of an asset.

    They end with a line feed and nothing else: names and words may hold other characters that
    `splitlines`, or reading as text, takes for the end of a line.
    """
    lines = read_bytes(path).decode("utf-8").split("\n")
    return tuple(lines if lines[-1] else lines[:-1])


def _one_line(error: Exception) -> str:
    if isinstance(error, OSError) and error.strerror:
        return f"{error.strerror}: {error.filename}"
    # Keras puts the cause last, after all of the configuration that it is about.
    text = " ".join(str(error).rpartition("Exception encountered:")[2].split())
    if found := _UNKNOWN_CLASS.search(text):
        return (
            f"{found[0]}; if it is a layer of yours, import the module that registers it first, in "
            "a command by --operations_module=FILE.py"
        )
    if isinstance(error, KeyError) and " " not in text:
        return f"it has no {text}"
    return f"{text:.160}".rstrip(".") or type(error).__name__


def _keras_version(path: pathlib.Path) -> str:
    """Returns the version of Keras that wrote a file, an empty text if that is not known."""
    try:
        with zipfile.ZipFile(path) as archive:
            return str(json.loads(archive.read("metadata.json"))["keras_version"])
    # The file has been found damaged already.
    except Exception:
        return ""


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(number) for number in re.findall(r"\d+", version)[:3])
