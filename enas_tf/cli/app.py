"""What every command does around its work: exit codes, one-line errors, interruptions."""

import contextlib
import errno
import logging
import re
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NoReturn

from enas_tf.cli.own_operations import with_operations
from enas_tf.environment import console
from enas_tf.errors import EnasError
from enas_tf.files.writing import reason
from enas_tf.training.interruption import TERMINATIONS, handled_by

EXIT_DONE = 0
EXIT_BAD_INPUT = 2
# Of a process that a signal ends, as shells say it.
EXIT_SIGNALLED = 128
SMALLER_TRAINING = "make the batch size or the network smaller"
_MORE_MEMORY = "end other programs, or use a machine with more of it"
_NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS)
_FULL = ("no space left", "disk quota exceeded")
# Whoever read our output has seen enough, or closed the terminal.
_READER_LEFT = (errno.EPIPE, errno.ECONNRESET, errno.EIO)


class Terminated(KeyboardInterrupt):
    """The process was asked to end; whoever saves its state on Ctrl-C does so here too.

    Args:
      number: of the signal.
    """

    def __init__(self, number: int) -> None:
        super().__init__()
        self.number = number


def run_command(
    name: str,
    command: Callable[[Sequence[str]], None],
    argv: Sequence[str] | None = None,
    *,
    memory_advice: str = _MORE_MEMORY,
) -> int:
    """Runs a command and returns its exit code.

    Bad input, bad configuration, sizes that do not fit into memory and a full disk become one line
    on stderr. Messages that nobody can read any more change nothing.
    Any other exception is a defect and leaves with its traceback.

    Args:
      name: of the program, which begins the line of an error.
      command: called with the arguments.
      argv: the arguments without the program's name (default: of the process).
      memory_advice: what to do when memory does not suffice.

    Returns:
      0 when done, 2 for bad input or if the output cannot be written, 130 when interrupted, 143
      when terminated, 129 when the terminal was closed.
    """
    arguments = sys.argv[1:] if argv is None else argv
    with console.standard_streams() as stdout, handled_by(_terminate):
        try:
            code = _outcome(name, command, arguments, memory_advice)
        except SystemExit:
            # After `--help`.
            if not _is_written(name, stdout):
                return EXIT_BAD_INPUT
            raise
        return code if _is_written(name, stdout) else code or EXIT_BAD_INPUT


def _outcome(
    name: str,
    command: Callable[[Sequence[str]], None],
    argv: Sequence[str],
    memory_advice: str,
) -> int:
    """Runs a command, and returns its exit code as far as its work decides it."""
    try:
        with _warnings_on_stderr(name):
            command(with_operations(argv))
    except EnasError as error:
        console.say(f"{name}: error: {' '.join(str(error).split())}")
        return EXIT_BAD_INPUT
    except Terminated as error:
        console.say(f"{name}: terminated")
        return EXIT_SIGNALLED + error.number
    except KeyboardInterrupt:
        console.say(f"{name}: interrupted")
        return EXIT_SIGNALLED + signal.SIGINT
    except _memory_errors() as error:
        _say_exhausted(name, error, memory_advice)
        return EXIT_BAD_INPUT
    except _operation_errors() as error:
        # The bad data that an input pipeline met when it read them.
        met = re.search(r"\bDataError: (.*)", str(error))
        if met is None:
            raise
        console.say(f"{name}: error: {met[1]}")
        return EXIT_BAD_INPUT
    except OSError as error:
        if error.errno not in _NO_ROOM:
            raise
        where = "" if error.filename is None else f" {error.filename}"
        _say_no_room(name, where, error)
        return EXIT_BAD_INPUT
    return EXIT_DONE


def _is_written(name: str, stdout: console.Console) -> bool:
    """Returns whether the output was written, as far as somebody wanted to have it."""
    stdout.flush()
    error = stdout.error
    if error is None or getattr(error, "errno", None) in _READER_LEFT:
        return True
    _say_no_room(name, "", error)
    return False


def _memory_errors() -> tuple[type[Exception], ...]:
    """Returns what running out of memory raises, on the device too once TensorFlow is loaded."""
    errors = getattr(sys.modules.get("tensorflow"), "errors", None)
    return (MemoryError,) if errors is None else (MemoryError, errors.ResourceExhaustedError)


def _operation_errors() -> tuple[type[Exception], ...]:
    """Returns what the operations of TensorFlow raise; nothing before it is loaded."""
    errors = getattr(sys.modules.get("tensorflow"), "errors", None)
    return () if errors is None else (errors.OpError,)


def _say_exhausted(name: str, error: Exception, memory_advice: str) -> None:
    """Says which memory or disk is full; TensorFlow has the same error for both."""
    # It names the function and the node first, or begins with lines that say nothing.
    messages = [line.rpartition("}} ")[2].strip() for line in str(error).splitlines()]
    for message in messages:
        path, _, what = message.partition("; ")
        if what.lower().startswith(_FULL):
            _say_no_room(name, f" {path}", Exception(message))
            return
    size = next((message for message in messages if "alloc" in message), "")
    console.say(
        f"{name}: error: Out of memory; {memory_advice}{f' ({size:.200})' if size else ''}."
    )


def _say_no_room(name: str, where: str, error: Exception) -> None:
    console.say(
        f"{name}: error: Cannot write{where}: {reason(error)}; what was saved before stays good."
    )


@contextlib.contextmanager
def _warnings_on_stderr(name: str) -> Iterator[None]:
    """Shows the package's warnings; its other messages go to the log file of a run only.

    Libraries install handlers of their own on the root logger, hence no propagation.
    """
    logger = logging.getLogger("enas_tf")
    handler = _ConsoleHandler(logging.WARNING)
    handler.setFormatter(logging.Formatter(f"{name}: %(levelname)s: %(message)s"))
    propagated = logger.propagate
    logger.propagate = False
    logger.addHandler(handler)
    try:
        yield
    finally:
        logger.removeHandler(handler)
        logger.propagate = propagated


class _ConsoleHandler(logging.Handler):
    """Shows messages of a log as lines on stderr."""

    def emit(self, record: logging.LogRecord) -> None:
        console.say(self.format(record))


def _terminate(number: int, frame: Any) -> NoReturn:
    # Shells and `timeout` ask more than once, and what now ends shall end in peace.
    for each in TERMINATIONS:
        signal.signal(each, signal.SIG_IGN)
    raise Terminated(number)
