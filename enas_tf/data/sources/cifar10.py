"""CIFAR-10 as its authors pickled it, which is what the release reads."""

import pathlib
import tarfile
import zlib
from collections.abc import Iterator
from typing import IO, Any

import numpy as np

from enas_tf.data.arrays import ImageArrays
from enas_tf.data.pickles import load_pickle
from enas_tf.errors import DataError

ARCHIVE = "cifar-10-python.tar.gz"
FOLDER = "cifar-10-batches-py"

_TRAIN_FILES = tuple(f"data_batch_{number}" for number in range(1, 6))
_TEST_FILE = "test_batch"
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
    return _batches_folder(data_dir) is not None or (data_dir / ARCHIVE).is_file()


def load(data_dir: pathlib.Path) -> ImageArrays:
    """Reads the pickles, of Python 2 or 3, in the release's order.

    Args:
      data_dir: a folder for which `is_present` holds.

    Raises:
      DataError: a batch is missing, damaged, or not what CIFAR-10's batches are.
    """
    folder = _batches_folder(data_dir)
    if folder is not None:
        batches = _read_folder(folder)
        source = folder
    else:
        source = data_dir / ARCHIVE
        batches = _read_archive(source)
    missing = [name for name in (*_TRAIN_FILES, _TEST_FILE) if name not in batches]
    if missing:
        raise DataError(f"{source} lacks {', '.join(missing)}; fetch or copy CIFAR-10 again.")
    x_train, y_train = _concatenate([batches[name] for name in _TRAIN_FILES])
    x_test, y_test = _concatenate([batches[_TEST_FILE]])
    return ImageArrays(x_train, y_train, x_test, y_test, _LABEL_NAMES)


def _batches_folder(data_dir: pathlib.Path) -> pathlib.Path | None:
    for folder in (data_dir, data_dir / FOLDER):
        if any((folder / name).is_file() for name in (*_TRAIN_FILES, _TEST_FILE)):
            return folder
    return None


def _read_folder(folder: pathlib.Path) -> dict[str, tuple[np.ndarray, list[int]]]:
    batches = {}
    for name in (*_TRAIN_FILES, _TEST_FILE):
        path = folder / name
        if path.is_file():
            try:
                with path.open("rb") as file:
                    batches[name] = _read_batch(file, str(path))
            except OSError as error:
                raise DataError(f"{path} cannot be read ({error.strerror}).") from error
    return batches


def _read_archive(path: pathlib.Path) -> dict[str, tuple[np.ndarray, list[int]]]:
    try:
        with tarfile.open(path, "r:gz") as archive:
            return {
                name: _read_batch(file, f"{path}:{name}") for name, file in _batch_members(archive)
            }
    except (tarfile.TarError, OSError, EOFError, zlib.error) as error:
        raise DataError(
            f"{path} is not a readable archive ({' '.join(str(error).split()):.120}). Fetch or "
            "copy it again."
        ) from error


def _batch_members(archive: tarfile.TarFile) -> Iterator[tuple[str, IO[bytes]]]:
    """Yields the batches in the order of the archive, which is then read only once."""
    for member in archive:
        name = pathlib.PurePosixPath(member.name).name
        file = archive.extractfile(member) if member.isfile() else None
        if file is not None and name in (*_TRAIN_FILES, _TEST_FILE):
            yield name, file


def _read_batch(file: IO[bytes], name: str) -> tuple[np.ndarray, list[int]]:
    batch = load_pickle(file, name)
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


def _concatenate(
    batches: list[tuple[np.ndarray, list[int]]],
) -> tuple[np.ndarray, np.ndarray]:
    height, width, channels = _SHAPE
    result = np.empty((sum(len(labels) for _, labels in batches), *_SHAPE), np.uint8)
    start = 0
    for images, labels in batches:
        # The file has all red values of a picture first, then green, then blue.
        planes = images.reshape(-1, channels, height, width)
        result[start : start + len(labels)] = planes.transpose(0, 2, 3, 1)
        start += len(labels)
    return result, np.concatenate([np.asarray(labels, np.int32) for _, labels in batches])
