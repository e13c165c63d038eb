"""Running a function in all replicas and adding up what it returns."""

from collections.abc import Callable, Sequence
from typing import Any

import tensorflow as tf


def run_and_sum(
    strategy: tf.distribute.Strategy,
    function: Callable[..., tuple[Any, Any]],
    args: Sequence[Any],
) -> tuple[Any, Any]:
    """Runs a function in every replica; for use inside a `tf.function`.

    Args:
      strategy: whose replicas.
      function: returns nested tensors of static shapes that are to be added up, and others.
      args: its arguments; see `tf.distribute.Strategy.run`.

    Returns:
      The sums over all replicas, and what `strategy.run` returns of the others.
    """
    if strategy.num_replicas_in_sync == 1:
        return strategy.run(function, args)
    structures: list[Any] = []

    def packed(*args: Any) -> tuple[list[tf.Tensor], Any]:
        summed, others = function(*args)
        structures.append(summed)
        return _packed(summed), others

    vectors, others = strategy.run(packed, args)
    sums = [strategy.reduce(tf.distribute.ReduceOp.SUM, vector, axis=None) for vector in vectors]
    # It is the same in all replicas.
    return _unpacked(sums, structures[0]), others


def _packed(values: Any) -> list[tf.Tensor]:
    """Returns one vector for each type of the tensors, since each exchange takes its time."""
    tensors = tf.nest.flatten(values)
    return [
        tf.concat([tf.reshape(t, [-1]) for t in tensors if t.dtype == dtype], axis=0)
        for dtype in _types(tensors)
    ]


def _unpacked(vectors: Sequence[tf.Tensor], structure: Any) -> Any:
    """Returns what `_packed` made vectors of; the structure says the shapes."""
    tensors = tf.nest.flatten(structure)
    parts = {
        dtype: iter(tf.split(vector, [t.shape.num_elements() for t in tensors if t.dtype == dtype]))
        for dtype, vector in zip(_types(tensors), vectors, strict=True)
    }
    return tf.nest.pack_sequence_as(
        structure, [tf.reshape(next(parts[t.dtype]), t.shape) for t in tensors]
    )


def _types(tensors: Sequence[tf.Tensor]) -> list[tf.DType]:
    return list(dict.fromkeys(tensor.dtype for tensor in tensors))
