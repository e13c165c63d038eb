"""Whether the pictures of a training are kept in the memory of its devices."""

import logging
from collections.abc import Callable
from typing import Any

from enas_tf.environment import nvidia
from enas_tf.errors import ConfigurationError
from enas_tf.settings.hardware import NO, YES
from enas_tf.training.devices import devices_of
from enas_tf.training.hardware import used

_log = logging.getLogger(__name__)

# The share of a GPU's memory that pictures may take unless they are asked for.
MOST_OF_MEMORY = 1 / 8


def placed(
    data: Any, strategy: Any, memory: Callable[[], list[int] | None] = nvidia.memory_bytes
) -> Any:
    """Returns data that are in the memory of the devices, if they shall be there.

    Args:
      data: an `ImageData` or a `TextData`.
      strategy: of the training.
      memory: returns the bytes of each GPU, if they are known.

    Raises:
      ConfigurationError: they cannot be there, and shall.
    """
    choice, devices = used().data_on_device, devices_of(strategy)
    obstacle = data.obstacle_on_devices
    if choice == YES and obstacle is not None:
        raise ConfigurationError(f"`data_on_device=yes` is not possible: {obstacle}.")
    if choice == NO or obstacle is not None:
        return data
    if choice != YES and not _fit(data.device_bytes, devices, memory):
        return data
    if data.memory is None or data.memory.devices != tuple(devices):
        _log.info("%.1f MB of pictures are kept on each device.", data.device_bytes / 1e6)
        data = data.on_devices(devices)
    return data


def _fit(size: int, devices: list[str], memory: Callable[[], list[int] | None]) -> bool:
    """Whether so many bytes are little on each device, all of which are GPUs."""
    sizes = memory() if all("GPU" in device for device in devices) else None
    return bool(sizes) and size <= MOST_OF_MEMORY * min(sizes or [0])
