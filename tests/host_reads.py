"""Counts what the host reads from devices, for which it must wait."""

import contextlib

import tensorflow as tf


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
def of_steps(monkeypatch, owner, method, every):
    """Gives a list that gets the reads of each call of a method that takes steps.

    Those of an epoch's first step are left out, before which architectures are proposed, and those
    of steps after which something is logged.

    Args:
      monkeypatch: pytest's.
      owner: has the method.
      method: its name; it takes the steps of a range.
      every: something is logged after so many steps of an epoch.
    """
    found = []
    original = getattr(owner, method)
    with counted(monkeypatch) as reads, monkeypatch.context() as patch:

        def wrapped(self, steps):
            before = len(reads)
            original(self, steps)
            if steps.start % every and steps.stop % every:
                found.append(reads[before:])

        patch.setattr(owner, method, wrapped)
        yield found
