"""When a training stops between two steps, and when it only saves."""

import enum
import sys
import time
from collections.abc import Callable

from enas_tf.training.interruption import DeferredSignals
from enas_tf.training.machines.agreement import Machines

# What is lost at most when a process is killed.
SECONDS_BETWEEN_SAVES = 600.0
# Several machines exchange a message in order to stop at the same step; not at every step.
STEPS_BETWEEN_AGREEMENTS = 10


class Pause(enum.Enum):
    """What to do between two steps."""

    NONE = "none"
    SAVE = "save"
    STOP = "stop"


class Pauses:
    """Says between two calls of steps whether to go on, to save, or to save and stop.

    Args:
      signals: hold back the wish of a person or of the system that the process ends.
      machines: the machines, which all ask at the same steps and get the same answer.
      clock: returns seconds.
    """

    def __init__(
        self,
        signals: DeferredSignals,
        machines: Machines,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._signals = signals
        self._machines = machines
        self._clock = clock
        self._last_save = clock()

    def before(self, step: int) -> Pause:
        """Returns what to do before a step.

        Args:
          step: its number, everywhere the same.
        """
        stops = self._signals.pending
        is_due = self._clock() - self._last_save >= SECONDS_BETWEEN_SAVES
        if self._machines.are_several:
            if step % STEPS_BETWEEN_AGREEMENTS:
                return Pause.NONE
            stops, is_due = self._signals.agree(self._machines, is_due)
        if stops:
            return Pause.STOP
        return Pause.SAVE if is_due else Pause.NONE

    def steps_to_agreement(self, step: int) -> int:
        """Returns how many steps may be taken at once so that no agreement is missed.

        Args:
          step: number of the first one.
        """
        if not self._machines.are_several:
            return sys.maxsize
        return STEPS_BETWEEN_AGREEMENTS - step % STEPS_BETWEEN_AGREEMENTS

    def saved(self) -> None:
        """Takes note that everything has just been saved."""
        self._last_save = self._clock()
