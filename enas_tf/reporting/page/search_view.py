"""What the page says of a search."""

from collections.abc import Mapping, Sequence
from typing import Any

from enas_tf.drawing.style import operation_colours
from enas_tf.reporting.page.charts import (
    Axis,
    Chart,
    distribution_chart,
    heat_map,
    shares_chart,
)
from enas_tf.reporting.page.curves import (
    phases_of,
    search_charts,
)
from enas_tf.reporting.page.fronts import cost_charts
from enas_tf.reporting.page.mixtures import mixture_view
from enas_tf.reporting.page.numbers import (
    error_words,
    is_number,
    plain,
    score,
    score_words,
    ties_in_words,
    words,
)
from enas_tf.reporting.page.records import SearchRecord, TrainingRecord
from enas_tf.reporting.page.sampled import SampledEpochs
from enas_tf.reporting.page.training_view import (
    Columns,
    comparison,
    result_cards,
    result_text,
)

_NUM_DRAWN = 6
_NUM_ROWS = 20


def search_view(record: SearchRecord, finals: Sequence[TrainingRecord]) -> dict[str, Any]:
    """Returns what the template of a search shows.

    Args:
      record: of the search.
      finals: its retrainings.
    """
    ranked_by = (record.document or {}).get("ranked_by")
    ranked = ranked_by.get("epochs") if isinstance(ranked_by, dict) else None
    epochs = record.epochs(record.settings["search"].shared_weights)
    drawn = enumerate(record.candidates[:_NUM_DRAWN], 1)
    return {
        "epochs": epochs,
        "ranked_early": ranked if is_number(ranked) and ranked < epochs else None,
        "result_cards": result_cards(finals),
        "space_text": _space_text(record),
        "drawing_options": record.space.drawing_options(),
        "ranking": _ranking(record, finals),
        "num_rows": _NUM_ROWS,
        "ranking_notes": _ranking_notes(record),
        "networks": _networks(record),
        "cost_charts": cost_charts(record),
        "next_best": [(rank, one) for rank, one in drawn if rank > 1 and one.architecture],
        "finals": comparison(finals, record) if finals else None,
        "curves": {phase: search_charts(record, phase) for phase in phases_of(record)},
        "sampled_charts": _sampled_charts(record),
        "heat_maps": _heat_maps(record),
        "mixture": mixture_view(
            record.entry, record.space, record.settings["search"].darts, record.mixtures
        ),
    }


def _space_text(record: SearchRecord) -> str:
    space = record.space
    counts = ("num_layers", "num_nodes", "num_operations", "num_classes")
    sizes = [
        f"{getattr(space, name)} {name.removeprefix('num_')}"
        for name in counts
        if hasattr(space, name)
    ]
    operations = getattr(space, "operations", None)
    if operations is not None:
        sizes = [one for one in sizes if not one.endswith(" operations")]
        sizes.append(f"operations {', '.join(map(words, operations))}")
    others = ("filters", "hidden_size", "vocabulary_size")
    sizes += [f"{words(name)} {getattr(space, name):,}" for name in others if hasattr(space, name)]
    return f"{space.name}: {', '.join(sizes)}"


def _ranking(record: SearchRecord, finals: Sequence[TrainingRecord]) -> Columns:
    candidates = record.candidates
    kind = candidates[0].score_kind if candidates else ""
    columns: Columns = {
        "Rank": list(range(1, len(candidates) + 1)),
        score_words(kind).capitalize(): [
            score(one.score, one.score_kind)
            + error_words(one.standard_error, one.score_kind)
            + ("" if one.score_kind == kind else f" ({score_words(one.score_kind)})")
            for one in candidates
        ],
    }
    was_retrained = kind.startswith("short_retraining")
    if was_retrained or any(one.score_kind != kind for one in candidates):
        columns["Shared-weights score"] = [
            "" if one.shared_weights_score is None else score(one.shared_weights_score, kind)
            for one in candidates
        ]
    if any(one.tied_with_first for one in candidates[1:]):
        columns["Told from the first"] = [
            {True: "no", False: "yes", None: ""}[one.tied_with_first if rank else None]
            for rank, one in enumerate(candidates)
        ]
    if any(one.costs for one in candidates):
        for title, name in (("Parameters", "parameters"), ("Multiply-adds", "multiply_adds")):
            columns[title] = [
                f"{getattr(one.costs, name):,}" if one.costs else "" for one in candidates
            ]
    if any(one.costs and one.costs.latency_ms is not None for one in candidates):
        columns["Latency, ms"] = [
            "" if one.costs is None or one.costs.latency_ms is None else plain(one.costs.latency_ms)
            for one in candidates
        ]
    if any(one.reward is not None for one in candidates):
        columns["Reward"] = ["" if one.reward is None else plain(one.reward) for one in candidates]
    results = _results(finals)
    if results:
        columns["Trained from scratch"] = [
            ", ".join(results.get(one.release_string, ())) for one in candidates
        ]
    columns["Release string"] = [one.release_string for one in candidates]
    return columns


def _ranking_notes(record: SearchRecord) -> list[str]:
    """Returns sentences on what the ranking is worth."""
    candidates = record.candidates
    notes = [ties_in_words([one.tied_with_first for one in candidates])]
    if any(one.standard_error is not None for one in candidates):
        notes.append(
            "± is the standard error over the choice of validation examples; it says nothing of "
            "what the networks will be worth, trained from scratch."
        )
    if any(one.costs for one in candidates):
        notes.append(
            "Parameters that are trained, and multiply-adds of one "
            + ("picture" if record.entry.data.name == "images" else "word")
            + f", are those of networks {_networks(record)}."
        )
    if any(one.reward is not None for one in candidates):
        notes.append("The reward, in which the cost counts beside the score, decides the ranking.")
    notes.append(_agreement(record.study))
    return [note for note in notes if note]


def _networks(record: SearchRecord) -> str:
    """Returns which networks the costs in the ranking are of."""
    # Searches of the first days of 0.2.0 had no others.
    is_final = "network" in (record.document or {})
    return "trained from scratch" if is_final else "as large as in the search"


def _agreement(study: Mapping[str, Any] | None) -> str:
    """Returns Kendall's tau of a study's rankings against networks trained from scratch."""
    rankings = (study or {}).get("ranking")
    names = {
        "shared_weights": "the shared weights' ranking",
        "parameters": "a ranking by parameters",
        "multiply_adds": "one by multiply-adds",
        "retraining_again": "retraining again",
    }
    parts = []
    for name, what in names.items():
        found = rankings.get(name) if isinstance(rankings, dict) else None
        tau = found.get("kendall_tau") if isinstance(found, dict) else None
        if not isinstance(found, dict) or not is_number(tau):
            continue
        interval = found.get("interval")
        ends = interval if isinstance(interval, list) and len(interval) == 2 else []
        between = f" ({ends[0]:.2f} to {ends[1]:.2f})" if ends and all(map(is_number, ends)) else ""
        parts.append(f"{tau:.2f}{between} for {what}")
    if not parts:
        return ""
    return f"Kendall's τ with networks trained from scratch, by study.json: {', '.join(parts)}."


def _results(finals: Sequence[TrainingRecord]) -> dict[str, list[str]]:
    """Returns the results of retrainings by the release strings of their architectures."""
    found: dict[str, list[str]] = {}
    for final in finals:
        text = result_text(final)
        if text is not None:
            found.setdefault(final.architecture.to_release_string(), []).append(text)
    return found


def _sampled_charts(record: SearchRecord) -> list[Chart]:
    sampled = record.sampled
    columns = [column for column in sampled.columns if column.num_read]
    charts = []
    if columns:
        num_read = sum(column.num_read for column in columns)
        note = f"All {num_read:,} architectures."
        if num_read < sampled.total:
            note = f"Estimated from {num_read:,} of {sampled.total:,} architectures."
        kind = record.entry.operations
        operations = [
            one for one in (*kind, *kind.own().values()) if one.label in columns[0].shares
        ]
        shares = {
            words(one.label): [column.mean_shares()[one.label] for column in columns]
            for one in operations
        }
        fills = {words(one.label): operation_colours(one)[0] for one in operations}
        epochs = [column.epochs for column in columns]
        charts.append(shares_chart("Operations over time", epochs, shares, fills, note))
    columns = [column for column in sampled.columns if column.rewards]
    if columns:
        note = "Of single architectures on one validation minibatch each, with shared weights."
        epochs, rewards = [one.epochs for one in columns], [one.rewards for one in columns]
        charts.append(distribution_chart("Rewards by epoch", epochs, rewards, Axis("reward"), note))
    return charts


def _heat_maps(record: SearchRecord) -> list[Chart]:
    """Returns the operations by place of the first and of the last epochs."""
    columns = [column for column in record.sampled.columns if column.num_read]
    ends = columns if len(columns) < 2 else [columns[0], columns[-1]]
    return [_by_place(record, column) for column in ends]


def _by_place(record: SearchRecord, column: SampledEpochs) -> Chart:
    places = record.entry.place_names(len(next(iter(column.shares.values()))))
    title = f"Operations by place, {column.epochs.name}"
    note = f"Percent of {column.num_read:,} architectures. {record.entry.places_note}"
    shares = {words(name): values for name, values in column.shares.items()}
    return heat_map(title, shares, places, note)
