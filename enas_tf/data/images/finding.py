"""Finding the files of pictures that paths of the user's stand for."""

import os
import pathlib
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from enas_tf.data.foreign import reading
from enas_tf.data.images.files import SUFFIXES
from enas_tf.errors import DataError
from enas_tf.files.places import user_path


class FoundPictures(NamedTuple):
    """What was found.

    Attributes:
      files: in the order of the paths, those of a folder by name.
      num_others: files in the folders that are no pictures by their names.
    """

    files: list[pathlib.Path]
    num_others: int


def find_pictures(paths: Iterable[str | os.PathLike[str]]) -> FoundPictures:
    """Returns the files that some paths stand for.

    Args:
      paths: of files, which are taken whatever they are called, and of folders, of which the
        pictures at any depth are taken; what is hidden is left out.

    Raises:
      DataError: a path leads nowhere, or no picture is in a folder.
    """
    files: list[pathlib.Path] = []
    num_others = 0
    for path in map(user_path, paths):
        # os.path answers no to a text that is too long for a path; pathlib would raise.
        if not os.path.isdir(path):
            if not os.path.exists(path):
                raise DataError(f"{path} does not exist; check its spelling.")
            files.append(path)
            continue
        inside = list(_files_in(path))
        pictures = [file for file in inside if is_picture(file)]
        if not pictures:
            raise DataError(f"{path} holds no pictures ({' '.join(sorted(SUFFIXES))}).")
        files.extend(pictures)
        num_others += len(inside) - len(pictures)
    return FoundPictures(files, num_others)


def pictures_in(folder: pathlib.Path) -> list[pathlib.Path]:
    """Returns the pictures in a folder at any depth, sorted, without what is hidden.

    Raises:
      DataError: a folder cannot be read.
    """
    return sorted(filter(is_picture, _files_in(folder)))


def is_picture(path: pathlib.Path) -> bool:
    """Whether a file is a picture by its name."""
    return path.suffix.lower() in SUFFIXES


def _files_in(folder: pathlib.Path) -> Iterator[pathlib.Path]:
    """Yields all files below a folder that are not hidden, sorted."""

    def refuse(error: OSError) -> None:
        raise error

    with reading(folder, "folder", "check its permissions"):
        for root, inner, names in os.walk(folder, onerror=refuse):
            inner[:] = sorted(name for name in inner if name[0] != ".")
            for name in sorted(names):
                if name[0] != ".":
                    yield pathlib.Path(root, name)
