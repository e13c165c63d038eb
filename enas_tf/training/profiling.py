"""Profiles of a few steps of a training: which operation took how long, on which device."""

import contextlib
import contextvars
import logging
import pathlib
import sys
from collections.abc import Iterator

import tensorflow as tf

from enas_tf.errors import ConfigurationError, RunDirectoryError
from enas_tf.files.places import check_place, shown
from enas_tf.files.writing import reason
from enas_tf.training.machines.agreement import Machines

_log = logging.getLogger(__name__)


_wanted: contextvars.ContextVar[range | None] = contextvars.ContextVar("steps", default=None)


@contextlib.contextmanager
def profiled(steps: range | None) -> Iterator[None]:
    """Lets searches and final trainings in a block write a TensorFlow profile of some steps.

    It goes into the folder `tensorboard` of the run, for the page *Profile* of TensorBoard. What is
    trained without a folder has no profile.

    ```python
    with profiled(range(10, 20)):
        enas_tf.search(space, data, config, "runs/digits")
    ```

    Args:
      steps: which ones, counted from 0 at the first step that each of them takes, so that one that
        goes on is profiled like a new one; None: none.

    Raises:
      ConfigurationError: these are no steps.
    """
    if steps is not None and (steps.step != 1 or not 0 <= steps.start < steps.stop):
        raise ConfigurationError(
            "`steps` must follow each other from 0 on, as range(10, 20) do. "
            f"Received: steps={steps!r}."
        )
    token = _wanted.set(steps)
    try:
        yield
    finally:
        _wanted.reset(token)


class Profile:
    """The profile of one training, of the steps that `profiled` names.

    ```python
    with Profile(run.tensorboard, machines) as profile:
        while training:
            with profile.step():
                train(batch)
    ```

    When the block ends early, the steps that were recorded are written; not if an error ends it.

    Args:
      folder: of TensorBoard's event files; None: nothing is written.
      machines: the machines that train, of which the chief records.

    Attributes:
      taken: how many steps there were so far.
    """

    def __init__(self, folder: pathlib.Path | None, machines: Machines) -> None:
        wanted = _wanted.get()
        self._folder = folder or pathlib.Path()
        # The same on all machines, which must take the same steps at once.
        self._wanted = wanted or range(0)
        self._steps = wanted if wanted and folder and machines.is_chief else range(0)
        self.taken = 0
        self._records = False

    def __enter__(self) -> "Profile":
        return self

    def __exit__(self, kind: type[BaseException] | None, *exception: object) -> None:
        if self._records:
            self._stop(save=kind is None)
        elif self._steps and self.taken <= self._steps.start and kind is None:
            _log.warning(
                "No profile was written: step %d was not reached, since only %d were left.",
                self._steps.start,
                self.taken,
            )

    @property
    def steps_alike(self) -> int:
        """How many of the next steps are all recorded, or none of them."""
        ends = [end for end in (self._wanted.start, self._wanted.stop) if end > self.taken]
        return min(ends, default=sys.maxsize) - self.taken

    @contextlib.contextmanager
    def step(self, count: int = 1) -> Iterator[None]:
        """Counts what the block takes, a step or several, and records it if it is wanted.

        Args:
          count: how many steps, at most `steps_alike`.
        """
        if self.taken in self._steps and not self._records:
            self._start()
        # Tells TensorBoard where they begin and end; costs nothing while nobody records.
        with tf.profiler.experimental.Trace("train", step_num=self.taken, _r=1):
            yield
        self.taken += count
        if self._records and self.taken not in self._steps:
            self._stop(save=True)

    def _start(self) -> None:
        with self._writing():
            tf.profiler.experimental.start(str(self._folder))
        self._records = True

    def _stop(self, save: bool) -> None:
        self._records = False
        with self._writing():
            if save:
                # What a device has not done yet would be missing.
                tf.test.experimental.sync_devices()
                check_place(self._folder)
            tf.profiler.experimental.stop(save)

    @contextlib.contextmanager
    def _writing(self) -> Iterator[None]:
        try:
            yield
        except tf.errors.OpError as error:
            raise RunDirectoryError(
                f"Cannot write a profile into {shown(self._folder)}: {reason(error)}."
            ) from error
