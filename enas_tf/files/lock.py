"""Locks on folders, so that no two processes write into one."""

import os
import pathlib

from enas_tf.errors import RunInUseError
from enas_tf.files import places
from enas_tf.files.writing import attempting

try:
    import fcntl
except ImportError:  # Not a POSIX system: folders are not locked there.
    fcntl = None  # type: ignore[assignment]  # mypy knows only the module.

# What this process has locked, until it ends; it may open its own run again.
_locked: set[tuple[int, int]] = set()


def lock_folder(path: pathlib.Path) -> pathlib.Path:
    """Keeps other processes out of a run's folder, as long as this one lives.

    Args:
      path: of the folder; a process may lock its own once more.

    Returns:
      The way to the folder by which its files must be read and written; see `enas_tf.files.places`.

    Raises:
      RunInUseError: another process has it.
      RunDirectoryError: it cannot be opened.
    """
    with attempting("open the folder", path):
        place = places.hold(path)
    if place.identity not in _locked and place.descriptor is not None:
        if not try_lock(place.descriptor):
            places.let_go(place)
            raise RunInUseError(
                f"{path} is in use by another process; wait for it or give another output_dir."
            )
        _locked.add(place.identity)
    return place.way


def try_lock(descriptor: int) -> bool:
    """Locks what is open until it is closed; returns False if another process has locked it."""
    if fcntl is None:
        return True
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        # Some network file systems have no locks; a run there works without one.
        return True
    return True


def open_locked(path: pathlib.Path) -> int | None:
    """Opens a file and locks it until the descriptor is closed.

    Args:
      path: of the file, which is made; a file, since not all file systems lock folders.

    Returns:
      The descriptor; None if another process has the file, or has deleted its folder.

    Raises:
      OSError: it cannot be opened.
    """
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
    except FileNotFoundError:
        return None
    # Whoever had it locked before may have deleted it.
    if try_lock(descriptor) and path.exists():
        return descriptor
    os.close(descriptor)
    return None
