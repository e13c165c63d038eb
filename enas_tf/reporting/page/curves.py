"""The curves of searches and retrainings, from the events of their phases."""

import dataclasses
from collections.abc import Mapping, Sequence

from enas_tf.reporting.page.charts import Axis, Chart, Reference, Series, line_chart
from enas_tf.reporting.page.numbers import is_number, words
from enas_tf.reporting.page.records import Event, SearchRecord, TrainingRecord

SHARED_WEIGHTS, CONTROLLER, DERIVE, RETRAIN = "shared_weights", "controller", "derive", "retrain"

NOT_FINAL = (
    "This is not the final accuracy or perplexity, which only a network trained from scratch has."
)
# What says where an event is, and is no curve.
_PLACES = {"phase", "step", "epoch", "seconds", "rank"}


@dataclasses.dataclass(frozen=True)
class _Metrics:
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

_GROUPS: Mapping[str, tuple[_Metrics, ...]] = {
    SHARED_WEIGHTS: (
        _Metrics("Loss", ("loss",), _NATS, _OF_TRAINING),
        _Metrics("Training accuracy", ("accuracy",), _ACCURACY, _OF_TRAINING),
        _Metrics("Training perplexity", ("perplexity",), _PERPLEXITY, _OF_TRAINING),
        _Metrics("Learning rate", ("learning_rate",), _RATE),
        _Metrics("Gradient norm", ("gradient_norm",), _NORM),
    ),
    CONTROLLER: (
        _Metrics(
            "Reward and baseline",
            ("reward", "baseline"),
            Axis("reward"),
            "Mean of an update's samples on validation minibatches, with shared weights.",
        ),
        _Metrics("Entropy", ("entropy",), _NATS, "How much the controller still explores."),
        _Metrics("Skip rate", ("skip_rate",), Axis("share of skips, %", is_share=True)),
        _Metrics("Advantage", ("advantage",), Axis("reward minus baseline")),
        _Metrics("Loss of the controller", ("loss",), Axis("loss")),
        _Metrics("Gradient norm of the controller", ("gradient_norm",), _NORM),
        _Metrics("Log probability of the samples", ("log_probability",), _NATS),
    ),
    DERIVE: tuple(
        _Metrics(
            f"Validation {name} with shared weights",
            (f"shared_weights_validation_{name}",),
            axis,
            "Of one architecture proposed after each epoch, on the whole validation part. "
            f"{NOT_FINAL}",
        )
        for name, axis in {
            "accuracy": _ACCURACY,
            "perplexity": _PERPLEXITY,
            "reward": Axis("reward"),
        }.items()
    ),
    RETRAIN: (
        _Metrics("Loss", ("loss",), _NATS),
        _Metrics("Accuracy", ("accuracy", "validation_accuracy"), _ACCURACY),
        _Metrics("Perplexity", ("perplexity", "validation_perplexity"), _PERPLEXITY),
        _Metrics("Learning rate", ("learning_rate",), _RATE),
    ),
}
_X_AXES = {
    SHARED_WEIGHTS: Axis("training step", is_whole=True),
    CONTROLLER: Axis("controller update", is_whole=True),
    DERIVE: Axis("epoch", is_whole=True),
    RETRAIN: Axis("epoch", is_whole=True),
}
_STEP = Axis("step", is_whole=True)


def search_charts(record: SearchRecord, phase: str) -> list[Chart]:
    """Returns the curves of one phase of a search.

    Args:
      record: of the search.
      phase: `shared_weights`, `controller`, `derive`, or another one that has events.
    """
    # Candidates of the final ranking have events of their own.
    events = [event for event in record.events.get(phase, ()) if "rank" not in event]
    found = []
    for group in _groups(phase, events):
        series = [
            Series(words(name), _points(events, name, "step"), colour)
            for colour, name in enumerate(group.metrics)
        ]
        axis = _X_AXES.get(phase, _STEP)
        found.append(_chart(group, series, axis, _reference(record, group)))
    return [chart for chart in found if chart is not None]


def other_phases(record: SearchRecord) -> list[str]:
    """Returns the phases in a search's events that are none of its usual ones."""
    return [phase for phase in record.events if phase not in _GROUPS]


def training_charts(records: Sequence[TrainingRecord]) -> list[Chart]:
    """Returns the curves of some retrainings, each in a colour of its own.

    Args:
      records: of the retrainings.
    """
    rows = [record.events.get(RETRAIN, ()) for record in records]
    all_events = [event for events in rows for event in events]
    are_several = len(records) > 1
    found = []
    for group in _groups(RETRAIN, all_events):
        has_both = len(group.metrics) > 1 and any(group.metrics[1] in one for one in all_events)
        series = []
        for number, (record, events) in enumerate(zip(records, rows)):
            for name in group.metrics:
                is_validation = name.startswith("validation_")
                kind = "validation" if is_validation else "training"
                labels = [record.path.name] * are_several + [kind] * has_both
                colour = number if are_several else int(is_validation)
                points, is_dashed = _points(events, name, "epoch"), has_both and not is_validation
                series.append(Series(", ".join(labels), points, colour, is_dashed))
        found.append(_chart(group, series, _X_AXES[RETRAIN]))
    return [chart for chart in found if chart is not None]


def _chart(
    group: _Metrics, series: Sequence[Series], axis: Axis, reference: Reference | None = None
) -> Chart | None:
    return line_chart(group.title, series, axis, group.axis, reference=reference, note=group.note)


def _groups(phase: str, events: Sequence[Event]) -> list[_Metrics]:
    """Returns what the charts of a phase show; each number that is in no group is its own."""
    groups = list(_GROUPS.get(phase, ()))
    known = {name for group in groups for name in group.metrics} | _PLACES
    names = dict.fromkeys(name for event in events for name in event if name not in known)
    others = [name for name in names if any(is_number(event.get(name)) for event in events)]
    return groups + [
        _Metrics(words(name).capitalize(), (name,), Axis(words(name))) for name in others
    ]


def _points(events: Sequence[Event], name: str, x: str) -> list[tuple[float, float]]:
    pairs = [(event.get(x), event.get(name)) for event in events]
    points = [(a, b) for a, b in pairs if is_number(a) and is_number(b)]
    return sorted(points, key=lambda point: point[0])


def _reference(record: SearchRecord, group: _Metrics) -> Reference | None:
    """Returns the level that the numbers of a group are to be compared with."""
    space = record.space
    num_classes = getattr(space, "num_classes", None)
    controller = getattr(space, "controller", None)
    # The release's term is no entropy of a whole distribution, which alone has such a limit.
    has_entropy = getattr(controller, "entropy", "full") == "full"
    is_accuracy = group.axis is _ACCURACY or "reward" in group.metrics
    if is_accuracy and num_classes:
        return Reference("guessing", 1 / num_classes)
    if "entropy" in group.metrics and has_entropy and space.largest_entropy > 0:
        return Reference("largest possible", space.largest_entropy)
    target = getattr(controller, "skip_target", None)
    if "skip_rate" in group.metrics and target is not None:
        return Reference("target", target)
    return None
