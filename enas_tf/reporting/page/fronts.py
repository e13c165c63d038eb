"""Scores against costs: what is the best that can be had for a price."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from enas_tf.errors import EnasError
from enas_tf.reporting.page.charts import Axis, Chart, Point, Points, Reference, scatter_chart
from enas_tf.reporting.page.numbers import plain, score_words, words
from enas_tf.reporting.page.records import SearchRecord
from enas_tf.settings.costs import COSTS
from enas_tf.spaces.base import Architecture

# What an architecture costs takes about a millisecond to compute.
_MOST_COMPUTED = 2000
_FRONT = "Line: the front; what lies on it is better than all that costs no more."
COST_WORDS = {
    "parameters": "parameters",
    "multiply_adds": "multiply-adds",
    "latency_ms": "latency in milliseconds",
}


class _Group(NamedTuple):
    """Points of a chart, its title and what must be known to read it."""

    title: str
    name: str
    points: Mapping[str, Point]
    axis: Axis
    note: str


def pareto_front(points: Sequence[Point], *, lower_is_better: bool = False) -> list[Point]:
    """Returns the points that are better than all that cost no more, by rising cost.

    Args:
      points: what something costs, and what it is worth.
      lower_is_better: whether a low worth is good.
    """
    sign = -1.0 if lower_is_better else 1.0
    front: list[Point] = []
    for cost, worth in sorted(points, key=lambda point: (point[0], -sign * point[1])):
        if not front or sign * worth > sign * front[-1][1]:
            front.append((cost, worth))
    return front


def cost_axis(cost: str) -> Axis:
    """Returns the axis of a cost, by its name in `COSTS`' values."""
    return Axis(COST_WORDS[cost], may_be_logarithmic=True)


def cost_charts(record: SearchRecord) -> list[Chart]:
    """Returns what a search sampled, and what it ranked, against what it costs.

    Nothing where all architectures cost the same.

    Args:
      record: of the search.
    """
    config = record.settings["search"].costs
    # Latencies are known only where they were written down.
    told = [name for name in config.counted if config.cost or name != COSTS["latency"]]
    cost = told[0] if told else "parameters"
    levels = [
        Reference(name, value)
        for name, value in (
            ("limit", config.maxima.get(cost)),
            ("target", config.target_cost if config.cost and COSTS[config.cost] == cost else None),
        )
        if value is not None
    ]
    charts = []
    for group in (_sampled(record, cost), _ranked(record, cost)):
        if len({x for x, _ in group.points.values()}) > 1:
            texts = [
                f"{plain(x)} {COST_WORDS[cost]}: {key}" for key, (x, _) in group.points.items()
            ]
            points = list(group.points.values())
            charts.append(
                scatter_chart(
                    f"{group.title} and {COST_WORDS[cost]}",
                    [Points(group.name, points, texts)],
                    cost_axis(cost),
                    group.axis,
                    f"{group.note} {_FRONT}",
                    fronts={group.name: pareto_front(points)},
                    levels=levels,
                )
            )
    return charts


def _sampled(record: SearchRecord, cost: str) -> _Group:
    sampled = record.sampled
    strings = list(sampled.qualities)
    step = -(-len(strings) // _MOST_COMPUTED) or 1
    chosen = strings[::step]
    known = sampled.costs if sampled.costs else _costs(record, chosen, cost)
    note = "Each point: an architecture, the mean of its rewards on validation minibatches"
    note += f"; every {step}th of {len(strings):,}." if step > 1 else "."
    note += " Of noisy rewards the best are lucky too."
    points = {text: (known[text], sampled.qualities[text]) for text in chosen if text in known}
    name = "quality" if sampled.costs else "reward"
    return _Group(f"Sampled architectures: {name}", "sampled", points, Axis(name), note)


def _costs(record: SearchRecord, strings: Sequence[str], cost: str) -> dict[str, float]:
    found = {}
    for text in strings:
        try:
            architecture: Architecture = record.space.architecture_from_release_string(text)
            network = record.entry.fit_network(architecture, record.final_network)
            found[text] = getattr(record.space.costs(architecture, network), cost)
        except EnasError:
            continue
    return found


def _ranked(record: SearchRecord, cost: str) -> _Group:
    candidates = record.candidates
    kind = candidates[0].score_kind if candidates else ""
    points = {
        one.release_string: (known, one.score)
        for one in candidates
        if one.costs and one.score_kind == kind
        if (known := getattr(one.costs, cost)) is not None
    }
    axis = Axis(words(kind), is_share=kind.endswith("accuracy"))
    note = "Each point: a candidate of the ranking."
    return _Group(f"Candidates: {score_words(kind)}", "candidates", points, axis, note)
