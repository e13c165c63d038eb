"""The way to a console: text for people, which never gets in the way of the work.

The reader of a pipe may leave, a terminal may be closed, a disk be full; the stream may be None,
somebody's logger, or have an encoding that lacks a character. None of this is worth ending a
training for. Whether a command's result could be written is asked for once, at its end.
"""

import contextlib
import os
import re
import sys
import tempfile
from collections.abc import Iterator
from typing import Any, BinaryIO, TextIO

# Goes to the beginning of the line and clears it.
_START_OF_LINE = "\r\x1b[K"
_STDERR = 2
_STANDARD_DESCRIPTORS = range(3)


class Console:
    """A text stream that takes everything, whatever the stream behind it is.

    Characters that its encoding lacks become question marks. After a failure nothing more is
    written to it.

    Args:
      stream: where the text goes; None: nowhere.

    Attributes:
      error: what the stream failed with, None if it did not.
    """

    def __init__(self, stream: Any) -> None:
        self._stream = stream
        self.error: Exception | None = None

    def write(self, text: str) -> int:
        """Writes as far as it can be done; returns the number of characters it was given."""
        try:
            self._call("write", text)
        except UnicodeEncodeError:
            self._call("write", self._encodable(text))
        return len(text)

    def flush(self) -> None:
        """Hands over what is in a buffer, where there is one."""
        if hasattr(self._stream, "flush"):
            self._call("flush")

    def isatty(self) -> bool:
        """Whether a line can be rewritten."""
        return hasattr(self._stream, "isatty") and bool(self._call("isatty"))

    def show(self, text: str) -> None:
        """Writes a text at once."""
        self.write(text)
        self.flush()

    def turn_aside(self) -> None:
        """After a failure, lets the process end without another one: what is left goes nowhere.

        Python writes what is in the buffers of its streams when it ends.
        """
        if self.error is None:
            return
        # A stream that is no file has nothing to turn aside.
        with contextlib.suppress(AttributeError, OSError, ValueError):
            descriptor = self._stream.fileno()
            if descriptor in _STANDARD_DESCRIPTORS:
                nowhere = os.open(os.devnull, os.O_WRONLY)
                os.dup2(nowhere, descriptor)
                os.close(nowhere)

    def __getattr__(self, name: str) -> Any:
        # Other programs ask streams for their encoding, their descriptor, their buffer.
        return getattr(self._stream, name)

    def _call(self, method: str, *arguments: str) -> Any:
        if self._stream is None or self.error is not None:
            return None
        try:
            return getattr(self._stream, method)(*arguments)
        except UnicodeEncodeError:
            raise
        except Exception as error:  # Streams of other programs raise what they like.
            self.error = error
            return None

    def _encodable(self, text: str) -> str:
        encoding = getattr(self._stream, "encoding", None) or "ascii"
        errors = getattr(self._stream, "errors", None) or "strict"

        def fits(character: str) -> bool:
            try:
                character.encode(encoding, errors)
            except UnicodeEncodeError:
                return False
            return True

        return "".join(character if fits(character) else "?" for character in text)


def say(line: str) -> None:
    """Writes a line to stderr at once, on a terminal in the place of an unfinished one."""
    console = Console(sys.stderr)
    console.show(f"{_START_OF_LINE if console.isatty() else ''}{line}\n")


@contextlib.contextmanager
def standard_streams() -> Iterator[Console]:
    """Lets everything that a process writes in a block go through consoles.

    Descriptors that the process was started without lead nowhere from then on. Else the next file
    that is opened, a checkpoint say, would take the place of stderr.

    Yields:
      The console in the place of stdout.
    """
    _open_missing_descriptors()
    before = sys.stdout, sys.stderr
    consoles = Console(sys.stdout), Console(sys.stderr)
    sys.stdout, sys.stderr = consoles
    try:
        yield consoles[0]
    finally:
        for console in consoles:
            console.flush()
            console.turn_aside()
        sys.stdout, sys.stderr = before


def _open_missing_descriptors() -> None:
    for number in _STANDARD_DESCRIPTORS:
        try:
            os.fstat(number)
        except OSError:
            # Takes the lowest number that is free. Programs that are started inherit it.
            os.set_inheritable(os.open(os.devnull, os.O_RDWR), True)


@contextlib.contextmanager
def native_lines_aside(noise: re.Pattern[bytes]) -> Iterator[TextIO | None]:
    """Keeps what native code writes to stderr in a block, and shows the rest of it at its end.

    Args:
      noise: matches the beginnings of lines that nobody needs.

    Yields:
      A stream to stderr for what shall be seen at once; None: stderr is closed.
    """
    Console(sys.stderr).flush()
    try:
        stderr = os.dup(_STDERR)
    except OSError:
        # Closed: there is nothing to keep anything from.
        yield None
        return
    with _file_in_memory() as kept:
        os.dup2(kept.fileno(), _STDERR)
        stream = open(stderr, "w", errors="replace")  # noqa: SIM115 (closed below)
        try:
            yield stream
        finally:
            os.dup2(stderr, _STDERR)
            # The reader of a pipe may have left.
            with contextlib.suppress(OSError):
                stream.close()
            kept.seek(0)
            for line in kept:
                # The reader of a pipe may have left.
                with contextlib.suppress(OSError):
                    if not noise.match(line):
                        os.write(_STDERR, line)


def _file_in_memory() -> BinaryIO:
    # Where there is no such thing, a full disk keeps the block from being run.
    if hasattr(os, "memfd_create"):
        return os.fdopen(os.memfd_create("stderr"), "w+b")
    return tempfile.TemporaryFile()
