"""Opening files of other people: only regular ones, which have an end."""

import errno
import os
import stat
from typing import BinaryIO

_KINDS = (
    (stat.S_ISFIFO, "a pipe"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a device"),
    (stat.S_ISSOCK, "a socket"),
    (stat.S_ISDIR, "a folder"),
)


class NotRegularError(OSError):
    """What is there is no regular file: reading it might wait, or go on, for ever."""


def open_regular(path: str | os.PathLike[str]) -> BinaryIO:
    """Opens a regular file for reading, without waiting for anything else that may be there.

    Everything that reads a file which the user names, or which lies in a folder that the user
    names, opens it here, or asks `check_regular` first if a library wants the path.

    Args:
      path: of the file; links are followed.

    Returns:
      The open file, of bytes.

    Raises:
      OSError: it cannot be opened; a `NotRegularError`, whose `strerror` says what it is, if it is
        a pipe, a device, a socket or a folder.
    """
    # A pipe without a writer would keep even the opening waiting.
    descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))
    try:
        _check(os.fstat(descriptor).st_mode, path)
        return os.fdopen(descriptor, "rb")
    except BaseException:
        os.close(descriptor)
        raise


def check_regular(path: str | os.PathLike[str]) -> None:
    """Raises what `open_regular` would, for the sake of a library that opens files itself."""
    _check(os.stat(path).st_mode, path)


def read_bytes(path: str | os.PathLike[str]) -> bytes:
    """Returns what a regular file holds; raises what `open_regular` does."""
    with open_regular(path) as file:
        return file.read()


def _check(mode: int, path: str | os.PathLike[str]) -> None:
    if not stat.S_ISREG(mode):
        kind = next((name for matches, name in _KINDS if matches(mode)), "something else")
        raise NotRegularError(errno.EINVAL, f"it is {kind}, not a regular file", os.fspath(path))
