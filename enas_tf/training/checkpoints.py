"""Checkpoints of a run: TensorFlow's objects, and plain Python values next to them."""

import json
import os
from typing import Any

import keras
import tensorflow as tf

from enas_tf.errors import RunDirectoryError


class PlainState(tf.train.experimental.PythonState):
    """A dictionary that JSON can hold, saved and restored with a `tf.train.Checkpoint`.

    Attributes:
      values: the dictionary.
    """

    def __init__(self) -> None:
        super().__init__()
        self.values: dict[str, Any] = {}

    def serialize(self) -> str:
        """Returns the dictionary as text."""
        return json.dumps(self.values)

    def deserialize(self, string_value: bytes | str) -> None:
        """Replaces the dictionary."""
        self.values = json.loads(string_value)


class KerasVariables(tf.Module):
    """Every weight of a Keras layer, model or optimizer, for a `tf.train.Checkpoint`.

    A checkpoint of the Keras object itself silently leaves out layers that are kept in lists or
    dictionaries. States of Keras's own random generators are not among the weights.

    Args:
      owner: has the weights; all of them must have been made.
    """

    def __init__(self, owner: keras.layers.Layer | keras.optimizers.Optimizer) -> None:
        super().__init__()
        is_layer = isinstance(owner, keras.layers.Layer)
        weights = owner.weights if is_layer else owner.variables
        self.weights = [weight.value for weight in weights]


class Checkpoints:
    """The newest two checkpoints of a run in a folder.

    Args:
      folder: of the checkpoints; made when the first one is saved.
      **objects: what to save, by name. All variables must have been made.

    Attributes:
      state: plain values that are saved too.
    """

    def __init__(self, folder: str | os.PathLike[str], **objects: Any) -> None:
        self.state = PlainState()
        kinds = (keras.layers.Layer, keras.optimizers.Optimizer)
        tracked = {
            name: KerasVariables(value) if isinstance(value, kinds) else value
            for name, value in objects.items()
        }
        self._checkpoint = tf.train.Checkpoint(plain_state=self.state, **tracked)
        self._manager = tf.train.CheckpointManager(
            self._checkpoint, os.fspath(folder), max_to_keep=2
        )

    def restore(self) -> bool:
        """Restores the newest checkpoint; returns whether there was one.

        Raises:
          RunDirectoryError: the checkpoint is damaged or was written for something else.
        """
        path = self._manager.latest_checkpoint
        if path is None:
            return False
        try:
            self._checkpoint.restore(path).assert_consumed()
        except (tf.errors.OpError, AssertionError, ValueError) as error:
            raise RunDirectoryError(
                f"The checkpoint {path} is damaged or of another version "
                f"({str(error).splitlines()[0]:.120}); use --overwrite to start anew."
            ) from error
        return True

    def save(self, number: int) -> None:
        """Saves everything; a checkpoint is either the old one or the whole new one.

        Args:
          number: for the file's name, for example the number of steps done.

        Raises:
          RunDirectoryError: the folder cannot be written, for example because the disk is full.
        """
        try:
            self._manager.save(checkpoint_number=number)
        except (tf.errors.OpError, OSError) as error:
            raise RunDirectoryError(
                f"Cannot save a checkpoint in {self._manager.directory}: "
                f"{str(error).splitlines()[0]:.120}."
            ) from error
