"""The loop under every training: steps, pauses, signals, saving, going back.

A search and a final training are *tasks*: each says what its steps are and what belongs to its
state. When to save, to stop, and to go back to the last checkpoint because a number is not finite,
is decided here, once.
"""

import abc
import logging
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from enas_tf.errors import NumericalError
from enas_tf.training.interruption import DeferredSignals
from enas_tf.training.machines.agreement import Machines
from enas_tf.training.pauses import Pause, Pauses
from enas_tf.training.profiling import Profile

_log = logging.getLogger(__name__)


class StretchEnd(NamedTuple):
    """What there is to say at the end of a stretch of steps.

    Attributes:
      score: how good what is trained is now, higher is better, by which the best checkpoint is
        chosen; None: not known.
      ask: tells the caller of the training, who may answer True in order to end it; None: there is
        nobody to tell.
    """

    score: float | None = None
    ask: Callable[[], Any] | None = None


class Stretch(NamedTuple):
    """Steps that belong together, such as an epoch; at their end everything is saved.

    Attributes:
      steps: numbers of those that are left.
      take: takes the steps of some numbers, in one call.
      end: does what is to be done after the last one.
      most: steps of a call at most.
      line: no call goes beyond a step whose number is divided by this; what is read, shown or
        written every so many steps is so at the end of a call.
    """

    steps: range
    take: Callable[[range], None]
    end: Callable[[], StretchEnd]
    most: int = 1
    line: int = 1


class Task(abc.ABC):
    """What a `Trainer` works on.

    Attributes:
      machines: the machines that train.
      rollbacks: how often the training went back to a checkpoint because a number was not finite;
        what makes random numbers shall take it into account. It is saved.
    """

    machines: Machines
    rollbacks: int

    @property
    @abc.abstractmethod
    def max_rollbacks(self) -> int:
        """How often the training may go back."""

    @abc.abstractmethod
    def begin(self) -> None:
        """Prepares a new training, or takes up one that was restored."""

    @abc.abstractmethod
    def stretch(self) -> Stretch | None:
        """Returns the steps that come next; None if there are none."""

    @abc.abstractmethod
    def check(self) -> None:
        """Raises `NumericalError` if the state is not worth going back to."""

    @abc.abstractmethod
    def save(self, score: float | None = None) -> None:
        """Saves everything; for the score see `StretchEnd`."""

    @abc.abstractmethod
    def go_back(self) -> bool:
        """Restores the newest checkpoint; returns whether there was one."""

    @abc.abstractmethod
    def went_back(self) -> None:
        """Makes what follows another than the last time, after `rollbacks` was counted."""

    @abc.abstractmethod
    def place(self) -> str:
        """Returns how far the training is, in words."""

    @abc.abstractmethod
    def end(self) -> None:
        """Takes note that no further step is wanted, though not all were taken."""

    def interrupted(self) -> None:  # noqa: B027 (a hook; nothing needs to be done)
        """Does what is to be done after the state was saved because of an interruption."""


class Trainer:
    """Takes the steps of a task that are left.

    Args:
      task: what is trained.
      profile: records some of the steps.
    """

    def __init__(self, task: Task, profile: Profile) -> None:
        self._task = task
        self._profile = profile
        self._is_saved = True

    def run(self) -> None:
        """Trains to the end.

        An interruption waits until the state is saved, and is then raised. When a number is not
        finite, the training goes back to its last checkpoint.

        Raises:
          NumericalError: going back did not help.
        """
        task = self._task
        task.begin()
        with DeferredSignals() as signals, self._profile:
            pauses = Pauses(signals, task.machines)
            while True:
                try:
                    self._take_steps(pauses)
                    # So that one that came late ends all machines alike.
                    signals.agree(task.machines)
                    break
                except NumericalError as error:
                    self._go_back(error)
        signals.check_finished()

    def _take_steps(self, pauses: Pauses) -> None:
        """Takes the steps that are left, or those before an interruption."""
        task = self._task
        while (stretch := task.stretch()) is not None:
            left = stretch.steps
            while left:
                if (pause := pauses.before(left.start)) is not Pause.NONE:
                    self._save_between_steps()
                    pauses.saved()
                if pause is Pause.STOP:
                    task.interrupted()
                    return
                self._is_saved = False
                count = self._steps_of_call(stretch, left, pauses)
                with self._profile.step(count):
                    stretch.take(left[:count])
                left = left[count:]
            ended = stretch.end()
            self._save(ended.score)
            pauses.saved()
            # After the save, so that nothing is lost if it fails.
            answer = None if ended.ask is None else ended.ask()
            if asks_to_stop(answer, task.machines):
                task.end()
                self._save()

    def _steps_of_call(self, stretch: Stretch, left: range, pauses: Pauses) -> int:
        """Returns how many of the steps that are left are taken at once."""
        if not self._profile.taken:
            # In which TensorFlow prepares its functions; it tells nothing of the others' pace.
            return 1
        return min(
            stretch.most,
            len(left),
            stretch.line - left.start % stretch.line,
            pauses.steps_to_agreement(left.start),
            self._profile.steps_alike,
        )

    def _save(self, score: float | None = None) -> None:
        self._task.save(score)
        self._is_saved = True

    def _save_between_steps(self) -> None:
        if not self._is_saved:
            self._task.check()
            self._save()

    def _go_back(self, error: NumericalError) -> None:
        """Goes back to the last checkpoint, and on from there with other random numbers."""
        task = self._task
        limit, done = task.max_rollbacks, task.rollbacks
        if done >= limit:
            raise NumericalError(
                f"{error} The training went back to its last checkpoint as often as "
                f"max_rollbacks={limit} allows."
            ) from error
        if not task.go_back():
            raise NumericalError(f"{error} There is no checkpoint to go back to.") from error
        # The checkpoint may be older than the last time it was gone back to.
        task.rollbacks = done + 1
        _log.warning(
            "%s Going back to the last checkpoint, %s, and on with other random numbers (%d of at "
            "most %d times).",
            error,
            task.place(),
            done + 1,
            limit,
        )
        task.went_back()
        self._save()


def asks_to_stop(answer: Any, machines: Machines) -> bool:
    """Returns whether the function that is called after each epoch wants no further one.

    Only True does: what other functions happen to return, as `list.append` and `file.write` do,
    shall not end a training.

    Args:
      answer: what the function returned on this machine.
      machines: the machines, which all ask; the chief's answer counts.
    """
    return machines.decide(lambda: isinstance(answer, bool | np.bool_) and bool(answer))
