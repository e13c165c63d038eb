import pytest

from enas_tf.training.time_budget import Costs, Course, Layout, TimeBudget, lay_out
from tests.clocks import goes


@pytest.fixture
def clock(monkeypatch):
    with goes(monkeypatch) as clock:
        yield clock


def test_before_the_first_decision_nothing_is_done():
    assert Course().share_at(10**6) == 0.0


def test_the_share_grows_evenly_until_the_last_step():
    course = Course(10, 0.2, 14)
    shares = [course.share_at(step) for step in (0, 10, 11, 12, 14, 20)]
    assert shares == pytest.approx([0.2, 0.2, 0.4, 0.6, 1.0, 1.0])


def test_a_correction_goes_on_from_the_share_that_was_reached():
    course = Course(0, 0.0, 100).revised(50, 60)
    assert course.share_at(50) == 0.5
    assert course.share_at(55) == pytest.approx(0.75)
    assert course.share_at(60) == 1.0


def test_the_only_step_has_all_behind_it():
    assert Course().revised(7, 7).share_at(7) == 1.0


FULL = Layout(0, steps=40, updates=10)


def seconds_of(layout, costs, updating=1.0):
    work = layout.steps * costs.step + updating * layout.updates * costs.update
    return layout.epochs * (work + costs.epoch_end)


def test_whole_epochs_that_fit():
    costs = Costs(step=1.0, update=2.0, epoch_end=5.0)
    assert lay_out(65.0 * 37.9, costs, FULL) == Layout(37, 40, 10)


def test_epochs_without_updates_take_less():
    costs = Costs(step=1.0, update=4.0, epoch_end=0.0)
    assert lay_out(1200.0, costs, FULL).epochs == 15
    assert lay_out(1200.0, costs, FULL, updating=0.5).epochs == 20


def test_where_few_epochs_fit_they_are_shorter():
    costs = Costs(step=1.0, update=2.0, epoch_end=5.0)
    layout = lay_out(200.0, costs, FULL)
    assert layout == Layout(10, 10, 2)
    assert seconds_of(layout, costs) <= 200.0


def test_epochs_that_are_done_count_among_the_fewest():
    costs = Costs(step=1.0, update=2.0, epoch_end=0.0)
    assert lay_out(200.0, costs, FULL, done=8) == Layout(3, 40, 10)


def test_the_ends_of_epochs_do_not_take_most_of_the_time():
    costs = Costs(step=1.0, update=2.0, epoch_end=25.0)
    layout = lay_out(200.0, costs, FULL)
    assert layout == Layout(3, 28, 7)
    assert seconds_of(layout, costs) == pytest.approx(200.0, rel=0.1)


@pytest.mark.parametrize("seconds", [-5.0, 0.0, 0.5])
def test_a_step_fits_into_no_time(seconds):
    layout = lay_out(seconds, Costs(1.0, 2.0, 5.0), FULL)
    assert layout == Layout(1, 1, 1)


def test_the_first_piece_of_work_tells_nothing_of_the_pace(clock):
    budget = TimeBudget("1h")
    for seconds in (60.0, 2.0, 4.0):
        clock.work(budget, "step", seconds)
    assert budget.pace.seconds("step") == 3.0
    assert budget.pace.first("step") == 60.0


def test_several_pieces_may_be_kept_apart(clock):
    budget = TimeBudget("1h")
    for seconds in (60.0, 20.0, 4.0):
        clock.seconds += 1.0
        with budget.pace.measured("step", first=2):
            clock.seconds += seconds
    assert (budget.pace.first("step"), budget.pace.seconds("step")) == (80.0, 4.0)


def test_a_resumed_run_counts_what_was_used_and_not_what_lay_between(clock):
    budget = TimeBudget("1h")
    clock.seconds += 100.0
    saved = budget.to_json()
    clock.seconds += 5000.0
    resumed = TimeBudget("1h")
    resumed.restore(saved)
    clock.seconds += 7.0
    assert resumed.used == 107.0


def test_going_back_to_a_checkpoint_gives_no_time_back(clock):
    budget = TimeBudget("1h")
    budget.restore({})
    saved = budget.to_json()
    clock.seconds += 30.0
    budget.restore(saved)
    assert budget.used == 30.0


def test_a_resumed_run_knows_the_pace_until_it_has_measured_its_own(clock):
    budget = TimeBudget("1h")
    for _ in range(2):
        clock.work(budget, "step", 2.0)
    resumed = TimeBudget("1h")
    resumed.restore(budget.to_json())
    clock.work(resumed, "step", 50.0)
    assert resumed.pace.seconds("step") == 2.0
    clock.work(resumed, "step", 3.0)
    assert resumed.pace.seconds("step") == 3.0
