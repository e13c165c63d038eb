"""Locks on the folders of runs, so that no two processes write into one."""

import os
import pathlib

from enas_tf.errors import RunDirectoryError

try:
    import fcntl
except ImportError:  # Not a POSIX system: runs are not locked there.
    fcntl = None  # type: ignore[assignment]  # mypy knows only the module.

# Locks are held until the process ends; a process may open its own run again.
_locks: dict[pathlib.Path, int] = {}


def lock_folder(path: pathlib.Path) -> None:
    """Keeps other processes out of a run's folder, as long as this one lives.

    Args:
      path: of the folder; a process may lock its own once more.

    Raises:
      RunDirectoryError: another process has it.
    """
    key = path.resolve()
    if fcntl is None or key in _locks:
        return
    descriptor = os.open(key, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        os.close(descriptor)
        raise RunDirectoryError(
            f"{path} is in use by another process; wait for it or give another output_dir."
        ) from error
    except OSError:
        # Some network file systems have no locks; a run there works without one.
        os.close(descriptor)
        return
    _locks[key] = descriptor
