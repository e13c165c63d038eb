"""How much of a given time is left, how fast work is, and what of it fits. No TensorFlow here.

What was measured never decides anything by itself: it leads to decisions, which are part of the
checkpoint that is saved with them, and hold until the next one. So a run that is killed goes on as
if nothing had happened, at the same rates, to the same end.
"""

import contextlib
import math
import time
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from enas_tf.settings.durations import seconds_of

# A plan is kept as long as it misses the end by no more than this share of the whole time.
TOLERANCE = 0.02


def now() -> float:
    """Returns the seconds of a clock that only goes on."""
    return time.monotonic()


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


class Pace:
    """How long pieces of work take, by their kind, in seconds.

    The first pieces of a kind in a process are kept apart: it is traced and compiled in them.
    """

    def __init__(self) -> None:
        self._known: dict[str, float] = {}
        self._first: dict[str, float] = {}
        self._seen: dict[str, int] = {}
        self._total: dict[str, float] = {}
        self._count: dict[str, int] = {}

    @contextlib.contextmanager
    def measured(self, kind: str, first: int = 1, count: int = 1) -> Iterator[None]:
        """Measures the block, which is a piece of work.

        Args:
          kind: of the work.
          first: how many pieces of it are kept apart.
          count: how many pieces the block is.
        """
        begun = now()
        yield
        seconds = now() - begun
        self._seen[kind] = self._seen.get(kind, 0) + count
        if self._seen[kind] <= first:
            self._first[kind] = self._first.get(kind, 0.0) + seconds
            return
        self._total[kind] = self._total.get(kind, 0.0) + seconds
        self._count[kind] = self._count.get(kind, 0) + count

    def is_known(self, kind: str) -> bool:
        """Whether more than the first pieces of a kind were measured."""
        return kind in self._count or kind in self._known

    def seconds(self, kind: str) -> float:
        """Returns the mean since `settle`, or what is known from before; else of the first ones."""
        if kind in self._count:
            return self._total[kind] / self._count[kind]
        return self._known.get(kind, self.first(kind))

    def first(self, kind: str) -> float:
        """Returns how long the first pieces of a kind took; 0: there was none yet."""
        return self._first.get(kind, self._known.get(f"first_{kind}", 0.0))

    def settle(self) -> None:
        """Remembers the means so far, and measures anew: speed may change in the course of time."""
        self._known.update(self.to_json())
        self._total.clear()
        self._count.clear()

    def to_json(self) -> dict[str, float]:
        """Returns all that is known, for a checkpoint."""
        means = {kind: self._total[kind] / count for kind, count in self._count.items()}
        firsts = {f"first_{kind}": seconds for kind, seconds in self._first.items()}
        return {**self._known, **firsts, **means}

    def restore(self, known: Mapping[str, float]) -> None:
        """Takes what `to_json` returned for known; what this process measures counts more."""
        self._known = dict(known)


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
        self.pace = Pace()
        self._begun = now()
        self._used_before: float | None = None

    @property
    def used(self) -> float:
        """Seconds that the run has taken, but for those between its interruptions."""
        return (self._used_before or 0.0) + now() - self._begun

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
