"""`enas-benchmark`: measures how fast a search runs on this machine."""

import json
import sys
from collections.abc import Sequence
from typing import Any

from enas_tf.cli.app import SMALLER_TRAINING, run_command
from enas_tf.cli.common import (
    add_preset_flag,
    add_space_flag,
    chosen_preset,
    chosen_space,
    flags_of_other_spaces,
    start,
)
from enas_tf.cli.flags import CommandFlags
from enas_tf.environment.console import say
from enas_tf.settings.arguments import flag_names
from enas_tf.settings.groups import Group
from enas_tf.settings.hardware import HardwareConfig
from enas_tf.settings.search import SearchConfig
from enas_tf.settings.setting import field_types
from enas_tf.spaces.architectures import load_architecture
from enas_tf.spaces.base import SearchSpace
from enas_tf.spaces.registry import SpaceEntry

NAME = "enas-benchmark"
DEFAULT_PRESET = "release"
SUMMARY = (
    "measures training steps, rewards and controller updates on random data, and the same training "
    "step of plain networks. Defaults are the release's search settings."
)
# Of trainings on several machines, and on pictures.
_OF_RUNS = ("worker_timeout", "data_on_device")
# What `--help` tells.
COMMON = (
    "space",
    "preset",
    "architecture",
    "repeats",
    "json",
    "num_layers",
    "filters",
    "num_nodes",
    "hidden_size",
    "batch_size",
    "input_shape",
    "vocabulary_size",
    "devices",
)


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command and returns its exit code."""
    return run_command(NAME, _benchmark, argv, memory_advice=SMALLER_TRAINING)


def settings_of(argv: Sequence[str]) -> tuple[CommandFlags, SearchSpace, SearchConfig]:
    """Returns the flags of a command line, and the space and the search that they describe."""
    entry = chosen_space(argv, lambda entry: _flags(entry, DEFAULT_PRESET))
    preset_name = chosen_preset(argv, entry.search_presets, DEFAULT_PRESET)
    preset = entry.search_presets[preset_name]
    command = _flags(entry, preset_name)
    command.parse(argv)
    space = command.settings(preset.space)
    space = space.replace(**{name: command[name] for name in _set_by_data(space)})
    return command, space, command.settings(preset.search)


def _benchmark(argv: Sequence[str]) -> None:
    command, space, config = settings_of(argv)
    architectures = None
    if command["architecture"]:
        architectures = [load_architecture(command["architecture"], space.name)]
        space.check(architectures[0])

    distribution = start(command, alone=True)
    from enas_tf.benchmark import benchmark

    results = benchmark(
        space,
        config,
        architectures=architectures,
        repeats=command["repeats"],
        report=say,
        distribution=distribution,
    )
    print(json.dumps(results) if command["json"] else _table(results))


def _flags(entry: SpaceEntry, preset_name: str) -> CommandFlags:
    preset = entry.search_presets[preset_name]
    command = CommandFlags(NAME, SUMMARY, flags_of_other_spaces(entry, _flag_names), common=COMMON)
    add_space_flag(command, entry)
    add_preset_flag(command, entry.search_presets, preset_name, DEFAULT_PRESET)
    command.add(Group.OUTPUT, "json", bool, False, "Print one JSON object.")
    command.add(
        Group.DURATION, "repeats", int, 5, "Times that each architecture is measured.", minimum=1
    )
    command.add(
        Group.START,
        "architecture",
        str | None,
        None,
        "Measure only this architecture: a file, a run or a release string (default: a few that "
        "together use every operation equally).",
    )
    types = field_types(type(preset.space))
    for name, metadata in _set_by_data(preset.space).items():
        command.add(
            name=name,
            annotation=types[name],
            default=getattr(preset.space, name),
            **{**metadata, "group": Group.DATA},
        )
    command.add_settings(Group.HARDWARE, HardwareConfig(), exclude=_OF_RUNS)
    command.add_settings(Group.SPACE, preset.space)
    command.add_settings(Group.SEARCH, preset.search, exclude=entry.unused_flags)
    return command


def _flag_names(entry: SpaceEntry) -> set[str]:
    """Returns the flags of a space's settings."""
    preset = entry.search_presets[DEFAULT_PRESET]
    names = {*flag_names(preset.space), *flag_names(preset.search), *_set_by_data(preset.space)}
    return names - set(entry.unused_flags)


def _set_by_data(space: SearchSpace) -> dict[str, Any]:
    """Returns the settings that the data decide in a search: their metadata by name."""
    fields = space.__dataclass_fields__.values()
    return {field.name: field.metadata for field in fields if not field.metadata.get("flag", True)}


def _table(results: dict[str, Any]) -> str:
    seconds = [name for name in results if name.endswith("_seconds")]
    lines = [f"{name.removesuffix('_seconds'):24}{results[name]:10.4f} s" for name in seconds]
    return "\n".join(
        [
            *lines,
            f"{'supernet / static step':24}{results['ratio']:10.3f}",
            f"{'examples per second':24}{results['examples_per_second']:10.1f}",
            f"{'peak memory':24}{results['peak_memory_bytes'] / 2**30:10.2f} GiB",
        ]
    )


if __name__ == "__main__":
    sys.exit(main())
