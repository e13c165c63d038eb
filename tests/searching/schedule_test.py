import itertools
import math

import pytest

from enas_tf.searching.schedule import (
    EPOCH_END,
    LEARN,
    SAVE,
    STEP,
    UPDATE,
    BudgetedSchedule,
    SearchSchedule,
)
from enas_tf.settings.search import SearchConfig
from enas_tf.settings.strategies import DartsConfig, PolicyConfig
from enas_tf.settings.training import TrainingConfig
from enas_tf.training.time_budget import TimeBudget
from tests.clocks import goes

STEPS, UPDATES, RANKING = 40, 10, 20.0
CONFIG = SearchConfig(time_budget="1h", shared_weights=TrainingConfig(epochs=20))
SECONDS = {STEP: 1.0, UPDATE: 2.0, LEARN: 0.5, EPOCH_END: 3.0, SAVE: 1.0}


@pytest.fixture
def clock(monkeypatch):
    with goes(monkeypatch) as clock:
        yield clock


def schedule_of(config=CONFIG, steps=STEPS):
    return BudgetedSchedule(config, steps, UPDATES, TimeBudget(config.time_budget))


class Run:
    """A search that does nothing but take time."""

    def __init__(self, clock, schedule, seconds=SECONDS, slower_after=math.inf):
        self._clock, self.schedule, self._seconds = clock, schedule, dict(seconds)
        self._slower_after = slower_after
        self.epoch, self.updates, self.plans = 0, 0, []
        # Of each epoch.
        self.learned, self.warm, self.updated = [], [], []
        self._work(SAVE)

    def _work(self, kind):
        slow = 1.5 if self.epoch >= self._slower_after else 1.0
        self._clock.work(self.schedule.budget, kind, slow * self._seconds[kind])

    def one_epoch(self):
        schedule = self.schedule
        self.warm.append(schedule.warms_up(self.epoch))
        self.learned.append(schedule.learns(self.epoch))
        for _ in range(schedule.steps):
            self._work(STEP)
        self.updated.append(schedule.updates(self.epoch))
        for _ in range(self.updated[-1]):
            self._work(UPDATE)
            self._work(LEARN)
            self.updates += 1
        self.epoch += 1
        schedule.epoch_done()
        if schedule.epochs is None:
            for _ in range(2):
                self._work(UPDATE)
        self._work(EPOCH_END)
        plan = schedule.decision(self.epoch, self.updates, RANKING)
        schedule.budget.pace.settle()
        if plan is not None:
            schedule.restore(plan)
            self.plans.append(plan)
        self._work(SAVE)

    def finish(self):
        while self.schedule.epochs is None or self.epoch < self.schedule.epochs:
            self.one_epoch()
        self._clock.seconds += RANKING
        return self.schedule.budget.used


def test_without_a_budget_all_is_as_the_settings_say():
    config = SearchConfig(
        warm_up=0.25,
        policy_start_epoch=2,
        shared_weights=TrainingConfig(epochs=12),
        policy=PolicyConfig(updates_per_epoch=UPDATES),
        darts=DartsConfig(warm_up_epochs=4),
    )
    schedule = SearchSchedule(config, STEPS, UPDATES)
    assert (schedule.epochs, schedule.steps, schedule.steps_before(3)) == (12, 40, 120)
    assert [schedule.warms_up(epoch) for epoch in (2, 3)] == [True, False]
    assert [schedule.updates(epoch) for epoch in (2, 3)] == [0, 10]
    assert [schedule.learns(epoch) for epoch in (3, 4)] == [False, True]
    assert (schedule.steps_in_all(), schedule.updates_in_all()) == (480, 90)


def test_a_search_ends_within_its_time(clock):
    run = Run(clock, schedule_of())
    assert 0.95 * 3600 <= run.finish() <= 3600
    # 40 steps, 10 updates and the end: 69 seconds.
    assert run.epoch == 1 + int((3600 - RANKING - 10 - 2 - 4 - 3 - 2) / 69)
    assert len(run.plans) <= 2


@pytest.mark.parametrize("budget", ["5m", "20m"])
def test_a_short_search_alternates_ten_times(clock, budget):
    run = Run(clock, schedule_of(CONFIG.replace(time_budget=budget)))
    used = run.finish()
    assert used == pytest.approx(run.schedule.budget.seconds, rel=0.1)
    assert run.epoch >= 8


def test_all_that_falls_ends_with_the_search(clock):
    run = Run(clock, schedule_of(), slower_after=20)
    assert run.finish() == pytest.approx(3600, rel=0.03)
    assert len(run.plans) > 1
    assert run.schedule.weights.last == run.schedule.steps_before(run.epoch) - 1
    assert run.schedule.learning.last == run.updates - 1
    assert run.schedule.steps_in_all() == run.schedule.steps_before(run.epoch)


def test_a_correction_does_not_jump(clock):
    run = Run(clock, schedule_of(), slower_after=20)
    shares, steps = [], []
    while run.schedule.epochs is None or run.epoch < run.schedule.epochs:
        run.one_epoch()
        steps.append(run.schedule.steps_before(run.epoch))
        shares.append(run.schedule.weights.share_at(steps[-1]))
    assert shares == sorted(shares)
    assert max(b - a for a, b in itertools.pairwise(shares)) < 0.05


def test_warm_up_and_late_updates_are_shares_of_what_fits(clock):
    config = CONFIG.replace(warm_up=0.25, darts=DartsConfig(warm_up_epochs=5))
    run = Run(clock, schedule_of(config))
    run.finish()
    first = run.updated.index(UPDATES)
    # The first epoch, which is short, counts nothing.
    assert first == pytest.approx(1 + (run.epoch - 1) / 4, abs=1)
    assert run.warm == [True] * first + [False] * (run.epoch - first)
    assert run.learned == [not warm for warm in run.warm]
    assert set(run.updated[first:]) == {UPDATES}


def test_the_first_epoch_is_short_and_updates_nothing(clock):
    schedule = schedule_of()
    assert (schedule.epochs, schedule.steps, schedule.updates(0)) == (None, 10, 0)


def test_where_nothing_is_shared_the_first_epoch_scores(clock):
    schedule = schedule_of(CONFIG.replace(evaluation="trained", warm_up=0.5), steps=0)
    assert (schedule.steps, schedule.updates(0), schedule.warms_up(0)) == (0, 10, False)


def test_what_was_decided_is_all_that_is_needed_to_go_on(clock):
    run = Run(clock, schedule_of())
    for _ in range(5):
        run.one_epoch()
    other = schedule_of()
    other.budget.restore(run.schedule.budget.to_json())
    other.restore(run.schedule.to_json())
    assert other.to_json() == run.schedule.to_json()
    assert other.decision(5, run.updates, RANKING) is None
    run.schedule = other
    assert run.finish() <= 3600
