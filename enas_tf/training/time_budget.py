"""How much of a given time is left, and what of the work fits. No TensorFlow here.

What was measured never decides anything by itself: it leads to decisions, which are part of the
checkpoint that is saved with them, and hold until the next one. So a run that is killed goes on as
if nothing had happened, at the same rates, to the same end.
"""

import math
from collections.abc import Mapping
from typing import Any, NamedTuple

from enas_tf.settings.durations import seconds_of
from enas_tf.training import pace

# A plan is kept as long as it misses the end by no more than this share of the whole time.
TOLERANCE = 0.02


class Course(NamedTuple):
    """Which share of a whole is done after so many steps: even from one decision to the end.

    Attributes:
      step: at which it was last decided how many steps there are.
      share: that was done at it.
      last: number of the last step, at which all is done; None: not known yet.
    """

    step: int = 0
    share: float = 0.0
    last: int | None = None

    def line(self) -> tuple[float, float, float]:
        """Returns the step from which on, the share from which on, and the step at which it is 1.

        A last step that is the first one too has the whole behind it.
        """
        if self.last is None:
            return float(self.step), self.share, math.inf
        return min(float(self.step), self.last - 0.5), self.share, float(self.last)

    def share_at(self, step: int) -> float:
        """Returns the share that is done before a step."""
        first, share, last = self.line()
        passed = min(max((step - first) / (last - first), 0.0), 1.0)
        return share + (1.0 - share) * passed

    def revised(self, step: int, last: int) -> "Course":
        """Returns a course that goes on from here at a step, and ends with another one."""
        return Course(step, self.share_at(step), max(step, last))


class Layout(NamedTuple):
    """What is left of a search.

    Attributes:
      epochs: how many.
      steps: training steps of each.
      updates: of the strategy, in each of those epochs that have any.
    """

    epochs: int
    steps: int
    updates: int


class Costs(NamedTuple):
    """Seconds that the parts of a search take.

    Attributes:
      step: a training step.
      update: an update of the strategy.
      epoch_end: what there is to be done at the end of an epoch.
    """

    step: float
    update: float
    epoch_end: float


# A search shall alternate so often, if the ends of epochs do not take too much of the time.
_FEWEST_EPOCHS = 10
_MOST_FOR_ENDS = 0.25


def lay_out(
    seconds: float, costs: Costs, full: Layout, updating: float = 1.0, done: int = 0
) -> Layout:
    """Returns what of a search fits into some time.

    Whole epochs, if at least ten fit, those that are done included; else as many that are shorter.

    Args:
      seconds: what is left.
      costs: of the parts.
      full: `steps` and `updates` of a whole epoch.
      updating: share of the epochs that have updates.
      done: epochs that are done.

    Returns:
      At least one step of an epoch, however little time is left.
    """
    work = full.steps * costs.step + updating * full.updates * costs.update
    whole = max(work + costs.epoch_end, 1e-9)
    fitting = int(max(seconds, 0.0) / whole)
    fewest = max(1, _FEWEST_EPOCHS - done)
    if fitting >= fewest:
        return Layout(fitting, full.steps, full.updates)
    if costs.epoch_end > 0.0:
        fewest = max(1, min(fewest, int(_MOST_FOR_ENDS * seconds / costs.epoch_end)))
    epochs = max(fewest, fitting + 1)
    share = (seconds / epochs - costs.epoch_end) / work if work else 1.0
    share = min(max(share, 0.0), 1.0)
    return Layout(epochs, _part(full.steps, share), _part(full.updates, share))


def _part(count: int, share: float) -> int:
    return max(1, round(share * count)) if count else 0


class TimeBudget:
    """A time that a run may take, and how much of it is used, over all interruptions.

    Attributes:
      seconds: that it may take.
      pace: how fast its work is.
    """

    def __init__(self, text: str) -> None:
        """Starts the clock.

        Args:
          text: the time, such as `1h30m`.
        """
        self.text = text
        self.seconds = seconds_of(text) or 0.0
        self.pace = pace.Pace()
        self._begun = pace.now()
        self._used_before: float | None = None

    @property
    def used(self) -> float:
        """Seconds that the run has taken, but for those between its interruptions."""
        return (self._used_before or 0.0) + pace.now() - self._begun

    def misses(self, left: float, planned: float) -> bool:
        """Whether a plan is to be corrected.

        Args:
          left: seconds that there are.
          planned: seconds that what is planned will take.
        """
        return abs(left - planned) > TOLERANCE * self.seconds

    def to_json(self) -> dict[str, Any]:
        """Returns what a checkpoint must hold."""
        return {"used": self.used, "pace": self.pace.to_json()}

    def restore(self, values: Mapping[str, Any]) -> None:
        """Goes on from a checkpoint; `{}`: there is none.

        A process that goes back to a checkpoint of its own has used its time all the same.
        """
        if self._used_before is None:
            self._used_before = values.get("used", 0.0)
            self.pace.restore(values.get("pace", {}))
