"""How sure the scores of a ranking are: standard errors, and who cannot be told from the first.

They speak of the choice of validation examples alone: neither of other shared weights, nor of what
the networks will be worth, trained from scratch.

Nothing here imports TensorFlow.
"""

import math
from collections.abc import Callable, Sequence
from typing import TypeVar

# Totals and counts of validation batches, as `Supernet.reward` takes their sums.
Sums = Sequence[tuple[float, float]]
Reward = Callable[[float, float], float]
Batch = TypeVar("Batch")

# Below, the scatter over batches says little.
FEWEST_BATCHES = 8
# Two scores are told apart if they differ by more standard errors than this.
_ERRORS_APART = 2.0


def binomial_error(accuracy: float, examples: float) -> float:
    """Returns the standard error of an accuracy on so many examples.

    Source: Agresti and Coull, *Approximate is better than "exact" for interval estimation of
    binomial proportions*, 1998: with two right answers and two wrong ones more, so that it is not
    0 where all answers are right.
    """
    share = (accuracy * examples + 2.0) / (examples + 4.0)
    return math.sqrt(share * (1.0 - share) / (examples + 4.0))


def batch_error(
    value: Callable[[Sequence[Batch]], float], batches: Sequence[Batch]
) -> float | None:
    """Returns the standard error of a value of batches: the jackknife over batches.

    Args:
      value: returns the value of some batches.
      batches: all of them.

    Returns:
      None if there are too few.
    """
    count = len(batches)
    if count < FEWEST_BATCHES:
        return None
    others = [value([*batches[:one], *batches[one + 1 :]]) for one in range(count)]
    mean = sum(others) / count
    return math.sqrt((count - 1) / count * sum((other - mean) ** 2 for other in others))


def reward_of(batches: Sums, reward: Reward) -> float:
    """Returns the reward of all of some batches."""
    return reward(*map(sum, zip(*batches)))


def score_error(
    score: float, score_kind: str, batches: Sums, reward: Reward, examples: int | None = None
) -> float | None:
    """Returns the standard error of a score; None where nothing is known of it.

    Args:
      score: the score.
      score_kind: what it is; an accuracy has a binomial error.
      batches: of which it is the reward; empty if it is another score.
      reward: what makes a score of sums.
      examples: of the validation part, on which scores without batches were measured.
    """
    if score_kind.endswith("accuracy"):
        number = sum(count for _, count in batches) if batches else examples
        return binomial_error(score, number) if number else None
    return batch_error(lambda some: reward_of(some, reward), batches)


def told_apart(
    scores: tuple[float, float],
    errors: tuple[float | None, float | None],
    batches: tuple[Sums, Sums],
    reward: Reward,
) -> bool | None:
    """Whether two scores of one kind differ by more than two standard errors of the difference.

    Args:
      scores: both.
      errors: their standard errors.
      batches: of which they are the rewards. If both were measured on the same batches, and there
        are enough of them, the difference is taken batch by batch: how hard a batch is concerns
        both alike.
      reward: what makes a score of sums.

    Returns:
      None where nothing is known of the errors.
    """
    error = None
    if [count for _, count in batches[0]] == [count for _, count in batches[1]]:

        def difference(pairs: Sequence[tuple[tuple[float, float], tuple[float, float]]]) -> float:
            first, other = zip(*pairs)
            return reward_of(first, reward) - reward_of(other, reward)

        error = batch_error(difference, list(zip(*batches)))
    if error is None:
        first, other = errors
        if first is None or other is None:
            return None
        error = math.hypot(first, other)
    return abs(scores[0] - scores[1]) > _ERRORS_APART * error
