"""`enas-search`: searches a network architecture."""

import dataclasses
import sys
from collections.abc import Sequence
from typing import Any, cast

from enas_tf.cli.app import SMALLER_TRAINING, run_command
from enas_tf.cli.closing_words import search_report
from enas_tf.cli.common import (
    add_preset_flag,
    add_space_flag,
    add_steps_flag,
    add_training_flags,
    check_output_dir,
    chosen_preset,
    chosen_space,
    default_output_dir,
    flags_of_other_spaces,
    is_follower,
    load_data,
    search_flags,
    start,
    taking_steps,
)
from enas_tf.cli.flags import CommandFlags
from enas_tf.records.run import run_named
from enas_tf.runs.phases import SEARCH
from enas_tf.settings.groups import Group
from enas_tf.spaces.presets import SearchPreset
from enas_tf.spaces.registry import SpaceEntry

NAME = "enas-search"
SUMMARY = (
    "searches a network architecture. Training of the shared weights and updates of the "
    "controller alternate; then the best architecture is derived. Interrupted, the same command "
    "goes on where it stopped."
)
# What `--help` tells.
COMMON = (
    "space",
    "preset",
    "dataset",
    "data_dir",
    "operations",
    "strategy",
    "epochs",
    "time_budget",
    "batch_size",
    "seed",
    "reward_metric",
    "max_parameters",
    "devices",
    "output_dir",
    "overwrite",
)


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command and returns its exit code."""
    return run_command(NAME, _search, argv, memory_advice=SMALLER_TRAINING)


def _search(argv: Sequence[str]) -> None:
    entry = chosen_space(argv, _flags)
    preset_name = chosen_preset(argv, entry.search_presets)
    preset = entry.search_presets[preset_name]
    command = _flags(entry, preset_name)
    command.parse(argv)
    dataset = command.settings(preset.data).dataset
    output_dir = command["output_dir"] or default_output_dir(
        entry.name, dataset, preset_name, f"seed{command['seed']}"
    )
    check_output_dir(output_dir)
    there = None if command["overwrite"] else run_named(output_dir, (SEARCH,))
    if there is not None and there.entry is entry:
        # A run of 0.1.0 goes on with the values that its presets had.
        preset = cast(SearchPreset, there.presets[preset_name])
        preset = dataclasses.replace(
            preset,
            data=there.as_begun("data", preset.data),
            space=there.as_begun("space", preset.space),
        )
    data_config = command.settings(preset.data)
    space = command.settings(preset.space)
    config = command.settings(preset.search)

    def check(data: Any) -> None:
        data.check_search(config)
        space.for_data(data)

    data, distribution = load_data(entry, data_config, check, lambda: start(command))

    from enas_tf.searching.api import search
    from enas_tf.training.machines.agreement import Machines

    with taking_steps(command):
        result = search(
            space.for_data(data),
            data,
            config,
            output_dir,
            overwrite=command["overwrite"],
            distribution=distribution,
            preset=preset_name,
        )
    if is_follower(Machines(distribution)):
        return
    print(search_report(result))


def _flags(entry: SpaceEntry, preset_name: str = "default") -> CommandFlags:
    preset = entry.search_presets[preset_name]
    command = CommandFlags(NAME, SUMMARY, flags_of_other_spaces(entry, search_flags), common=COMMON)
    add_space_flag(command, entry)
    add_preset_flag(command, entry.search_presets, preset_name)
    add_training_flags(command, "runs/SPACE_DATASET_PRESET_seedN")
    add_steps_flag(command)
    command.add_settings(Group.DATA, preset.data)
    command.add_settings(Group.SPACE, preset.space)
    command.add_settings(Group.SEARCH, preset.search, exclude=entry.unused_flags)
    return command


if __name__ == "__main__":
    sys.exit(main())
