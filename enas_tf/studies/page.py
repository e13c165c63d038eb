"""`study.html`: what a study found, as one page that needs nothing else."""

import datetime
from collections.abc import Mapping, Sequence
from typing import Any

from enas_tf.environment.progress import duration
from enas_tf.reporting.page.charts import Axis, Chart, Points, rows_chart, scatter_chart
from enas_tf.reporting.page.fronts import COST_WORDS, cost_axis, pareto_front
from enas_tf.reporting.page.numbers import score_words, words
from enas_tf.reporting.page.render import render
from enas_tf.reporting.page.settings_table import value_text
from enas_tf.reporting.page.training_view import Columns
from enas_tf.runs.differences import flatten
from enas_tf.studies.document import RANDOM_SAMPLING, RANKINGS
from enas_tf.studies.summary import summary_paragraphs

_NOTHING = "\N{EM DASH}"
_RANDOM_COLOUR = 7
_RANKING_WORDS = {
    "shared_weights": "Shared weights (mean over searches)",
    "parameters": "Trivial: number of parameters",
    "multiply_adds": "Trivial: multiply-adds",
    "retraining_again": "Ceiling: one retraining foretells the others",
}

Json = Mapping[str, Any]


def study_page(document: Json, now: datetime.datetime | None = None) -> str:
    """Returns the page of a study as the text of an HTML file.

    Args:
      document: of `study_document` or `read_study`.
      now: when the page is made (default: now).
    """
    show = _Shown(document["lower_is_better"])
    methods = document["methods"]
    budget = flatten(document["budget"])
    return render(
        "study.html",
        now,
        study=document,
        summary=summary_paragraphs(document),
        methods=_methods(methods, show),
        beside_random=_beside_random(methods, show),
        searches={
            name: _searches(method["searches"], name == RANDOM_SAMPLING, show)
            for name, method in methods.items()
        },
        ranking=_ranking(document["ranking"]),
        ranking_searches=_ranking_searches(document["ranked"]["shared_weights"]),
        method_charts=_method_charts(methods, show, document["lower_is_better"]),
        ranking_charts=_ranking_charts(document, show),
        times=_times(document),
        budget={"Setting": list(budget), "Value": [value_text(one) for one in budget.values()]},
    )


class _Shown:
    """How results are shown.

    Attributes:
      metric: the word for them.
      axis: of charts.
    """

    def __init__(self, lower_is_better: bool):
        self._is_share = not lower_is_better
        self.metric = "perplexity" if lower_is_better else "accuracy"
        unit = "" if lower_is_better else ", %"
        self.axis = Axis(f"test {self.metric}{unit}", is_share=self._is_share)

    def value(self, value: float | None) -> str:
        """Returns a result."""
        if value is None:
            return _NOTHING
        return f"{100 * value:.2f} %" if self._is_share else f"{value:.2f}"

    def difference(self, value: float | None, interval: Sequence[float] | None) -> str:
        """Returns how much better something is, and within what interval."""
        if value is None:
            return _NOTHING
        factor = 100 if self._is_share else 1
        text = _signed(factor * value)
        if interval is not None:
            text += f" ({' to '.join(_signed(factor * end) for end in interval)})"
        return f"{text} points" if self._is_share else text

    def span(self, interval: Sequence[float] | None) -> str:
        """Returns from where to where results lie."""
        return _NOTHING if interval is None else " to ".join(map(self.value, interval))


def _methods(methods: Json, show: _Shown) -> Columns:
    columns: Columns = {
        "Method": [words(name) for name in methods],
        "Searches": [
            f"{len(one['searches'])} draws" if name == RANDOM_SAMPLING else len(one["searches"])
            for name, one in methods.items()
        ],
    }
    rows = list(methods.values())
    columns[f"Test {show.metric}, mean"] = [show.value(one["mean"]) for one in rows]
    columns["Standard deviation"] = [show.value(one["std"]) for one in rows]
    columns["95 % interval of the mean"] = [show.span(one["interval"]) for one in rows]
    for heading, key in (("Parameters", "parameters"), ("Multiply-adds", "multiply_adds")):
        columns[f"{heading}, mean"] = [
            _mean_count([search[key] for search in one["searches"]]) for one in rows
        ]
    return columns


def _beside_random(methods: Json, show: _Shown) -> Columns:
    rows = {name: one for name, one in methods.items() if name != RANDOM_SAMPLING}
    count = len(methods[RANDOM_SAMPLING]["searches"])
    sizes = [one["equal_size"] for one in rows.values()]
    return {
        "Method": [words(name) for name in rows],
        "Relative improvement": [
            _NOTHING if (ri := one["relative_improvement"]) is None else _signed(ri, " %")
            for one in rows.values()
        ],
        "P(beats random)": [
            _share(one["probability_beats_random"]) + _in_brackets(one["probability_interval"])
            for one in rows.values()
        ],
        "p-value": [_p_value(one["p_value"]) for one in rows.values()],
        "Place of the best": [
            _NOTHING if one["place_among_random"] is None
            else f"{one['place_among_random']} of {count + 1}"
            for one in rows.values()
        ],
        "Difference at equal size": [
            show.difference(size["difference"], size["interval"]) for size in sizes
        ],
        "P at equal size": [
            f"{_share(size['probability_beats_random'])}"
            f" ({size['num_compared']} of {size['num_searches']} searches)"
            for size in sizes
        ],
    }  # fmt: skip


def _searches(searches: Sequence[Json], is_random: bool, show: _Shown) -> Columns:
    columns: Columns = {"Draw" if is_random else "Seed": [one["seed"] for one in searches]}
    if not is_random:
        columns["Score in the search"] = [_score(one["score"]) for one in searches]
    for part in ("validation", "test"):
        columns[f"{part.capitalize()} {show.metric}"] = [
            ", ".join(show.value(again[part]) for again in one["retrainings"]) for one in searches
        ]
    columns["Mean on the test part"] = [show.value(one["result"]) for one in searches]
    columns["Parameters"] = [f"{one['parameters']:,}" for one in searches]
    columns["Multiply-adds"] = [f"{one['multiply_adds']:,}" for one in searches]
    columns["Release string"] = [one["release_string"] for one in searches]
    return columns


def _ranking(ranking: Json) -> Columns:
    return {
        "Ranked by": [_RANKING_WORDS[name] for name in RANKINGS],
        **_rank_columns([ranking[name] for name in RANKINGS]),
        "Architectures": [ranking[name]["num_architectures"] for name in RANKINGS],
    }


def _ranking_searches(searches: Sequence[Json]) -> Columns:
    return {
        "Method": [words(one["method"]) for one in searches],
        "Seed": [one["seed"] for one in searches],
        **_rank_columns(searches),
    }


def _rank_columns(rows: Sequence[Json]) -> Columns:
    return {
        "Kendall τ": [_score(one["kendall_tau"]) for one in rows],
        "95 % interval of τ": [
            _NOTHING if one["interval"] is None else " to ".join(map(_score, one["interval"]))
            for one in rows
        ],
        "Spearman's rho": [_score(one["spearman"]) for one in rows],
        "Sparse τ": [_score(one["sparse_kendall_tau"]) for one in rows],
        "Precision at top 5": [_share(one["precision_at_5"]) for one in rows],
    }


def _times(document: Json) -> Columns:
    rows = {words(name): one["time"] for name, one in document["methods"].items()}
    rows["all"] = document["time"]
    names = ("search", "scoring", "retraining")
    return {
        "Method": list(rows),
        **{
            name.capitalize(): [duration(one[f"{name}_seconds"]) for one in rows.values()]
            for name in names
        },
    }


def _method_charts(methods: Json, show: _Shown, lower_is_better: bool) -> list[Chart]:
    order = _order(methods)
    groups = [
        (name, _colour(name, order), methods[name]["searches"])
        for name in order
        if methods[name]["searches"]
    ]
    if not groups:
        return []

    def points_at(cost: str) -> list[Points]:
        return [
            Points(
                words(name),
                [(one[cost], one["result"]) for one in searches],
                [_of_search(one, name, cost) for one in searches],
                colour,
                "circle" if name == RANDOM_SAMPLING else "diamond",
            )
            for name, colour, searches in groups
        ]

    # Cells for text all cost the same.
    differing = [
        cost
        for cost in ("parameters", "multiply_adds")
        if len({one[cost] for _, _, searches in groups for one in searches}) > 1
    ]

    def with_fronts(cost: str) -> Chart:
        points = points_at(cost)
        fronts = {
            one.name: pareto_front(one.points, lower_is_better=lower_is_better) for one in points
        }
        return scatter_chart(
            f"Results and {COST_WORDS[cost]}",
            points,
            cost_axis(cost),
            show.axis,
            "A larger network is better without any search: compare at the same place from left to "
            "right. Lines: the front of each method, the best result up to that cost.",
            fronts=fronts,
        )

    return [
        rows_chart(
            "What was found, and random architectures",
            points_at("parameters"),
            show.axis,
            "Each point: one architecture, the mean of its retrainings. Box: the middle half; line "
            "in it: the median.",
        ),
        *map(with_fronts, differing),
    ]


def _ranking_charts(document: Json, show: _Shown) -> list[Chart]:
    ranked = document["ranked"]
    results = [one["result"] for one in ranked["architectures"]]
    if not results or not ranked["shared_weights"]:
        return []
    order = _order(document["methods"])
    groups = []
    for name in dict.fromkeys(one["method"] for one in ranked["shared_weights"]):
        rankings = [one for one in ranked["shared_weights"] if one["method"] == name]
        points = [pair for one in rankings for pair in zip(one["scores"], results)]
        texts = [
            f"seed {one['seed']}, score {_score(score)}"
            for one in rankings
            for score in one["scores"]
        ]
        groups.append(Points(words(name), points, texts, _colour(name, order)))
    return [
        scatter_chart(
            "Shared-weights score and result",
            groups,
            Axis(score_words(document["score_kind"])),
            show.axis,
            "Each point: one architecture with the shared weights of one search. A ranking that "
            "can be trusted rises from left to right"
            + (", or falls where lower is better." if document["lower_is_better"] else "."),
        )
    ]


def _order(methods: Json) -> list[str]:
    """Returns the methods, random sampling first: it is what the others are compared with."""
    return sorted(methods, key=lambda name: name != RANDOM_SAMPLING)


def _colour(name: str, order: Sequence[str]) -> int:
    if name == RANDOM_SAMPLING or name not in order:
        return _RANDOM_COLOUR
    return (order.index(name) - 1) % _RANDOM_COLOUR


def _of_search(search: Json, name: str, cost: str) -> str:
    which = "draw" if name == RANDOM_SAMPLING else "seed"
    return f"{which} {search['seed']}, {search[cost]:,} {COST_WORDS[cost]}"


def _mean_count(values: Sequence[int]) -> str:
    return f"{sum(values) / len(values):,.0f}" if values else _NOTHING


def _score(value: float | None) -> str:
    return _NOTHING if value is None else f"{value:.3f}".replace("-", "\N{MINUS SIGN}")


def _signed(value: float, unit: str = "") -> str:
    return f"{value:+.2f}{unit}".replace("-", "\N{MINUS SIGN}")


def _p_value(value: float | None) -> str:
    if value is None:
        return _NOTHING
    return f"{value:.3f}" if value >= 0.001 else "< 0.001"


def _share(value: float | None) -> str:
    return _NOTHING if value is None else f"{100 * value:.0f} %"


def _in_brackets(interval: Sequence[float] | None) -> str:
    """Returns from where to where a share lies, after the share."""
    return "" if interval is None else f" ({' to '.join(map(_share, interval))})"
