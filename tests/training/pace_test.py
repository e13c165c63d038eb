import contextlib

import pytest

from enas_tf.training.pace import Own, Pace, each, measured, measuring
from tests.clocks import goes


@pytest.fixture
def clock(monkeypatch):
    with goes(monkeypatch) as clock:
        yield clock


def test_what_is_inside_belongs_to_its_own_kind(clock):
    pace = Pace()
    with measuring(pace), measured("step"):
        clock.seconds += 1.0
        for _ in range(2):
            with measured("data"):
                clock.seconds += 2.0
        with measured("train"):
            clock.seconds += 8.0
            with measured("data"):
                clock.seconds += 4.0
    assert pace.own("step") == Own(1, 1.0)
    assert pace.own("data") == Own(3, 8.0)
    assert pace.own("train") == Own(1, 8.0)
    # The whole piece, as time budgets count it.
    assert pace.seconds("step") == 17.0


def test_a_piece_that_fails_is_none(clock):
    pace = Pace()
    with measuring(pace), measured("step"):
        with contextlib.suppress(ValueError), measured("data"):
            clock.seconds += 2.0
            raise ValueError
        clock.seconds += 1.0
    assert pace.own("data") == Own()
    assert pace.own("step") == Own(1, 3.0)


def test_a_function_is_measured_at_every_call(clock):
    @measured("report")
    def work(seconds):
        clock.seconds += seconds
        return seconds

    pace = Pace()
    assert work(5.0) == 5.0
    with measuring(pace):
        work(1.0)
        work(2.0)
    assert pace.own("report") == Own(2, 3.0)


def test_waiting_for_each_item_is_measured_and_what_is_done_with_it_is_not(clock):
    def batches():
        for number in range(3):
            clock.seconds += 2.0
            yield number

    pace, taken = Pace(), []
    with measuring(pace):
        for number in each("data", batches()):
            clock.seconds += 10.0
            taken.append(number)
    assert taken == [0, 1, 2]
    # Once more there was none.
    assert pace.own("data") == Own(4, 6.0)


def test_nobody_measures_by_default(clock):
    pace = Pace()
    with measuring(pace):
        pass
    with measured("step"):
        clock.seconds += 1.0
    assert list(each("data", [1, 2])) == [1, 2]
    assert pace.own("step") == pace.own("data") == Own()
