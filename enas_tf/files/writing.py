"""Files that survive a crash: written whole or not at all, or line by line."""

import contextlib
import errno
import io
import json
import logging
import math
import os
import pathlib
import re
import sys
import tempfile
from collections.abc import Iterator, Mapping
from typing import Any

from enas_tf.errors import RunDirectoryError
from enas_tf.files.places import check_place, shown
from enas_tf.files.reading import check_regular, read_bytes


class JsonLines:
    """A file of JSON objects, one a line, that only grows (or is cut back by `rewind`)."""

    def __init__(self, path: pathlib.Path):
        """Opens nothing yet.

        Args:
          path: of the file, which need not exist.
        """
        self.path = path
        self._file: io.FileIO | None = None
        # Whether the folder's entry for the file is known to be on the disk.
        self._in_folder = False

    def append(self, value: Mapping[str, Any]) -> None:
        """Writes one object as a line and flushes it.

        Args:
          value: what `json` can hold, and NumPy numbers and arrays; a number that is not finite
            is written as null.

        Raises:
          RunDirectoryError: the file cannot be written.
        """
        line = to_bytes(to_json_text(value)) + b"\n"
        with writing(self.path):
            if self._file is None:
                # A pipe would let us wait for a reader.
                with contextlib.suppress(FileNotFoundError):
                    check_regular(self.path)
                # Without a buffer, which after a failure would be written once more.
                self._file = self.path.open("ab", buffering=0)
                # A process that was killed may have left half a line, which `read` leaves out.
                self._file.truncate(read_bytes(self.path).rfind(b"\n") + 1)
            size = os.fstat(self._file.fileno()).st_size
            try:
                _write_all(self._file, line)
            except OSError:
                # A full disk may take half a line.
                with contextlib.suppress(OSError):
                    self._file.truncate(size)
                raise

    def sync(self) -> None:
        """Waits until everything appended so far is on the disk.

        Raises:
          RunDirectoryError: the disk does not take it.
        """
        if self._file is not None:
            with writing(self.path):
                os.fsync(self._file.fileno())
                if not self._in_folder:
                    sync_folder(self.path.parent)
                    self._in_folder = True

    def read(self) -> list[dict[str, Any]]:
        """Returns all objects; a last line that was not written to its end is left out.

        Raises:
          RunDirectoryError: a line is no JSON, or the file cannot be read.
        """
        with attempting("read", self.path):
            try:
                lines = read_bytes(self.path).split(b"\n")[:-1]
            except FileNotFoundError:
                return []
        values = []
        for number, line in enumerate(lines, 1):
            try:
                values.append(json.loads(line))
            except (ValueError, RecursionError) as error:
                raise RunDirectoryError(
                    f"{shown(self.path)} is damaged: line {number} is not valid JSON."
                ) from error
        return values

    @property
    def size(self) -> int:
        """Bytes written so far."""
        return self.path.stat().st_size if self.path.exists() else 0

    def truncate(self, size: int) -> None:
        """Cuts the file back to `size` bytes; a file that is shorter stays as it is."""
        if self.size > size:
            with writing(self.path):
                os.truncate(self.path, size)

    def close(self) -> None:
        """Closes the file; the next `append` opens it again."""
        if self._file is not None:
            self._file.close()
            self._file = None


class LogFile(logging.FileHandler):
    """A log that gives up quietly when the disk is full, after having said so once.

    A log is not worth ending a run for, nor a traceback for every line.

    Args:
      path: of the file; lines are appended.
    """

    def __init__(self, path: pathlib.Path) -> None:
        # A pipe would let us wait for a reader; opened so, it is an error.
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT | getattr(os, "O_NONBLOCK", 0), 0o666))
        super().__init__(path, encoding="utf-8", errors="backslashreplace")
        self._path = path
        self._told = False

    def emit(self, record: logging.LogRecord) -> None:
        """Writes a line, unless the run's folder is not where it was."""
        with contextlib.suppress(RunDirectoryError):
            check_place(self._path)
            super().emit(record)

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 (logging's name)
        """Says once, in the other logs, that this one cannot be written."""
        error = sys.exc_info()[1]
        if not isinstance(error, OSError):
            super().handleError(record)
        elif not self._told:
            self._told = True
            logging.getLogger(__name__).warning(
                "Cannot write %s: %s; messages will be missing there.",
                shown(self._path),
                reason(error),
            )

    def close(self) -> None:
        """Closes the file; what could not be written is lost."""
        with contextlib.suppress(OSError):
            super().close()


def write_text(path: pathlib.Path, text: str) -> None:
    """Writes a text file as `write_bytes` does."""
    write_bytes(path, to_bytes(text))


def write_bytes(path: pathlib.Path, content: bytes) -> None:
    """Writes a file that is, at every moment, either the old one or the whole new one.

    Raises:
      RunDirectoryError: the file cannot be written.
    """
    with writing(path):
        descriptor, temporary = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            # mkstemp makes files that only their owner can read.
            os.chmod(temporary, 0o666 & ~_umask())
            os.replace(temporary, path)
        except BaseException:
            pathlib.Path(temporary).unlink(missing_ok=True)
            raise


def to_json_text(value: Any, indent: int | None = None) -> str:
    """Returns JSON text of a value as in `JsonLines.append`."""
    return json.dumps(_plain(value), indent=indent, ensure_ascii=False, allow_nan=False)


def to_bytes(text: str) -> bytes:
    """Returns text in UTF-8.

    Names of files that are no UTF-8 have surrogates in Python, which are escaped as JSON does it.
    """
    return text.encode("utf-8", "backslashreplace")


def _plain(value: Any) -> Any:
    """Returns `value` made of JSON's types; NumPy's scalars and arrays have `tolist`."""
    if isinstance(value, Mapping):
        return {str(key): _plain(entry) for key, entry in value.items()}
    if hasattr(value, "tolist"):
        value = value.tolist()
    if isinstance(value, list | tuple):
        return [_plain(entry) for entry in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return str(value) if isinstance(value, os.PathLike) else value


@contextlib.contextmanager
def writing(path: pathlib.Path) -> Iterator[None]:
    """Makes sure that a run's folder is in its place, and names the path in errors.

    Everything that is written into a run is written inside of this.

    Raises:
      RunDirectoryError: an `OSError` came up, or `path` belongs to a run whose folder was renamed,
        deleted or replaced.
    """
    check_place(path)
    with attempting("write", path):
        yield


@contextlib.contextmanager
def attempting(action: str, path: pathlib.Path) -> Iterator[None]:
    """Makes an error that names the path of every `OSError`.

    Args:
      action: what is done to it, as in "write".
      path: of a file or folder; told as people know it.

    Raises:
      RunDirectoryError: an `OSError` came up.
    """
    try:
        yield
    except OSError as error:
        raise RunDirectoryError(f"Cannot {action} {shown(path)}: {reason(error)}.") from error


def reason(error: Exception) -> str:
    """Returns what went wrong in a few words.

    Args:
      error: an `OSError`, or an error of TensorFlow's file system, whose message looks like
        "{{node and device}} path; No space left on device [Op:SaveV2]".
    """
    text = error.strerror if isinstance(error, OSError) else None
    if not text:
        first_line = str(error).strip().partition("\n")[0]
        text = re.sub(r"^\{\{.*?\}\} | \[Op:.*", "", first_line).rpartition("; ")[2]
    return f"{text[:1].lower()}{text[1:]:.119}".rstrip(".")


def sync_file(path: pathlib.Path) -> None:
    """Waits until what a file holds is on the disk; raises `OSError` if the disk refuses."""
    descriptor = os.open(path, os.O_RDWR)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sync_folder(path: pathlib.Path) -> None:
    """Waits until the names of the files in a folder are on the disk.

    Raises:
      OSError: the disk does not take them.
    """
    if os.name != "posix":
        return
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    except OSError as error:
        # Some network file systems cannot do it with folders.
        if error.errno not in (errno.EINVAL, errno.ENOTSUP):
            raise
    finally:
        os.close(descriptor)


def _write_all(file: io.FileIO, content: bytes) -> None:
    rest = memoryview(content)
    while rest:
        rest = rest[file.write(rest) :]


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
