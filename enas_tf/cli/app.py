"""What every command does around its work: exit codes, one-line errors, interruptions."""

import contextlib
import errno
import logging
import os
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NoReturn

from enas_tf.errors import EnasError
from enas_tf.files import reason

EXIT_DONE = 0
EXIT_BAD_INPUT = 2
EXIT_INTERRUPTED = 128 + signal.SIGINT
EXIT_TERMINATED = 128 + signal.SIGTERM
_NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS)
_FULL = ("no space left", "disk quota exceeded")


class Terminated(KeyboardInterrupt):
    """The process was asked to end; whoever saves its state on Ctrl-C does so here too."""


def run_command(
    name: str, command: Callable[[Sequence[str]], None], argv: Sequence[str] | None = None
) -> int:
    """Runs a command and returns its exit code.

    Bad input, bad configuration, sizes that do not fit into memory and a full disk become one line
    on stderr.
    Any other exception is a defect and leaves with its traceback.

    Args:
      name: of the program, which begins the line of an error.
      command: called with the arguments.
      argv: the arguments without the program's name (default: of the process).

    Returns:
      0 when done, 2 for bad input, 130 when interrupted, 143 when terminated.
    """
    previous = signal.signal(signal.SIGTERM, _terminate)
    try:
        with _warnings_on_stderr(name):
            command(sys.argv[1:] if argv is None else argv)
        sys.stdout.flush()
    except EnasError as error:
        _say(f"{name}: error: {' '.join(str(error).split())}")
        return EXIT_BAD_INPUT
    except Terminated:
        _say(f"{name}: terminated")
        return EXIT_TERMINATED
    except KeyboardInterrupt:
        _say(f"{name}: interrupted")
        return EXIT_INTERRUPTED
    except _memory_errors() as error:
        # TensorFlow names the function and the node first.
        message = str(error).strip().partition("\n")[0].rpartition("}} ")[2]
        path, _, what = message.partition("; ")
        # TensorFlow has the same error for both.
        if what.lower().startswith(_FULL):
            _say_no_room(name, f" {path}", reason(error))
        else:
            _say(
                f"{name}: error: Out of memory; make the batch size, the number of filters or the "
                f"number of layers smaller ({message:.200})."
            )
        return EXIT_BAD_INPUT
    except BrokenPipeError:
        # Whoever read our output has seen enough.
        _abandon_stdout()
    except OSError as error:
        if error.errno not in _NO_ROOM:
            raise
        where = "" if error.filename is None else f" {error.filename}"
        _say_no_room(name, where, reason(error))
        try:
            sys.stdout.flush()
        except OSError:
            _abandon_stdout()
        return EXIT_BAD_INPUT
    finally:
        signal.signal(signal.SIGTERM, previous)
    return EXIT_DONE


def _memory_errors() -> tuple[type[Exception], ...]:
    """Returns what running out of memory raises, on the device too once TensorFlow is loaded."""
    errors = getattr(sys.modules.get("tensorflow"), "errors", None)
    return (MemoryError,) if errors is None else (MemoryError, errors.ResourceExhaustedError)


@contextlib.contextmanager
def _warnings_on_stderr(name: str) -> Iterator[None]:
    """Shows the package's warnings; its other messages go to the log file of a run only.

    Libraries install handlers of their own on the root logger, hence no propagation.
    """
    logger = logging.getLogger("enas_tf")
    handler = logging.StreamHandler()
    handler.setLevel(logging.WARNING)
    handler.setFormatter(logging.Formatter(f"{name}: %(levelname)s: %(message)s"))
    propagated = logger.propagate
    logger.propagate = False
    logger.addHandler(handler)
    try:
        yield
    finally:
        logger.removeHandler(handler)
        logger.propagate = propagated


def _terminate(number: int, frame: Any) -> NoReturn:
    raise Terminated


def _say_no_room(name: str, where: str, what: str) -> None:
    _say(f"{name}: error: Cannot write{where}: {what}; what was saved before stays good.")


def _abandon_stdout() -> None:
    """Sees to it that Python does not complain once more when it flushes stdout at its end."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _say(line: str) -> None:
    # A progress line may stand there without an end.
    start = "\r\x1b[K" if sys.stderr.isatty() else ""
    print(f"{start}{line}", file=sys.stderr, flush=True)
