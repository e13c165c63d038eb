import signal

import numpy as np
import pytest
import tensorflow as tf

from enas_tf.training.machines.agreement import Machines
from enas_tf.training.pauses import STEPS_BETWEEN_AGREEMENTS
from enas_tf.training.profiling import Profile, profiled
from enas_tf.training.trainer import Stretch, StretchEnd, Task, Trainer, asks_to_stop


@pytest.mark.parametrize(
    ("answer", "stops"),
    [(True, True), (np.bool_(True), True), (False, False), (None, False), (17, False), ("", False)],
)
def test_only_true_ends_a_training(answer, stops):
    assert asks_to_stop(answer, Machines(tf.distribute.get_strategy())) is stops


class TwoMachines:
    """Two machines that are of one mind."""

    are_several, is_chief = True, True

    def of_all(self, numbers):
        return np.array([numbers, numbers])

    def decide(self, function):
        return function()


class Counting(Task):
    """A task that notes the steps of each call.

    Args:
      stretches: the first step and the one after the last of each.
      most: steps of a call at most.
      line: see `Stretch`.
      machines: default: one.
      signal_in: a signal comes in the call of this step.
    """

    rollbacks = max_rollbacks = 0

    def __init__(self, stretches, most, line=20, machines=None, signal_in=None):
        self.machines = machines or Machines(tf.distribute.get_strategy())
        self.calls, self.saves = [], []
        self._stretches = [
            Stretch(range(*one), self._take, StretchEnd, most, line) for one in stretches
        ]
        self._signal_in = signal_in

    def _take(self, steps):
        self.calls.append((steps.start, steps.stop))
        if self._signal_in in steps:
            signal.raise_signal(signal.SIGINT)

    def begin(self):
        pass

    def stretch(self):
        return self._stretches.pop(0) if self._stretches else None

    def check(self):
        pass

    def save(self, score=None):
        self.saves.append(self.calls[-1][1])

    def go_back(self):
        return False

    def went_back(self):
        pass

    def place(self):
        return ""

    def end(self):
        pass


def run(task, steps=None, folder=None):
    with profiled(steps):
        Trainer(task, Profile(folder, task.machines)).run()
    return task


def test_one_step_a_call():
    assert run(Counting([(0, 3)], most=1)).calls == [(0, 1), (1, 2), (2, 3)]


def test_the_first_call_takes_one_step_and_none_crosses_a_line_or_an_end():
    task = run(Counting([(3, 33), (0, 5)], most=8))
    assert task.calls == [(3, 4), (4, 12), (12, 20), (20, 28), (28, 33), (0, 5)]
    assert task.saves == [33, 5]


def test_no_call_crosses_a_step_at_which_machines_agree():
    task = run(Counting([(0, 25)], most=20, machines=TwoMachines()))
    ends = [stop for _, stop in task.calls]
    assert ends == [1, STEPS_BETWEEN_AGREEMENTS, 2 * STEPS_BETWEEN_AGREEMENTS, 25]


@pytest.mark.parametrize("is_chief", [True, False])
def test_a_profile_begins_and_ends_between_calls_on_all_machines(tmp_path, monkeypatch, is_chief):
    for name in ("start", "stop"):
        monkeypatch.setattr(tf.profiler.experimental, name, lambda *args: None)
    machines = TwoMachines()
    machines.is_chief = is_chief
    task = run(Counting([(0, 9)], most=9, machines=machines), range(3, 5), tmp_path)
    assert task.calls == [(0, 1), (1, 3), (3, 5), (5, 9)]


def test_a_signal_waits_for_the_end_of_its_call():
    task = Counting([(0, 20)], most=5, signal_in=7)
    with pytest.raises(KeyboardInterrupt):
        run(task)
    assert task.calls == [(0, 1), (1, 6), (6, 11)]
    assert task.saves == [11]
