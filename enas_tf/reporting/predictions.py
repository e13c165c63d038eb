"""Predictions as a table for people, in CSV and in JSON."""

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from enas_tf.files.writing import to_json_text
from enas_tf.reporting.evaluation import columns, csv_text

if TYPE_CHECKING:
    from enas_tf.models.prediction import Prediction


def _table(predictions: Sequence["Prediction"]) -> str:
    """Returns lines of file, class and probability, for each of the best classes."""
    rows = [
        [one.file or "", *(cell for name, share in one.top for cell in (name, f"{share:.4f}"))]
        for one in predictions
    ]
    # Names begin at the left like files, numbers end at the right.
    number = len(rows[0])
    return "\n".join(columns([_header(number), *rows], left=[0, *range(1, number, 2)]))


def _csv(predictions: Sequence["Prediction"]) -> str:
    rows = [
        [one.file or "", *(cell for name, share in one.top for cell in (name, f"{share:.6f}"))]
        for one in predictions
    ]
    return csv_text([_header(len(rows[0])), *rows]).rstrip("\n")


def _json(predictions: Sequence["Prediction"]) -> str:
    return to_json_text([one._asdict() for one in predictions], indent=2)


def _header(number: int) -> list[str]:
    """Returns the names of so many columns; those of the second best class end in `_2`."""
    ranks = [""] + [f"_{rank}" for rank in range(2, (number - 1) // 2 + 1)]
    return ["file", *(name + rank for rank in ranks for name in ("label", "probability"))]


FORMATS: Mapping[str, Callable[[Sequence["Prediction"]], str]] = {
    "table": _table,
    "csv": _csv,
    "json": _json,
}
