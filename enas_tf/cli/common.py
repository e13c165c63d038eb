"""What the commands share: which space and preset they work with, and where results go."""

import contextlib
import logging
import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, TypeVar

from enas_tf.cli.flags import CommandFlags, MisplacedFlagError, peek
from enas_tf.cli.start_up import load_tensorflow
from enas_tf.environment.console import say
from enas_tf.errors import ConfigurationError
from enas_tf.runs.directory import RunDirectory
from enas_tf.settings.arguments import flag_names
from enas_tf.settings.groups import Group
from enas_tf.settings.hardware import HardwareConfig
from enas_tf.settings.setting import Settings
from enas_tf.spaces.architectures import space_of_architecture
from enas_tf.spaces.presets import RetrainPreset, SearchPreset
from enas_tf.spaces.registry import SpaceEntry, get_space, space_names
from enas_tf.training.machines.cluster import Cluster

Started = TypeVar("Started")

_log = logging.getLogger(__name__)

# What tells the space of commands that take an architecture.
OR_ITS_ARCHITECTURE = "the architecture is a run, a file or a published one"


def chosen_space(
    argv: Sequence[str],
    flags_of: Callable[[SpaceEntry], CommandFlags],
    architecture: str | None = None,
) -> SpaceEntry:
    """Returns the space that the arguments name, since it decides which flags there are.

    Args:
      argv: the arguments.
      flags_of: makes the flags of the command for a space.
      architecture: a run, an architecture file or a published name, whose space counts if
        `--space` is not given.

    Raises:
      ConfigurationError: `--space` is missing, or names no space; or something else is wrong with
        the arguments whatever the space.
      SystemExit: without a space, `--help` or `--version` was asked for and has been printed.
    """
    stated = peek(argv, ["space"])["space"]
    name = stated or space_of_architecture(architecture)
    if name is None:
        _check_for_every_space(argv, flags_of)
        raise ConfigurationError(f"`--space` is required. Give one of: {', '.join(space_names())}.")
    if name not in space_names():
        raise ConfigurationError(
            f"`--space` must be one of {', '.join(space_names())}. Received: --space={name}"
        )
    return get_space(name)


def _check_for_every_space(
    argv: Sequence[str], flags_of: Callable[[SpaceEntry], CommandFlags]
) -> None:
    """Raises what is wrong with the arguments whichever space is meant."""
    errors = []
    for name in space_names():
        try:
            flags_of(get_space(name)).parse([*argv, f"--space={name}"])
        except ConfigurationError as error:
            errors.append(error)
        else:
            return
    # A space that has all the flags knows best what is wrong with one.
    raise min(errors, key=lambda error: isinstance(error, MisplacedFlagError))


def chosen_preset(argv: Sequence[str], presets: Iterable[str], default: str = "default") -> str:
    """Returns the name of the preset that the arguments name, whose values are the defaults.

    Args:
      argv: the arguments.
      presets: the names of those of the space.
      default: the preset when they name none.

    Raises:
      ConfigurationError: the space has no preset of that name.
    """
    name = peek(argv, ["preset"])["preset"] or default
    if name not in presets:
        raise ConfigurationError(
            f"`--preset` must be one of {', '.join(presets)}. Received: --preset={name}"
        )
    return name


def add_space_flag(command: CommandFlags, entry: SpaceEntry, unless: str | None = None) -> None:
    """Adds `--space`, which has no default.

    Args:
      command: gets the flag.
      entry: the space whose flags the command has.
      unless: what else may tell the space, for example "the architecture is a run".
    """
    required = "" if unless is None else f" Required, unless {unless}."
    command.add(
        Group.START,
        "space",
        str,
        None,
        "Search space, without a default; it decides which other flags there are. This help shows "
        f"those of {entry.name}.{required}",
        required=unless is None,
        choices=space_names(),
    )


def add_architecture_flag(command: CommandFlags, note: str = "") -> None:
    """Adds `--architecture`.

    Args:
      command: gets the flag.
      note: one more sentence of its help.
    """
    command.add(
        Group.START,
        "architecture",
        str,
        None,
        "A run directory, a JSON file, the integers of the release in quotes, or the name of a "
        f"published architecture.{note}",
        required=True,
    )


def add_model_flag(command: CommandFlags, name: str = "model", of: str = "a retraining") -> None:
    """Adds the flag that names a trained model.

    Args:
      command: gets the flag.
      name: of the flag.
      of: whose output folder may be named.
    """
    what = f"Output folder of {of}, a .keras file, or a SavedModel folder."
    command.add(Group.START, name, str, None, what, required=True)


def add_preset_flag(
    command: CommandFlags,
    presets: Mapping[str, SearchPreset] | Mapping[str, RetrainPreset],
    chosen: str,
    default: str = "default",
) -> None:
    """Adds `--preset`, whose help tells what each preset is."""
    summaries = " ".join(
        f"{name}: {_uncapitalized(preset.summary)}" for name, preset in presets.items()
    )
    command.add(
        Group.START,
        "preset",
        str,
        default,
        f"Values of all flags that are not given. {summaries} The defaults that this help shows "
        f"are those of {chosen!r}.",
        choices=tuple(presets),
    )


def add_training_flags(command: CommandFlags, output_dir: str) -> None:
    """Adds the flags of how and where to train, which decide nothing of what is trained.

    Args:
      command: gets the flags.
      output_dir: says where results go by default.
    """
    command.add_settings(Group.HARDWARE, HardwareConfig())
    command.add(
        Group.OUTPUT,
        "output_dir",
        str | None,
        None,
        "Folder of the results; the same command with the same folder goes on where it stopped "
        f"(default: {output_dir}).",
    )
    command.add(
        Group.OUTPUT, "overwrite", bool, False, "Start anew: delete the run that is in output_dir."
    )
    command.add(
        Group.HARDWARE,
        "profile_steps",
        range | None,
        None,
        "Write a TensorFlow profile of the steps from FIRST to before END, counted from 0 at the "
        "start of this command, into the folder tensorboard of the run, for example 20:30; "
        "TensorFlow prepares its functions in the first steps (default: none).",
    )


def add_steps_flag(command: CommandFlags) -> None:
    """Adds the flag of how many training steps of a search are one call."""
    command.add(
        Group.HARDWARE,
        "steps_per_call",
        int,
        1,
        "Training steps of a search that one call of TensorFlow takes; the result is the same, and "
        "a run may go on with another number. More than 1 saves the time between two steps, for "
        "small networks on a fast device; a signal waits for the end of a call.",
        minimum=1,
    )


def load_data(
    entry: SpaceEntry, config: Settings, check: Callable[[Any], None], start: Callable[[], Started]
) -> tuple[Any, Started]:
    """Reads the data and loads TensorFlow; the data first if they can be read without it.

    Bad data are then told at once, and not after the seconds that TensorFlow takes.

    Args:
      entry: the space that works on the data.
      config: which data.
      check: raises what is wrong with the data.
      start: loads TensorFlow and chooses its devices.

    Returns:
      The data, and what `start` returned.
    """
    if entry.data.needs_tensorflow(config):
        started = start()
        data = entry.data.load(config)
        check(data)
        return data, started
    data = entry.data.load(config)
    check(data)
    return data, start()


def check_output_dir(output_dir: str) -> None:
    """Finds out early whether results can be written.

    On several machines the chief finds out as soon as all are there: else the others would wait
    for it, and not be told.

    Raises:
      RunDirectoryError: see `RunDirectory.check`.
      ConfigurationError: `TF_CONFIG` cannot be used.
    """
    if Cluster.from_environment() is None:
        RunDirectory.check(output_dir)


def check_output_file(flag: str, path: str) -> None:
    """Finds out early whether a file of results can be written.

    Args:
      flag: that names the file.
      path: of the file.

    Raises:
      ConfigurationError: there is a folder of that name, or none to write it into.
    """
    path = os.path.expanduser(path)
    if os.path.isdir(path) or not os.path.isdir(os.path.dirname(path) or os.curdir):
        raise ConfigurationError(
            f"`--{flag}` must be a file in a folder that exists. Received: --{flag}={path}"
        )


def start(command: CommandFlags, *, alone: bool = False) -> Any:
    """Loads TensorFlow, says what it runs on, and returns the strategy of the devices.

    Args:
      command: its flags name the devices.
      alone: whether it works without other machines, whatever `TF_CONFIG` says.
    """
    load_tensorflow()
    from enas_tf.training.hardware import described, unused_gpu, use_hardware

    config = command.settings(HardwareConfig())
    strategy = use_hardware(config, alone=alone)
    say(f"{command.name}: runs on {described(strategy)}")
    missing = unused_gpu(config)
    if missing is not None:
        _log.warning(missing)
    return strategy


@contextlib.contextmanager
def taking_steps(command: CommandFlags) -> Iterator[None]:
    """Lets searches in a block take and profile their steps as the flags say."""
    from enas_tf.training.profiling import profiled
    from enas_tf.training.several_steps import steps_per_call

    with profiled(command["profile_steps"]), steps_per_call(command["steps_per_call"]):
        yield


def is_follower(machines: Any) -> bool:
    """Returns whether another machine, the chief, writes and reports; tells so if it does.

    Args:
      machines: the machines.
    """
    if not machines.is_chief:
        print(f"Machine {machines.index} of {machines.count} is done; the chief has the results.")
    return not machines.is_chief


def flags_of_other_spaces(
    entry: SpaceEntry, flags_of: Callable[[SpaceEntry], Iterable[str]]
) -> dict[str, str]:
    """Returns, for flags that a command has for other spaces only, the sentence that says so.

    Args:
      entry: the space that was chosen.
      flags_of: returns the flags that the command has for a space.
    """
    own = {*flags_of(entry), *search_flags(entry), *retrain_flags(entry)}
    owners: dict[str, list[str]] = {}
    for name in space_names():
        for flag in set(flags_of(get_space(name))) - own:
            owners.setdefault(flag, []).append(f"--space={name}")
    return {
        flag: f"belongs to {' and '.join(names)}, not to --space={entry.name}"
        for flag, names in owners.items()
    }


def search_flags(entry: SpaceEntry) -> set[str]:
    """Returns the flags that `enas-search` has for a space's settings."""
    preset = entry.search_presets["default"]
    settings = (preset.space, preset.data, preset.search)
    return {flag for one in settings for flag in flag_names(one)} - set(entry.unused_flags)


def retrain_flags(entry: SpaceEntry) -> set[str]:
    """Returns the flags that `enas-retrain` has for a space's settings."""
    preset = entry.retrain_presets["default"]
    settings = (preset.network, preset.data, preset.retrain)
    return {flag for one in settings for flag in flag_names(one)}


def default_output_dir(*words: object) -> str:
    """Returns a folder under `runs` named by some words, for example `runs/macro_digits`."""
    names = [re.sub(r"[^A-Za-z0-9.-]+", "-", os.path.basename(str(word))) for word in words]
    return os.path.join("runs", "_".join(name.strip("-") for name in names if name))


def _uncapitalized(sentence: str) -> str:
    # Names like CIFAR-10 keep their capitals.
    return sentence if sentence[1:2].isupper() else sentence[:1].lower() + sentence[1:]
