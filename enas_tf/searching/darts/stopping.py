"""When a search by gradient ends before its last epoch, so that it does not collapse."""

from typing import Any

import numpy as np
import tensorflow as tf

from enas_tf.spaces.relaxation import RelaxableSpace

_IDENTITY = "identity"


class StopRule(tf.Module):
    """Looks at the cell that is read off after each epoch; its variables are saved.

    Args:
      rule: `skips:N`, `stable:N` or None, see `DartsConfig.stop`.
      space: of the cells.

    Attributes:
      last: int32 variable, the decisions of the last cell; -1 before the first one.
      unchanged: int64 variable, for how many epochs in a row it has been read off.
    """

    def __init__(self, rule: str | None, space: RelaxableSpace) -> None:
        super().__init__(name="stop_rule")
        self._rule, _, number = (rule or "").partition(":")
        self._number = int(number or 0)
        self._space = space
        size = 2 * np.size(space.decision_options()[0])
        self.last = tf.Variable(np.full(size, -1, np.int32), trainable=False, name="last")
        self.unchanged = tf.Variable(0, dtype=tf.int64, trainable=False, name="unchanged")

    def reached(self, architecture: Any) -> bool:
        """Takes note of the cell of an epoch; returns whether the search shall end."""
        decisions = self._space.encode([architecture])
        flat = np.concatenate([np.ravel(field) for field in decisions]).astype(np.int32)
        is_same = np.array_equal(flat, self.last.numpy())
        self.unchanged.assign(int(self.unchanged) + 1 if is_same else 1)
        self.last.assign(flat)
        if self._rule == "stable":
            return int(self.unchanged) >= self._number
        return self._rule == "skips" and self.skips(architecture) >= self._number

    def skips(self, architecture: Any) -> int:
        """Returns how many identities the cell has; of two cells, the first (normal) one."""
        counts = self._space.operation_counts([architecture]).get(_IDENTITY, [])
        operations = self._space.encode([architecture])[1]
        # The micro space counts both cells one after the other, normal first.
        places = len(counts) // operations.shape[1] if operations.ndim > 2 else len(counts)
        return sum(counts[:places])
