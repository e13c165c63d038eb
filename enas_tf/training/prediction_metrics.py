"""Metrics of all predictions together: what is no mean over examples, and what programs bring.

They are computed outside of TensorFlow, from NumPy arrays. Nothing here imports it.
"""

import math
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from enas_tf.errors import ConfigurationError
from enas_tf.settings.search import METRICS

# From labels, int32 `[examples]`, and probabilities, float32 `[examples, classes]`.
PredictionMetric = Callable[[np.ndarray, np.ndarray], float]

# What the scores by the metrics of other names are called.
_SCORES = {"loss": "likelihood", "top_5": "top_5_accuracy"}


class Predictions(NamedTuple):
    """What a network says of the examples of a batch.

    Attributes:
      labels: int32 `[rows]`.
      probabilities: float32 `[rows, classes]`.
      count: float32, the number of examples; they are the first rows.
    """

    labels: Any
    probabilities: Any
    count: Any


def mean_recall(labels: np.ndarray, predictions: np.ndarray) -> float:
    """Returns the balanced accuracy: the mean recall of the classes that have examples.

    Args:
      labels: the right class of each example, `[examples]`.
      predictions: its most likely class, `[examples]`.
    """
    from sklearn.metrics import recall_score

    # `balanced_accuracy_score` warns if a class without examples was predicted.
    present = np.unique(labels)
    return float(
        recall_score(labels, predictions, labels=present, average="macro", zero_division=0.0)
    )


def mean_f1(labels: np.ndarray, predictions: np.ndarray) -> float:
    """Returns the macro F1: the mean F1 of the classes that have examples or were predicted.

    Args:
      labels: the right class of each example, `[examples]`.
      predictions: its most likely class, `[examples]`.
    """
    from sklearn.metrics import f1_score

    return float(f1_score(labels, predictions, average="macro", zero_division=0.0))


_METRICS: dict[str, PredictionMetric] = {
    "balanced_accuracy": lambda labels, probabilities: mean_recall(labels, probabilities.argmax(1)),
    "macro_f1": lambda labels, probabilities: mean_f1(labels, probabilities.argmax(1)),
}


def register_metric(function: PredictionMetric, name: str | None = None) -> str:
    """Makes a function of your own a metric that searches on pictures can be rewarded for.

    ```python
    def worst_recall(labels, probabilities):
        right = probabilities.argmax(axis=1) == labels
        return min(right[labels == label].mean() for label in set(labels))

    config = enas_tf.SearchConfig(reward_metric=enas_tf.register_metric(worst_recall))
    ```

    A run writes down the name alone. A program that goes on with it registers the function again,
    under the same name, before it searches; a command line cannot.

    Args:
      function: takes labels, int32 `[examples]`, and probabilities, float32 `[examples, classes]`,
        and returns a finite number from 0 on, higher is better. It gets NumPy arrays and is not
        traced, so that it may be anything, for example a metric of scikit-learn: minibatches, the
        whole validation part, and that without some of its examples; so classes may be missing.
      name: letters, digits and underscores. Default: that of the function. A function that had the
        name before is replaced.

    Returns:
      The name, for `SearchConfig.reward_metric` and `DeriveConfig.metric`.

    Raises:
      ConfigurationError: the function has no such name, or a metric of the package has it.
    """
    name = str(getattr(function, "__name__", "")) if name is None else name
    if not callable(function):
        raise ConfigurationError(
            f"`function` must be a function. Received: {type(function).__name__}."
        )
    if not name.isidentifier():
        raise ConfigurationError(
            "`name` must be made of letters, digits and underscores, since logs have it for a "
            f"heading. Received: {name!r}; give another one as name=."
        )
    if name in {*METRICS, *_SCORES.values()}:
        raise ConfigurationError(
            f"`name` must be none of {', '.join(METRICS)}, which are metrics already. "
            f"Received: {name!r}."
        )
    _METRICS[name] = function
    return name


def check_metric(metric: str) -> None:
    """Raises `ConfigurationError` unless a metric is one of the package's, or was registered."""
    if metric not in {*METRICS, *_METRICS}:
        raise ConfigurationError(
            f"A metric must be one of {', '.join(METRICS)}, or a function that this program gave "
            f"to enas_tf.register_metric. Received: {metric!r}; if another program searched with "
            "it, go on with that one."
        )


def score_name(metric: str) -> str:
    """Returns what a score by a metric is called in logs and files, for example `likelihood`."""
    return _SCORES.get(metric, metric)


def metric_value(metric: str, labels: np.ndarray, probabilities: np.ndarray) -> float:
    """Returns a metric of predictions; not a number if the probabilities are none.

    Args:
      metric: one that is no mean over examples.
      labels: int32 `[examples]`.
      probabilities: float32 `[examples, classes]`.

    Raises:
      ConfigurationError: nobody registered the metric, or it is no finite number from 0 on.
    """
    check_metric(metric)
    if not np.isfinite(probabilities).all():
        return math.nan
    value = _METRICS[metric](labels, probabilities)
    number = np.asarray(value)
    if number.shape != () or number.dtype.kind not in "biuf" or not 0.0 <= number < math.inf:
        raise ConfigurationError(
            f"The metric {metric!r} must return a finite number from 0 on. Received: {value!r}, "
            f"of {len(labels)} examples; minibatches may lack classes."
        )
    return float(number)


def together(batches: Sequence[Predictions]) -> tuple[np.ndarray, np.ndarray]:
    """Returns labels and probabilities of the examples of all of some batches."""
    rows = [(int(one.count), one) for one in batches]
    labels = np.concatenate([one.labels[:count] for count, one in rows])
    return labels, np.concatenate([one.probabilities[:count] for count, one in rows])


def divided(batches: Sequence[Predictions], number: int) -> list[Predictions]:
    """Returns the examples of all of some batches, dealt out to a number of groups in turn."""
    labels, probabilities = together(batches)
    groups = [slice(one, None, number) for one in range(min(number, len(labels)))]
    return [Predictions(labels[g], probabilities[g], float(len(labels[g]))) for g in groups]
