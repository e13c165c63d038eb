"""What the commands print at their end."""

import shlex
from collections.abc import Mapping, Sequence
from typing import Any

from enas_tf.reporting.progress import duration
from enas_tf.runs import RESULTS, RunDirectory


def search_report(result: Any, retrain_arguments: Sequence[str]) -> str:
    """Returns what a search or a new ranking found, where it is, and what to do next.

    Args:
      result: a `SearchResult`.
      retrain_arguments: preset, data and form of the retraining, as arguments of `enas-retrain`.
    """
    run = str(result.run.path)
    retrain_command = shlex.join(
        [
            "enas-retrain",
            f"--architecture={run}",
            f"--space={result.architecture.space_name}",
            *retrain_arguments,
            f"--output_dir={run}_final",
        ]
    )
    path = result.run.path
    tensorboard = shlex.quote(str(path / "tensorboard"))
    lines = [
        "",
        f"Best architecture: {result.architecture.to_release_string()}",
        f"  {score_line(result.score, result.score_kind)}",
        f"  {path}/best_architecture.json, {path}/best_architecture.svg",
        f"Metrics: {path}/metrics.jsonl; curves: tensorboard --logdir {tensorboard}",
        f"Report: enas-report {shlex.quote(run)}",
        "Train it from scratch:",
        f"  {retrain_command}",
    ]
    return "\n".join(lines)


def retrain_report(run: RunDirectory, data_arguments: Sequence[str]) -> str:
    """Returns how good the network of a retraining is, where it is, and what to do next.

    Args:
      run: of the retraining.
      data_arguments: the dataset, as arguments of `enas-evaluate`.
    """
    results = run.read_json(RESULTS)
    folder = str(run.path)
    saved_model = str(run.path / "saved_model" / "1")
    epochs = results["epochs"]
    lines = [
        "",
        f"{_test_result(results)} ({results['parameters']:,} parameters, "
        f"{epochs} epoch{'' if epochs == 1 else 's'}, {duration(results['seconds'])})",
        f"  {run.path}/results.json",
        f"Keras model:  {run.path}/model.keras",
        f"SavedModel:   {saved_model}",
        f"Curves: tensorboard --logdir {shlex.quote(str(run.path / 'tensorboard'))}; report: "
        f"enas-report {shlex.quote(folder)}",
        "Evaluate it again, or export it to another format:",
        "  " + shlex.join(["enas-evaluate", f"--model={saved_model}", *data_arguments]),
        "  " + shlex.join(["enas-export", f"--run={folder}", "--format=tflite"]),
    ]
    if "test_perplexity" in results:
        lines += [
            "Let it go on with a text of yours:",
            "  " + shlex.join(["enas-generate", f"--model={folder}", "--text=the"]),
        ]
    return "\n".join(lines)


def _test_result(results: Mapping[str, Any]) -> str:
    if "test_perplexity" in results:
        return f"Test perplexity: {results['test_perplexity']:.2f}"
    return f"Test accuracy: {results['test_accuracy']:.4f}"


def score_line(score: float, kind: str) -> str:
    """Returns the score of an architecture with the words that say what it is worth."""
    name = kind.replace("_", " ")
    if kind.startswith("shared_weights"):
        return (
            f"{name}: {score:.4f} (this ranks architectures; it is not the performance of the "
            "final network, which is trained from scratch)"
        )
    return f"{name}: {score:.4f}"
