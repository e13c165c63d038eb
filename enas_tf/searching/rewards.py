"""Checks the rewards that a strategy learns from."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from enas_tf.errors import ConfigurationError, NumericalError


def as_rewards(rewards: Sequence[float] | Any, count: int) -> np.ndarray:
    """Returns the rewards of `count` architectures as float32 `[count]`.

    Args:
      rewards: one finite number for each architecture.
      count: number of architectures.

    Raises:
      ConfigurationError: there is not one reward for each of at least one architecture.
      NumericalError: a reward is not finite.
    """
    values = np.asarray(rewards, np.float32)
    if values.shape != (count,) or count < 1:
        raise ConfigurationError(
            "`rewards` must be one number for each of at least one architecture. Received: shape "
            f"{values.shape} for {count} architectures."
        )
    if not np.all(np.isfinite(values)):
        raise NumericalError(
            f"A reward is not finite: {values.tolist()!r:.80}. Lower the learning rate of the "
            "shared weights."
        )
    return values
