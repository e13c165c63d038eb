"""`enas-benchmark`: measures how fast a search runs on this machine."""

import functools
import json
import sys
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from enas_tf.cli.app import SMALLER_TRAINING, run_command
from enas_tf.cli.common import (
    add_preset_flag,
    add_space_flag,
    check_output_file,
    chosen_preset,
    chosen_space,
    flags_of_other_spaces,
    start,
)
from enas_tf.cli.flags import CommandFlags
from enas_tf.environment.console import say
from enas_tf.errors import ConfigurationError
from enas_tf.files.places import user_path
from enas_tf.files.writing import write_text
from enas_tf.reporting.drawing import FORMATS, check_drawing_name, write_picture
from enas_tf.settings.arguments import flag_names
from enas_tf.settings.benchmark import WholeConfig
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
    "step of plain networks; or a short search as a whole, how a step grows, or its operations. "
    "Defaults are the release's search settings."
)
# Of trainings on several machines, and on pictures.
_OF_RUNS = ("worker_timeout", "data_on_device")
# What `--help` tells.
COMMON = (
    "space",
    "preset",
    "whole",
    "sweep",
    "profile",
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
# In the place of a file.
STDOUT = "-"
# As a process of its own is started.
MODULE = "enas_tf.cli.benchmark"


class Asked(NamedTuple):
    """What a command line asks for.

    Attributes:
      command: its flags.
      space: to be measured.
      config: the settings of the search.
      architectures: the one that it names; None: it names none.
      arguments: of the whole command line, as they were given.
    """

    command: CommandFlags
    space: SearchSpace
    config: SearchConfig
    architectures: list[Any] | None
    arguments: Sequence[str]


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command and returns its exit code."""
    arguments = sys.argv[1:] if argv is None else argv
    work = functools.partial(_benchmark, arguments)
    return run_command(NAME, work, arguments, memory_advice=SMALLER_TRAINING)


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


def _benchmark(arguments: Sequence[str], argv: Sequence[str]) -> None:
    command, space, config = settings_of(argv)
    mode = _mode(command)
    architectures = None
    if command["architecture"]:
        architectures = [load_architecture(command["architecture"], space.name)]
        space.check(architectures[0])
    _MODES[mode](Asked(command, space, config, architectures, arguments))


def _mode(command: CommandFlags) -> str:
    """Returns what is to be measured: one of `_MODES`.

    Raises:
      ConfigurationError: flags exclude each other.
    """
    if command["step"]:
        # A point of a sweep, whose arguments are those of the sweep and some more.
        return "step"
    modes = [name for name in ("whole", "sweep", "profile") if command[name] not in (None, False)]
    if len(modes) > 1:
        raise ConfigurationError(
            f"Give one of {', '.join(f'`--{name}`' for name in modes)} at a time; each measures "
            "something else."
        )
    mode = modes[0] if modes else "steps"
    if command["picture"] and mode != "sweep":
        raise ConfigurationError(
            f"`--picture` draws what `--sweep` measures. Received: --picture={command['picture']}"
        )
    if command["architecture"] and mode in ("whole", "sweep"):
        raise ConfigurationError(
            f"`--architecture` cannot be given with `--{mode}`, which "
            f"{'proposes its own' if mode == 'whole' else 'needs some of every size'}. "
            f"Received: --architecture={command['architecture']}"
        )
    return mode


def _options(asked: Asked) -> dict[str, Any]:
    """Loads TensorFlow; returns what the functions that measure single steps are called with."""
    return {
        "distribution": _distribution(asked),
        "architectures": asked.architectures,
        "repeats": asked.command["repeats"],
        "report": say,
    }


def _distribution(asked: Asked) -> Any:
    """Loads TensorFlow; returns the strategy of the devices."""
    return start(asked.command, alone=True)


def _steps(asked: Asked) -> None:
    from enas_tf.benchmark import benchmark
    from enas_tf.benchmark.tables import table_of_steps

    _print(asked, benchmark(asked.space, asked.config, **_options(asked)), table_of_steps)


def _step(asked: Asked) -> None:
    from enas_tf.benchmark.steps import measure_step
    from enas_tf.benchmark.tables import table_of_step

    _print(asked, measure_step(asked.space, asked.config, **_options(asked)), table_of_step)


def _whole(asked: Asked) -> None:
    whole = asked.command.settings(WholeConfig(), "whole_")
    # Bad settings are told before TensorFlow is loaded.
    whole.of_search(asked.config)
    distribution = _distribution(asked)

    from enas_tf.benchmark.tables import table_of_search
    from enas_tf.benchmark.whole import measure_search

    results = measure_search(
        asked.space,
        asked.config,
        whole,
        preset=asked.command["preset"],
        distribution=distribution,
    )
    _print(asked, results, table_of_search)


def _sweep(asked: Asked) -> None:
    from enas_tf.benchmark.sweep import chosen_axes, measure_in_process, picture_of, sweep
    from enas_tf.benchmark.tables import table_of_growth

    command, picture = asked.command, None
    axes = chosen_axes(command["sweep"], asked.space, asked.config)
    if command["picture"]:
        picture = check_drawing_name(command["picture"])
        check_output_file("picture", command["picture"])

    def measure(arguments: Sequence[str]) -> dict[str, Any]:
        # The last one of a flag counts.
        return measure_in_process(MODULE, [*asked.arguments, *arguments, "--step", "--json"])

    rows = sweep(axes, measure, say)
    if picture is not None:
        title = f"a training step of {asked.space.name}, preset {command['preset']}"
        write_picture(picture_of(rows, title), picture)
        say(f"Wrote {picture}")
    space = {"name": asked.space.name, **asked.space.to_json()}
    settings = {"space": space, "search": asked.config.to_json()}
    _print(
        asked,
        {"points": rows, "settings": settings},
        lambda results: table_of_growth(results["points"]),
    )


def _profile(asked: Asked) -> None:
    path = asked.command["profile"]
    if path != STDOUT:
        check_output_file("profile", path)
    options = _options(asked)

    from enas_tf.benchmark.profile import measure_operations
    from enas_tf.benchmark.tables import table_of_operations

    results = measure_operations(asked.space, asked.config, **options)
    if path == STDOUT:
        _print(asked, results, table_of_operations)
        return
    write_text(user_path(path), f"{_text(asked, results, table_of_operations)}\n")
    say(f"Wrote {path}")


_MODES: dict[str, Callable[[Asked], None]] = {
    "steps": _steps,
    "step": _step,
    "whole": _whole,
    "sweep": _sweep,
    "profile": _profile,
}


def _print(asked: Asked, results: dict[str, Any], table: Callable[[Any], str]) -> None:
    print(_text(asked, results, table))


def _text(asked: Asked, results: dict[str, Any], table: Callable[[Any], str]) -> str:
    return json.dumps(results) if asked.command["json"] else table(results)


def _flags(entry: SpaceEntry, preset_name: str) -> CommandFlags:
    preset = entry.search_presets[preset_name]
    command = CommandFlags(NAME, SUMMARY, flags_of_other_spaces(entry, _flag_names), common=COMMON)
    add_space_flag(command, entry)
    add_preset_flag(command, entry.search_presets, preset_name, DEFAULT_PRESET)
    _add_modes(command)
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
    command.add_settings(Group.MEASURED, WholeConfig(), "whole_")
    return command


def _add_modes(command: CommandFlags) -> None:
    """Adds the flags that say what is measured; without them it is what the summary says first."""
    command.add(
        Group.MEASURED,
        "whole",
        bool,
        False,
        "Measure a short search as a whole: the shares of training steps, rewards, validation, "
        "controller, checkpoints, data and reports in the time of an epoch.",
    )
    command.add(
        Group.MEASURED,
        "sweep",
        tuple[str, ...] | None,
        None,
        "Measure how the time and the memory of a training step grow beside its work, at the given "
        "sizes and at twice and four times each of them: along all axes that the space has, or "
        "some, such as layers,filters,nodes,hidden,vocabulary,batch,samples,devices.",
        bare="all",
    )
    command.add(
        Group.MEASURED,
        "profile",
        str | None,
        None,
        "Write the time of one training step by kinds of operations into this file, or print it "
        f"with {STDOUT} (default: it is not measured).",
    )
    command.add(
        Group.MEASURED,
        "step",
        bool,
        False,
        "Measure the training step alone, whatever else is asked for: what --sweep does, in a "
        "process of its own, at each of its points.",
    )
    command.add(
        Group.OUTPUT,
        "picture",
        str | None,
        None,
        f"File of a picture of what --sweep measured; it ends in {' or '.join(FORMATS)} (default: "
        "none is drawn).",
    )


def _flag_names(entry: SpaceEntry) -> set[str]:
    """Returns the flags of a space's settings."""
    preset = entry.search_presets[DEFAULT_PRESET]
    names = {*flag_names(preset.space), *flag_names(preset.search), *_set_by_data(preset.space)}
    return names - set(entry.unused_flags)


def _set_by_data(space: SearchSpace) -> dict[str, Any]:
    """Returns the settings that the data decide in a search: their metadata by name."""
    fields = space.__dataclass_fields__.values()
    return {field.name: field.metadata for field in fields if not field.metadata.get("flag", True)}


if __name__ == "__main__":
    sys.exit(main())
