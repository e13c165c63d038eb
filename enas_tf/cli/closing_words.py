"""What the commands print at their end."""

import os
import pathlib
from collections.abc import Mapping, Sequence
from typing import Any

from enas_tf.environment.progress import duration
from enas_tf.records import next_steps
from enas_tf.records.run import RecordedRun, recorded_run
from enas_tf.reporting.page.numbers import ties_in_words
from enas_tf.runs.contents import RESULTS
from enas_tf.searching.procedures import PROCEDURES
from enas_tf.training.prediction_metrics import score_name


def search_report(result: Any) -> str:
    """Returns what a search or a new ranking found, where it is, and what to do next.

    Args:
      result: a `SearchResult`.
    """
    path = pathlib.Path(result.run.path)
    run = recorded_run(path)
    note = run.entry.space.score_note(result.score)
    lines = [
        "",
        f"Best architecture: {result.architecture.to_release_string()}",
        f"  {score_line(result.score, result.score_kind, note)}",
        *_metric(run),
        *_reward(result.candidates),
        *_worth(result.candidates),
        *([f"  {result.comparison}"] if result.comparison else []),
        f"  {path}/best_architecture.json, {path}/best_architecture.svg",
        f"Metrics: {path}/metrics.jsonl",
        *_lines(next_steps.tensorboard(run), next_steps.report(run), next_steps.retrain(run)),
    ]
    return "\n".join(lines)


def _metric(run: RecordedRun) -> list[str]:
    """Returns what was rewarded, if that is not what architectures are ranked by."""
    config = run.settings["search"]
    metrics = config.metrics
    is_one = metrics["reward_metric"] == metrics["derive_metric"]
    has_rewards = config.strategy not in PROCEDURES and config.evaluation == "shared_weights"
    if is_one or not has_rewards or run.entry.data.name == "texts":
        return []
    rewarded, ranked = (score_name(metric).replace("_", " ") for metric in metrics.values())
    return [f"  rewarded for {rewarded}, ranked by {ranked}"]


def _reward(candidates: Sequence[Any]) -> list[str]:
    """Returns what the first was chosen for, if that is not the score alone."""
    rewards = [one.reward for one in candidates[:1] if one.reward is not None]
    return [f"  reward, in which the cost counts: {reward:.4f}" for reward in rewards]


def _worth(candidates: Sequence[Any]) -> list[str]:
    """Returns what the network of the first costs, and how sure its rank is."""
    costs = [f"{one.costs}, trained from scratch" for one in candidates[:1] if one.costs]
    ties = ties_in_words([one.tied_with_first for one in candidates])
    return [f"  {line}" for line in (*costs, ties) if line]


def retrain_report(output_dir: str | os.PathLike[str]) -> str:
    """Returns how good the network of a retraining is, where it is, and what to do next.

    Args:
      output_dir: the run of the retraining.
    """
    run = recorded_run(output_dir)
    results = run.run.read_json(RESULTS)
    epochs = results["epochs"]
    lines = [
        "",
        f"{_test_result(results)} ({results['parameters']:,} parameters, "
        f"{epochs} epoch{'' if epochs == 1 else 's'}, {duration(results['seconds'])})",
        f"  {run.path}/results.json",
        f"Keras model:  {run.path}/model.keras",
        f"SavedModel:   {run.path}/saved_model/1",
        *_lines(
            next_steps.tensorboard(run),
            next_steps.report(run),
            next_steps.evaluate(run),
            next_steps.export(run),
            *next_steps.generate(run),
        ),
    ]
    return "\n".join(lines)


def _lines(*steps: next_steps.NextStep) -> list[str]:
    return [line for step in steps for line in (step.purpose, f"  {step.line}")]


def _test_result(results: Mapping[str, Any]) -> str:
    if "test_perplexity" in results:
        return f"Test perplexity: {results['test_perplexity']:.2f}"
    return f"Test accuracy: {results['test_accuracy']:.4f}"


def score_line(score: float, kind: str, note: str = "") -> str:
    """Returns the score of an architecture with the words that say what it is worth.

    Args:
      score: the score.
      kind: what it is, for example `shared_weights_validation_accuracy`.
      note: the same in other terms, see `SearchSpace.score_note`.
    """
    also = f", {note}" if note else ""
    text = f"{kind.replace('_', ' ')}: {score:.4f}{also}"
    if kind.startswith("shared_weights"):
        return (
            f"{text} (this ranks architectures; it is not the performance of the final network, "
            "which is trained from scratch)"
        )
    return text
