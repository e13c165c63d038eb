"""How the derived networks of a space for pictures are built and trained."""

import dataclasses
from collections.abc import Callable
from typing import Any

import keras


@dataclasses.dataclass(frozen=True)
class NetworkForm:
    """What the final training needs to know of the networks of one space.

    Attributes:
      build: makes a network; takes an architecture, the network's settings and, by name,
        `input_shape`, `num_classes`, `portable`, `seed` and, if it is scheduled, `training_steps`.
      to_portable: makes its copy of stock layers; takes the network, the architecture and the
        settings.
      is_scheduled: whether a network changes in the course of its training, so that `build` wants
        to know its length.
      auxiliary_weight: of the auxiliary head's cross-entropy; takes the network's settings.
    """

    build: Callable[..., keras.Model]
    to_portable: Callable[..., keras.Model]
    is_scheduled: bool = False
    auxiliary_weight: Callable[[Any], float] = lambda config: 0.0
