"""Pictures in folders: `train/CLASS/*.png` and `test/CLASS/*.png`."""

import contextlib
import logging
import os
import pathlib
import re
import warnings
from collections.abc import Iterator

import numpy as np
from PIL import Image

from enas_tf.data.foreign import reading, visible
from enas_tf.data.images.arrays import ImageArrays
from enas_tf.data.names import check_name
from enas_tf.environment.console import native_lines_aside
from enas_tf.errors import DataError
from enas_tf.files.reading import open_regular

_SUFFIXES = frozenset(
    {".bmp", ".gif", ".jpeg", ".jpg", ".pgm", ".png", ".ppm", ".tif", ".tiff", ".webp"}
)
_GREY_MODES = frozenset({"1", "L", "LA"})
# What the libraries say of a picture besides the error, or of one that they can read all the same.
_COMMENTS = re.compile(
    rb"(_?TIFF|tempfile\.tif|MissingRequired|JPEGLib|\w*(Decode|Setup|Fixup))\w*: "
    rb"|More samples per pixel|.*/PIL/\w+\.py:\d+: UserWarning: |  warnings\.warn\("
)

_log = logging.getLogger(__name__)


def is_present(path: pathlib.Path) -> bool:
    """Whether `path` is a folder that is meant as one of class folders."""
    # os.path answers no to a text that is too long for a path; pathlib would raise.
    if not os.path.isdir(path):
        return False
    # A folder in the current directory may by chance have the name of a dataset.
    return (path / "train").is_dir() or len(path.parts) > 1


def load(path: pathlib.Path) -> ImageArrays:
    """Reads all pictures; the classes are the folders of `train/`, sorted by name.

    All are read as grey or as RGB, like the first one. Files that are no pictures by their names
    are left out, and so are, with a warning, pictures in folders inside a class's folder.

    Args:
      path: the folder that holds `train/` and `test/`.

    Raises:
      DataError: a folder is missing or empty or has a name that cannot be written, a picture is
        damaged or of another size than the first one, or the two parts have different classes.
    """
    names = _class_names(path, "train")
    test_names = _class_names(path, "test")
    if names != test_names:
        odd = sorted(set(names) ^ set(test_names))
        raise DataError(
            f"{path / 'train'} and {path / 'test'} must have the same class folders. "
            f"Only one of them has: {', '.join(odd):.200}."
        )
    train, test = _files(path / "train", names), _files(path / "test", names)
    first = train[0][0]
    mode = "L" if _mode_of(first) in _GREY_MODES else "RGB"
    shape = _decode(first, mode).shape
    x_train, y_train = _read(train, mode, shape, first)
    x_test, y_test = _read(test, mode, shape, first)
    _warn_of_nested(path, names)
    return ImageArrays(x_train, y_train, x_test, y_test, label_names=tuple(names))


def _class_names(path: pathlib.Path, part: str) -> list[str]:
    folder = path / part
    layout = f"expected {path / part / 'CLASS' / 'picture.png'}"
    if not folder.is_dir():
        raise DataError(f"{path} has no folder {part!r}; {layout}.")
    names = sorted(entry.name for entry in visible(folder) if entry.is_dir())
    if not names:
        raise DataError(f"{folder} has no class folders; {layout}.")
    return [check_name(f"The name of a class folder in {folder}", name) for name in names]


def _pictures(folder: pathlib.Path) -> list[pathlib.Path]:
    return [entry for entry in visible(folder) if entry.suffix.lower() in _SUFFIXES]


def _nested(folder: pathlib.Path) -> list[pathlib.Path]:
    """Returns the pictures in folders inside a class's folder, at any depth."""
    result: list[pathlib.Path] = []
    for root, inner, _ in os.walk(folder):
        inner[:] = [name for name in inner if name[0] != "."]
        if root != str(folder):
            result.extend(_pictures(pathlib.Path(root)))
    return result


def _warn_of_nested(path: pathlib.Path, names: list[str]) -> None:
    classes = [path / part / name for part in ("train", "test") for name in names]
    files = [file for folder in classes for file in _nested(folder)]
    if files:
        _log.warning(
            "%s: %d pictures in folders inside the classes' folders are left out, like %s; move "
            "them up into the folder of their class.",
            path,
            len(files),
            files[0],
        )


def _files(folder: pathlib.Path, names: list[str]) -> list[tuple[pathlib.Path, int]]:
    """Returns every picture's path and label, sorted by class and file name."""
    result: list[tuple[pathlib.Path, int]] = []
    for label, name in enumerate(names):
        files = _pictures(folder / name)
        if not files:
            endings = " ".join(sorted(_SUFFIXES))
            nested = len(_nested(folder / name))
            advice = f"; move up the {nested} in folders inside it" if nested else ""
            raise DataError(f"{folder / name} holds no pictures ({endings}){advice}.")
        result.extend((file, label) for file in files)
    return result


def _read(
    files: list[tuple[pathlib.Path, int]], mode: str, shape: tuple[int, ...], first: pathlib.Path
) -> tuple[np.ndarray, np.ndarray]:
    images = np.empty((len(files), *shape), np.uint8)
    labels = np.empty(len(files), np.int32)
    for index, (path, label) in enumerate(files):
        image = _decode(path, mode)
        if image.shape != shape:
            raise DataError(
                f"All pictures must have the same size. {path} is {image.shape[1]} pixels wide and "
                f"{image.shape[0]} high, {first} {shape[1]} and {shape[0]}; resize them."
            )
        images[index], labels[index] = image, label
    return images, labels


@native_lines_aside(_COMMENTS)
def _mode_of(path: pathlib.Path) -> str:
    with _opened(path) as image:
        return image.mode


@native_lines_aside(_COMMENTS)
def _decode(path: pathlib.Path, mode: str) -> np.ndarray:
    with _opened(path) as image:
        if image.mode[0] in "IF":
            raise DataError(
                f"{path} has more than 8 bits a channel (mode {image.mode}); convert the "
                "pictures to 8 bits."
            )
        return np.asarray(image.convert(mode))


@contextlib.contextmanager
def _opened(path: pathlib.Path) -> Iterator[Image.Image]:
    """Opens a picture; what goes wrong until it is closed becomes a `DataError`."""
    with (
        reading(path, "picture", "repair or remove it"),
        warnings.catch_warnings(),
        open_regular(path) as file,
    ):
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        with Image.open(file) as image:
            yield image
