"""Which devices a training runs on."""

import tensorflow as tf


def default_strategy() -> tf.distribute.Strategy:
    """Returns the strategy when none is asked for.

    It is the strategy in whose scope the caller is, if any; otherwise a `MirroredStrategy` over all
    GPUs if there are several, and no distribution (the GPU, if there is one) if not.
    """
    if tf.distribute.has_strategy():
        return tf.distribute.get_strategy()
    if len(tf.config.list_logical_devices("GPU")) > 1:
        return tf.distribute.MirroredStrategy()
    return tf.distribute.get_strategy()
