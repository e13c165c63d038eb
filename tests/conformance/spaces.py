"""The spaces that the conformance tests run: all that are registered, each in every form, small.

A space that is added is tested as it is, with `SpaceEntry.space()`, until a small form of it stands
in `SMALL`.
"""

import dataclasses
from typing import Any

import numpy as np

from enas_tf.data.images.dataset import ImageData
from enas_tf.data.texts.dataset import TextData
from enas_tf.settings.data import DataConfig, TextDataConfig
from enas_tf.settings.search import DeriveConfig, SearchConfig
from enas_tf.settings.strategies import PolicyConfig
from enas_tf.settings.training import RetrainConfig, TextRetrainConfig, TrainingConfig
from enas_tf.spaces.entry import SpaceEntry
from enas_tf.spaces.macro.config import MacroControllerConfig
from enas_tf.spaces.micro.config import MicroControllerConfig
from enas_tf.spaces.registry import get_space, space_names
from enas_tf.spaces.rnn.config import RnnControllerConfig
from tests.conformance.chain.entry import ENTRY as CHAIN

_TRAINING = TrainingConfig(epochs=1, batch_size=8, learning_rate=0.1, restart_epochs=0)
SEARCH = SearchConfig(
    seed=3,
    shared_weights=_TRAINING.replace(epochs=2),
    policy=PolicyConfig(samples_per_update=2, updates_per_epoch=2),
    derive=DeriveConfig(num_candidates=3),
)
_RETRAIN = {
    "images": RetrainConfig(training=_TRAINING),
    "texts": TextRetrainConfig(training=_TRAINING),
}
# A wide range of the first weights makes the controllers' distributions far from uniform.
_WIDE = {"lstm_size": 8, "initial_range": 1.0}
_MACRO = {
    "num_layers": 3,
    "filters": 4,
    "stem": "cifar",
    "controller": MacroControllerConfig(**_WIDE),
}
# Of each space: a name for each of its forms, and settings that make it small.
SMALL: dict[str, dict[str, dict[str, Any]]] = {
    "macro": {
        "whole channels": _MACRO,
        "ranges of channels": {**_MACRO, "num_layers": 2, "search_whole_channels": False},
    },
    "micro": {
        "cells": {
            "num_layers": 1,
            "filters": 4,
            "num_nodes": 2,
            "stem": "cifar",
            "controller": MicroControllerConfig(**_WIDE),
        }
    },
    "rnn": {"cell": {"num_nodes": 2, "hidden_size": 4, "controller": RnnControllerConfig(**_WIDE)}},
}


@dataclasses.dataclass(frozen=True)
class Case:
    """One form of one space, with data to search on.

    Attributes:
      entry: of the space.
      form: its name.
      settings: that make it small.
    """

    entry: SpaceEntry
    form: str
    settings: dict[str, Any]

    def __str__(self) -> str:
        return f"{self.entry.name}, {self.form}"

    def data(self) -> Any:
        """Returns a few made-up pictures or words."""
        return _pictures() if self.entry.data.name == "images" else _words()

    def space(self) -> Any:
        """Returns the space in the sizes of the data."""
        return self.entry.space(**self.settings).for_data(self.data())

    @property
    def retrain(self) -> Any:
        """The settings of a short final training."""
        return _RETRAIN[self.entry.data.name]

    def network(self) -> Any:
        """Returns the settings of a small network."""
        return self.space().network_config()


CASES = [
    Case(entry, form, settings)
    for entry in (*map(get_space, space_names()), CHAIN)
    for form, settings in SMALL.get(entry.name, {"default": {}}).items()
]
# With other operations, one of them the user's own; `conftest.py` registers it.
OWN_CONVOLUTION = "own_convolution"
_CHOSEN: dict[str, dict[str, Any]] = {
    "macro": {
        **_MACRO,
        "operations": ("separable_3x3", "average_pooling", "identity", OWN_CONVOLUTION),
    },
    "micro": {
        **SMALL["micro"]["cells"],
        "operations": ("dilated_3x3", "max_pooling", "identity", OWN_CONVOLUTION),
    },
    "rnn": {**SMALL["rnn"]["cell"], "operations": ("relu", "sigmoid")},
}
CHOSEN_CASES = [
    Case(get_space(name), "chosen operations", settings) for name, settings in _CHOSEN.items()
]


def _pictures() -> ImageData:
    generator = np.random.default_rng(0)
    labels = np.arange(60) % 2
    pictures = generator.integers(0, 128, (60, 8, 8, 1)) + 60 * labels[:, None, None, None]
    pictures = pictures.astype(np.uint8)
    config = DataConfig(validation_size=16, flip=False, crop_padding=0)
    return ImageData.from_arrays(
        pictures[:48],
        labels[:48],
        pictures[48:],
        labels[48:],
        label_names=["dark", "bright"],
        name="made_up",
        config=config,
    )


def _words() -> TextData:
    text = "the cat saw the dog and the dog saw the cat again\n" * 40
    return TextData.from_text(
        text, text[:800], text[:400], config=TextDataConfig(sequence_length=6)
    )
