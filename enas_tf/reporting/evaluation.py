"""An evaluation of a classifier, as text for people, for JSON and as a table of its predictions."""

import csv
import io
import math
import os
from collections.abc import Collection, Iterable, Sequence
from typing import Any

import numpy as np

from enas_tf.models.scores import Evaluation

# Of more classes a matrix fits no screen.
_MOST_IN_MATRIX = 20
_MOST_CONFUSIONS = 10
_LONGEST_NAME = 24


def evaluation_text(evaluation: Evaluation, part: str, dataset: str) -> str:
    """Returns what a classifier is worth, class by class.

    Args:
      evaluation: of the classifier.
      part: of the dataset.
      dataset: its name.
    """
    examples = f"{len(evaluation.labels):,} examples of {dataset}"
    others = [
        f"Balanced accuracy: {evaluation.balanced_accuracy:.4f}",
        f"Macro F1: {evaluation.macro_f1:.4f}",
    ]
    if evaluation.top_5_accuracy is not None:
        others.append(f"Top-5 accuracy: {evaluation.top_5_accuracy:.4f}")
    return "\n".join(
        [
            f"{part.capitalize()} accuracy: {evaluation.accuracy:.4f} "
            f"(loss {evaluation.loss:.4f}, {examples})",
            *others,
            "",
            *_classes(evaluation),
            "",
            *_confusions(evaluation),
        ]
    )


def evaluation_document(evaluation: Evaluation, part: str) -> dict[str, Any]:
    """Returns the same as a dictionary for JSON; what is undefined there is null.

    Args:
      evaluation: of the classifier.
      part: of the dataset; the names of the numbers begin with it.
    """
    return {
        f"{part}_accuracy": evaluation.accuracy,
        f"{part}_balanced_accuracy": evaluation.balanced_accuracy,
        f"{part}_macro_f1": evaluation.macro_f1,
        f"{part}_top_5_accuracy": evaluation.top_5_accuracy,
        f"{part}_loss": evaluation.loss,
        f"{part}_examples": len(evaluation.labels),
        "classes": [scores._asdict() for scores in evaluation.classes],
        "confusion_matrix": evaluation.confusion_matrix.tolist(),
    }


def predictions_csv(
    evaluation: Evaluation, paths: Sequence[str | os.PathLike[str]] | None = None
) -> str:
    """Returns a table with a row for each example, in the order of the data.

    Its columns: the number of the example, from 0; its class; the most likely class; the
    probabilities of the latter and of the former; its file.

    Args:
      evaluation: of the classifier.
      paths: the file of each example; None: there is no such column.
    """
    names, probabilities = evaluation.label_names, evaluation.probabilities
    answers = zip(evaluation.labels.tolist(), evaluation.predictions.tolist())
    rows = (
        (
            number,
            names[label],
            names[predicted],
            f"{probabilities[number, predicted]:.6f}",
            f"{probabilities[number, label]:.6f}",
            *(() if paths is None else (os.fspath(paths[number]),)),
        )
        for number, (label, predicted) in enumerate(answers)
    )
    header = ["example", "label", "predicted", "probability", "label_probability"]
    return csv_text((header if paths is None else [*header, "file"], *rows))


def csv_text(rows: Iterable[Sequence[object]]) -> str:
    """Returns rows as text in CSV, one a line."""
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue()


def columns(rows: Sequence[Sequence[str]], *, left: Collection[int] = (0,)) -> list[str]:
    """Returns rows as lines whose columns stand below each other.

    Args:
      rows: as many cells each.
      left: numbers of the columns that begin at the left; all others end at the right.
    """
    widths = [max(map(len, cells)) for cells in zip(*rows)]
    return [
        "  ".join(
            cell.ljust(width) if place in left else cell.rjust(width)
            for place, (cell, width) in enumerate(zip(row, widths))
        ).rstrip()
        for row in rows
    ]


def _classes(evaluation: Evaluation) -> list[str]:
    header = ("class", "precision", "recall", "F1", "examples")
    rows = [
        (_short(name), *map(_share, (precision, recall, f1)), f"{examples:,}")
        for name, precision, recall, f1, examples in evaluation.classes
    ]
    return columns([header, *rows])


def _confusions(evaluation: Evaluation) -> list[str]:
    """Returns the confusion matrix, or of many classes what was confused most often."""
    matrix, names = evaluation.confusion_matrix, [_short(name) for name in evaluation.label_names]
    if len(names) <= _MOST_IN_MATRIX:
        rows = [(name, *map(str, row)) for name, row in zip(names, matrix.tolist())]
        return [
            "Confusion matrix (a row for each class, a column for what it is taken for):",
            *columns([("", *names), *rows]),
        ]
    wrong = matrix - np.diag(np.diag(matrix))
    order = np.argsort(-wrong, axis=None, kind="stable")[:_MOST_CONFUSIONS]
    found = [(int(wrong.flat[place]), *divmod(int(place), len(names))) for place in order]
    lines = [
        f"{count:,} of {names[label]} for {names[taken]}" for count, label, taken in found if count
    ]
    return ["Taken for another class most often (--json has the whole matrix):", *lines]


def _share(value: float) -> str:
    return "-" if math.isnan(value) else f"{value:.4f}"


def _short(name: str) -> str:
    return name if len(name) <= _LONGEST_NAME else f"{name[: _LONGEST_NAME - 1]}…"
