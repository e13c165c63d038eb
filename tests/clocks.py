"""A clock that goes on only when work is done, for tests of time budgets."""

import contextlib

from enas_tf.training import pace


class Clock:
    """Seconds that are added by `work`, or by every look at the clock.

    Args:
      seconds_per_look: for whatever happens between two looks.
    """

    def __init__(self, seconds_per_look=0.0):
        self.seconds = 1000.0
        self._seconds_per_look = seconds_per_look

    def __call__(self):
        self.seconds += self._seconds_per_look
        return self.seconds

    def work(self, budget, kind, seconds):
        """Does a piece of work of a kind under a budget."""
        with budget.pace.measured(kind):
            self.seconds += seconds


@contextlib.contextmanager
def goes(monkeypatch, seconds_per_look=0.0):
    """Lets time budgets have a clock of their own in a block."""
    with monkeypatch.context() as patch:
        clock = Clock(seconds_per_look)
        patch.setattr(pace, "now", clock)
        yield clock
