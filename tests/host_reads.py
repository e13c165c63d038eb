"""Counts what the host reads from devices, for which it must wait."""

import contextlib

import tensorflow as tf

from enas_tf.final_training.task import TrainingTask
from enas_tf.searching.search import Search


def _owner(kind, name):
    """Returns the class in which a type finds an attribute."""
    return next(base for base in kind.__mro__ if name in vars(base))


@contextlib.contextmanager
def counted(monkeypatch):
    """Gives a list that gets a word for each read of a tensor or of a variable."""
    reads = []

    def noting(kind, name, what):
        owner = _owner(kind, name)
        original = vars(owner)[name]

        def wrapped(self, *args, **keywords):
            if tf.executing_eagerly():
                reads.append(what)
            return original(self, *args, **keywords)

        patch.setattr(owner, name, wrapped)

    with monkeypatch.context() as patch:
        # What `numpy`, `int`, `float`, `bool` and `np.asarray` of a tensor come down to.
        noting(type(tf.constant(0)), "_numpy", "tensor")
        noting(type(tf.Variable(0)), "_read_variable_op", "variable")
        yield reads


@contextlib.contextmanager
def of_steps(monkeypatch, owner, method, is_read):
    """Gives a list that gets the reads of each call of a method that takes steps.

    Args:
      monkeypatch: pytest's.
      owner: has the method.
      method: its name; it takes the steps of a range.
      is_read: takes an owner and the steps; whether numbers may be read there.
    """
    found = []
    original = getattr(owner, method)
    with counted(monkeypatch) as reads, monkeypatch.context() as patch:

        def wrapped(self, steps):
            before = len(reads)
            original(self, steps)
            if not is_read(self, steps):
                found.append(reads[before:])

        patch.setattr(owner, method, wrapped)
        yield found


def of_search(monkeypatch):
    """Returns `of_steps` of a search, which proposes in the first step of an epoch."""

    def is_read(task, steps):
        return not steps.start or not steps.stop % 20 or steps.stop == task._schedule.steps

    return of_steps(monkeypatch, Search, "_train_weights", is_read)


def of_training(monkeypatch):
    """Returns `of_steps` of a final training, which shows its sums now and then."""

    def is_read(task, steps):
        return not steps.stop % 10 or not steps.stop % task._training.epoch_steps

    return of_steps(monkeypatch, TrainingTask, "_take_steps", is_read)
