"""A tiny search on made-up pictures, for the tests of the loop and of deriving."""

import dataclasses
import json

import numpy as np

from enas_tf.data.images.loading import load_images
from enas_tf.settings.data import DataConfig
from enas_tf.settings.search import DeriveConfig, SearchConfig
from enas_tf.settings.strategies import PolicyConfig
from enas_tf.settings.training import TrainingConfig
from enas_tf.spaces.macro.config import MacroControllerConfig
from enas_tf.spaces.macro.space import MacroSpace

SPACE = MacroSpace(
    num_layers=2,
    filters=4,
    num_operations=3,
    input_shape=(6, 6, 1),
    num_classes=2,
    controller=MacroControllerConfig(lstm_size=8),
)
CONFIG = SearchConfig(
    seed=3,
    shared_weights=TrainingConfig(epochs=2, batch_size=8),
    policy=PolicyConfig(samples_per_update=3, updates_per_epoch=2),
    derive=DeriveConfig(num_candidates=4),
)
STEPS_PER_EPOCH = 5
# Phase, epoch and step of every event of the epochs of such a search.
EVERY_PLACE = [
    ("shared_weights", 1, 5),
    ("controller", 1, 1),
    ("controller", 1, 2),
    ("derive", 1, 1),
    ("shared_weights", 2, 10),
    ("controller", 2, 3),
    ("controller", 2, 4),
    ("derive", 2, 2),
]


# What a finished search leaves in its folder.
FILES = {
    "config.json",
    "metrics.jsonl",
    "architectures.jsonl",
    "best_architecture.json",
    "best_architecture.svg",
    "checkpoints",
    "tensorboard",
    "log.txt",
}


def write_npz(path):
    """Writes pictures whose upper or lower half is brighter, with noise."""
    generator = np.random.default_rng(0)
    labels = generator.integers(0, 2, 70)
    images = generator.integers(0, 128, (70, 6, 6, 1))
    for image, label in zip(images, labels):
        image[3 * label : 3 * label + 3] += 60
    images = images.astype(np.uint8)
    np.savez(path, x_train=images[:60], y_train=labels[:60], x_test=images[60:], y_test=labels[60:])


def load_without_test_set(path):
    """Loads the data; whoever reads the test set fails."""
    config = DataConfig(dataset=str(path), validation_size=20, flip=True, crop_padding=1)
    return dataclasses.replace(load_images(config), x_test=None, y_test=None)


def lines_of(run, name="metrics.jsonl"):
    """Returns the events in a log of a run directory."""
    return [json.loads(line) for line in (run.path / name).read_text().splitlines()]


def places_of(lines):
    """Returns phase, epoch and step of some events."""
    return [(line["phase"], line["epoch"], line["step"]) for line in lines]
