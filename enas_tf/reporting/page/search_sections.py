"""The sections on a search."""

from collections.abc import Mapping, Sequence

from enas_tf.reporting.page.curves import (
    CONTROLLER,
    DERIVE,
    SHARED_WEIGHTS,
    other_phases,
    search_figures,
)
from enas_tf.reporting.page.markup import Html, element
from enas_tf.reporting.page.numbers import count, is_number, words
from enas_tf.reporting.page.ranking import best_sections
from enas_tf.reporting.page.records import SearchRecord, TrainingRecord
from enas_tf.reporting.page.sampled_section import sampled_section
from enas_tf.reporting.page.sections import (
    Command,
    Section,
    cards,
    commands_section,
    facts,
    grid,
    kind_text,
    paragraph,
    score_text,
    time_text,
    troubles,
    versions_text,
    written_text,
)
from enas_tf.reporting.page.settings_table import Row, nearest_preset, rows_of, settings_table
from enas_tf.reporting.page.training_sections import result_cards, retrainings_section

_PHASES = {
    DERIVE: ("Validation while the weights are shared", "no epoch has ended yet"),
    SHARED_WEIGHTS: ("Phase 1: the shared weights", "no training step was logged yet"),
    CONTROLLER: ("Phase 2: the controller", "no update was logged yet"),
}


def search_sections(
    record: SearchRecord, finals: Sequence[TrainingRecord], commands: Sequence[Command]
) -> list[Section]:
    """Returns the sections of a search's report.

    Args:
      record: of the search.
      finals: its retrainings.
      commands: what to do next.
    """
    rows = preset_rows(record)
    sections = [Section("overview", "Overview", _overview(record, finals, rows))]
    sections += best_sections(record, finals)
    if finals:
        sections.append(retrainings_section(finals, record))
    sections.append(Section("curves", "Curves", _curves(record)))
    sections.append(sampled_section(record))
    sections.append(Section("settings", "Settings", _settings(rows)))
    return sections + commands_section(commands)


def preset_rows(record: SearchRecord) -> list[Row]:
    """Returns the settings of a search beside those of all presets of its space."""
    presets = record.entry.search_presets.items()
    return rows_of(
        record.settings,
        {
            name: {"space": preset.space, "data": preset.data, "search": preset.search}
            for name, preset in presets
        },
    )


def _overview(
    record: SearchRecord, finals: Sequence[TrainingRecord], rows: Sequence[Row]
) -> list[Html]:
    config = record.settings["search"]
    preset, num_different = nearest_preset(rows)
    if num_different:
        preset = f"nearest to {preset}; {_settings_words(num_different)}"
    entries: Mapping[str, object] = {
        "Space": _space_text(record),
        "Dataset": record.settings["data"].dataset,
        "Strategy": config.strategy,
        "Preset": preset,
        "Seed": config.seed,
        "Last written": written_text(record),
        "Versions": versions_text(record),
    }
    return [_status(record), _cards(record, finals), facts(entries), *troubles(record)]


def _settings_words(number: int) -> str:
    return "1 setting differs" if number == 1 else f"{number} settings differ"


def _space_text(record: SearchRecord) -> str:
    space = record.space
    counts = ("num_layers", "num_nodes", "num_operations", "num_classes")
    sizes = [
        f"{getattr(space, name)} {name.removeprefix('num_')}"
        for name in counts
        if hasattr(space, name)
    ]
    others = ("filters", "hidden_size", "vocabulary_size")
    sizes += [f"{words(name)} {getattr(space, name):,}" for name in others if hasattr(space, name)]
    return f"{space.name}: {', '.join(sizes)}"


def _status(record: SearchRecord) -> Html:
    epochs = record.settings["search"].shared_weights.epochs
    if record.document is not None:
        ranked_by = record.document.get("ranked_by")
        done = ranked_by.get("epochs") if isinstance(ranked_by, dict) else None
        if is_number(done) and done < epochs:
            text = f"The ranking was made after {done} of {epochs} epochs."
            return paragraph(text, "status unfinished")
        return paragraph("The search is finished.", "status finished")
    epoch = record.last("epoch")
    where = "before its first event" if epoch is None else f"in epoch {epoch:.0f} of {epochs}"
    text = (
        f"Not finished: what is here ends {where}. The search still runs, or was stopped; the same "
        "command goes on with it."
    )
    return paragraph(text, "status unfinished")


def _cards(record: SearchRecord, finals: Sequence[TrainingRecord]) -> Html:
    entries: list[tuple[str, object, str]] = []
    if record.candidates:
        best = record.candidates[0]
        entries.append(
            (
                f"Best candidate's {kind_text(best.score_kind)}",
                score_text(best.score, best.score_kind),
                "ranks architectures; not the performance of the final network",
            )
        )
    entries += result_cards(finals)
    space = record.space
    entries.append(("Architectures in the space", count(space.num_architectures), ""))
    sampled = record.sampled.total
    entries.append(("Sampled for the controller", f"{sampled:,}", ""))
    config = record.settings["search"]
    epoch, seconds = record.last("epoch"), record.last("seconds")
    entries.append(("Epoch", f"{epoch or 0:.0f} of {config.shared_weights.epochs}", ""))
    if seconds is not None:
        entries.append(("Time", time_text(seconds), "until the last event"))
    return cards(entries)


def _curves(record: SearchRecord) -> list[Html]:
    content = []
    for phase, (title, missing) in _PHASES.items():
        figures = search_figures(record, phase)
        content.append(element("h3", title))
        content.append(
            grid(figures) if figures else paragraph(f"Nothing to show: {missing}.", "missing")
        )
    for phase in other_phases(record):
        figures = search_figures(record, phase)
        if figures:
            content += [element("h3", words(phase).capitalize()), grid(figures)]
    return content


def _settings(rows: Sequence[Row]) -> list[Html]:
    return [
        paragraph("● marks what differs from the preset default.", "note"),
        settings_table(rows),
    ]
