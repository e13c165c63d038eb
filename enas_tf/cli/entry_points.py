"""What the installed commands call.

Little is imported here, so that Ctrl-C is caught as early as possible: importing a command takes a
large part of a second.
"""

import importlib
import os
import signal
import sys
from typing import NoReturn


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
        os.write(2, f"enas-{name}: interrupted\n".encode())
        os._exit(128 + number)

    try:
        # A process in the background may ignore Ctrl-C.
        heeds = signal.getsignal(signal.SIGINT) is signal.default_int_handler
        if heeds:
            signal.signal(signal.SIGINT, stop)
        command = importlib.import_module(f"enas_tf.cli.{name}")
        if heeds:
            signal.signal(signal.SIGINT, signal.default_int_handler)
        return command.main()
    except KeyboardInterrupt:
        # Just before or after `main`, which sees to it while it runs.
        print(f"enas-{name}: interrupted", file=sys.stderr)
        return 128 + signal.SIGINT
