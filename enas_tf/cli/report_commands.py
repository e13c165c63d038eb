"""The commands that go on from a run, as its report names them."""

import os
import shlex
from collections.abc import Sequence
from typing import Any

from enas_tf.cli.common import form_arguments
from enas_tf.cli.flags import differing_arguments
from enas_tf.reporting.html.records import SearchRecord, TrainingRecord
from enas_tf.reporting.html.search_sections import preset_rows
from enas_tf.reporting.html.sections import Command
from enas_tf.reporting.html.settings_table import nearest_preset


def commands_after(
    run: SearchRecord | TrainingRecord, finals: Sequence[TrainingRecord]
) -> list[Command]:
    """Returns what can be done next.

    Args:
      run: that is reported.
      finals: retrainings that are reported with it.
    """
    trainings = [run, *finals] if isinstance(run, TrainingRecord) else finals
    commands = _after_search(run) if isinstance(run, SearchRecord) else []
    # Those of the first finished one are enough to know those of the others.
    for training in [one for one in trainings if one.results is not None][:1]:
        commands += _after_training(training, run)
    return [*commands, _tensorboard(run)]


def _after_search(record: SearchRecord) -> list[Command]:
    name, folder = record.entry.name, str(record.path)
    preset_name, _ = nearest_preset(preset_rows(record))
    if record.document is None:
        preset = record.entry.search_presets[preset_name]
        settings = record.settings
        pairs = ((settings[key], getattr(preset, key)) for key in ("data", "space", "search"))
        arguments = [text for new, old in pairs for text in differing_arguments(new, old)]
        # Of the search that goes on, this one is kept anyway.
        arguments = [text for text in arguments if not text.startswith("--samples_per_step=")]
        where = [f"--space={name}", f"--preset={preset_name}", f"--output_dir={folder}"]
        return [
            _command("Go on with the search:", "enas-search", *where, *arguments),
            _command("Rank candidates of what is there so far:", "enas-derive", f"--run={folder}"),
        ]
    retraining = record.entry.retrain_presets[preset_name]
    data = record.settings["data"]
    others = [
        text
        for text in differing_arguments(data, retraining.data)
        if not text.startswith("--dataset=")
    ]
    return [
        _command(
            "Train the best architecture from scratch:",
            "enas-retrain",
            f"--architecture={folder}",
            f"--space={name}",
            f"--preset={preset_name}",
            f"--dataset={data.dataset}",
            *others,
            *form_arguments(record.space, retraining.network),
            f"--output_dir={folder}_final",
        )
    ]


def _after_training(record: TrainingRecord, run: SearchRecord | TrainingRecord) -> list[Command]:
    folder = str(record.path)
    saved_models = os.path.abspath(record.path / "saved_model")
    data = record.configuration.get("data")
    dataset: Any = data.get("dataset", "DATASET") if isinstance(data, dict) else "DATASET"
    commands = [
        _command(
            "Evaluate the network again:",
            "enas-evaluate",
            f"--model={saved_models}/1",
            f"--dataset={dataset}",
            *_data_dir(run, dataset),
        ),
        _command(
            "Write it in another format (tflite, onnx):",
            "enas-export",
            f"--run={folder}",
            "--format=tflite",
        ),
        _command(
            "Serve it with TensorFlow Serving, at http://localhost:8501/v1/models/enas:",
            "tensorflow_model_server",
            "--rest_api_port=8501",
            "--model_name=enas",
            f"--model_base_path={saved_models}",
        ),
    ]
    if record.results is not None and "test_perplexity" in record.results:
        arguments = (f"--model={folder}", "--text=the")
        commands.append(_command("Let it go on with a text:", "enas-generate", *arguments))
    return commands


def _data_dir(run: SearchRecord | TrainingRecord, dataset: str) -> list[str]:
    """Returns where a dataset is, if the run says so; a retraining does not."""
    data = run.settings.get("data")
    if data is None or data.dataset != dataset or data.data_dir is None:
        return []
    return [f"--data_dir={data.data_dir}"]


def _tensorboard(run: SearchRecord | TrainingRecord) -> Command:
    return _command(
        "Look at the curves, also while the run goes on:",
        "tensorboard",
        f"--logdir={run.path / 'tensorboard'}",
    )


def _command(purpose: str, *words: str) -> Command:
    return Command(purpose, shlex.join(words))
