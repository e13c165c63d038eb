"""Files that survive a crash: written whole or not at all, or line by line."""

import contextlib
import json
import math
import os
import pathlib
import tempfile
from collections.abc import Iterator, Mapping
from typing import Any, BinaryIO

from enas_tf.errors import RunDirectoryError


class JsonLines:
    """A file of JSON objects, one a line, that only grows (or is cut back by `rewind`)."""

    def __init__(self, path: pathlib.Path):
        """Opens nothing yet.

        Args:
          path: of the file, which need not exist.
        """
        self.path = path
        self._file: BinaryIO | None = None

    def append(self, value: Mapping[str, Any]) -> None:
        """Writes one object as a line and flushes it.

        Args:
          value: what `json` can hold, and NumPy numbers and arrays; a number that is not finite
            is written as null.

        Raises:
          RunDirectoryError: the file cannot be written.
        """
        line = to_json_text(value).encode() + b"\n"
        with writing(self.path):
            if self._file is None:
                self._file = self.path.open("ab")
            self._file.write(line)
            self._file.flush()

    def read(self) -> list[dict[str, Any]]:
        """Returns all objects; a last line that was not written to its end is left out."""
        if not self.path.exists():
            return []
        lines = self.path.read_bytes().split(b"\n")[:-1]
        return [json.loads(line) for line in lines]

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


def write_text(path: pathlib.Path, text: str) -> None:
    """Writes a text file as `write_bytes` does."""
    write_bytes(path, text.encode("utf-8"))


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
    """Turns an `OSError` into a `RunDirectoryError` that names the path."""
    try:
        yield
    except OSError as error:
        raise RunDirectoryError(f"Cannot write {path}: {reason(error)}.") from error


def reason(error: OSError) -> str:
    """Returns what went wrong in a few words."""
    return (error.strerror or str(error)).lower()


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
