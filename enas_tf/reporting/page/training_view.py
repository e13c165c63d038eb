"""What the page says of retrainings, on a page of their own and on that of their search."""

from collections.abc import Sequence
from typing import Any

from enas_tf.environment.progress import duration
from enas_tf.reporting.page.curves import training_charts
from enas_tf.reporting.page.numbers import is_number, plain
from enas_tf.reporting.page.records import SearchRecord, TrainingRecord
from enas_tf.reporting.page.settings_table import value_text
from enas_tf.runs.differences import flatten

# Name, number and note of one of the numbers that matter most.
Card = tuple[str, str, str]
# The cells of a table by the headings of its columns.
Columns = dict[str, list[object]]

_RESULTS = {
    "test_accuracy": "Test accuracy",
    "test_perplexity": "Test perplexity",
    "test_loss": "Test loss, nats",
    "validation_accuracy": "Validation accuracy",
    "validation_perplexity": "Validation perplexity",
    "parameters": "Parameters",
}
_HEADLINES = ("test_accuracy", "test_perplexity")


def training_view(records: Sequence[TrainingRecord]) -> dict[str, Any]:
    """Returns what the template of a retraining shows.

    Args:
      records: the retraining that is reported, and others to compare it with.
    """
    record = records[0]
    data = record.run.configuration.get("data")
    values = flatten(data) if isinstance(data, dict) else {}
    return {
        "cards": [
            (title, _result_text(record, name), "")
            for name, title in _RESULTS.items()
            if _number(record, name) is not None
        ],
        "dataset": values.get("dataset"),
        "drawing_options": _drawing_options(record),
        "finals": comparison(records, None),
        "data": {"Name": list(values), "Value": [value_text(value) for value in values.values()]},
    }


def comparison(records: Sequence[TrainingRecord], search: SearchRecord | None) -> dict[str, Any]:
    """Returns the results of retrainings side by side, and their curves.

    Args:
      records: of the retrainings.
      search: the search whose candidates they train, if it is known.
    """
    columns: Columns = {"Folder": [str(record.path) for record in records]}
    if search is not None:
        columns["Architecture"] = [_origin(record, search) for record in records]
    for name, title in _RESULTS.items():
        if any(_number(record, name) is not None for record in records):
            columns[title] = [_result_text(record, name) for record in records]
    epochs = [record.epochs(record.settings["retrain"].training) for record in records]
    columns["Epochs"] = [f"{run.last('epoch') or 0:.0f} of {n}" for run, n in zip(records, epochs)]
    seconds = [_seconds(record) for record in records]
    columns["Time"] = ["" if one is None else duration(one) for one in seconds]
    return {"records": records, "columns": columns, "charts": training_charts(records)}


def result_cards(records: Sequence[TrainingRecord]) -> list[Card]:
    """Returns the results of retrainings on the test part, and on which network each is."""
    return [
        (_RESULTS[name], _result_text(record, name), record.path.name)
        for record in records
        for name in _HEADLINES
        if _number(record, name) is not None
    ]


def result_text(record: TrainingRecord) -> str | None:
    """Returns the result on the test part in words, if there is one."""
    for name, value, _ in result_cards([record]):
        return f"{name.lower()} {value}"
    return None


def _drawing_options(record: TrainingRecord) -> dict[str, object]:
    """Returns what the network's drawing depends on, from its settings and its data."""
    known = dict(record.entry.space().drawing_options())
    for section in ("network", "data"):
        values = record.run.configuration.get(section)
        if isinstance(values, dict):
            known.update({name: values[name] for name in known if name in values})
    return record.entry.space.from_json(known).drawing_options()


def _origin(record: TrainingRecord, search: SearchRecord) -> str:
    string = record.architecture.to_release_string()
    for rank, candidate in enumerate(search.candidates, 1):
        if candidate.release_string == string:
            return "the best candidate" if rank == 1 else f"candidate {rank}"
    return "no candidate of this search"


def _number(record: TrainingRecord, name: str) -> float | None:
    value = None if record.results is None else record.results.get(name)
    return value if is_number(value) else None


def _result_text(record: TrainingRecord, name: str) -> str:
    value = _number(record, name)
    if value is None:
        return "not yet" if record.results is None else ""
    if name.endswith("accuracy"):
        return f"{100 * value:.2f} %"
    return f"{value:.2f}" if name.endswith("perplexity") else plain(value)


def _seconds(record: TrainingRecord) -> float | None:
    seconds = _number(record, "seconds")
    return record.last("seconds") if seconds is None else seconds
