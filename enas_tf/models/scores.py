"""How good a classifier is, from what it says of labelled pictures; scikit-learn's metrics.

Nothing here imports TensorFlow.
"""

import dataclasses
import functools
import math
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from enas_tf.settings.search import TOP
from enas_tf.training.prediction_metrics import mean_f1, mean_recall


class ClassScores(NamedTuple):
    """How good a classifier is on one class.

    Attributes:
      name: of the class.
      precision: share of the right ones among the pictures that were taken for the class; NaN if
        none was.
      recall: share of the pictures of the class that were taken for it; NaN if there is none.
      f1: harmonic mean of precision and recall; NaN if there is no picture of either kind.
      examples: number of pictures of the class.
    """

    name: str
    precision: float
    recall: float
    f1: float
    examples: int


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class Evaluation:
    """How good a classifier is on labelled pictures.

    Classes are numbered as the classifier does it.

    Attributes:
      accuracy: share of the pictures whose most likely class is the right one.
      loss: mean cross-entropy in nats.
      labels: the right class of each picture, int32 `[examples]`.
      predictions: its most likely class, int32 `[examples]`.
      probabilities: float32 `[examples, classes]`.
      label_names: the name of each class.
    """

    accuracy: float
    loss: float
    labels: np.ndarray
    predictions: np.ndarray
    probabilities: np.ndarray
    label_names: tuple[str, ...]

    @functools.cached_property
    def classes(self) -> tuple[ClassScores, ...]:
        """The scores of each class."""
        from sklearn.metrics import precision_recall_fscore_support

        columns = precision_recall_fscore_support(
            self.labels, self.predictions, labels=self._numbers, zero_division=math.nan
        )
        rows = zip(self.label_names, *(column.tolist() for column in columns))
        return tuple(ClassScores(*row) for row in rows)

    @functools.cached_property
    def confusion_matrix(self) -> np.ndarray:
        """Numbers of pictures, int64 `[right class, most likely class]`."""
        from sklearn.metrics import confusion_matrix

        return confusion_matrix(self.labels, self.predictions, labels=self._numbers)

    @functools.cached_property
    def balanced_accuracy(self) -> float:
        """Mean recall of the classes that have pictures."""
        return mean_recall(self.labels, self.predictions)

    @functools.cached_property
    def macro_f1(self) -> float:
        """Mean F1 of the classes that have pictures or were predicted."""
        return mean_f1(self.labels, self.predictions)

    @functools.cached_property
    def top_5_accuracy(self) -> float | None:
        """Share of the pictures whose class is among the 5 likeliest; None up to 5 classes."""
        from sklearn.metrics import top_k_accuracy_score

        if len(self.label_names) <= TOP:
            return None
        score = top_k_accuracy_score(self.labels, self.probabilities, k=TOP, labels=self._numbers)
        return float(score)

    @property
    def _numbers(self) -> np.ndarray:
        return np.arange(len(self.label_names))

    def __iter__(self) -> Iterator[float]:
        """Yields the accuracy and the loss: all that there was in version 0.1.0, a pair."""
        return iter((self.accuracy, self.loss))

    def __repr__(self) -> str:
        top = "" if self.top_5_accuracy is None else f"top_5_accuracy={self.top_5_accuracy:.4f}, "
        return (
            f"Evaluation(accuracy={self.accuracy:.4f}, "
            f"balanced_accuracy={self.balanced_accuracy:.4f}, {top}loss={self.loss:.4f}, "
            f"{len(self.labels):,} examples of {len(self.label_names):,} classes)"
        )
