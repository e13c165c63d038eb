"""The running average of the weights over the later steps of a training (ASGD).

Sources: Polyak and Juditsky (1992); the trigger is that of Merity et al. (arXiv 1708.02182), which
the authors' release uses too (`enas_lm/src/fixed.py`).
"""

import contextlib
from collections.abc import Iterator, Sequence
from typing import Any

import tensorflow as tf


def starts_averaging(perplexity: float, earlier: Sequence[float], patience: int | None) -> bool:
    """Returns whether averaging starts at the end of an epoch.

    Args:
      perplexity: on the validation part, of the epoch that has just ended.
      earlier: of all epochs before it, first to last.
      patience: the perplexity must be worse than the best one that is more than so many epochs
        old. None: averaging never starts.
    """
    if patience is None or len(earlier) <= patience:
        return False
    return perplexity > min(earlier[: len(earlier) - patience])


class WeightAverage(tf.Module):
    """The mean of some variables over all steps since `start`.

    Until the first `update` it is what the variables were at the start.

    Args:
      variables: Keras variables; under a `tf.distribute` strategy to be called in its scope.

    Attributes:
      averages: variables of the same shapes.
      count: int64 variable, how many states of the variables have been averaged.
    """

    def __init__(self, variables: Sequence[Any]) -> None:
        super().__init__()
        self._variables = [variable.value for variable in variables]
        self.averages = [tf.Variable(value, trainable=False) for value in self._variables]
        self.count = tf.Variable(0, trainable=False, dtype=tf.int64)

    def start(self) -> None:
        """Starts anew from the present values."""
        _assign(self.averages, self._variables)
        self.count.assign(0)

    @tf.function(autograph=False)
    def update(self) -> None:
        """Takes the present values into the average."""
        self.count.assign_add(1)
        share = 1.0 / tf.cast(self.count, tf.float32)
        for average, variable in zip(self.averages, self._variables, strict=True):
            average.assign_add(share * (variable - average))

    @contextlib.contextmanager
    def applied(self) -> Iterator[None]:
        """Puts the averages into the variables for as long as the context lasts."""
        present = [tf.identity(variable) for variable in self._variables]
        _assign(self._variables, self.averages)
        try:
            yield
        finally:
            _assign(self._variables, present)


def _assign(variables: Sequence[Any], values: Sequence[Any]) -> None:
    for variable, value in zip(variables, values, strict=True):
        variable.assign(value)
