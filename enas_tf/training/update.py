"""The update of all weights, which on a GPU is compiled into one piece.

One update of a supernet's hundred and more variables is several small operations for each of them,
whose launches take a GPU longer than their work. The rate is computed, and steps are counted,
outside: what is compiled has nothing but weights and momenta, all on one device.
"""

from collections.abc import Sequence
from typing import Any

import tensorflow as tf

from enas_tf.settings.hardware import NO, YES
from enas_tf.training.hardware import used


def apply_update(optimizer: Any, gradients: Sequence[Any], variables: Sequence[Any]) -> None:
    """Lets a Keras optimiser without options of its own take one step, in a `tf.function`.

    Args:
      optimizer: is built; no clipping, averaging, weight decay or constraints are its own.
      gradients: tensors or `tf.IndexedSlices`.
      variables: one for each gradient.
    """
    if not is_compiled():
        optimizer.apply(gradients, variables)
        return
    rate = tf.cast(optimizer.learning_rate, tf.float32)

    @tf.function(autograph=False, jit_compile=True)
    def update(gradients: Sequence[Any], rate: tf.Tensor) -> None:
        for gradient, variable in zip(gradients, variables, strict=True):
            optimizer.update_step(gradient, variable, rate)

    update(list(gradients), rate)
    optimizer.iterations.assign_add(1)


def is_compiled() -> bool:
    """Whether updates are compiled here: by the settings, and where one device trains alone."""
    choice = used().compiled_update
    # Compiled code cannot exchange gradients with other replicas.
    if choice == NO or tf.distribute.has_strategy():
        return False
    return choice == YES or bool(tf.config.list_logical_devices("GPU"))
