"""`enas-retrain`: trains the network of an architecture from scratch."""

import pathlib
import sys
from collections.abc import Sequence
from typing import Any

from typing_extensions import Self

from enas_tf.architectures import load_architecture
from enas_tf.cli.app import SMALLER_TRAINING, run_command
from enas_tf.cli.closing_words import retrain_report
from enas_tf.cli.common import (
    add_architecture_flag,
    add_device_flags,
    add_output_flags,
    add_preset_flag,
    add_space_flag,
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
from enas_tf.reporting.progress import Progress
from enas_tf.runs import RunDirectory
from enas_tf.spaces.presets import RetrainPreset
from enas_tf.spaces.registry import SpaceEntry

NAME = "enas-retrain"
SUMMARY = (
    "trains the network of an architecture from scratch, evaluates it on the test set and exports "
    "it. Interrupted, the same command goes on where it stopped."
)


_PHASE = "retrain"


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command and returns its exit code."""
    return run_command(NAME, _retrain, argv, memory_advice=SMALLER_TRAINING)


def _retrain(argv: Sequence[str]) -> None:
    entry = chosen_space(argv, peek(argv, ["architecture"])["architecture"])
    preset_name = chosen_preset(argv)
    preset = entry.retrain_presets[preset_name]
    command = _flags(entry, preset, preset_name)
    command.parse(argv)
    architecture = load_architecture(command["architecture"], entry.name)
    network = command.settings(preset.network)
    config = command.settings(preset.retrain)
    data_config = command.settings(preset.data)
    output_dir = command["output_dir"] or default_output_dir(
        entry.name, data_config.dataset, preset_name, f"seed{config.seed}", "final"
    )
    entry.check_network(architecture, network)
    check_output_dir(output_dir)

    def check(data: Any) -> None:
        data.check_retraining(config)
        entry.check_data(data)

    data, distribution = load_data(entry, data_config, check, lambda: start(command))

    from enas_tf.export import export
    from enas_tf.training.workers import Workers

    workers = Workers(distribution)
    # The others wait for the export, too: should it be interrupted, all can be started again.
    with workers.together():
        with _Display() as display:
            model = entry.retrain(
                architecture,
                data,
                config,
                network=network,
                output_dir=output_dir,
                overwrite=command["overwrite"],
                distribution=distribution,
                on_progress=display if workers.is_chief else None,
            )
        if workers.is_chief:
            export(model, pathlib.Path(output_dir) / "saved_model", overwrite=True)
    if is_follower(workers):
        return
    data_arguments = [f"--dataset={data_config.dataset}"]
    if data_config.data_dir is not None:
        data_arguments.append(f"--data_dir={data_config.data_dir}")
    print(retrain_report(RunDirectory(output_dir), data_arguments))


def _flags(entry: SpaceEntry, preset: RetrainPreset, preset_name: str) -> CommandFlags:
    command = CommandFlags(NAME, SUMMARY, flags_of_other_spaces(entry, retrain_flags))
    add_space_flag(command, "Run", entry)
    add_architecture_flag(command, "Run")
    add_preset_flag(command, "Run", entry.retrain_presets, preset_name)
    add_device_flags(command, "Run")
    add_output_flags(command, "Run", "runs/SPACE_DATASET_PRESET_seedN_final")
    command.add_settings("Data", preset.data)
    command.add_settings("Network", preset.network)
    command.add_settings("Training", preset.retrain)
    return command


class _Display:
    """Shows the progress of a training, whose length is known at the first call only."""

    def __init__(self) -> None:
        self._progress: Progress | None = None
        self._step = 0

    def __call__(self, now: Any) -> None:
        """Takes a `RetrainProgress`."""
        if self._progress is None:
            # What an interrupted run did before does not count into the speed.
            self._progress = Progress({_PHASE: now.total_steps}, {_PHASE: now.step})
            self._step = now.step
        self._progress.update(
            _PHASE,
            # A training may go back to a checkpoint.
            max(0, now.step - self._step),
            epoch=now.epoch,
            epochs=now.epochs,
            **now.metrics,
        )
        self._step = now.step

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        if self._progress is not None:
            self._progress.close()


if __name__ == "__main__":
    sys.exit(main())
