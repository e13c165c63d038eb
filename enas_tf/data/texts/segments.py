"""Where the segments of truncated back-propagation through time begin and end.

An epoch goes through all `positions` of the text's rows once. The release draws the length of each
segment (`enas_lm`, `data_utils.py`, after Merity et al., arXiv 1708.02182): around the sequence
length with probability 0.95, around half of it otherwise, from a normal distribution cut off at two
standard deviations. Here an epoch always has the same number of segments, so that a step's number
tells its epoch, and the drawn lengths are changed by as little as makes them sum to `positions`.
Nothing here imports TensorFlow.
"""

import math

import numpy as np

from enas_tf.errors import DataError

_SHARE_OF_FULL_LENGTH = 0.95
_CUT_OFF = 2
# The standard deviation is the length divided by this: 5 at the release's length of 35.
_DEVIATION_DIVISOR = 7


def positions_of(num_tokens: int, rows: int) -> int:
    """Returns how many words are predicted in each of the rows of a text.

    Raises:
      DataError: there are not enough words for any.
    """
    if not 1 <= rows < num_tokens:
        raise DataError(
            f"The rows of a batch must number at least 1 and less than the words of the text, "
            f"{num_tokens}. Received: {rows}; change the batch size."
        )
    return (num_tokens - 1) // rows


def max_length(sequence_length: int) -> int:
    """Returns the greatest length that a random segment can have.

    Args:
      sequence_length: the length around which most are drawn.
    """
    return sequence_length + _CUT_OFF * sequence_length // _DEVIATION_DIVISOR


def segments_per_epoch(positions: int, sequence_length: int, random_lengths: bool) -> int:
    """Returns the number of segments in one pass, which is the same for every pass.

    Args:
      positions: words to predict in every row.
      sequence_length: of a segment.
      random_lengths: whether lengths are random; otherwise only the last one may be shorter.
    """
    if not random_lengths:
        return math.ceil(positions / sequence_length)
    # Half a word is lost where lengths are rounded down.
    share = _SHARE_OF_FULL_LENGTH + (1 - _SHARE_OF_FULL_LENGTH) / 2
    mean = max(1.0, share * sequence_length - 0.5)
    return min(positions, math.ceil(positions / mean))


def segment_bounds(
    positions: int, sequence_length: int, *, random_lengths: bool, seed: int, epoch: int
) -> np.ndarray:
    """Returns the first place of every segment of an epoch, and the place after its last one.

    Args:
      positions: words to predict in every row.
      sequence_length: of a segment.
      random_lengths: see `segments_per_epoch`.
      seed: of the lengths.
      epoch: every epoch has lengths of its own.

    Returns:
      int64 `[segments, 2]`; the first segment begins at 0, each at the end of the one before, and
      the last one ends at `positions`.
    """
    number = segments_per_epoch(positions, sequence_length, random_lengths)
    # A single segment has no choice.
    if random_lengths and number > 1:
        generator = np.random.default_rng([seed, epoch])
        lengths = _random_lengths(number, sequence_length, generator)
        _make_sum(lengths, positions, max_length(sequence_length), generator)
        ends = np.cumsum(lengths)
    else:
        ends = np.minimum(np.arange(1, number + 1) * sequence_length, positions)
    return np.stack([np.concatenate([[0], ends[:-1]]), ends], axis=1)


def _random_lengths(
    number: int, sequence_length: int, generator: np.random.Generator
) -> np.ndarray:
    is_full = generator.random(number) < _SHARE_OF_FULL_LENGTH
    means = np.where(is_full, sequence_length, sequence_length / 2)
    deviations = generator.standard_normal(number)
    while np.any(beyond := np.abs(deviations) > _CUT_OFF):
        deviations[beyond] = generator.standard_normal(np.count_nonzero(beyond))
    lengths = means + deviations * (sequence_length / _DEVIATION_DIVISOR)
    return np.maximum(lengths.astype(np.int64), 1)


def _make_sum(
    lengths: np.ndarray, wanted: int, longest: int, generator: np.random.Generator
) -> None:
    """Changes random lengths by one, in turn, until they sum to what is wanted."""
    while (missing := wanted - int(lengths.sum())) != 0:
        change = 1 if missing > 0 else -1
        candidates = np.flatnonzero((lengths < longest) if missing > 0 else (lengths > 1))
        number = min(abs(missing), len(candidates))
        lengths[generator.choice(candidates, number, replace=False)] += change
