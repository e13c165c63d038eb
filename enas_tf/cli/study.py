"""`enas-study`: finds out what searches are worth."""

import sys
from collections.abc import Sequence
from typing import Any

from enas_tf.cli.app import SMALLER_TRAINING, run_command
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
    load_data,
    search_flags,
    start,
    taking_steps,
)
from enas_tf.cli.flags import CommandFlags, peek
from enas_tf.cli.start_up import load_tensorflow
from enas_tf.errors import ConfigurationError
from enas_tf.records.run import RecordedRun, recorded_search
from enas_tf.settings.groups import Group
from enas_tf.spaces.presets import RetrainPreset, SearchPreset
from enas_tf.spaces.registry import SpaceEntry
from enas_tf.studies.plan import Part, StudyConfig
from enas_tf.studies.truth import read_truth, shipped_truths

NAME = "enas-study"
SUMMARY = (
    "finds out what searches are worth: searches with several methods and seeds, trains what they "
    "found and architectures drawn at random from scratch in the same way, and writes study.json "
    "and study.html. Interrupted, the same command goes on where it stopped."
)
# What `--help` tells.
COMMON = (
    "space",
    "preset",
    "methods",
    "seeds",
    "num_random",
    "retrain_seeds",
    "run",
    "dataset",
    "data_dir",
    "epochs",
    "retrain_epochs",
    "time_budget",
    "max_parameters",
    "output_dir",
    "dry_run",
)
_RETRAIN, _NETWORK = "retrain_", "network_"
# What the study itself decides.
_OF_STUDY = (
    *("strategy", "time_budget"),
    *("retrain_seed", "retrain_use_validation", "retrain_time_budget"),
)


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command and returns its exit code."""
    return run_command(NAME, _study, argv, memory_advice=SMALLER_TRAINING)


def _study(argv: Sequence[str]) -> None:
    given = peek(argv, ["run", "truth", "space"])
    named = given["run"]
    if given["truth"] and not given["space"]:
        argv = [f"--space={read_truth(given['truth']).space.name}", *argv]
    entry = chosen_space(argv, _flags, named)
    run = recorded_search(named) if named else None
    preset_name = chosen_preset(
        argv, entry.search_presets, "default" if run is None else run.preset
    )
    preset, final = _presets(entry, preset_name)
    command = _flags(entry, preset_name, run)
    command.parse(argv)
    part = None if command["part"] is None else Part.parse(command["part"])
    for group in (("part", "collect"), ("run", "exhaustive", "truth"), ("truth", "part")):
        both = [f"`--{name}`" for name in group if command[name]]
        if len(both) > 1:
            raise ConfigurationError(f"{' and '.join(both)} exclude each other; give one of them.")
    config = command.settings(StudyConfig())
    if config.time_budget is not None and (command["exhaustive"] or command["truth"]):
        raise ConfigurationError(
            "`--time_budget` is for studies that search: --exhaustive and --truth compare all "
            "architectures after the same training. Give --trained_epochs or --evaluations."
        )
    space = command.settings(preset.space)
    if run is None:
        data_config, search = command.settings(preset.data), command.settings(preset.search)
        # The flag is of the whole study.
        search = search.replace(time_budget=preset.search.time_budget)
    else:
        data_config, search = command.settings(run.data), run.settings["search"]
        space = run.space
    network = command.settings(final.network, _NETWORK)
    retrain = command.settings(final.retrain, _RETRAIN)
    kind = "exhaustive" if command["exhaustive"] else "study"
    subject = command["truth"] or f"{data_config.dataset}_{preset_name}"
    output_dir = command["output_dir"] or default_output_dir(
        kind, entry.name, subject, f"seed{search.seed}"
    )
    if not command["dry_run"]:
        check_output_dir(output_dir)
    if command["truth"] is not None:
        _against_truth(command, config, output_dir)
        return
    final_config = _final_data(final.data, preset.data, data_config)

    def check(data: Any) -> None:
        data.check_search(search)
        space.for_data(data)

    data, distribution = load_data(entry, data_config, check, lambda: start(command))
    if command["exhaustive"]:
        _exhaust(command, space.for_data(data), data, search, output_dir, distribution)
        return
    final_data = data if final_config == data_config else entry.data.load(final_config)

    from enas_tf.studies.api import study

    with taking_steps(command):
        document = study(
            space.for_data(data),
            data,
            search,
            retrain,
            network,
            config,
            output_dir,
            run=named,
            final_data=final_data,
            part=part,
            collect=command["collect"],
            overwrite=command["overwrite"],
            distribution=distribution,
            preset=preset_name,
            on_dry_run=print if command["dry_run"] else None,
        )
    if command["dry_run"]:
        return
    if document is None:
        _tell_part(command)
        return
    from enas_tf.studies.summary import study_summary

    print(f"\n{study_summary(document)}\n\nWrote {output_dir}/study.json, {output_dir}/study.html")


def _exhaust(
    command: CommandFlags, space: Any, data: Any, search: Any, output_dir: str, distribution: Any
) -> None:
    from enas_tf.studies.exhaustive import TRUTH, exhaustive_study

    config = command.settings(StudyConfig())
    part = command["part"]
    truth = exhaustive_study(
        space,
        data,
        search,
        output_dir,
        num_seeds=config.retrain_seeds,
        part=None if part is None else Part.parse(part),
        collect=command["collect"],
        overwrite=command["overwrite"],
        distribution=distribution,
        on_dry_run=print if command["dry_run"] else None,
    )
    if command["dry_run"]:
        return
    if truth is None:
        _tell_part(command)
        return
    best = int(truth.regrets.argmin())
    print(
        f"\n{len(truth.architectures)} architectures, each trained {truth.num_seeds} times. Best: "
        f"{truth.architectures[best].to_release_string()} "
        f"({truth.metric.replace('_', ' ')} {truth.worth[best]:.4f}).\n"
        f"Wrote {output_dir}/{TRUTH}. Strategies against it:\n"
        f"  {NAME} --space={space.name} --truth={output_dir}/{TRUTH} --seeds=20 --methods=..."
    )


def _against_truth(command: CommandFlags, config: StudyConfig, output_dir: str) -> None:
    if command["dry_run"]:
        table = len(read_truth(command["truth"]).architectures)
        print(
            f"{config.seeds} searches with each of {', '.join(config.method_names)}, of "
            f"{command['evaluations']} evaluations read from a table of {table} architectures; "
            "nothing is trained."
        )
        return
    load_tensorflow()
    from enas_tf.studies.simulation import SIMULATED_SEARCH
    from enas_tf.studies.truth_study import truth_study, truth_summary

    document = truth_study(
        command["truth"],
        command.settings(SIMULATED_SEARCH),
        config.method_names,
        output_dir,
        num_seeds=config.seeds,
        num_evaluations=command["evaluations"],
        overwrite=command["overwrite"],
    )
    print(f"\n{truth_summary(document)}\n\nWrote {output_dir}/study.json, {output_dir}/study.html")


def _tell_part(command: CommandFlags) -> None:
    print(
        f"\nPart {command['part']} is done. When all are, collect their results with the same "
        "flags and --collect in place of --part."
    )


def _final_data(final: Any, search: Any, chosen: Any) -> Any:
    """Returns the data of trainings from scratch: as their preset has them, and as was chosen.

    Args:
      final: of the preset of the training.
      search: of the preset of the search.
      chosen: what is searched on.
    """
    return final.replace(
        **{
            name: value
            for name, value in vars(chosen).items()
            if name == "dataset" or value != getattr(search, name)
        }
    )


def _presets(entry: SpaceEntry, name: str) -> tuple[SearchPreset, RetrainPreset]:
    """Returns the presets of the searches and of the trainings from scratch."""
    final = entry.retrain_presets[name]
    return entry.search_presets[name], final.in_studies or final


def _flags(
    entry: SpaceEntry, preset_name: str = "default", run: RecordedRun | None = None
) -> CommandFlags:
    preset, final = _presets(entry, preset_name)
    elsewhere = flags_of_other_spaces(entry, search_flags)
    if run is not None:
        elsewhere |= dict.fromkeys(search_flags(entry), "is decided by the search that --run names")
    command = CommandFlags(NAME, SUMMARY, elsewhere, common=COMMON)
    add_space_flag(command, entry, unless="--run or --truth tells it")
    add_preset_flag(command, entry.search_presets, preset_name)
    command.add(
        Group.STUDY,
        "run",
        str | None,
        None,
        "Folder of a finished search whose ranking is studied, in place of new searches.",
    )
    command.add_settings(Group.STUDY, StudyConfig())
    command.add(
        Group.STUDY,
        "part",
        str | None,
        None,
        "Do the K-th of N parts of the jobs, K/N, in one of several processes that share "
        "output_dir.",
    )
    command.add(
        Group.STUDY,
        "exhaustive",
        bool,
        False,
        "Train every architecture of a small space alone, for trained_epochs epochs and with "
        "retrain_seeds seeds, into truth.json.",
    )
    command.add(
        Group.STUDY,
        "truth",
        str | None,
        None,
        "Run the methods against a truth that an exhaustive study wrote, or that comes with the "
        f"package ({', '.join(shipped_truths())}), in seconds; its space counts.",
    )
    command.add(
        Group.STUDY,
        "evaluations",
        int,
        100,
        "Architectures that a search against a truth looks at.",
        minimum=1,
    )
    command.add(Group.STUDY, "collect", bool, False, "Write the result of parts that are done.")
    command.add(Group.STUDY, "dry_run", bool, False, "Say what would be done, and do nothing.")
    add_training_flags(command, "runs/study_SPACE_DATASET_PRESET_seedN")
    add_steps_flag(command)
    command.add_settings(Group.DATA, preset.data if run is None else run.data)
    if run is None:
        command.add_settings(Group.SPACE, preset.space)
        command.add_settings(Group.SEARCH, preset.search, exclude={*entry.unused_flags, *_OF_STUDY})
    command.add_settings(Group.NETWORK, final.network, _NETWORK)
    command.add_settings(Group.SCRATCH, final.retrain, _RETRAIN, exclude=_OF_STUDY)
    return command


if __name__ == "__main__":
    sys.exit(main())
