"""What a process does with its devices, by `HardwareConfig`.

The settings hold for the whole process, as those of TensorFlow do, which most of them are.
"""

import logging
import os
from collections.abc import Callable
from typing import Any

import tensorflow as tf

from enas_tf.environment import nvidia
from enas_tf.errors import ConfigurationError
from enas_tf.settings.hardware import YES, HardwareConfig
from enas_tf.training.devices import devices_of, strategy_of_devices

_log = logging.getLogger(__name__)

# With these, the user hides the GPUs.
_NONE_VISIBLE = ("", "-1")
_used = HardwareConfig()


def used() -> HardwareConfig:
    """Returns the settings that hold."""
    return _used


def use_hardware(config: HardwareConfig | None = None, *, alone: bool = False) -> Any:
    """Lets settings hold in this process, and returns the strategy of their devices.

    To be called before TensorFlow has made its devices; afterwards some settings cannot change.

    ```python
    distribution = enas_tf.use_hardware(enas_tf.HardwareConfig(devices="cpu:2"))
    ```

    Args:
      config: the settings. Default: `HardwareConfig()`.
      alone: whether this machine works without the others, whatever `TF_CONFIG` says.

    Raises:
      ConfigurationError: there are no such devices, or the settings do not fit them.
      WorkerLostError: another machine did not come.
    """
    global _used
    config = config or HardwareConfig()
    grow_memory(config.memory_growth)
    tf.config.experimental.enable_tensor_float_32_execution(config.tf32)
    if config.deterministic:
        tf.config.experimental.enable_op_determinism()
    strategy = strategy_of_devices(config.devices, config.worker_timeout, alone=alone)
    if config.compiled_update == YES and strategy is not tf.distribute.get_strategy():
        raise ConfigurationError(
            "`compiled_update=yes` is for a single device, on which no strategy distributes "
            f"anything. Received: devices={config.devices!r}; leave one of both out."
        )
    _used = config
    return strategy


def grow_memory(grows: bool) -> None:
    """Lets GPUs take memory as it is needed, or nearly all of it at the start.

    Args:
      grows: whether as it is needed.
    """
    for gpu in tf.config.list_physical_devices("GPU"):
        if tf.config.experimental.get_memory_growth(gpu) == grows:
            continue
        try:
            tf.config.experimental.set_memory_growth(gpu, grows)
        # It has its devices already, or somebody divided them.
        except (RuntimeError, ValueError) as error:
            _log.warning("`memory_growth` stays as it is: %s", error)
            return


def described(strategy: Any) -> str:
    """Returns which devices train with a strategy, for people."""
    devices = devices_of(strategy)
    number, total = len(devices), strategy.num_replicas_in_sync
    if all("GPU" in device for device in devices):
        names = ", ".join(dict.fromkeys(map(_name, devices)))
        text = f"{number} GPU{'s' if number > 1 else ''} ({names})"
    else:
        text = "the CPU" if number == 1 else f"{number} logical devices of the CPU"
    return text if total == number else f"{text}, {total} devices on all machines"


def _name(gpu: str) -> str:
    """Returns the name of the product that a device is."""
    visible = tf.config.get_visible_devices("GPU")
    details = tf.config.experimental.get_device_details(visible[int(gpu.rpartition(":")[2])])
    return details.get("device_name", "GPU")


def unused_gpu(
    config: HardwareConfig, is_present: Callable[[], bool] = nvidia.is_present
) -> str | None:
    """Returns what is missing if TensorFlow sees no GPU though there is one; None: nothing is.

    Args:
      config: whoever asks for CPUs is not told.
      is_present: whether there is one.
    """
    hidden = os.environ.get("CUDA_VISIBLE_DEVICES") in _NONE_VISIBLE
    if hidden or config.devices.startswith("cpu:") or tf.config.list_physical_devices("GPU"):
        return None
    if not is_present():
        return None
    return (
        "There is an NVIDIA GPU, but TensorFlow sees none and uses the CPU. Install its libraries: "
        "pip install 'tensorflow[and-cuda]' (or this package as '.[cuda]'); if they are there, the "
        "driver is too old for them."
    )
