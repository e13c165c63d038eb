"""How long a search is: its epochs, and the steps and updates in each of them.

As the settings say; or with a time budget, as many as fit into it, decided while the search runs.
"""

from collections.abc import Mapping
from typing import Any

from enas_tf.settings.search import SearchConfig
from enas_tf.training.time_budget import Costs, Course, Layout, TimeBudget, lay_out

# The kinds of work of a search: a training step; a step that scores proposals, and what a strategy
# learns from them; what is done at the end of an epoch; a checkpoint; the score of a candidate.
STEP, UPDATE, LEARN, EPOCH_END, SAVE, SCORE = "step", "update", "learn", "end", "save", "score"
# Training steps of the first epoch of a search with a time budget: it shows how long all takes.
_FIRST_STEPS = 10
# Shares that are equal but for rounding.
_CLOSE = 1e-9


class SearchSchedule:
    """What the settings say; epochs are counted from 0.

    Args:
      config: the settings of the search.
      steps: training steps of an epoch.
      updates: of the strategy in an epoch that has any.

    Attributes:
      budget: the time that the search may take; None: as long as its epochs take.
    """

    budget: TimeBudget | None = None

    def __init__(self, config: SearchConfig, steps: int, updates: int) -> None:
        self._config = config
        self._full = Layout(config.shared_weights.epochs, steps, updates)

    @property
    def epochs(self) -> int | None:
        """How many there are; None: not decided yet."""
        return self._full.epochs

    @property
    def steps(self) -> int:
        """Training steps of the running epoch."""
        return self._full.steps

    def steps_before(self, epoch: int) -> int:
        """Returns the training steps of all epochs before the running one, or the next one."""
        return epoch * self._full.steps

    def warms_up(self, epoch: int) -> bool:
        """Whether only the weights are trained in an epoch, with fair architectures."""
        return epoch < self._config.warm_up_epochs

    def updates(self, epoch: int) -> int:
        """Returns the updates of the strategy in an epoch."""
        return self._full.updates * (epoch >= self._config.first_updating_epoch)

    def steps_in_all(self) -> int:
        """Returns the training steps of the search, as far as they are known."""
        return self._full.epochs * self._full.steps

    def updates_in_all(self) -> int:
        """Returns the updates of the search, as far as they are known."""
        return self._config.num_updates if self._full.updates else 0

    def learns(self, epoch: int) -> bool:
        """Whether a search by gradient learns its mixture in an epoch."""
        return epoch >= self._config.darts.warm_up_epochs

    def epoch_done(self) -> None:
        """Takes note that the running epoch has ended."""


class BudgetedSchedule(SearchSchedule):
    """As much as fits into a time.

    The first epoch is short and has no updates (where weights are shared); it shows how long the
    parts take. At its end, and where the end of a later one shows that the plan misses the time, it
    is decided how many epochs follow, and how long they are. The decisions are kept in checkpoints.

    Args:
      config: see `SearchSchedule`; likewise `steps` and `updates` of a whole epoch.
      budget: the time.
      steps_per_update: in how many steps the proposals of an update are scored.

    Attributes:
      layout: the steps and updates of the epochs, the running one included.
      weights: which share of the search is done after how many training steps.
      learning: which share of the updates is done after how many.
    """

    budget: TimeBudget

    def __init__(
        self,
        config: SearchConfig,
        steps: int,
        updates: int,
        budget: TimeBudget,
        steps_per_update: int = 1,
    ) -> None:
        super().__init__(config, steps, updates)
        self.budget = budget
        self._steps_per_update = steps_per_update
        self.restore({})

    def restore(self, values: Mapping[str, Any]) -> None:
        """Takes what `to_json` returned; `{}`: there is no checkpoint."""
        full = self._full
        first = Layout(1, min(full.steps, _FIRST_STEPS), 0 if full.steps else full.updates)
        self.layout = Layout(*values.get("layout", first))
        self._epochs: int | None = values.get("epochs")
        self._before: int = values.get("steps_before", 0)
        self._progress = Course(*values.get("progress", ()))
        self.weights = Course(*values.get("weights", ()))
        self.learning = Course(*values.get("learning", ()))

    def to_json(self) -> dict[str, Any]:
        """Returns what a checkpoint must hold, besides the time that was used."""
        return {
            "layout": list(self.layout),
            "epochs": self._epochs,
            "steps_before": self._before,
            "progress": list(self._progress),
            "weights": list(self.weights),
            "learning": list(self.learning),
        }

    @property
    def epochs(self) -> int | None:
        """How many there are; None: not decided yet."""
        return self._epochs

    @property
    def steps(self) -> int:
        """Training steps of the running epoch."""
        return self.layout.steps

    def steps_before(self, epoch: int) -> int:
        """Returns the training steps of all epochs before the running one, or the next one."""
        del epoch
        return self._before

    def _reaches(self, epoch: int, share: float) -> bool:
        return self._progress.share_at(epoch) >= share - _CLOSE

    def warms_up(self, epoch: int) -> bool:
        """Whether only the weights are trained in an epoch, with fair architectures."""
        is_shared = self._config.evaluation == "shared_weights"
        return is_shared and not self._reaches(epoch, self._config.warm_up)

    def updates(self, epoch: int) -> int:
        """Returns the updates of the strategy in an epoch."""
        return self.layout.updates * self._reaches(epoch, self._config.first_updating_share)

    def steps_in_all(self) -> int:
        """Returns the training steps of the search, as far as they are known."""
        return self.steps if self.weights.last is None else self.weights.last + 1

    def updates_in_all(self) -> int:
        """Returns the updates of the search, as far as they are known."""
        return 0 if self.learning.last is None else self.learning.last + 1

    def learns(self, epoch: int) -> bool:
        """Whether a search by gradient learns its mixture in an epoch."""
        warm_up = self._config.darts.warm_up_epochs / self._full.epochs
        return not warm_up or self._reaches(epoch, warm_up)

    def epoch_done(self) -> None:
        """Takes note that the running epoch has ended."""
        self._before += self.steps

    def decision(self, epoch: int, updates: int, seconds_of_end: float) -> dict[str, Any] | None:
        """Returns how the search goes on by what was measured; None: as it was decided before.

        Args:
          epoch: epochs that are done.
          updates: of the strategy that are done.
          seconds_of_end: that all takes which comes after the last epoch.

        Returns:
          What `restore` takes.
        """
        costs, pace = self._costs(), self.budget.pace
        left = self.budget.seconds - self.budget.used - seconds_of_end
        if self._full.updates and not pace.first(LEARN):
            # What the strategy learns is not traced yet; rewards tell about how long that takes.
            left -= pace.first(UPDATE)
        if self._epochs is not None:
            rest = range(epoch, self._epochs)
            planned = len(rest) * (self.steps * costs.step + costs.epoch_end)
            planned += sum(map(self.updates, rest)) * costs.update
            if not rest or not self.budget.misses(left, planned):
                return None
        done, first = self._progress.share_at(epoch), self._config.first_updating_share
        updating = max(0.0, 1.0 - max(done, first)) / max(1.0 - done, _CLOSE)
        layout = lay_out(left, costs, self._full, min(updating, 1.0), epoch)
        last = epoch + layout.epochs
        if (layout[1:], last) == (self.layout[1:], self._epochs):
            return None
        new = {
            **self.to_json(),
            "layout": list(layout),
            "epochs": last,
            # Of epochs, the one after the last one is where all is done.
            "progress": list(self._progress.revised(epoch, last)),
        }
        plan = BudgetedSchedule(self._config, self._full.steps, self._full.updates, self.budget)
        plan.restore(new)
        last_step = self._before + layout.epochs * layout.steps - 1
        last_update = updates + sum(map(plan.updates, range(epoch, last))) - 1
        return {
            **new,
            "weights": list(self.weights.revised(self._before, last_step)),
            "learning": list(self.learning.revised(updates, last_update)),
        }

    def _costs(self) -> Costs:
        pace = self.budget.pace
        return Costs(
            step=pace.seconds(STEP),
            update=pace.seconds(UPDATE) * self._steps_per_update + pace.seconds(LEARN),
            epoch_end=pace.seconds(EPOCH_END) + pace.seconds(SAVE),
        )
