import pytest

from enas_tf.final_training.plan import EPOCH_END, SAVE, STEP, TrainingPlan
from enas_tf.training.schedules import Horizon
from tests.clocks import goes

EPOCH = 50
AT_THE_END = 12.0


@pytest.fixture
def clock(monkeypatch):
    with goes(monkeypatch) as clock:
        yield clock


def train(clock, plan, step=0, until=None, seconds=1.0):
    """Takes the steps of a plan, and returns how many there were."""
    while step != until and (plan.total is None or step < plan.total):
        clock.work(plan.budget, STEP, 30.0 if step == 0 else seconds)
        step += 1
        if step % EPOCH == 0:
            clock.work(plan.budget, EPOCH_END, 5.0)
        if plan.stop is not None and step >= plan.stop:
            plan.follow(plan.decision(step, EPOCH, AT_THE_END))
        if step % EPOCH == 0:
            clock.work(plan.budget, SAVE, 1.0)
    return step


@pytest.mark.parametrize("budget", ["2m", "10m", "3h"])
def test_a_training_ends_within_its_time(clock, budget):
    plan = TrainingPlan(budget, Horizon())
    steps = train(clock, plan)
    assert plan.budget.used + AT_THE_END == pytest.approx(plan.budget.seconds, rel=0.06)
    assert plan._horizon.course.last == steps - 1


def test_a_slower_machine_shortens_the_rest(clock):
    plan = TrainingPlan("1h", Horizon())
    step = train(clock, plan, until=400)
    planned, share = plan.total, plan._horizon.course.share_at(400)
    train(clock, plan, step, seconds=2.0)
    assert plan.total < planned
    assert plan.budget.used + AT_THE_END == pytest.approx(3600, rel=0.05)
    assert plan._horizon.course.share_at(400) >= share


def test_decisions_are_few(clock):
    plan, stops = TrainingPlan("1h", Horizon()), []
    follow = plan.follow
    plan.follow = lambda decision: stops.append(decision["step"]) or follow(decision)
    steps = train(clock, plan)
    # After some steps, two epochs, and then each time half of what was left.
    assert stops[:3] == [8, 50, 100]
    assert len(stops) < 14
    assert stops[3] == pytest.approx((100 + steps) / 2, rel=0.1)


def test_a_training_without_time_takes_a_step_and_ends(clock):
    plan = TrainingPlan("1s", Horizon())
    assert train(clock, plan) == 9


def test_a_plan_is_restored_with_its_course(clock):
    plan = TrainingPlan("1h", Horizon())
    train(clock, plan, until=100)
    other = TrainingPlan("1h", Horizon())
    other.restore(plan.to_json())
    assert other.to_json() == plan.to_json()
    assert float(other._horizon.share(1000)) == float(plan._horizon.share(1000)) > 0.0
