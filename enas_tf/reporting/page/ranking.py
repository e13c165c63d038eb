"""The sections on what a search found: the best architecture, and the ranking."""

from collections.abc import Sequence

from enas_tf.reporting.page.curves import NOT_FINAL
from enas_tf.reporting.page.markup import Html, element, table
from enas_tf.reporting.page.records import RankedCandidate, SearchRecord, TrainingRecord
from enas_tf.reporting.page.sections import (
    Section,
    drawing,
    facts,
    kind_text,
    paragraph,
    score_text,
)
from enas_tf.reporting.page.training_sections import result_text

_NUM_DRAWN = 6
_NUM_ROWS = 20


def best_sections(record: SearchRecord, finals: Sequence[TrainingRecord]) -> list[Section]:
    """Returns the sections on the best architecture and the other candidates.

    Args:
      record: of the search.
      finals: retrainings of candidates.
    """
    if not record.candidates:
        text = (
            "There is none yet: a search ranks candidates at its end, and enas-derive does so for "
            "one that is not finished."
        )
        return [Section("best", "Best architecture", [paragraph(text, "missing")])]
    sections = [Section("best", "Best architecture", _best(record))]
    if len(record.candidates) > 1:
        sections.append(Section("ranking", "Ranking", _ranking(record, finals)))
    return sections


def _best(record: SearchRecord) -> list[Html]:
    best = record.candidates[0]
    note = record.space.score_note(best.score)
    score = f"{score_text(best.score, best.score_kind)} ({kind_text(best.score_kind)})"
    score += f", {note}" if note else ""
    return [
        facts({"Score": score, "Release string": element("code", best.release_string)}),
        *_warning(best),
        *_drawing(record, best, "large"),
    ]


def _warning(candidate: RankedCandidate) -> list[Html]:
    is_shared = candidate.score_kind.startswith("shared_weights")
    return [paragraph(NOT_FINAL, "note")] if is_shared else []


def _drawing(record: SearchRecord, candidate: RankedCandidate, size: str) -> list[Html]:
    if candidate.architecture is None:
        return []
    return [drawing(candidate.architecture, record.space.drawing_options(), size)]


def _ranking(record: SearchRecord, finals: Sequence[TrainingRecord]) -> list[Html]:
    content = [_tables(record, finals)]
    others = [
        (rank, candidate)
        for rank, candidate in enumerate(record.candidates[:_NUM_DRAWN], 1)
        if rank > 1 and candidate.architecture is not None
    ]
    if others:
        figures = []
        for rank, candidate in others:
            score = score_text(candidate.score, candidate.score_kind)
            caption = element(
                "figcaption",
                element("strong", f"{rank}. {score}"),
                element("code", candidate.release_string),
            )
            figures.append(element("figure", caption, *_drawing(record, candidate, "small")))
        content.append(element("h3", "The next best"))
        content.append(element("div", figures, class_="grid candidates"))
    return content


def _tables(record: SearchRecord, finals: Sequence[TrainingRecord]) -> Html:
    candidates = record.candidates
    kind = candidates[0].score_kind
    has_finalists = any(one.score_kind != kind or _was_retrained(one) for one in candidates)
    head = ["Rank", kind_text(kind).capitalize()]
    head += ["Shared-weights score"] if has_finalists else []
    results = _results(finals)
    head += ["Trained from scratch"] if results else []
    head += ["Release string"]
    rows = []
    for rank, one in enumerate(candidates, 1):
        score = score_text(one.score, one.score_kind)
        row: list[object] = [
            rank,
            score if one.score_kind == kind else f"{score} ({kind_text(one.score_kind)})",
        ]
        if has_finalists:
            shared = one.shared_weights_score
            row.append("" if shared is None else score_text(shared, kind))
        if results:
            row.append(results.get(one.release_string, ""))
        row.append(element("code", one.release_string))
        rows.append(row)
    shown = table(head, rows[:_NUM_ROWS], "ranking")
    if len(rows) <= _NUM_ROWS:
        return shown
    summary = element("summary", f"The other {len(rows) - _NUM_ROWS} candidates")
    rest = element("details", summary, table(head, rows[_NUM_ROWS:], "ranking"))
    return element("div", shown, rest)


def _was_retrained(candidate: RankedCandidate) -> bool:
    return candidate.score_kind.startswith("short_retraining")


def _results(finals: Sequence[TrainingRecord]) -> dict[str, str]:
    """Returns the results of retrainings by the release strings of their architectures."""
    found: dict[str, list[str]] = {}
    for final in finals:
        text = result_text(final)
        if text is not None:
            found.setdefault(final.architecture.to_release_string(), []).append(text)
    return {string: ", ".join(texts) for string, texts in found.items()}
