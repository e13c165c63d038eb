"""The commands that go on from a run: what is printed at its end, and what its report names.

Each can be given to a shell as it is.
"""

import os
import pathlib
import shlex
from typing import NamedTuple

from enas_tf.records.run import RecordedRun
from enas_tf.runs.contents import BEST_ARCHITECTURE, RESULTS
from enas_tf.runs.phases import SEARCH
from enas_tf.settings.arguments import differing_arguments
from enas_tf.settings.data import TextDataConfig
from enas_tf.settings.search import METRICS
from enas_tf.spaces.architectures import load_architecture
from enas_tf.spaces.own_operations import module_arguments


class NextStep(NamedTuple):
    """A command.

    Attributes:
      purpose: what it is for, with a colon at its end.
      line: the command, quoted for a shell.
    """

    purpose: str
    line: str


def retrain(run: RecordedRun) -> NextStep:
    """Returns the training of the architecture that a search has found."""
    name, folder = run.entry.name, _folder(run)
    preset = run.entry.retrain_presets[run.preset]
    settings = run.retraining(run.preset, load_architecture(folder, name))
    data = [
        argument
        for argument in differing_arguments(settings.data, preset.data)
        if not argument.startswith("--dataset=")
    ]
    return train_best(
        folder,
        f"--space={name}",
        f"--preset={run.preset}",
        f"--dataset={run.data.dataset}",
        *data,
        *differing_arguments(settings.network, preset.network),
    )


def train_best(folder: str, *arguments: str) -> NextStep:
    """Returns the training of what was found by the search in a folder.

    Args:
      folder: of the search.
      *arguments: more of the command.
    """
    output_dir = f"--output_dir={folder}_final"
    words = ("enas-retrain", f"--architecture={folder}", *arguments, output_dir)
    return _step("Train the best architecture from scratch:", *words)


def go_on(run: RecordedRun) -> list[NextStep]:
    """Returns what can be done with a search that is not finished."""
    entry, folder = run.entry, _folder(run)
    preset = entry.search_presets[run.preset]
    # The data first, as `enas-search --help` has them.
    pairs = [(run.settings[name], getattr(preset, name)) for name in ("data", "space", "search")]
    arguments = [
        text for new, old in pairs for text in differing_arguments(new.resolved(), old.resolved())
    ]
    # A search that goes on keeps this one anyway.
    arguments = [text for text in arguments if not text.startswith("--samples_per_step=")]
    where = [f"--space={entry.name}", f"--preset={run.preset}", f"--output_dir={folder}"]
    search = _step("Go on with the search:", "enas-search", *where, *arguments)
    derive = ["enas-derive", f"--run={folder}"]
    config = run.settings["search"]
    # A command line knows no functions; the program that searched goes on.
    is_known = {*config.metrics.values()} <= {*METRICS}
    if config.ranking_metric not in METRICS:
        derive.append("--metric=accuracy")
    ranking = _step("Rank candidates of what is there so far:", *derive)
    return [search, ranking] if is_known else [ranking]


def evaluate(run: RecordedRun) -> NextStep:
    """Returns the test of the network that a retraining has trained."""
    model = os.path.join(_folder(run), "saved_model", "1")
    limit = "max_test_tokens" if isinstance(run.data, TextDataConfig) else "max_test_examples"
    arguments = [
        f"--{name}={getattr(run.data, name)}"
        for name in ("dataset", "data_dir", limit)
        if getattr(run.data, name) is not None
    ]
    return _step("Evaluate the network again:", "enas-evaluate", f"--model={model}", *arguments)


def export(run: RecordedRun) -> NextStep:
    """Returns the export of the network that a retraining has trained."""
    return _step(
        "Write it in another format (tflite, onnx):",
        "enas-export",
        f"--run={_folder(run)}",
        "--format=tflite",
    )


def generate(run: RecordedRun) -> list[NextStep]:
    """Returns how a language model goes on with a text; nothing of other models."""
    if not isinstance(run.data, TextDataConfig):
        return []
    words = ("enas-generate", f"--model={_folder(run)}", "--text=the")
    return [_step("Let it go on with a text of yours:", *words)]


def serve(run: RecordedRun) -> NextStep:
    """Returns the start of a server."""
    return _step(
        "Serve it with TensorFlow Serving, at http://localhost:8501/v1/models/enas:",
        "tensorflow_model_server",
        "--rest_api_port=8501",
        "--model_name=enas",
        f"--model_base_path={os.path.abspath(run.path / 'saved_model')}",
    )


def report(run: RecordedRun) -> NextStep:
    """Returns the writing of the report."""
    return _step("Write a report of it:", "enas-report", f"--run={_folder(run)}")


def tensorboard(run: RecordedRun) -> NextStep:
    """Returns the start of TensorBoard."""
    return _step(
        "Look at the curves, also while the run goes on:",
        "tensorboard",
        f"--logdir={run.path / 'tensorboard'}",
    )


def after(run: RecordedRun, data_of: RecordedRun | None = None) -> list[NextStep]:
    """Returns all that can be done next.

    Args:
      run: a search or a retraining.
      data_of: a run on the same dataset, which may know more of it.
    """
    if run.command == SEARCH:
        is_ranked = (run.path / BEST_ARCHITECTURE).exists()
        return [retrain(run)] if is_ranked else go_on(run)
    if not (run.path / RESULTS).exists():
        return []
    if data_of is not None and data_of.data == run.data.replace(data_dir=data_of.data.data_dir):
        run = data_of
    return [evaluate(run), export(run), serve(run), *generate(run)]


def _folder(run: RecordedRun) -> str:
    # Behind `.` or `..` nothing could be appended.
    named = run.path.name not in ("", os.curdir, os.pardir)
    return str(run.path if named else pathlib.Path(os.path.abspath(run.path)))


def _step(purpose: str, *words: str) -> NextStep:
    own = module_arguments() if words[0].startswith("enas-") else []
    return NextStep(purpose, shlex.join([*words, *own]))
