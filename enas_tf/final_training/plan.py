"""How many steps of a final training fit into its time."""

import math
from collections.abc import Mapping
from typing import Any

from enas_tf.training.schedules import Horizon
from enas_tf.training.time_budget import Course, TimeBudget

# The kinds of work of a final training.
STEP, EPOCH_END, SAVE = "step", "epoch_end", "save"
# Steps after which it is decided for the first time; the first two, which are traced, tell nothing.
_FIRST_STEPS = 8


class TrainingPlan:
    """The steps of a final training with a time budget.

    It is decided for the first time after a few steps, and looked at again when half of the steps
    that were left are done; at the ends of the first epochs too, which show how long these take. A
    checkpoint is saved with every decision.

    Args:
      text: the time, such as `10m`.
      horizon: what the schedules read; it follows the decisions.

    Attributes:
      budget: the time.
      total: steps of the whole training; None: not decided yet.
      stop: step at which it is decided next; None: never.
    """

    def __init__(self, text: str, horizon: Horizon) -> None:
        self.budget = TimeBudget(text)
        self._horizon = horizon
        self.total: int | None = None
        self.stop: int | None = _FIRST_STEPS

    def decision(self, step: int, epoch_steps: int, seconds_of_end: float) -> dict[str, Any]:
        """Returns what is to be done from here on, by what was measured.

        Args:
          step: steps that are done.
          epoch_steps: in an epoch.
          seconds_of_end: that all takes what comes after the last step.
        """
        pace = self.budget.pace
        each = pace.seconds(STEP) + (pace.seconds(EPOCH_END) + pace.seconds(SAVE)) / epoch_steps
        left = self.budget.seconds - self.budget.used - seconds_of_end
        fitting = int(left / max(each, 1e-9))
        total = self.total
        if total is None or self.budget.misses(left, (total - step) * each):
            # Not in the middle of an epoch without a step after which it is looked at.
            total = step + max(fitting, 1 if step % epoch_steps or not step else 0)
        half = step + math.ceil((total - step) / 2)
        stop = half if half - step >= _FIRST_STEPS else None
        if not pace.is_known(EPOCH_END):
            end_of_epoch = (step // epoch_steps + 1) * epoch_steps
            stop = end_of_epoch if stop is None else min(stop, end_of_epoch)
        return {"step": step, "total": total, "stop": stop}

    def follow(self, decision: Mapping[str, Any]) -> bool:
        """Lets a decision hold; returns whether it is another than before."""
        is_new = decision["total"] != self.total
        self.total, self.stop = decision["total"], decision["stop"]
        if is_new:
            course = self._horizon.course
            self._horizon.course = course.revised(decision["step"], decision["total"] - 1)
        self.budget.pace.settle()
        return is_new

    def to_json(self) -> dict[str, Any]:
        """Returns what a checkpoint must hold."""
        return {
            **self.budget.to_json(),
            "total": self.total,
            "stop": self.stop,
            "course": list(self._horizon.course),
        }

    def restore(self, values: Mapping[str, Any]) -> None:
        """Takes what `to_json` returned; `{}`: there is no checkpoint."""
        self.budget.restore(values)
        self.total = values.get("total")
        self.stop = values.get("stop", _FIRST_STEPS)
        self._horizon.course = Course(*values.get("course", ()))
