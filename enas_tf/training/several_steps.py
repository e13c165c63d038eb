"""Several training steps in one call of a traced function."""

import contextlib
import contextvars
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import tensorflow as tf

from enas_tf.errors import ConfigurationError

_wanted: contextvars.ContextVar[int] = contextvars.ContextVar("steps_per_call", default=1)


@contextlib.contextmanager
def steps_per_call(count: int) -> Iterator[None]:
    """Lets searches in a block take so many training steps in one call.

    It decides nothing of what comes out, on a CPU to the last bit, and may be another when a run
    goes on. Final trainings take single steps: TensorFlow's graph optimiser, which they use, as do
    searches on a GPU, makes other last bits of a step in a loop.

    ```python
    with steps_per_call(10):
        enas_tf.search(space, data, config, "runs/digits")
    ```

    Args:
      count: steps; calls also end where numbers are logged or shown, and where a phase does.

    Raises:
      ConfigurationError: this is no number of steps.
    """
    if isinstance(count, bool) or not isinstance(count, int) or count < 1:
        raise ConfigurationError(
            "`steps_per_call` must be an integer of at least 1. "
            f"Received: steps_per_call={count!r}."
        )
    token = _wanted.set(count)
    try:
        yield
    finally:
        _wanted.reset(token)


def most_per_call(line: int) -> int:
    """Returns how many steps the longest call takes.

    Args:
      line: steps between two places at which calls end anyway.
    """
    return min(_wanted.get(), line)


class SeveralSteps:
    """Takes steps one after the other in one call, with the same bits as in a call for each.

    The latter holds without TensorFlow's graph optimiser. A loop in the graph takes the batches
    from their iterators itself, so that each may have a shape of its own. How many steps there are
    is a tensor: calls of different lengths share a trace.

    Args:
      step: takes one step in a `tf.function`: from a batch of each iterator and one row of each
        array to nested float32 scalars, with None where there is nothing.
    """

    def __init__(self, step: Callable[..., Any]) -> None:
        self._step = step
        self._traced = tf.function(self._take, autograph=False)

    def __call__(self, iterators: Any, rows: Any, count: int, most: int) -> Any:
        """Takes steps.

        Args:
          iterators: a tuple of iterators over batches, or of None in the place of one.
          rows: a tuple of nested NumPy arrays `[count, …]`.
          count: steps to take, at least 1.
          most: steps of the longest call; each other number is traced anew.

        Returns:
          What `step` returns, each scalar as a tensor `[count]`.
        """

        def padded(array: Any) -> tf.Tensor:
            filling = np.repeat(array[-1:], most - count, axis=0)
            return tf.constant(np.concatenate([array, filling]))

        tensors = tf.nest.map_structure(padded, rows)
        return self._traced(iterators, tensors, tf.constant(count))

    def _take(self, iterators: Any, rows: Any, count: tf.Tensor) -> Any:
        results: list[Any] = []

        def body(number: tf.Tensor, kept: tf.TensorArray) -> Any:
            batches = [None if one is None else one.get_next() for one in iterators]
            own = tf.nest.map_structure(lambda array: array[number], rows)
            results.append(self._step(*batches, *own))
            there = [one for one in tf.nest.flatten(results[0]) if one is not None]
            return number + 1, kept.write(number, tf.stack(there))

        # In one piece, since each that is read takes its time.
        kept = tf.TensorArray(tf.float32, size=count)
        _, kept = tf.while_loop(
            lambda number, _: number < count, body, (0, kept), parallel_iterations=1
        )
        (result,) = results
        there = sum(one is not None for one in tf.nest.flatten(result))
        columns = iter(tf.unstack(tf.transpose(tf.ensure_shape(kept.stack(), [None, there]))))
        return tf.nest.map_structure(lambda one: None if one is None else next(columns), result)
