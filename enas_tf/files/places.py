"""Ways to folders: what a path of the user's means, and paths that stay with a folder.

A path of a folder says only where it was: while a run goes on, another folder may take its name.
And TensorFlow takes some characters of a path for a pattern when it looks for checkpoints and
SavedModels. Both are mended by one thing: a way to a folder through its open descriptor
(`/proc/self/fd/7`), which leads to that folder whatever it is called.
"""

import atexit
import contextlib
import dataclasses
import os
import pathlib
import shutil
import tempfile
from collections.abc import Iterator

from enas_tf.errors import RunDirectoryError

_DESCRIPTORS = pathlib.Path("/proc/self/fd")
# TensorFlow matches paths with `fnmatch`, to which these mean something.
_OF_PATTERNS = frozenset("*?[\\")


@dataclasses.dataclass(frozen=True)
class Place:
    """A folder that is held open.

    Attributes:
      named: its path when it was opened.
      way: another path, without characters of patterns, that belongs to this object alone.
      identity: device and number, by which it is known again.
      descriptor: of the open folder; None where the system opens no folders.
    """

    named: pathlib.Path
    way: pathlib.Path
    identity: tuple[int, int]
    descriptor: int | None

    def release(self) -> None:
        """Closes the folder; the way ends here."""
        if self.descriptor is not None:
            os.close(self.descriptor)
        if self.way not in (self.named, _DESCRIPTORS / str(self.descriptor)):
            shutil.rmtree(self.way.parent, ignore_errors=True)


# Held until the process ends, by their ways.
_held: dict[pathlib.Path, Place] = {}


def user_path(path: str | os.PathLike[str]) -> pathlib.Path:
    """Returns a path as the user means it: `~` is the home folder, as shells have it."""
    return pathlib.Path(os.path.expanduser(path))


def absolute(path: pathlib.Path) -> pathlib.Path:
    """Returns the path from the root.

    Raises:
      RunDirectoryError: it is relative, and the working folder is gone.
    """
    try:
        return path.absolute()
    except FileNotFoundError as error:
        raise RunDirectoryError(
            f"{path} leads nowhere, since the working folder has been deleted; change to another "
            "folder, or give an absolute path."
        ) from error


def hold(folder: pathlib.Path) -> Place:
    """Opens a folder and keeps it open until the process ends; one place for each path and folder.

    Raises:
      OSError: it cannot be opened.
    """
    folder = absolute(folder)
    new = _open(folder)
    for place in _held.values():
        if (place.named, place.identity) == (new.named, new.identity):
            new.release()
            return place
    _held[new.way] = new
    return new


def let_go(place: Place) -> None:
    """Closes a folder that `hold` opened."""
    del _held[place.way]
    place.release()


def way_to(folder: str | os.PathLike[str]) -> pathlib.Path:
    """Returns the way to a folder that this process holds by this path, else the path itself."""
    path = user_path(folder)
    named = absolute(path)
    ways = [place.way for place in _held.values() if place.named == named]
    return ways[-1] if ways else path


def check_place(path: pathlib.Path) -> None:
    """Raises `RunDirectoryError` if a way leads to a folder that is not where it was opened."""
    place = _place_on(path)
    if place is None:
        return
    try:
        is_there = _identity(os.stat(place.named)) == place.identity
    except OSError:
        is_there = False
    if not is_there:
        raise RunDirectoryError(
            f"{place.named} is not the folder any more in which this run began: it was renamed, "
            "deleted or replaced in the meantime. Nothing more was written; if it is elsewhere "
            "now, give that path as output_dir to go on from the last checkpoint."
        )


def shown(path: pathlib.Path) -> pathlib.Path:
    """Returns a path as people know it: that of the folder in the place of the way to it."""
    place = _place_on(path)
    return path if place is None else place.named / path.relative_to(place.way)


@contextlib.contextmanager
def plain_path(folder: str | os.PathLike[str]) -> Iterator[str]:
    """Gives a path to a folder that TensorFlow can read from, whatever the folder is called.

    Args:
      folder: if it cannot be opened, its path is given as it is, and reading from it will fail.
    """
    parts = pathlib.Path(folder).parts
    odd = [number for number, part in enumerate(parts, 1) if _is_odd(part)]
    place = None
    if odd:
        with contextlib.suppress(OSError):
            # Only as far as needed: TensorFlow Datasets reads something out of the last names.
            place = _open(absolute(pathlib.Path(*parts[: odd[-1]])))
    try:
        yield str(place.way.joinpath(*parts[odd[-1] :]) if place else folder)
    finally:
        if place:
            place.release()


def _is_odd(name: str) -> bool:
    # Names that are no UTF-8 stand in Python's texts as surrogates, which TensorFlow refuses.
    return bool(_OF_PATTERNS.intersection(name)) or not name.isprintable()


def _open(folder: pathlib.Path) -> Place:
    descriptor = os.open(folder, os.O_RDONLY) if os.name == "posix" else None
    status = os.stat(folder) if descriptor is None else os.fstat(descriptor)
    way = _DESCRIPTORS / str(descriptor)
    if descriptor is None or not way.is_dir():
        way = _link_to(folder)
    return Place(folder, way, _identity(status), descriptor)


def _link_to(folder: pathlib.Path) -> pathlib.Path:
    """Returns a way where descriptors are no paths: a link, which leads to a name."""
    parent = pathlib.Path(tempfile.mkdtemp(prefix="enas_way_"))
    atexit.register(shutil.rmtree, parent, ignore_errors=True)
    try:
        (parent / "folder").symlink_to(folder.resolve(), target_is_directory=True)
    except OSError:
        return folder
    return parent / "folder"


def _identity(status: os.stat_result) -> tuple[int, int]:
    return status.st_dev, status.st_ino


def _place_on(path: pathlib.Path) -> Place | None:
    return next((_held[part] for part in (path, *path.parents) if part in _held), None)
