"""CIFAR-10 as its authors pickled it, which is what the release reads."""

import os
import pathlib
from collections.abc import Iterator
from typing import Any

import numpy as np

from enas_tf.data.archives import read_tar
from enas_tf.data.foreign import read_file
from enas_tf.data.images.arrays import ImageArrays
from enas_tf.data.pickles import load_pickle
from enas_tf.errors import DataError

ARCHIVE = "cifar-10-python.tar.gz"
FOLDER = "cifar-10-batches-py"

_TRAIN_FILES = tuple(f"data_batch_{number}" for number in range(1, 6))
_TEST_FILE = "test_batch"
_FILES = (*_TRAIN_FILES, _TEST_FILE)
_SHAPE = (32, 32, 3)
_LABEL_NAMES = (
    "airplane",
    "automobile",
    "bird",
    "cat",
    "deer",
    "dog",
    "frog",
    "horse",
    "ship",
    "truck",
)


def is_present(data_dir: pathlib.Path) -> bool:
    """Whether `data_dir` holds the batches' folder or its archive, or is that folder itself."""
    return _batches_folder(data_dir) is not None or os.path.exists(data_dir / ARCHIVE)


def load(data_dir: pathlib.Path) -> ImageArrays:
    """Reads the pickles, of Python 2 or 3, in the release's order.

    Args:
      data_dir: a folder for which `is_present` holds.

    Raises:
      DataError: a batch is missing, damaged, or not what CIFAR-10's batches are.
    """
    folder = _batches_folder(data_dir)
    if folder is not None:
        source, divider, contents = folder, os.sep, _contents(folder)
    else:
        source, divider = data_dir / ARCHIVE, ":"
        contents = read_tar(source, _FILES)
    batches = {name: _read_batch(data, f"{source}{divider}{name}") for name, data in contents}
    missing = [name for name in _FILES if name not in batches]
    if missing:
        raise DataError(f"{source} lacks {', '.join(missing)}; fetch or copy CIFAR-10 again.")
    x_train, y_train = _concatenate([batches[name] for name in _TRAIN_FILES])
    x_test, y_test = _concatenate([batches[_TEST_FILE]])
    return ImageArrays(x_train, y_train, x_test, y_test, _LABEL_NAMES)


def _batches_folder(data_dir: pathlib.Path) -> pathlib.Path | None:
    for folder in (data_dir, data_dir / FOLDER):
        # What is there but no regular file is refused where it is opened.
        if any(os.path.exists(folder / name) for name in _FILES):
            return folder
    return None


def _contents(folder: pathlib.Path) -> Iterator[tuple[str, bytes]]:
    for name in _FILES:
        if os.path.exists(folder / name):
            yield name, read_file(folder / name)


def _read_batch(data: bytes, name: str) -> tuple[np.ndarray, list[int]]:
    batch = load_pickle(data, name)
    images, labels = _entry(batch, "data"), _entry(batch, "labels")
    pixels = int(np.prod(_SHAPE))
    is_valid = (
        isinstance(images, np.ndarray)
        and images.dtype == np.uint8
        and images.ndim == 2
        and images.shape[1] == pixels
        and isinstance(labels, list)
        and len(labels) == len(images)
        and all(type(label) is int and 0 <= label < len(_LABEL_NAMES) for label in labels)
    )
    if not is_valid:
        raise DataError(
            f"{name} must hold `data`, uint8 of shape [examples, {pixels}], and as many `labels` "
            "from 0 to 9; it is not a batch of CIFAR-10."
        )
    return images, labels


def _entry(batch: Any, key: str) -> Any:
    """Returns an entry whose key is str under Python 3 and bytes when Python 2 wrote it."""
    if not isinstance(batch, dict):
        return None
    return batch.get(key, batch.get(key.encode()))


def _concatenate(batches: list[tuple[np.ndarray, list[int]]]) -> tuple[np.ndarray, np.ndarray]:
    height, width, channels = _SHAPE
    result = np.empty((sum(len(labels) for _, labels in batches), *_SHAPE), np.uint8)
    start = 0
    for images, labels in batches:
        # The file has all red values of a picture first, then green, then blue.
        planes = images.reshape(-1, channels, height, width)
        result[start : start + len(labels)] = planes.transpose(0, 2, 3, 1)
        start += len(labels)
    return result, np.concatenate([np.asarray(labels, np.int32) for _, labels in batches])
