"""What the commands print at their end."""

import shlex
from collections.abc import Sequence
from typing import Any


def search_report(result: Any, retrain_arguments: Sequence[str]) -> str:
    """Returns what a search or a new ranking found, where it is, and what to do next.

    Args:
      result: a `SearchResult`.
      retrain_arguments: preset and data of the retraining, as arguments of `enas-retrain`.
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
        "Train it from scratch:",
        f"  {retrain_command}",
    ]
    return "\n".join(lines)


def score_line(score: float, kind: str) -> str:
    """Returns the score of an architecture with the words that say what it is worth."""
    name = kind.replace("_", " ")
    if kind.startswith("shared_weights"):
        return (
            f"{name}: {score:.4f} (this ranks architectures; it is not the accuracy of the final "
            "network, which is trained from scratch)"
        )
    return f"{name}: {score:.4f}"
