"""How far a search has come, as variables that checkpoints hold."""

from typing import Any

import numpy as np
import tensorflow as tf

from enas_tf.runs.phases import ALTERNATING


class SearchState(tf.Module):
    """How far a search has come; every attribute is a variable, so that checkpoints hold it.

    Args:
      proposals: arrays of the shapes of an epoch's decisions.

    Attributes:
      epoch: int64, epochs that are done.
      phase: int64, index into `ALTERNATING` of the running phase.
      phase_step: int64, steps of the running phase that are done.
      updates: int64, updates of the strategy in all epochs.
      proposals: the architectures of this epoch's training steps, as decisions.
    """

    def __init__(self, proposals: Any) -> None:
        super().__init__(name="search_state")
        self.epoch, self.phase, self.phase_step, self.updates = (
            tf.Variable(0, dtype=tf.int64, trainable=False, name=name)
            for name in ("epoch", "phase", "phase_step", "updates")
        )
        self.proposals = [
            tf.Variable(array, dtype=tf.int32, trainable=False, name=f"proposals_{number}")
            for number, array in enumerate(proposals)
        ]

    @property
    def phase_name(self) -> str:
        """The running phase."""
        return ALTERNATING[int(self.phase)]

    def next_phase(self) -> None:
        """Goes to the beginning of the next phase, after the last one of the next epoch."""
        self.phase_step.assign(0)
        if self.phase_name == ALTERNATING[-1]:
            self.epoch.assign_add(1)
        self.phase.assign((int(self.phase) + 1) % len(ALTERNATING))

    def keep_proposals(self, decisions: Any) -> None:
        """Keeps the architectures of an epoch's training steps; a short epoch has fewer."""
        for variable, array in zip(self.proposals, decisions):
            missing = variable.shape[0] - len(array)
            variable.assign(np.concatenate([array, np.repeat(array[-1:], missing, axis=0)]))

    def proposals_of(self, kind: type, first: int, count: int) -> Any:
        """Returns decisions `first … first + count - 1` of the kept ones."""
        return kind(*(variable[first : first + count] for variable in self.proposals))
