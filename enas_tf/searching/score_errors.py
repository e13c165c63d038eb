"""How sure the scores of a ranking are: standard errors, and who cannot be told from the first.

They speak of the choice of validation examples alone: neither of other shared weights, nor of what
the networks will be worth, trained from scratch.

A share of right answers has the error of a binomial proportion. All other scores, means or not,
have that of a jackknife: the score is computed again without each part of the examples in turn. Two
scores on the same examples are compared by the jackknife of their difference, since how hard
examples are concerns both alike.

Nothing here imports TensorFlow.
"""

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from enas_tf.training.prediction_metrics import Predictions, divided

# Below, the scatter over parts says little.
FEWEST_PARTS = 8
# Parts that predictions are divided into, since a metric of them need not be fast.
_GROUPS = 20
# Two scores are told apart if they differ by more standard errors than this.
_ERRORS_APART = 2.0
_SHARES = ("validation_accuracy", "validation_top_5_accuracy")


def binomial_error(accuracy: float, examples: float) -> float:
    """Returns the standard error of an accuracy on so many examples.

    Source: Agresti and Coull, *Approximate is better than "exact" for interval estimation of
    binomial proportions*, 1998: with two right answers and two wrong ones more, so that it is not
    0 where all answers are right.
    """
    share = (accuracy * examples + 2.0) / (examples + 4.0)
    return math.sqrt(share * (1.0 - share) / (examples + 4.0))


def parts_of(batches: Sequence[Any]) -> Sequence[Any]:
    """Returns the parts that a jackknife leaves out: the batches, or groups of examples.

    Args:
      batches: what `Supernet.score` said of each.
    """
    is_divisible = bool(batches) and isinstance(batches[0], Predictions)
    return divided(batches, _GROUPS) if is_divisible else batches


def scores_without_one(
    score: Callable[[Sequence[Any]], float], parts: Sequence[Any]
) -> tuple[float, ...]:
    """Returns the score of all parts but one, for each in turn; empty if there are too few.

    Args:
      score: returns the score of some parts.
      parts: all of them.
    """
    if len(parts) < FEWEST_PARTS:
        return ()
    return tuple(score([*parts[:one], *parts[one + 1 :]]) for one in range(len(parts)))


def jackknife_error(without_one: Sequence[float]) -> float | None:
    """Returns the standard error of a score by the jackknife; None if there are too few parts.

    Args:
      without_one: see `scores_without_one`.
    """
    count = len(without_one)
    if count < FEWEST_PARTS:
        return None
    return math.sqrt((count - 1) * float(np.var(without_one)))


def score_error(
    score: float, score_kind: str, without_one: Sequence[float], examples: float | None
) -> float | None:
    """Returns the standard error of a score; None where nothing is known of it.

    Args:
      score: the score.
      score_kind: what it is; a share of right answers has a binomial error.
      without_one: see `scores_without_one`; empty where it is not known.
      examples: on which it was measured.
    """
    if score_kind.endswith(_SHARES):
        return binomial_error(score, examples) if examples else None
    return jackknife_error(without_one)


def told_apart(
    scores: tuple[float, float],
    errors: tuple[float | None, float | None],
    without_one: tuple[Sequence[float], Sequence[float]],
) -> bool | None:
    """Whether two scores of one kind differ by more than two standard errors of the difference.

    Args:
      scores: both.
      errors: their standard errors.
      without_one: see `scores_without_one`; of as many parts if they are the same ones.

    Returns:
      None where nothing is known of the errors.
    """
    error = None
    if len(without_one[0]) == len(without_one[1]):
        error = jackknife_error([first - other for first, other in zip(*without_one)])
    if error is None:
        first, other = errors
        if first is None or other is None:
            return None
        error = math.hypot(first, other)
    return abs(scores[0] - scores[1]) > _ERRORS_APART * error
