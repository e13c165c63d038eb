"""The versions of the programs that a run is made with."""

import contextlib
import importlib.metadata
import platform
from typing import Any

import enas_tf
from enas_tf.runs.differences import differences

# What decides the bits of the results, of the recorded versions.
_NUMERICAL = ("tensorflow", "keras")


def versions() -> dict[str, str]:
    """Returns the versions of what works here, by the name of the program."""
    found = {"enas_tf": enas_tf.__version__, "python": platform.python_version()}
    for name in ("tensorflow", "keras", "numpy", "pillow"):
        with contextlib.suppress(importlib.metadata.PackageNotFoundError):
            found[name] = importlib.metadata.version(name)
    return found


def changed_versions(there: Any) -> str:
    """Returns which programs, of those that decide the bits of results, have another version now.

    Args:
      there: what `versions` returned when the run began, as far as it was written down.

    Returns:
      In words; nothing where none is another one.
    """
    if not isinstance(there, dict):
        return ""
    now = versions()
    known = [name for name in _NUMERICAL if name in there and name in now]
    return differences(
        {name: there[name] for name in known},
        {name: now[name] for name in known},
        words=("then", "now"),
    )
