"""What the installed commands call.

Little is imported here, so that Ctrl-C is caught as early as possible: importing a command takes a
large part of a second.
"""

import contextlib
import importlib
import os
import signal
from collections.abc import Callable, Iterator
from typing import NoReturn

from enas_tf.environment.console import say
from enas_tf.training.interruption import TERMINATIONS


def search() -> int:
    """Runs `enas-search`."""
    return _run("search")


def derive() -> int:
    """Runs `enas-derive`."""
    return _run("derive")


def retrain() -> int:
    """Runs `enas-retrain`."""
    return _run("retrain")


def evaluate() -> int:
    """Runs `enas-evaluate`."""
    return _run("evaluate")


def export() -> int:
    """Runs `enas-export`."""
    return _run("export")


def generate() -> int:
    """Runs `enas-generate`."""
    return _run("generate")


def draw() -> int:
    """Runs `enas-draw`."""
    return _run("draw")


def report() -> int:
    """Runs `enas-report`."""
    return _run("report")


def benchmark() -> int:
    """Runs `enas-benchmark`."""
    return _run("benchmark")


def _run(name: str) -> int:
    def stop(number: int, frame: object) -> NoReturn:
        # Not by an exception: libraries that are being imported turn it into others. There is
        # nothing yet that should be saved.
        word = "interrupted" if number == signal.SIGINT else "terminated"
        with contextlib.suppress(OSError):
            os.write(2, f"enas-{name}: {word}\n".encode())
        os._exit(128 + number)

    try:
        with _handled_by(stop):
            command = importlib.import_module(f"enas_tf.cli.{name}")
        return command.main()
    except KeyboardInterrupt as error:
        # Just before or after `main`, which sees to it while it runs.
        say(f"enas-{name}: interrupted")
        return 128 + getattr(error, "number", signal.SIGINT)


@contextlib.contextmanager
def _handled_by(stop: Callable[[int, object], NoReturn]) -> Iterator[None]:
    """Lets the signals that would end the process call a function instead."""
    previous = {
        number: signal.signal(number, stop)
        for number in (signal.SIGINT, *TERMINATIONS)
        if signal.getsignal(number) in (signal.SIG_DFL, signal.default_int_handler)
    }
    yield
    for number, handler in previous.items():
        signal.signal(number, handler)
