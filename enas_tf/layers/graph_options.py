"""Options of TensorFlow's graph compiler."""

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

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


def training_graphs() -> contextlib.AbstractContextManager[None]:
    """Runs traced training steps in the way that is fastest on the devices that there are.

    On a GPU the optimiser of graphs chooses the layout of pictures. On a CPU it takes seconds of
    the first step, and joins each normalisation and its ReLU into one operation that is slower than
    the two: plain networks train a tenth faster without.
    """
    on_gpu = bool(tf.config.list_logical_devices("GPU"))
    return contextlib.nullcontext() if on_gpu else without_graph_optimization()


def of_any_size(tensor: tf.Tensor, fixed_axes: int = 0) -> tf.Tensor:
    """Returns a tensor whose shape a traced function does not know, but for some axes in front.

    So the function is traced once for all sizes, and not once for each.

    Args:
      tensor: any tensor.
      fixed_axes: how many axes in front keep their sizes.
    """
    shape = [*tensor.shape[:fixed_axes], *[None] * (tensor.shape.rank - fixed_axes)]
    return tf.raw_ops.PlaceholderWithDefault(input=tensor, shape=tf.TensorShape(shape))


def traced_once(function: Callable[..., Any]) -> Callable[..., Any]:
    """Returns a `tf.function` whose calls inside of other functions stay calls.

    TensorFlow would copy the function's graph to each place that calls it. Where dozens of places
    call the same one, with weights as arguments, the graph is then compiled once and not dozens of
    times, which makes the first execution several times shorter.
    """
    return tf.function(function, autograph=False, experimental_attributes={"_noinline": True})
