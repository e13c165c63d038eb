"""Metrics of training steps between two events of the log."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from enas_tf.errors import NumericalError


class RunningMetrics:
    """Adds up the metrics of training steps; what is added may still be on the device.

    Args:
      sums: what `sums` returned when the steps before were interrupted.
    """

    def __init__(self, sums: Sequence[float] = ()) -> None:
        self._pending: list[Any] = []
        if sums:
            self._pending.append(np.asarray(sums, np.float32))

    def add(self, metrics: Any) -> None:
        """Adds the metrics of steps that were taken at once.

        Args:
          metrics: a `NamedTuple` of sums with a method `means`; each of one step, or `[steps]`.
        """
        self._pending.append(metrics)

    def sums(self) -> list[float]:
        """Returns the sum of each metric; waits for the device."""
        columns = zip(*self._pending)
        sums = [_sum(np.concatenate([np.ravel(part) for part in parts])) for parts in columns]
        if sums:
            # Read once; what is added later is added to it.
            last = self._pending[-1]
            kind: Any = type(last)
            self._pending = [kind(*sums) if isinstance(last, tuple) else np.array(sums)]
        return list(map(float, sums))

    def check_finite(self, step: int) -> None:
        """Raises `NumericalError` if a sum is not finite.

        Args:
          step: number of the last step, for the message.
        """
        sums = self.sums()
        if not np.all(np.isfinite(sums)):
            raise NumericalError(
                f"The loss of the shared weights is not finite at step {step}: {sums[0]}. Lower "
                "learning_rate, or set clip_norm."
            )

    def means(self) -> dict[str, float]:
        """Returns means by name; `add` must have been called."""
        return type(self._pending[-1])(*self.sums()).means()


def _sum(values: np.ndarray) -> np.float32:
    """Returns a sum in the order of the steps, however many of them were taken at once."""
    return np.add.accumulate(values, dtype=np.float32)[-1]
