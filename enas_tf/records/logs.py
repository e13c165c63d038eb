"""Reads what a run has written so far, also while it goes on, or after it was cut off.

Nothing is locked or changed.
"""

import contextlib
import io
import json
import os
import pathlib
from collections.abc import Iterator
from typing import Any

from enas_tf.errors import RunDirectoryError
from enas_tf.files.places import shown
from enas_tf.files.reading import open_regular
from enas_tf.files.writing import reason
from enas_tf.runs.directory import RunDirectory

_LEVELS = (" WARNING ", " ERROR ")


class Lines:
    """The objects of a file of JSON lines.

    ```python
    lines = Lines(path)
    events = list(lines)
    lines.damaged  # how many lines are no objects
    ```

    Attributes:
      path: of the file, which need not exist.
      damaged: lines that are no JSON objects, but for a last one that is not whole yet.
    """

    def __init__(self, path: pathlib.Path):
        """Reads nothing yet.

        Args:
          path: of the file.
        """
        self.path = path
        self.damaged = 0

    def __iter__(self) -> Iterator[dict[str, Any]]:
        self.damaged = 0
        with (
            contextlib.suppress(FileNotFoundError),
            _reading(self.path),
            open_regular(self.path) as file,
        ):
            for line in file:
                if not line.endswith(b"\n"):
                    return
                try:
                    value = json.loads(line.decode())
                except (ValueError, RecursionError):
                    value = None
                if isinstance(value, dict):
                    yield value
                else:
                    self.damaged += 1

    def complaints(self) -> list[str]:
        """Returns a sentence on damaged lines, if there were any."""
        if not self.damaged:
            return []
        return [f"{self.damaged:,} damaged lines of {self.path.name} were left out."]


def optional_json(run: RunDirectory, name: str) -> tuple[dict[str, Any] | None, list[str]]:
    """Returns the object in a file of a run, None if it is not there, and complaints about it."""
    if not os.path.lexists(run.file(name)):
        return None, []
    try:
        return run.read_json(name), []
    except RunDirectoryError as error:
        return None, [f"{name} was left out: {error}"]


def logged_warnings(path: pathlib.Path, most: int = 30) -> list[str]:
    """Returns the last warnings and errors of a log.

    Args:
      path: of the file, which need not exist.
      most: how many at the most.
    """
    found: list[str] = []
    with (
        contextlib.suppress(FileNotFoundError),
        _reading(path),
        io.TextIOWrapper(open_regular(path), encoding="utf-8", errors="replace") as file,
    ):
        found = [line.strip() for line in file if any(level in line for level in _LEVELS)]
    return found[-most:]


def last_written(path: pathlib.Path) -> float | None:
    """Returns when a file was last written, in seconds of the epoch; None: it is not there."""
    try:
        return path.stat().st_mtime
    except OSError:
        return None


@contextlib.contextmanager
def _reading(path: pathlib.Path) -> Iterator[None]:
    try:
        yield
    except FileNotFoundError:
        raise
    except OSError as error:
        raise RunDirectoryError(f"Cannot read {shown(path)}: {reason(error)}.") from error
