"""What a process takes of its machine, and what machine that is."""

import os
import pathlib
import platform
import resource
import sys
import time
from typing import Any

# Taken when the module is loaded, for systems that do not tell when the process began.
_LOADED = time.time()


def process_start() -> float:
    """Returns when this process began, in seconds since the epoch."""
    stat = pathlib.Path("/proc/self/stat")
    if not stat.exists():
        return _LOADED
    # Field 22, counted behind the command's name, which may hold blanks.
    ticks = int(stat.read_text().rpartition(")")[2].split()[19])
    uptime = float(pathlib.Path("/proc/uptime").read_text().split()[0])
    return time.time() - uptime + ticks / os.sysconf("SC_CLK_TCK")


def peak_memory() -> int:
    """Returns the bytes of memory that this process had at most."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def about(num_replicas: int) -> dict[str, Any]:
    """Returns what is measured on, as JSON can hold it.

    Args:
      num_replicas: devices that work on one step.
    """
    import tensorflow as tf

    return {
        "devices": [device.name for device in tf.config.list_logical_devices()],
        "replicas": num_replicas,
        "cores": os.cpu_count(),
        "machine": platform.machine(),
        "tensorflow": tf.__version__,
        "python": platform.python_version(),
    }
