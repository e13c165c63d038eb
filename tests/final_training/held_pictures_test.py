"""A final training is the same, bit for bit, where pictures are on the devices."""

import json

import numpy as np
import pytest

from enas_tf.data.images.dataset import ImageData
from enas_tf.final_training.api import retrain
from enas_tf.settings.data import DataConfig
from enas_tf.settings.training import RetrainConfig, TrainingConfig
from enas_tf.spaces.macro.architecture import MacroArchitecture
from enas_tf.spaces.macro.config import MacroNetworkConfig
from enas_tf.training.devices import devices_of, mirrored_cpus

PICTURES = np.random.default_rng(0).integers(0, 256, (40, 6, 6, 3), np.uint8)
LABELS = np.arange(40) % 3
CONFIG = RetrainConfig(use_validation=True, training=TrainingConfig(epochs=1, batch_size=8))


def _retrained(data, folder, distribution):
    retrain(
        MacroArchitecture.from_release_string("0"),
        data,
        CONFIG,
        MacroNetworkConfig(filters=4),
        folder,
        distribution=distribution,
    )
    assert " Runs on " in (folder / "log.txt").read_text()
    results = json.loads((folder / "results.json").read_text())
    return {name: results[name] for name in ("test_loss", "test_accuracy", "validation_accuracy")}


@pytest.mark.parametrize("number", [1, pytest.param(2, marks=pytest.mark.long)])
def test_a_network_is_the_same(tmp_path, number, two_devices):
    test = PICTURES[:8], LABELS[:8]
    config = DataConfig(validation_size=8, cutout=2.0, color_jitter=0.2)
    data = ImageData.from_arrays(PICTURES, LABELS, *test, name="a", config=config)
    distribution = mirrored_cpus(two_devices[:number])
    held = data.on_devices(devices_of(distribution))
    own = _retrained(data, tmp_path / "host", distribution)
    assert _retrained(held, tmp_path / "held", distribution) == own
