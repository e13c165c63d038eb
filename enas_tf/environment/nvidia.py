"""What can be known of NVIDIA's GPUs without TensorFlow, from files and from their driver."""

import ctypes
import pathlib
from collections.abc import Callable
from typing import Any

_DRIVER = "libcuda.so.1"


def is_present(root: pathlib.Path | str = "/") -> bool:
    """Whether this machine has a GPU of NVIDIA's, and the driver of the system knows it.

    Args:
      root: of the file system.
    """
    files = ("proc/driver/nvidia/gpus/*", "dev/nvidia[0-9]*")
    return any(any(pathlib.Path(root).glob(pattern)) for pattern in files)


def memory_bytes(load: Callable[[str], Any] = ctypes.CDLL) -> list[int] | None:
    """Returns the memory of each GPU that this process may use; None: the driver does not tell.

    Args:
      load: opens a library by its name; raises `OSError` if there is none.
    """
    try:
        driver = load(_DRIVER)
    except OSError:
        return None
    count = ctypes.c_int()
    if driver.cuInit(0) or driver.cuDeviceGetCount(ctypes.byref(count)):
        return None
    sizes = []
    for number in range(count.value):
        device, size = ctypes.c_int(), ctypes.c_size_t()
        if driver.cuDeviceGet(ctypes.byref(device), number):
            return None
        if driver.cuDeviceTotalMem_v2(ctypes.byref(size), device):
            return None
        sizes.append(size.value)
    return sizes
