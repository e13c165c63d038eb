"""The progress line of long work, with the time left for the whole job."""

import contextlib
import contextvars
import shutil
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from typing import TextIO

from enas_tf.environment.console import Console

_wanted = contextvars.ContextVar("wanted", default=True)


@contextlib.contextmanager
def progress_shown(wanted: bool) -> Iterator[None]:
    """Decides for a block, and all that it calls, whether progress is shown.

    Args:
      wanted: what is not wanted outside of the block is not wanted inside either.
    """
    token = _wanted.set(_wanted.get() and wanted)
    try:
        yield
    finally:
        _wanted.reset(token)


class Progress:
    """Shows what runs, how fast, and how long the whole job will still take.

    On a terminal one line is rewritten; elsewhere a plain line is printed now and then. The time
    left is what each phase's remaining steps take at the speed measured for that phase; its first
    step (tracing, compiling) is not counted into the speed.

    ```python
    progress = Progress({"shared_weights": 3510, "controller": 500})
    progress.update("shared_weights", 1, epoch=1, epochs=10, loss=2.3, accuracy=0.1)
    ```
    """

    def __init__(
        self,
        total_steps: Mapping[str, int],
        done_steps: Mapping[str, int] | None = None,
        *,
        shown: bool = True,
        stream: TextIO | None = None,
        interval: float = 10.0,
        clock: Callable[[], float] = time.monotonic,
    ):
        """Starts the clock; prints nothing yet.

        Args:
          total_steps: for each phase, its steps in the whole job.
          done_steps: those already done by an interrupted run.
          shown: whether anything is printed, where `progress_shown` does not forbid it; of several
            machines, only one shows the progress.
          stream: where to (default: stderr).
          interval: seconds between two lines when the stream is no terminal.
          clock: returns seconds.
        """
        self._phases = {
            name: _Phase(total, (done_steps or {}).get(name, 0))
            for name, total in total_steps.items()
        }
        self._console = Console(sys.stderr if stream is None else stream)
        self._shown = shown and _wanted.get()
        self._terminal = self._console.isatty()
        self._interval = 0.1 if self._terminal else interval
        self._clock = clock
        self._last_update = clock()
        self._last_line: float | None = None
        self._line_open = False

    def update(
        self,
        phase: str,
        steps: int = 1,
        *,
        epoch: int | None = None,
        epochs: int | None = None,
        **metrics: float,
    ) -> None:
        """Counts steps of a phase and shows the line if it is due.

        Args:
          phase: one of those given at the start; work of other phases must not lie in between
            two updates.
          steps: how many were done since the last update.
          epoch: the running epoch, counted from 1.
          epochs: how many there are.
          **metrics: numbers to show, for example `loss`.
        """
        now = self._clock()
        current = self._phases[phase]
        current.count(steps, now - self._last_update)
        self._last_update = now
        due = self._last_line is None or now - self._last_line >= self._interval
        # A terminal always shows the last step; a log keeps its distance between lines.
        if self._shown and (due or (self._terminal and current.done >= current.total)):
            self._last_line = now
            self._show(self._line(phase, epoch, epochs, metrics))

    def skip_time(self) -> None:
        """Leaves the time since the last update out of the speed, for example a checkpoint's."""
        self._last_update = self._clock()

    def message(self, text: str) -> None:
        """Prints a line that stays, above the progress line."""
        if self._shown:
            self._clear()
            self._console.show(f"{text}\n")

    def close(self) -> None:
        """Ends the progress line."""
        if self._line_open:
            self._console.show("\n")
            self._line_open = False

    def seconds_left(self) -> tuple[float, bool]:
        """Returns the estimate for the whole job, and whether all phases have been measured."""
        left = 0.0
        complete = True
        for phase in self._phases.values():
            remaining = max(phase.total - phase.done, 0)
            if phase.seconds_per_step is None:
                complete = complete and not remaining
            else:
                left += remaining * phase.seconds_per_step
        return left, complete

    def _line(
        self, name: str, epoch: int | None, epochs: int | None, metrics: Mapping[str, float]
    ) -> str:
        phase = self._phases[name]
        parts = [name.replace("_", " ")]
        if epoch is not None:
            parts.append(f"epoch {epoch}/{epochs}" if epochs else f"epoch {epoch}")
        parts.append(f"step {phase.done}/{phase.total}")
        if phase.seconds_per_step:
            parts.append(_rate(phase.seconds_per_step))
        parts += [f"{key.replace('_', ' ')} {value:.4g}" for key, value in metrics.items()]
        left, complete = self.seconds_left()
        if left or complete:
            parts.append(f"{'' if complete else 'at least '}{duration(left)} left")
        return "  ".join(parts)

    def _show(self, line: str) -> None:
        if not self._terminal:
            self._console.show(f"{line}\n")
            return
        width = shutil.get_terminal_size().columns - 1
        self._console.show(f"\r{line[:width]}\x1b[K")
        self._line_open = True

    def _clear(self) -> None:
        if self._line_open:
            self._console.show("\r\x1b[K")
            self._line_open = False


class _Phase:
    """Steps and speed of one kind of work."""

    def __init__(self, total: int, done: int):
        self.total = total
        self.done = done
        self._warm = False
        self._steps = 0
        self._seconds = 0.0

    def count(self, steps: int, seconds: float) -> None:
        self.done += steps
        if self._warm:
            self._steps += steps
            self._seconds += seconds
        self._warm = True

    @property
    def seconds_per_step(self) -> float | None:
        return self._seconds / self._steps if self._steps else None


def duration(seconds: float) -> str:
    """Returns a length of time in the two largest units, for example `2 h 05 min`."""
    seconds = round(seconds)
    if seconds < 60:
        return f"{seconds} s"
    minutes, seconds = divmod(seconds, 60)
    if minutes < 60:
        return f"{minutes} min {seconds:02d} s"
    hours, minutes = divmod(minutes, 60)
    if hours < 24:
        return f"{hours} h {minutes:02d} min"
    days, hours = divmod(hours, 24)
    return f"{days} d {hours:02d} h"


def _rate(seconds_per_step: float) -> str:
    if seconds_per_step < 1.0:
        return f"{1.0 / seconds_per_step:.3g} steps/s"
    return f"{seconds_per_step:.3g} s/step"
