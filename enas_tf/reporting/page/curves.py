"""The curves of searches and retrainings, from the events of their phases."""

import dataclasses
from collections.abc import Callable, Mapping, Sequence

from enas_tf.reporting.page.lines import Reference, Series, line_figure
from enas_tf.reporting.page.markup import Html
from enas_tf.reporting.page.numbers import is_number, words
from enas_tf.reporting.page.records import Event, SearchRecord, TrainingRecord
from enas_tf.reporting.page.scales import Axis

SHARED_WEIGHTS, CONTROLLER, DERIVE, RETRAIN = "shared_weights", "controller", "derive", "retrain"

NOT_FINAL = (
    "This is not the final accuracy or perplexity, which only a network trained from scratch has."
)
# What says where an event is, and is no curve.
_PLACES = {"phase", "step", "epoch", "seconds", "rank"}


@dataclasses.dataclass(frozen=True)
class _Chart:
    """Metrics that share a chart.

    Attributes:
      title: of the chart.
      metrics: names of the numbers in the events.
      axis: of their values.
      note: what must be known to read it.
    """

    title: str
    metrics: tuple[str, ...]
    axis: Axis
    note: str = ""


_ACCURACY = Axis("accuracy, %", is_share=True)
_PERPLEXITY = Axis("perplexity", may_be_logarithmic=True)
_RATE = Axis("learning rate")
_NORM = Axis("norm", may_be_logarithmic=True)
_NATS = Axis("nats")
_OF_TRAINING = "On training batches, each with an architecture sampled for it."

_CHARTS: Mapping[str, tuple[_Chart, ...]] = {
    SHARED_WEIGHTS: (
        _Chart("Loss", ("loss",), _NATS, _OF_TRAINING),
        _Chart("Training accuracy", ("accuracy",), _ACCURACY, _OF_TRAINING),
        _Chart("Training perplexity", ("perplexity",), _PERPLEXITY, _OF_TRAINING),
        _Chart("Learning rate", ("learning_rate",), _RATE),
        _Chart("Gradient norm", ("gradient_norm",), _NORM),
    ),
    CONTROLLER: (
        _Chart(
            "Reward and baseline",
            ("reward", "baseline"),
            Axis("reward"),
            "Mean of an update's samples on validation minibatches, with shared weights.",
        ),
        _Chart("Entropy", ("entropy",), _NATS, "How much the controller still explores."),
        _Chart("Skip rate", ("skip_rate",), Axis("share of skips, %", is_share=True)),
        _Chart("Advantage", ("advantage",), Axis("reward minus baseline")),
        _Chart("Loss of the controller", ("loss",), Axis("loss")),
        _Chart("Gradient norm of the controller", ("gradient_norm",), _NORM),
        _Chart("Log probability of the samples", ("log_probability",), _NATS),
    ),
    DERIVE: (
        _Chart(
            "Validation accuracy with shared weights",
            ("shared_weights_validation_accuracy",),
            _ACCURACY,
            f"Of one architecture proposed after each epoch, on the whole validation part. "
            f"{NOT_FINAL}",
        ),
        _Chart(
            "Validation perplexity with shared weights",
            ("shared_weights_validation_perplexity",),
            _PERPLEXITY,
            f"Of one architecture proposed after each epoch, on the whole validation part. "
            f"{NOT_FINAL}",
        ),
        _Chart(
            "Validation reward with shared weights",
            ("shared_weights_validation_reward",),
            Axis("reward"),
            f"Of one architecture proposed after each epoch, on the whole validation part. "
            f"{NOT_FINAL}",
        ),
    ),
    RETRAIN: (
        _Chart("Loss", ("loss",), _NATS),
        _Chart("Accuracy", ("accuracy", "validation_accuracy"), _ACCURACY),
        _Chart("Perplexity", ("perplexity", "validation_perplexity"), _PERPLEXITY),
        _Chart("Learning rate", ("learning_rate",), _RATE),
    ),
}
_X_AXES = {
    SHARED_WEIGHTS: Axis("training step", is_whole=True),
    CONTROLLER: Axis("controller update", is_whole=True),
    DERIVE: Axis("epoch", is_whole=True),
    RETRAIN: Axis("epoch", is_whole=True),
}
_STEP = Axis("step", is_whole=True)


def search_figures(record: SearchRecord, phase: str) -> list[Html]:
    """Returns the curves of one phase of a search.

    Args:
      record: of the search.
      phase: `shared_weights`, `controller`, `derive`, or another one that has events.
    """
    # Candidates of the final ranking have events of their own.
    events = [event for event in record.events.get(phase, ()) if "rank" not in event]

    def series(chart: _Chart) -> list[Series]:
        return [
            Series(words(name), _points(events, name, "step"), colour)
            for colour, name in enumerate(chart.metrics)
        ]

    axis = _X_AXES.get(phase, _STEP)
    return _figures(_charts(phase, events), series, axis, lambda chart: _reference(record, chart))


def other_phases(record: SearchRecord) -> list[str]:
    """Returns the phases in a search's events that are none of its usual ones."""
    return [phase for phase in record.events if phase not in _CHARTS]


def training_figures(records: Sequence[TrainingRecord]) -> list[Html]:
    """Returns the curves of some retrainings, each in a colour of its own.

    Args:
      records: of the retrainings.
    """
    rows = [record.events.get(RETRAIN, ()) for record in records]
    all_events = [event for events in rows for event in events]

    def series(chart: _Chart) -> list[Series]:
        found = []
        has_both = all(any(name in event for event in all_events) for name in chart.metrics[1:])
        has_both = has_both and len(chart.metrics) > 1
        for number, (record, events) in enumerate(zip(records, rows)):
            for name in chart.metrics:
                is_validation = name.startswith("validation_")
                kind = "validation" if is_validation else "training"
                labels = [record.path.name] * (len(records) > 1) + [kind] * has_both
                points = _points(events, name, "epoch")
                colour = number if len(records) > 1 else int(is_validation)
                found.append(
                    Series(", ".join(labels), points, colour, has_both and not is_validation)
                )
        return found

    charts = _charts(RETRAIN, all_events)
    return _figures(charts, series, _X_AXES[RETRAIN], lambda chart: None)


def _figures(
    charts: Sequence[_Chart],
    series: Callable[[_Chart], list[Series]],
    x_axis: Axis,
    reference: Callable[[_Chart], Reference | None],
) -> list[Html]:
    found = []
    for chart in charts:
        lines = [one for one in series(chart) if one.points]
        figure = line_figure(
            chart.title, lines, x_axis, chart.axis, reference=reference(chart), note=chart.note
        )
        if figure is not None:
            found.append(figure)
    return found


def _charts(phase: str, events: Sequence[Event]) -> list[_Chart]:
    """Returns the charts of a phase, with one for each number that no other chart shows."""
    charts = list(_CHARTS.get(phase, ()))
    known = {name for chart in charts for name in chart.metrics} | _PLACES
    names = dict.fromkeys(name for event in events for name in event if name not in known)
    others = [name for name in names if any(is_number(event.get(name)) for event in events)]
    return charts + [
        _Chart(words(name).capitalize(), (name,), Axis(words(name))) for name in others
    ]


def _points(events: Sequence[Event], name: str, x: str) -> list[tuple[float, float]]:
    pairs = [(event.get(x), event.get(name)) for event in events]
    points = [(a, b) for a, b in pairs if is_number(a) and is_number(b)]
    return sorted(points, key=lambda point: point[0])


def _reference(record: SearchRecord, chart: _Chart) -> Reference | None:
    """Returns the level that the numbers of a chart are to be compared with."""
    space = record.space
    num_classes = getattr(space, "num_classes", None)
    controller = getattr(space, "controller", None)
    # The release's term is no entropy of a whole distribution, which alone has such a limit.
    has_entropy = getattr(controller, "entropy", "full") == "full"
    is_accuracy = chart.axis is _ACCURACY or "reward" in chart.metrics
    if is_accuracy and num_classes:
        return Reference("guessing", 1 / num_classes)
    if "entropy" in chart.metrics and has_entropy and space.largest_entropy > 0:
        return Reference("largest possible", space.largest_entropy)
    target = getattr(controller, "skip_target", None)
    if "skip_rate" in chart.metrics and target is not None:
        return Reference("target", target)
    return None
