"""Putting a new file or folder in the place of an old one: old or new, at every moment.

What is new is written into a folder beside the target, brought to the disk, and then changes places
with the target in one step. Where the system has no such step for folders (network file systems,
macOS), the old one stands aside for a moment, and comes back should the process end in it.
"""

import contextlib
import ctypes
import os
import pathlib
import shutil
import tempfile
from collections.abc import Iterator

from enas_tf.files.lock import open_locked
from enas_tf.files.places import check_place, plain_path
from enas_tf.files.writing import sync_file, sync_folder

_PREFIX = ".enas-export-"
_ASIDE = ".aside"
_LOCK = ".lock"
# Of Linux's renameat2.
_WORKING_FOLDER = -100
_EXCHANGE = 2


@contextlib.contextmanager
def replacing(target: pathlib.Path) -> Iterator[pathlib.Path]:
    """Gives a path to write to, and puts what is there in the place of the target at the end.

    ```python
    with replacing(target) as path:
        path.write_bytes(content)
    ```

    Args:
      target: a file or a folder, which need not exist; its parents are made. Of a link, the link is
        replaced.

    Raises:
      OSError: it cannot be written; then the old one is still there.
      RunDirectoryError: it belongs to a run whose folder is not in its place any more.
    """
    check_place(target)
    target.parent.mkdir(parents=True, exist_ok=True)
    clear_up(target.parent)
    folder, descriptor = _folder_beside(target)
    try:
        with plain_path(folder) as plain:
            # mkdtemp makes folders that only their owner can read; what is inside has the usual
            # rights.
            yield pathlib.Path(plain, target.name)
        _sync(folder / target.name)
        check_place(target)
        _put(folder, target)
        sync_folder(target.parent)
    finally:
        _remove(folder)
        os.close(descriptor)


def clear_up(parent: pathlib.Path) -> None:
    """Removes what processes that were killed in `replacing` left; what stood aside comes back.

    Args:
      parent: folder of the targets; need not exist.
    """
    with contextlib.suppress(OSError):
        for folder in parent.glob(f"{_PREFIX}*"):
            descriptor = None if folder.is_symlink() else open_locked(folder / _LOCK)
            if descriptor is not None:
                try:
                    _remove(folder)
                finally:
                    os.close(descriptor)


def _folder_beside(target: pathlib.Path) -> tuple[pathlib.Path, int]:
    """Returns a new folder that `clear_up` of other processes leaves alone, and its open lock."""
    while True:
        folder = pathlib.Path(tempfile.mkdtemp(prefix=_PREFIX, dir=target.parent))
        # Another process may have taken it for a leftover before it was locked.
        if (descriptor := open_locked(folder / _LOCK)) is not None:
            return folder, descriptor


def _put(folder: pathlib.Path, target: pathlib.Path) -> None:
    new, aside = folder / target.name, folder / _ASIDE
    if not (new.is_dir() and os.path.lexists(target)):
        os.replace(new, target)
    elif not exchange(new, target):
        aside.mkdir()
        os.replace(target, aside / target.name)
        os.replace(new, target)


def exchange(first: pathlib.Path, second: pathlib.Path) -> bool:
    """Lets two files or folders change places in one step; returns False if that is impossible."""
    try:
        rename = ctypes.CDLL(None).renameat2
    except (AttributeError, OSError, TypeError):
        return False
    paths = (os.fsencode(first), os.fsencode(second))
    return rename(_WORKING_FOLDER, paths[0], _WORKING_FOLDER, paths[1], _EXCHANGE) == 0


def _remove(folder: pathlib.Path) -> None:
    """Deletes a folder of `replacing`, after what stands aside and has no successor came back."""
    try:
        for old in (folder / _ASIDE).glob("*"):
            if not os.path.lexists(folder.parent / old.name):
                os.replace(old, folder.parent / old.name)
    except OSError:
        # It is the only one; it stays for the next time.
        return
    shutil.rmtree(folder, ignore_errors=True)


def _sync(path: pathlib.Path) -> None:
    """Waits until a file, or everything in a folder, is on the disk."""
    if path.is_dir():
        for entry in path.iterdir():
            _sync(entry)
        sync_folder(path)
    else:
        sync_file(path)
