"""`enas-draw`: draws an architecture."""

import os
import pathlib
import sys
from collections.abc import Mapping, Sequence
from typing import Any

from enas_tf.cli.app import run_command
from enas_tf.cli.common import (
    OR_ITS_ARCHITECTURE,
    add_architecture_flag,
    add_space_flag,
    chosen_space,
    flags_of_other_spaces,
)
from enas_tf.cli.flags import CommandFlags, peek
from enas_tf.errors import ConfigurationError, RunDirectoryError
from enas_tf.reporting.drawing import FORMATS, write_drawing
from enas_tf.runs.contents import CONFIG
from enas_tf.runs.directory import RunDirectory
from enas_tf.settings.groups import Group
from enas_tf.settings.setting import field_types
from enas_tf.spaces.architectures import load_architecture
from enas_tf.spaces.registry import SpaceEntry

NAME = "enas-draw"
SUMMARY = "draws an architecture as an SVG or PNG file."

# The parts of a run's configuration that may say what a drawing depends on.
_SECTIONS = ("space", "network", "data")


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command and returns its exit code."""
    return run_command(NAME, _draw, argv)


def _draw(argv: Sequence[str]) -> None:
    entry = chosen_space(argv, _flags, peek(argv, ["architecture"])["architecture"])
    command = _flags(entry)
    command.parse(argv)
    options = _options(command, entry)
    architecture = load_architecture(command["architecture"], entry.name)
    path = write_drawing(architecture, pathlib.Path(command["output"]), **options)
    print(f"Wrote {path}")


def _flags(entry: SpaceEntry) -> CommandFlags:
    command = CommandFlags(NAME, SUMMARY, flags_of_other_spaces(entry, _drawing_options))
    add_space_flag(command, entry, OR_ITS_ARCHITECTURE)
    add_architecture_flag(command)
    command.add(
        Group.OUTPUT,
        "output",
        str,
        None,
        f"File to write; it ends in {' or '.join(FORMATS)}.",
        required=True,
    )
    for name, default in _drawing_options(entry).items():
        metadata = dict(entry.space.__dataclass_fields__[name].metadata)
        metadata["group"] = Group.NETWORK
        metadata["help"] += (
            f" (default: that of the run; for other architectures {_text(default)})."
        )
        annotation = field_types(entry.space)[name] | None
        command.add(name=name, annotation=annotation, default=None, **metadata)
    return command


def _drawing_options(entry: SpaceEntry) -> dict[str, Any]:
    """Returns what drawings of a space depend on, with the values when nothing is known."""
    return entry.space().drawing_options()


def _options(command: CommandFlags, entry: SpaceEntry) -> dict[str, Any]:
    """Returns what the flags say of the drawing, else what the run says, if it is one."""
    names = _drawing_options(entry)
    of_run = _recorded(command["architecture"], names)
    try:
        space = entry.space.from_json(of_run)
    except ConfigurationError as error:
        path = os.path.join(command["architecture"], CONFIG)
        raise RunDirectoryError(f"{path} is damaged: {error}") from error
    given = {name: command[name] for name in names if command[name] is not None}
    return space.replace(**given).drawing_options()


def _recorded(architecture: str, names: Mapping[str, Any]) -> dict[str, Any]:
    """Returns those of some settings that the configuration of a run directory has."""
    # Unlike `Path.is_file` this takes texts that are too long for a path, as release strings are.
    if not os.path.isfile(os.path.join(os.path.expanduser(architecture), CONFIG)):
        return {}
    configuration = RunDirectory(architecture).configuration
    sections = [configuration.get(name) for name in _SECTIONS]
    return {
        name: section[name]
        for section in sections
        if isinstance(section, Mapping)
        for name in names
        if name in section
    }


def _text(value: Any) -> str:
    return ",".join(map(str, value)) if isinstance(value, tuple) else str(value)


if __name__ == "__main__":
    sys.exit(main())
