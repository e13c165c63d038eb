"""`enas-retrain`: trains the network of an architecture from scratch."""

import dataclasses
import sys
from collections.abc import Mapping, Sequence
from typing import Any

from enas_tf.cli.app import SMALLER_TRAINING, run_command
from enas_tf.cli.closing_words import retrain_report
from enas_tf.cli.common import (
    OR_ITS_ARCHITECTURE,
    add_architecture_flag,
    add_preset_flag,
    add_space_flag,
    add_training_flags,
    check_output_dir,
    chosen_preset,
    chosen_space,
    default_output_dir,
    flags_of_other_spaces,
    is_follower,
    load_data,
    retrain_flags,
    start,
)
from enas_tf.cli.flags import CommandFlags, peek
from enas_tf.files.places import way_to
from enas_tf.final_training.initial_weights import check_initial_weights
from enas_tf.records.run import DEFAULT_PRESET, RecordedRun, run_named
from enas_tf.runs.differences import differences
from enas_tf.runs.phases import RETRAIN, SEARCH
from enas_tf.settings.arguments import differing_arguments
from enas_tf.settings.groups import Group
from enas_tf.settings.setting import Settings
from enas_tf.spaces.architectures import load_architecture
from enas_tf.spaces.base import Architecture, SearchSpace
from enas_tf.spaces.presets import RetrainPreset
from enas_tf.spaces.registry import SpaceEntry

NAME = "enas-retrain"
SUMMARY = (
    "trains the network of an architecture from scratch, evaluates it on the test set and exports "
    "it. Interrupted, the same command goes on where it stopped."
)
# What `--help` tells.
COMMON = (
    "architecture",
    "space",
    "preset",
    "dataset",
    "data_dir",
    "filters",
    "hidden_size",
    "epochs",
    "time_budget",
    "learning_rate",
    "use_validation",
    "seed",
    "devices",
    "output_dir",
    "overwrite",
)


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command and returns its exit code."""
    return run_command(NAME, _retrain, argv, memory_advice=SMALLER_TRAINING)


def _retrain(argv: Sequence[str]) -> None:
    named = peek(argv, ["architecture", "output_dir"])
    entry = chosen_space(argv, _flags, named["architecture"])
    run = _run_of(named, entry)
    preset_name = chosen_preset(
        argv, entry.retrain_presets, DEFAULT_PRESET if run is None else run.preset
    )
    command = _flags(entry, preset_name, run)
    command.parse(argv)
    architecture = load_architecture(command["architecture"], entry.name)
    preset = _preset(entry, preset_name, run, architecture, command["dataset"])
    network = command.settings(preset.network)
    config = command.settings(preset.retrain)
    data_config = command.settings(preset.data)
    output_dir = command["output_dir"] or default_output_dir(
        entry.name, data_config.dataset, preset_name, f"seed{config.seed}", "final"
    )
    begun = None if command["overwrite"] else run_named(output_dir, (RETRAIN,))
    if begun is not None and begun.entry is entry:
        network = command.settings(begun.as_begun("network", preset.network))
        data_config = command.settings(begun.as_begun("data", preset.data))
    initial_weights = getattr(config, "initial_weights", None)
    if initial_weights is not None:
        check_initial_weights(initial_weights)
    entry.check_network(architecture, network)
    check_output_dir(output_dir)
    if run is not None:
        as_there = run.retraining(run.preset, architecture)
        there = {"preset": run.preset, "data": as_there.data.to_json(), **_loss(as_there.retrain)}
        here = {"preset": preset_name, "data": data_config.to_json(), **_loss(config)}
        different = differences(there, here, most=8, words=("there", "here"))
        if different:
            print(f"{NAME}: other than in {run.path}: {different}", file=sys.stderr, flush=True)

    def check(data: Any) -> None:
        data.check_retraining(config)
        entry.check_data(data)

    data, distribution = load_data(entry, data_config, check, lambda: start(command))
    if run is not None and run.command == SEARCH:
        _tell_limits(run, entry.space.for_data(run.space, data), architecture, network)

    from enas_tf.final_training.api import retrain
    from enas_tf.models.export import export
    from enas_tf.training.machines.agreement import Machines
    from enas_tf.training.profiling import profiled

    machines = Machines(distribution)
    # The others wait for the export, too: should it be interrupted, all can be started again.
    with machines.together(), profiled(command["profile_steps"]):
        model = retrain(
            architecture,
            data,
            config,
            network=network,
            output_dir=output_dir,
            overwrite=command["overwrite"],
            distribution=distribution,
            preset=preset_name,
        )
        if machines.is_chief:
            export(model, way_to(output_dir) / "saved_model", overwrite=True)
    if is_follower(machines):
        return
    print(retrain_report(output_dir))


def _tell_limits(
    run: RecordedRun, space: SearchSpace, architecture: Architecture, network: Settings
) -> None:
    """Says if the network is beyond the limits of the search that found its architecture.

    They were about the networks that this command trains unless flags say otherwise.
    """
    from enas_tf.searching.final_costs import final_costs
    from enas_tf.searching.limits import Limits

    config = run.settings["search"].costs
    costs = final_costs(space, network, config, run.run, keep=False)
    beyond = Limits(config.maxima, costs.of).beyond(architecture)
    if beyond:
        of = differing_arguments(network, run.final_network)
        why = f"; the search was about networks without {' '.join(of)}" if of else ""
        print(
            f"{NAME}: beyond the limits of the search in {run.path}: the network has {beyond}{why}",
            file=sys.stderr,
            flush=True,
        )


def _flags(
    entry: SpaceEntry, preset_name: str = DEFAULT_PRESET, run: RecordedRun | None = None
) -> CommandFlags:
    preset = entry.retrain_presets[preset_name]
    data, network, retrain = preset.data, preset.network, preset.retrain
    if run is not None:
        data, network = run.data_for(data), run.network_for(preset_name)
        retrain = run.loss_for(retrain)
    command = CommandFlags(
        NAME, SUMMARY, flags_of_other_spaces(entry, retrain_flags), common=COMMON
    )
    add_space_flag(command, entry, OR_ITS_ARCHITECTURE)
    add_architecture_flag(
        command, " Of a run, the defaults of data, preset and network are as there."
    )
    add_preset_flag(command, entry.retrain_presets, preset_name)
    add_training_flags(command, "runs/SPACE_DATASET_PRESET_seedN_final")
    command.add_settings(Group.DATA, data)
    command.add_settings(Group.NETWORK, network)
    command.add_settings(Group.TRAINING, retrain)
    return command


def _run_of(named: Mapping[str, str | None], entry: SpaceEntry) -> RecordedRun | None:
    """Returns the run whose architecture is trained, if it is one that says anything."""
    run = run_named(named["architecture"]) if named["architecture"] else None
    if run is None or run.entry is not entry:
        return None
    goes_on = run_named(named["output_dir"]) if named["output_dir"] else None
    # What version 0.1.0 began, it began with the defaults of a preset alone.
    return None if goes_on is not None and not goes_on.origin else run


def _preset(
    entry: SpaceEntry,
    name: str,
    run: RecordedRun | None,
    architecture: Architecture,
    dataset: str,
) -> RetrainPreset:
    """Returns the values of all settings that are not given."""
    base = entry.retrain_presets[name]
    if run is None:
        return base
    preset = run.retraining(name, architecture)
    # What was chosen for the data of the run says nothing of others.
    is_same = dataset == run.data.dataset
    if is_same:
        return preset
    return dataclasses.replace(preset, data=base.data, retrain=base.retrain)


def _loss(config: Settings) -> dict[str, Any]:
    """Returns what a training minimises, as it is compared; nothing if there is no choice."""
    loss = getattr(config, "loss", None)
    return {} if loss is None else {"loss": loss.to_json()}


if __name__ == "__main__":
    sys.exit(main())
