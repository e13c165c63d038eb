"""Whether the run in a folder is the one that a command would go on with."""

import pathlib
from collections.abc import Mapping
from typing import Any

from enas_tf.errors import RunDirectoryError
from enas_tf.runs.differences import differences
from enas_tf.runs.prolonging import is_longer, obstacle


def completed(values: Mapping[str, Any], defaults: Mapping[str, Any]) -> dict[str, Any]:
    """Returns values with the defaults of those that are missing, in their sections too."""
    # Of another space, which has other settings.
    if values.get("name") != defaults.get("name"):
        return dict(values)
    return {**defaults} | {
        name: completed(value, defaults[name])
        if isinstance(value, dict) and isinstance(defaults.get(name), dict)
        else value
        for name, value in values.items()
    }


def check_same(path: pathlib.Path, there: Mapping[str, Any], now: Mapping[str, Any]) -> None:
    """Raises `RunDirectoryError` if a run cannot go on with a configuration.

    Args:
      path: of the run, for the user.
      there: the configuration of the run.
      now: the one that is asked for.
    """
    different = differences(there, now)
    if is_longer(there, now):
        why = obstacle(there, now)
        if why is not None:
            raise RunDirectoryError(
                f"{path} holds a run that cannot have more epochs ({different}): {why}, so that it "
                "would have gone otherwise from the beginning. Give another output_dir, or "
                "--overwrite to start anew."
            )
        return
    if different:
        raise RunDirectoryError(
            f"{path} holds a run with another configuration ({different}). Use the same settings "
            "to go on, another output_dir, or --overwrite to start anew."
        )


def check_command(path: pathlib.Path, there: Mapping[str, Any], now: Mapping[str, Any]) -> None:
    """Raises `RunDirectoryError` if a run is one of another command; arguments as above.

    Else the retraining of what a search found could overwrite the search.
    """
    old, new = there.get("command"), now.get("command")
    if None not in (old, new) and old != new:
        raise RunDirectoryError(
            f"{path} holds a run of enas-{old}, which enas-{new} neither resumes nor overwrites; "
            "nothing was changed. Give another output_dir."
        )
