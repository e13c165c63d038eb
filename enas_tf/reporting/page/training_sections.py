"""The sections on retrainings: of their own, and in the report of a search."""

from collections.abc import Mapping, Sequence

from enas_tf.reporting.page.curves import training_figures
from enas_tf.reporting.page.markup import Html, element, table
from enas_tf.reporting.page.numbers import is_number, plain
from enas_tf.reporting.page.records import SearchRecord, TrainingRecord
from enas_tf.reporting.page.sections import (
    Command,
    Section,
    cards,
    commands_section,
    drawing,
    facts,
    grid,
    paragraph,
    time_text,
    troubles,
    versions_text,
    written_text,
)
from enas_tf.reporting.page.settings_table import Row, plain_table, rows_of, settings_table

_RESULTS = {
    "test_accuracy": "Test accuracy",
    "test_perplexity": "Test perplexity",
    "test_loss": "Test loss, nats",
    "validation_accuracy": "Validation accuracy",
    "validation_perplexity": "Validation perplexity",
    "parameters": "Parameters",
}
_HEADLINES = ("test_accuracy", "test_perplexity")


def training_sections(
    records: Sequence[TrainingRecord], commands: Sequence[Command]
) -> list[Section]:
    """Returns the sections of a report of retrainings.

    Args:
      records: the retraining that is reported, and others to compare it with.
      commands: what to do next.
    """
    record = records[0]
    sections = [Section("overview", "Overview", _overview(record))]
    if len(records) > 1:
        sections.append(retrainings_section(records, None))
    else:
        sections.append(Section("curves", "Curves", _curves(records)))
    options = _drawing_options(record)
    sections.append(
        Section(
            "architecture",
            "Architecture",
            [
                facts({"Release string": element("code", record.architecture.to_release_string())}),
                drawing(record.architecture, options, "large"),
            ],
        )
    )
    sections.append(Section("settings", "Settings", _settings(record)))
    return sections + commands_section(commands)


def retrainings_section(records: Sequence[TrainingRecord], search: SearchRecord | None) -> Section:
    """Returns the section that compares retrainings.

    Args:
      records: of the retrainings.
      search: the search whose candidates they train, if it is known.
    """
    names = [name for name in _RESULTS if any(_number(one, name) is not None for one in records)]
    head = ["Folder", *(["Architecture"] if search is not None else [])]
    head += [*(_RESULTS[name] for name in names), "Epochs", "Time"]
    rows = []
    for record in records:
        row: list[object] = [element("code", str(record.path))]
        if search is not None:
            row.append(_origin(record, search))
        row += [_result_text(record, name) for name in names]
        row += [_epochs_text(record), time_text(_seconds(record)) or ""]
        rows.append(row)
    content = [table(head, rows), *_curves(records)]
    for record in records:
        content += troubles(record)
    return Section("retrained", "Trained from scratch", content)


def result_cards(records: Sequence[TrainingRecord]) -> list[tuple[str, object, str]]:
    """Returns the results of retrainings on the test part, and on which network each is."""
    found: list[tuple[str, object, str]] = []
    for record in records:
        for name in _HEADLINES:
            if _number(record, name) is not None:
                found.append((_RESULTS[name], _result_text(record, name), record.path.name))
    return found


def result_text(record: TrainingRecord) -> str | None:
    """Returns the result on the test part in words, if there is one."""
    for name in _HEADLINES:
        if _number(record, name) is not None:
            return f"{_RESULTS[name].lower()} {_result_text(record, name)}"
    return None


def _overview(record: TrainingRecord) -> list[Html]:
    if record.results is None:
        epoch = record.last("epoch")
        where = "before its first epoch ended" if epoch is None else f"after epoch {epoch:.0f}"
        status = (
            f"Not finished: what is here ends {where}. The training still runs, or was stopped; "
            "the same command goes on with it."
        )
    else:
        status = "The training is finished."
    class_ = "status unfinished" if record.results is None else "status finished"
    entries: list[tuple[str, object, str]] = [
        (title, _result_text(record, name), "")
        for name, title in _RESULTS.items()
        if _number(record, name) is not None
    ]
    entries.append(("Epochs", _epochs_text(record), ""))
    seconds = _seconds(record)
    if seconds is not None:
        entries.append(("Time", time_text(seconds), ""))
    data = record.configuration.get("data")
    values: Mapping[str, object] = {
        "Space": record.entry.name,
        "Dataset": data.get("dataset") if isinstance(data, dict) else None,
        "Seed": record.settings["retrain"].seed,
        "Last written": written_text(record),
        "Versions": versions_text(record),
    }
    return [paragraph(status, class_), cards(entries), facts(values), *troubles(record)]


def _curves(records: Sequence[TrainingRecord]) -> list[Html]:
    figures = training_figures(records)
    if not figures:
        return [paragraph("No curves yet: no epoch has ended.", "missing")]
    return [grid(figures)]


def _settings(record: TrainingRecord) -> list[Html]:
    content = [
        paragraph("● marks what differs from the preset default.", "note"),
        settings_table(_preset_rows(record)),
    ]
    data = record.configuration.get("data")
    if isinstance(data, dict):
        content += [element("h3", "Data"), plain_table(data)]
    return content


def _preset_rows(record: TrainingRecord) -> list[Row]:
    presets = record.entry.retrain_presets.items()
    return rows_of(
        record.settings,
        {name: {"network": preset.network, "retrain": preset.retrain} for name, preset in presets},
    )


def _drawing_options(record: TrainingRecord) -> dict[str, object]:
    """Returns what the network's drawing depends on, from its settings and its data."""
    known = dict(record.entry.space().drawing_options())
    for section in ("network", "data"):
        values = record.configuration.get(section)
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


def _epochs_text(record: TrainingRecord) -> str:
    epochs = record.settings["retrain"].training.epochs
    return f"{record.last('epoch') or 0:.0f} of {epochs}"


def _seconds(record: TrainingRecord) -> float | None:
    seconds = _number(record, "seconds")
    return record.last("seconds") if seconds is None else seconds
