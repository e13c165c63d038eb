"""The curves of searches and retrainings, from the events of their phases."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from enas_tf.reporting.page.charts import Axis, Chart, Reference, Series, line_chart
from enas_tf.reporting.page.numbers import is_number, words
from enas_tf.reporting.page.records import Event, SearchRecord, TrainingRecord
from enas_tf.runs.phases import ARCHITECTURE, CONTROLLER, DERIVE, PLAN, RETRAIN, SHARED_WEIGHTS

NOT_FINAL = (
    "This is not the final accuracy or perplexity, which only a network trained from scratch has."
)
# What says where an event is, and is no curve.
_PLACES = {"phase", "step", "epoch", "seconds", "rank"}


class _Metrics(NamedTuple):
    """Numbers of events that share a chart: its title, their names, the axis of their values."""

    title: str
    metrics: tuple[str, ...]
    axis: Axis
    note: str = ""


_ACCURACY = Axis("accuracy, %", is_share=True)
_PERPLEXITY = Axis("perplexity", may_be_logarithmic=True)
_RATE = Axis("learning rate")
_NORM = Axis("norm", may_be_logarithmic=True)
_NATS = Axis("nats")
_OF_TRAINING = "On training batches, each with what was sampled, or mixed, for it."
_OF_MIXTURE = "On the batches that the mixture learns from."

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
        _Metrics(
            "Quality", ("quality",), Axis("quality"), "The reward of the same samples without cost."
        ),
        _Metrics("Cost", ("cost",), Axis("cost"), "Of their final networks."),
        _Metrics("Entropy", ("entropy",), _NATS, "How much the controller still explores."),
        _Metrics("Skip rate", ("skip_rate",), Axis("share of skips, %", is_share=True)),
        _Metrics("Advantage", ("advantage",), Axis("reward minus baseline")),
        _Metrics("Loss of the controller", ("loss",), Axis("loss")),
        _Metrics("Gradient norm of the controller", ("gradient_norm",), _NORM),
        _Metrics("Log probability of the samples", ("log_probability",), _NATS),
    ),
    ARCHITECTURE: (
        _Metrics("Loss of the mixture", ("loss",), _NATS, _OF_MIXTURE),
        _Metrics("Accuracy of the mixture", ("accuracy",), _ACCURACY, _OF_MIXTURE),
        _Metrics("Perplexity of the mixture", ("perplexity",), _PERPLEXITY, _OF_MIXTURE),
        _Metrics("Entropy of the mixture", ("entropy",), _NATS, "Of all decisions; 0: decided."),
        _Metrics(
            "Weight of the identity",
            ("identity_share",),
            Axis("mean weight, %", is_share=True),
            "Above that of all others, cells tend to do nothing.",
        ),
    ),
    DERIVE: tuple(
        _Metrics(
            f"Validation {name} with shared weights",
            (f"shared_weights_validation_{name}", f"mixture_validation_{name}"),
            axis,
            f"Of what is proposed after each epoch, on the whole validation part. {NOT_FINAL}",
        )
        for name, axis in {
            "accuracy": _ACCURACY,
            "top_5_accuracy": _ACCURACY,
            "balanced_accuracy": _ACCURACY,
            "macro_f1": Axis("macro F1"),
            "likelihood": Axis("likelihood"),
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
_X_LABELS = {
    SHARED_WEIGHTS: "training step",
    CONTROLLER: "controller update",
    ARCHITECTURE: "step of the mixture",
    DERIVE: "epoch",
}


def search_charts(record: SearchRecord, phase: str) -> list[Chart]:
    """Returns the curves of one phase of a search.

    Args:
      record: of the search.
      phase: `shared_weights`, `controller`, `derive`, or another one that has events.
    """
    # Candidates of the final ranking have events of their own.
    events = [event for event in record.events.get(phase, ()) if "rank" not in event]
    events = [event for event in events if is_number(event.get("step"))]
    axis = Axis(_X_LABELS.get(phase, "step"), is_whole=True)
    found = []
    for group in _groups(phase, events):
        title, names, y_axis, note = group
        series = [
            Series(words(name), _points(events, name, "step"), colour)
            for colour, name in enumerate(names)
        ]
        found.append(line_chart(title, series, axis, y_axis, _reference(record, group), note))
    return found


def phases_of(record: SearchRecord) -> list[str]:
    """Returns the phases of a search: the usual ones, and others that are in its events."""
    others = [phase for phase in record.events if phase not in (*_GROUPS, PLAN)]
    learned = ARCHITECTURE if ARCHITECTURE in record.events else CONTROLLER
    return [DERIVE, SHARED_WEIGHTS, learned, *others]


def training_charts(records: Sequence[TrainingRecord]) -> list[Chart]:
    """Returns the curves of some retrainings, each in a colour of its own.

    Args:
      records: of the retrainings.
    """
    rows = [
        [event for event in record.events.get(RETRAIN, ()) if is_number(event.get("epoch"))]
        for record in records
    ]
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
                label = ", ".join(labels) or words(name)
                series.append(Series(label, points, colour, is_dashed))
        axis = Axis("epoch", is_whole=True)
        found.append(line_chart(group.title, series, axis, group.axis, note=group.note))
    return found


def _groups(phase: str, events: Sequence[Event]) -> list[_Metrics]:
    """Returns what there are charts of; a number that is in no group has a chart of its own."""
    groups = _GROUPS.get(phase, ())
    known = {name for group in groups for name in group.metrics} | _PLACES
    numbers = {name: None for event in events for name in event if is_number(event[name])}
    others = [
        _Metrics(words(name).capitalize(), (name,), Axis(words(name)))
        for name in numbers
        if name not in known
    ]
    return [group for group in groups if numbers.keys() & set(group.metrics)] + others


def _points(events: Sequence[Event], name: str, x: str) -> list[tuple[float, float]]:
    points = [(event[x], event[name]) for event in events if is_number(event.get(name))]
    return sorted(points, key=lambda point: point[0])


def _reference(record: SearchRecord, group: _Metrics) -> Reference | None:
    """Returns the level that the numbers of a group are to be compared with."""
    space = record.space
    num_classes = getattr(space, "num_classes", None)
    controller = getattr(space, "controller", None)
    # The release's term is no entropy of a whole distribution, which alone has such a limit.
    has_entropy = getattr(controller, "entropy", "full") == "full"
    is_accuracy = group.axis is _ACCURACY or "reward" in group.metrics
    config = record.settings["search"].costs
    if "cost" in group.metrics and config.target_cost is not None:
        return Reference("target", config.target_cost)
    if "reward" in group.metrics and config.cost is not None:
        return None
    if is_accuracy and num_classes:
        return Reference("guessing", 1 / num_classes)
    if "entropy" in group.metrics and has_entropy and space.largest_entropy > 0:
        return Reference("largest possible", space.largest_entropy)
    target = getattr(controller, "skip_target", None)
    if "skip_rate" in group.metrics and target is not None:
        return Reference("target", target)
    return None
