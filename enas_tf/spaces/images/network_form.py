"""How the derived networks of a space for pictures are built and trained."""

import dataclasses
from collections.abc import Callable
from typing import Any

import keras

from enas_tf.spaces.images.network_builder import assign_portable_weights, portable_weights


@dataclasses.dataclass(frozen=True)
class NetworkForm:
    """What the final training needs to know of the networks of one space.

    Attributes:
      build: makes a network; takes an architecture, the network's settings and, by name,
        `input_shape`, `num_classes`, `portable`, `seed` and, if it is scheduled, `training_steps`
        and `epoch_steps`, or `share`.
      is_scheduled: whether a network changes in the course of its training, so that `build` wants
        to know its length.
      auxiliary_weight: of the auxiliary head's cross-entropy; takes the network's settings.
    """

    build: Callable[..., keras.Model]
    is_scheduled: bool = False
    auxiliary_weight: Callable[[Any], float] = lambda config: 0.0

    def to_portable(self, network: keras.Model, architecture: Any, config: Any) -> keras.Model:
        """Returns the same network with the same weights, made only of stock Keras layers.

        Args:
          network: what `build` returned, portable or not.
          architecture: that it was built from.
          config: that it was built with.

        Returns:
          A model from pictures to logits; an auxiliary head is left out.
        """
        portable = self.build(
            architecture,
            config,
            input_shape=network.input_shape[1:],
            num_classes=network.outputs[0].shape[-1],
        )
        assign_portable_weights(portable, portable_weights(network))
        return portable
