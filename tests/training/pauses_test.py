import signal

import numpy as np
import pytest
import tensorflow as tf

from enas_tf.training.interruption import DeferredSignals
from enas_tf.training.machines.agreement import Machines
from enas_tf.training.pauses import SECONDS_BETWEEN_SAVES, STEPS_BETWEEN_AGREEMENTS, Pause, Pauses


class Clock:
    """A clock that is set."""

    def __init__(self):
        self.seconds = 1000.0

    def __call__(self):
        return self.seconds


class TwoMachines:
    """A stand-in for two machines; what the other one says is given.

    Args:
      others: the numbers of the other machine.
      is_chief: whether this one is the chief.
    """

    are_several = True

    def __init__(self, others, is_chief=True):
        self._others = others
        self._is_chief = is_chief
        self.exchanges = 0

    def of_all(self, numbers):
        self.exchanges += 1
        rows = [list(map(int, numbers)), self._others]
        return np.array(rows if self._is_chief else rows[::-1])


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def alone():
    return Machines(tf.distribute.get_strategy())


def test_nothing_to_do(clock, alone):
    pauses = Pauses(DeferredSignals(), alone, clock)
    assert [pauses.before(step) for step in range(3)] == [Pause.NONE] * 3


def test_saves_when_it_is_time(clock, alone):
    pauses = Pauses(DeferredSignals(), alone, clock)
    clock.seconds += SECONDS_BETWEEN_SAVES - 1
    assert pauses.before(1) is Pause.NONE
    clock.seconds += 1
    assert pauses.before(2) is Pause.SAVE
    pauses.saved()
    assert pauses.before(3) is Pause.NONE
    clock.seconds += SECONDS_BETWEEN_SAVES
    assert pauses.before(4) is Pause.SAVE


def test_stops_at_any_step_for_a_signal(clock, alone):
    signals = DeferredSignals()
    pauses = Pauses(signals, alone, clock)
    clock.seconds += SECONDS_BETWEEN_SAVES
    signals.number = signal.SIGINT
    assert pauses.before(7) is Pause.STOP


def test_several_machines_ask_each_other_now_and_then(clock):
    machines = TwoMachines([0, 0])
    pauses = Pauses(DeferredSignals(), machines, clock)
    steps = range(2 * STEPS_BETWEEN_AGREEMENTS + 1)
    assert {pauses.before(step) for step in steps} == {Pause.NONE}
    assert machines.exchanges == 3


def test_the_signal_of_another_machine_stops_this_one(clock):
    signals = DeferredSignals()
    pauses = Pauses(signals, TwoMachines([signal.SIGTERM, 0]), clock)
    assert pauses.before(1) is Pause.NONE
    assert pauses.before(STEPS_BETWEEN_AGREEMENTS) is Pause.STOP
    assert signals.number == signal.SIGTERM


def test_an_own_signal_waits_until_the_machines_agree(clock):
    signals = DeferredSignals()
    pauses = Pauses(signals, TwoMachines([0, 0]), clock)
    signals.number = signal.SIGINT
    assert pauses.before(STEPS_BETWEEN_AGREEMENTS - 1) is Pause.NONE
    assert pauses.before(STEPS_BETWEEN_AGREEMENTS) is Pause.STOP


@pytest.mark.parametrize(
    ("is_chief", "others", "expected"),
    [
        (True, [0, 0], Pause.SAVE),
        (True, [0, 1], Pause.SAVE),
        (False, [0, 0], Pause.NONE),
        (False, [0, 1], Pause.SAVE),
    ],
)
def test_the_chiefs_clock_decides(clock, is_chief, others, expected):
    pauses = Pauses(DeferredSignals(), TwoMachines(others, is_chief), clock)
    clock.seconds += SECONDS_BETWEEN_SAVES
    assert pauses.before(0) is expected


def test_a_signal_that_comes_during_the_exchange_waits_for_the_next_one(clock):
    signals = DeferredSignals()

    class Late(TwoMachines):
        def of_all(self, numbers):
            answers = super().of_all(numbers)
            signals.number = signal.SIGTERM
            return answers

    pauses = Pauses(signals, Late([0, 0]), clock)
    # The other machine goes on, and so must this one.
    assert pauses.before(0) is Pause.NONE
    assert signals.pending
    assert pauses.before(STEPS_BETWEEN_AGREEMENTS) is Pause.STOP
