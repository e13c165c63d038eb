"""How far a search has come: plain numbers, which checkpoints hold as variables."""

from typing import Any

import numpy as np
import tensorflow as tf

from enas_tf.runs.phases import ALTERNATING

_COUNTS = ("epoch", "phase", "phase_step", "updates")


class SearchState:
    """How far a search has come.

    These are Python's numbers and NumPy's arrays, since a step must not wait for a device in order
    to learn which one it is. `variables` has them in the form that checkpoints have always had; it
    is written by `store` before a save and read by `load` after a restore, and holds nothing
    between.

    Args:
      proposals: arrays of the shapes of an epoch's decisions.

    Attributes:
      epoch: epochs that are done.
      phase: index into `ALTERNATING` of the running phase.
      phase_step: steps of the running phase that are done.
      updates: updates of the strategy in all epochs.
      proposals: the architectures of this epoch's training steps, as int32 decisions.
      variables: what a checkpoint holds.
    """

    def __init__(self, proposals: Any) -> None:
        self.epoch = self.phase = self.phase_step = self.updates = 0
        self.proposals = [np.array(array, np.int32) for array in proposals]
        self.variables = _StateVariables(self.proposals)

    @property
    def phase_name(self) -> str:
        """The running phase."""
        return ALTERNATING[self.phase]

    def next_phase(self) -> None:
        """Goes to the beginning of the next phase, after the last one of the next epoch."""
        self.phase_step = 0
        if self.phase_name == ALTERNATING[-1]:
            self.epoch += 1
        self.phase = (self.phase + 1) % len(ALTERNATING)

    def keep_proposals(self, decisions: Any) -> None:
        """Keeps the architectures of an epoch's training steps; a short epoch has fewer."""
        # Never written into: a device may still read what it was given.
        self.proposals = [
            np.concatenate([array, np.repeat(array[-1:], len(kept) - len(array), axis=0)])
            for kept, array in zip(self.proposals, decisions)
        ]

    def proposals_of(self, kind: type, first: int, count: int) -> Any:
        """Returns decisions `first … first + count - 1` of the kept ones."""
        return kind(*(array[first : first + count] for array in self.proposals))

    def store(self) -> None:
        """Brings everything into the variables."""
        for name in _COUNTS:
            getattr(self.variables, name).assign(getattr(self, name))
        for variable, array in zip(self.variables.proposals, self.proposals):
            variable.assign(array)

    def load(self) -> None:
        """Takes everything from the variables."""
        for name in _COUNTS:
            setattr(self, name, int(getattr(self.variables, name)))
        self.proposals = [np.array(variable) for variable in self.variables.proposals]


class _StateVariables(tf.Module):
    """The variables of a `SearchState`, whose names stand in checkpoints."""

    def __init__(self, proposals: Any) -> None:
        super().__init__(name="search_state")
        for name in _COUNTS:
            setattr(self, name, tf.Variable(0, dtype=tf.int64, trainable=False, name=name))
        self.proposals = [
            tf.Variable(array, dtype=tf.int32, trainable=False, name=f"proposals_{number}")
            for number, array in enumerate(proposals)
        ]
