"""Interruptions that wait until the state of a run is saved."""

import contextlib
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from types import FrameType
from typing import TYPE_CHECKING, Any

from typing_extensions import Self

if TYPE_CHECKING:
    from enas_tf.training.machines.agreement import Machines

# The wish of a program that the process ends; SIGHUP, which Windows lacks: the terminal was closed.
TERMINATIONS = tuple(
    getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name)
)


def is_heeded(number: int) -> bool:
    """Whether a signal reaches this process at all.

    A process in the background may ignore Ctrl-C, one under `nohup` that the terminal is closed.

    Args:
      number: of the signal.
    """
    # None: a handler that was not installed by Python, which cannot be restored.
    return signal.getsignal(number) not in (None, signal.SIG_IGN)


@contextlib.contextmanager
def handled_by(
    handler: Callable[[int, Any], Any], numbers: Sequence[int] = TERMINATIONS
) -> Iterator[None]:
    """Lets signals that reach this process call a function while a block runs.

    Args:
      handler: gets the number of the signal and a frame.
      numbers: of the signals.
    """
    previous = {number: signal.signal(number, handler) for number in filter(is_heeded, numbers)}
    try:
        yield
    finally:
        for number, before in previous.items():
            signal.signal(number, before)


class DeferredSignals:
    """Holds back Ctrl-C and a request to terminate until the end of a `with` block.

    The block asks `pending` between two steps, and leaves after saving; at its end the signal is
    raised again and does what it would have done. A second Ctrl-C acts at once; other signals come
    from programs, which send them more than once (a shell and the system do when a terminal is
    closed). What another machine got does not count there, since a system that ends a training
    tells all of them.

    ```python
    with DeferredSignals() as signals:
        while not done and not signals.pending:
            step()
        save()
    ```

    Outside of the main thread, where Python cannot handle signals, nothing is held back.
    """

    def __init__(self) -> None:
        self.number: int | None = None
        self._came_here = False
        self._previous: dict[int, Any] = {}

    @property
    def pending(self) -> bool:
        """Whether a signal has come."""
        return self.number is not None

    def agree(self, machines: "Machines", *others: bool) -> list[bool]:
        """Lets a signal that one machine got hold on all of them.

        Args:
          machines: the machines; all of them must ask at the same time.
          *others: further questions to agree on, each answered by the chief.

        Returns:
          Whether a signal has come, and the answers to the questions. A signal that comes while
          the machines ask is `pending` on its own machine alone, until they ask again.
        """
        answers = machines.of_all([self.number or 0, *others])
        number = int(answers[:, 0].max())
        self.number = number or self.number
        return [number > 0, *(bool(answer) for answer in answers[0, 1:])]

    def check_finished(self) -> None:
        """Raises `KeyboardInterrupt` after a block that a signal ended.

        The signal's own handler may have come back, or another machine may have got a signal that
        is ignored here; work that was left must not pass for finished work all the same.
        """
        if self.pending:
            raise KeyboardInterrupt

    def __enter__(self) -> Self:
        if threading.current_thread() is threading.main_thread():
            for number in filter(is_heeded, (signal.SIGINT, *TERMINATIONS)):
                self._previous[number] = signal.signal(number, self._hold_back)
        return self

    def __exit__(self, kind: type[BaseException] | None, *exception: object) -> None:
        self._restore()
        if self.number is not None and kind is None:
            signal.raise_signal(self.number)

    def _hold_back(self, number: int, frame: FrameType | None) -> None:
        if self._came_here and number == signal.SIGINT:
            self._restore()
            signal.raise_signal(number)
        self._came_here = True
        self.number = number

    def _restore(self) -> None:
        for number, handler in self._previous.items():
            signal.signal(number, handler)
        self._previous.clear()
