"""What the installed commands call.

Little is imported here, so that Ctrl-C is caught as early as possible: importing a command takes a
large part of a second.
"""

import contextlib
import functools
import importlib
import os
import signal
from typing import NoReturn

from enas_tf.environment.console import say
from enas_tf.training.interruption import TERMINATIONS, handled_by


def _run(name: str) -> int:
    def stop(number: int, frame: object) -> NoReturn:
        # Not by an exception: libraries that are being imported turn it into others. There is
        # nothing yet that should be saved.
        word = "interrupted" if number == signal.SIGINT else "terminated"
        with contextlib.suppress(OSError):
            os.write(2, f"enas-{name}: {word}\n".encode())
        os._exit(128 + number)

    try:
        with handled_by(stop, (signal.SIGINT, *TERMINATIONS)):
            command = importlib.import_module(f"enas_tf.cli.{name}")
        return command.main()
    except KeyboardInterrupt as error:
        # Just before or after `main`, which sees to it while it runs.
        say(f"enas-{name}: interrupted")
        return 128 + getattr(error, "number", signal.SIGINT)


search = functools.partial(_run, "search")
derive = functools.partial(_run, "derive")
retrain = functools.partial(_run, "retrain")
evaluate = functools.partial(_run, "evaluate")
predict = functools.partial(_run, "predict")
export = functools.partial(_run, "export")
generate = functools.partial(_run, "generate")
draw = functools.partial(_run, "draw")
report = functools.partial(_run, "report")
benchmark = functools.partial(_run, "benchmark")
pack = functools.partial(_run, "pack")
study = functools.partial(_run, "study")
