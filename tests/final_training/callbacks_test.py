"""The function that a retraining calls after every epoch."""

import json

import numpy as np
import pytest

from enas_tf.data.images.dataset import ImageData
from enas_tf.final_training.api import retrain
from enas_tf.settings.data import DataConfig
from enas_tf.settings.training import RetrainConfig, TrainingConfig
from enas_tf.spaces.macro.architecture import MacroArchitecture
from enas_tf.spaces.macro.config import MacroNetworkConfig

ARCHITECTURE = MacroArchitecture.from_release_string("3")
NETWORK = MacroNetworkConfig(filters=2)
CONFIG = RetrainConfig(training=TrainingConfig(epochs=3, batch_size=8, restart_epochs=0))


@pytest.fixture(scope="module")
def data():
    pictures = np.random.default_rng(0).integers(0, 256, (24, 4, 4, 1), np.uint8)
    labels = np.arange(24) % 2
    config = DataConfig(validation_size=8)
    return ImageData.from_arrays(
        pictures[:16], labels[:16], pictures[16:], labels[16:], config=config
    )


@pytest.fixture(scope="module")
def ended(data, tmp_path_factory):
    """A training that was ended after its second epoch: its folder, events and model."""
    folder = tmp_path_factory.mktemp("ended")
    events = []

    def end_after_two(event):
        events.append(event)
        return event["epoch"] == 2

    return (
        folder,
        events,
        retrain(ARCHITECTURE, data, CONFIG, NETWORK, folder, on_event=end_after_two),
    )


def test_true_ends_the_training_with_a_model(ended):
    folder, events, _ = ended
    assert [(event["epoch"], event["step"]) for event in events] == [(1, 2), (2, 4)]
    assert {"loss", "accuracy", "learning_rate", "seconds"} <= set(events[0])
    results = json.loads((folder / "results.json").read_text())
    assert (results["epochs"], results["steps"]) == (2, 4)
    assert (folder / "model.keras").is_file()


def test_an_ended_training_stays_ended(ended, data):
    folder, _, model = ended
    events = []
    again = retrain(ARCHITECTURE, data, CONFIG, NETWORK, folder, on_event=events.append)
    assert events == []
    for variable, other in zip(again.variables, model.variables):
        np.testing.assert_array_equal(variable, other)


def test_nothing_need_be_written(data):
    events = []

    def end(event):
        events.append(event)
        return True

    retrain(ARCHITECTURE, data, CONFIG, NETWORK, on_event=end)
    assert len(events) == 1


@pytest.mark.parametrize(("verbose", "shown"), [(True, True), (False, False)])
def test_progress_is_shown_if_wanted(data, capsys, verbose, shown):
    retrain(ARCHITECTURE, data, CONFIG, NETWORK, on_event=lambda event: True, verbose=verbose)
    assert ("retrain  epoch" in capsys.readouterr().err) == shown
