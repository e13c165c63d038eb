"""Operations of the user's own, as tests need them."""

import contextlib

from enas_tf.spaces import operations
from enas_tf.spaces.own_operations import register_operation


@contextlib.contextmanager
def registered(**factories):
    """Registers operations by name, and forgets them and all others afterwards."""
    before = dict(operations._REGISTERED)
    try:
        yield [register_operation(name, factory) for name, factory in factories.items()]
    finally:
        operations._REGISTERED.clear()
        operations._REGISTERED.update(before)


def bias_convolution(filters, strides):
    """A stock layer with two weights."""
    import keras

    return keras.layers.Conv2D(filters, 3, strides=strides, padding="same")


def blur(filters, strides):
    """A stock layer without weights."""
    import keras

    return keras.layers.AveragePooling2D(5, strides, padding="same")
