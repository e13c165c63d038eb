"""A Keras layer of the user's own that changes training pictures, as a function of a seed.

Keras's layers draw from the state of `keras.random.SeedGenerator`s, which a run that goes on would
have to restore, and which the threads of an input pipeline would take from each other. Here the
states are given from outside for every batch, and what a layer would assign is dropped.
"""

import hashlib
import json
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from enas_tf.data.images.augmentation import fold_in
from enas_tf.errors import ConfigurationError

_STATE = "seed_generator_state"
# What Keras numbers as it goes, or what is given from outside.
_UNTOLD = ("name", "seed", "build_config", "shared_object_id", "keras_history", "inbound_nodes")


class SeededLayer:
    """Calls a Keras layer for training, whose random numbers all follow from a seed.

    Args:
      layer: from float32 pictures `[batch, height, width, channels]`, pixels 0 to 255, to the same.
      input_shape: height, width and channels of a picture.

    Attributes:
      layer: as given.
      identity: tells the layer from others in what a run writes down.

    Raises:
      ConfigurationError: it is no such layer, or draws random numbers from somewhere else.
    """

    def __init__(self, layer: Any, input_shape: tuple[int, int, int]) -> None:
        if not isinstance(layer, keras.layers.Layer):
            raise ConfigurationError(
                "`augmentation` must be a keras.layers.Layer, for example "
                f"keras.layers.RandomRotation(0.05). Received: {type(layer).__name__}."
            )
        self.layer = layer
        self.identity = _identity(layer)
        self._check(input_shape)

    def __deepcopy__(self, memo: Any) -> "SeededLayer":
        return self

    @tf.autograph.experimental.do_not_convert
    def __call__(self, images: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
        """Returns changed pictures; the same ones for the same seed.

        Args:
          images: float32 `[batch, height, width, channels]`, pixels 0 to 255.
          seed: int64 `[2]`.

        Returns:
          float32 of the same shape.
        """
        return self._run(images, seed)[0]

    def _run(self, images: tf.Tensor, seed: tf.Tensor) -> tuple[tf.Tensor, set[int]]:
        """Returns changed pictures, and the `id`s of variables that were given or assigned."""
        states = [one for one in self.layer.variables if one.name == _STATE]
        values = [
            (state, tf.cast(fold_in(seed, number), state.dtype))
            for number, state in enumerate(states)
        ]
        with keras.StatelessScope(values) as scope:
            changed = self.layer(images, training=True)
        changed = tf.ensure_shape(tf.cast(changed, tf.float32), images.shape)
        return changed, set(scope.state_mapping)

    def _check(self, input_shape: tuple[int, int, int]) -> None:
        """Tries the layer on two pictures; that makes its variables, too."""
        shape = (2, *input_shape)
        pixels = np.random.default_rng(0).integers(0, 256, shape).astype(np.float32)
        images, seed = tf.constant(pixels), tf.constant([0, 0], tf.int64)
        if tuple(self.layer(images, training=True).shape) != shape:
            raise ConfigurationError(
                f"`augmentation` must return pictures of the shape it gets, {input_shape}. "
                f"Received: {self.identity}, which returns others."
            )
        (changed, used), (again, _) = self._run(images, seed), self._run(images, seed)
        if not np.isfinite(changed).all():
            raise ConfigurationError(
                "`augmentation` must return finite pixels, and gets pixels from 0 to 255. "
                f"Received: {self.identity}, which returns others."
            )
        # Such as the state from which Keras draws if no seed is given.
        is_of_others = bool(used - {id(one) for one in self.layer.variables})
        if is_of_others or not np.array_equal(changed, again):
            raise ConfigurationError(
                "`augmentation` must draw all its random numbers with a keras.random.SeedGenerator "
                "that is an attribute of the layer, as Keras's own layers do, so that a run can be "
                f"gone on with. Received: {self.identity}, which draws from something else."
            )


def _identity(layer: keras.layers.Layer) -> str:
    """Returns the name of the class, and a fingerprint of its configuration."""
    name = type(layer).__name__
    try:
        config = keras.saving.serialize_keras_object(layer)
    except NotImplementedError as error:
        raise ConfigurationError(
            f"`augmentation` must have a configuration, which a run writes down; give {name} a "
            "method get_config."
        ) from error
    text = json.dumps(_told(config), sort_keys=True, default=str)
    return f"{name}_{hashlib.sha256(text.encode()).hexdigest()[:12]}"


def _told(config: Any) -> Any:
    """Returns a configuration without what is other each time it is made."""
    if isinstance(config, dict):
        return {name: _told(value) for name, value in config.items() if name not in _UNTOLD}
    return [_told(one) for one in config] if isinstance(config, list | tuple) else config
