"""Options of TensorFlow's graph compiler."""

import contextlib
from collections.abc import Iterator

import tensorflow as tf

_SWITCH = "disable_meta_optimizer"


@contextlib.contextmanager
def without_graph_optimization() -> Iterator[None]:
    """Runs traced functions without optimising their graphs.

    For graphs of many small operations, which gain nothing from it: the optimisation happens within
    the first call and takes seconds. Every call of a function must be under the same option, for
    another one compiles the function again.
    """
    before = tf.config.optimizer.get_experimental_options().get(_SWITCH, False)
    tf.config.optimizer.set_experimental_options({_SWITCH: True})
    try:
        yield
    finally:
        tf.config.optimizer.set_experimental_options({_SWITCH: before})
