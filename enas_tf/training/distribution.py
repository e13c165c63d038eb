"""Which devices a training runs on."""

import contextlib
import re
from collections.abc import Sequence

import tensorflow as tf

from enas_tf.errors import ConfigurationError

AUTOMATIC = "auto"


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


def strategy_of_devices(devices: str) -> tf.distribute.Strategy:
    """Returns the strategy for devices that a person named.

    Args:
      devices: `auto` (see `default_strategy`), `all` GPUs, a number of GPUs, or `cpu:N` for `N`
        logical devices on the CPU, which must come before TensorFlow made its devices.

    Raises:
      ConfigurationError: there are no such devices.
    """
    if devices == AUTOMATIC:
        return default_strategy()
    match = re.fullmatch(r"(all)|(cpu:)?([1-9]\d*)", devices)
    if match is None:
        raise ConfigurationError(
            "`devices` must be auto, all, a number of GPUs, or cpu:N. "
            f"Received: devices={devices!r}."
        )
    if match[2]:
        return mirrored_cpus(_logical_cpus(int(match[3])))
    available = [device.name for device in tf.config.list_logical_devices("GPU")]
    wanted = len(available) if match[1] else int(match[3])
    if not available or wanted > len(available):
        raise ConfigurationError(
            f"`devices` asks for {'all' if match[1] else wanted} GPUs, TensorFlow sees "
            f"{len(available)}. Received: devices={devices!r}; cpu:2 runs on two logical devices."
        )
    return tf.distribute.MirroredStrategy(available[:wanted])


def mirrored_cpus(devices: Sequence[str]) -> tf.distribute.MirroredStrategy:
    """Returns a strategy over logical devices of one CPU.

    Sums are made on one device instead of by collective operations, whose numbering is global and
    clashes when one process makes several strategies.

    Args:
      devices: names of the devices.
    """
    return tf.distribute.MirroredStrategy(
        devices, cross_device_ops=tf.distribute.ReductionToOneDevice()
    )


def _logical_cpus(number: int) -> list[str]:
    physical = tf.config.list_physical_devices("CPU")[0]
    # TensorFlow may have its devices already; there may be enough.
    with contextlib.suppress(RuntimeError):
        tf.config.set_logical_device_configuration(
            physical, [tf.config.LogicalDeviceConfiguration()] * number
        )
    names = [device.name for device in tf.config.list_logical_devices("CPU")]
    if len(names) < number:
        raise ConfigurationError(
            f"`devices` asks for {number} logical CPU devices, TensorFlow was started with "
            f"{len(names)}. Received: devices='cpu:{number}'."
        )
    return names[:number]
