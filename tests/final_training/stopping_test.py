"""When a final training ends, and which weights it leaves: budgets, best epochs, more epochs."""

import json

import numpy as np
import pytest

from enas_tf.data.images.dataset import ImageData
from enas_tf.errors import RunDirectoryError
from enas_tf.final_training.api import retrain
from enas_tf.final_training.images import ImageTraining
from enas_tf.settings.data import DataConfig
from enas_tf.settings.training import RetrainConfig, TrainingConfig
from enas_tf.spaces.macro.architecture import MacroArchitecture
from enas_tf.spaces.macro.config import MacroNetworkConfig
from tests.clocks import goes

ARCHITECTURE = MacroArchitecture.from_release_string("3")
NETWORK = MacroNetworkConfig(filters=2, dropout_rate=0.3)
CONSTANT = RetrainConfig(
    use_validation=True,
    training=TrainingConfig(
        epochs=8, batch_size=16, learning_rate=0.02, final_learning_rate=0.02, restart_epochs=0
    ),
)


@pytest.fixture(scope="module")
def data():
    """Noise; nothing here depends on what is learned."""
    generator = np.random.default_rng(0)
    pictures = generator.integers(0, 256, (72, 6, 6, 1)).astype(np.uint8)
    labels = generator.integers(0, 2, 72)
    config = DataConfig(flip=True, crop_padding=0, validation_size=16)
    parts = pictures[:64], labels[:64], pictures[64:], labels[64:]
    return ImageData.from_arrays(*parts, name="noise", config=config)


def with_epochs(epochs, config=CONSTANT, **changes):
    return config.replace(training=config.training.replace(epochs=epochs), **changes)


def events_of(folder):
    lines = map(json.loads, (folder / "metrics.jsonl").read_text().splitlines())
    return [{k: v for k, v in line.items() if k != "seconds"} for line in lines]


def assert_same_weights(left, right):
    for expected, actual in zip(left.get_weights(), right.get_weights(), strict=True):
        np.testing.assert_array_equal(actual, expected)


class Ended(Exception):  # noqa: N818 (what a caller might raise)
    """Ends a training from outside."""


def end_in(epoch):
    def tell(event):
        if event["epoch"] == epoch:
            raise Ended

    return tell


def test_a_training_stops_early_with_the_weights_of_its_best_epoch(data, tmp_path, monkeypatch):
    best = retrain(ARCHITECTURE, data, with_epochs(2), NETWORK)
    accuracies = {1: 0.5, 2: 0.75, 3: 0.5, 4: 0.75}
    monkeypatch.setattr(
        ImageTraining, "validate", lambda self, epoch: {"validation_accuracy": accuracies[epoch]}
    )
    config = CONSTANT.replace(early_stopping=2)
    with pytest.raises(Ended):
        retrain(ARCHITECTURE, data, config, NETWORK, tmp_path, on_event=end_in(3))
    model = retrain(ARCHITECTURE, data, config, NETWORK, tmp_path)
    assert [event["epoch"] for event in events_of(tmp_path)] == [1, 2, 3, 4]
    assert_same_weights(best, model)
    results = json.loads((tmp_path / "results.json").read_text())
    assert (results["best_epoch"], results["epochs"]) == (2, 4)


def test_a_finished_training_goes_on_with_more_epochs(data, tmp_path):
    config = with_epochs(1, training_of(restart_epochs=1))
    retrain(ARCHITECTURE, data, config, NETWORK, tmp_path)
    longer = with_epochs(3, config)
    model = retrain(ARCHITECTURE, data, longer, NETWORK, tmp_path)
    assert_same_weights(retrain(ARCHITECTURE, data, longer, NETWORK), model)
    assert json.loads((tmp_path / "results.json").read_text())["epochs"] == 3
    with pytest.raises(RunDirectoryError, match="epochs: 3 there, 1 now"):
        retrain(ARCHITECTURE, data, config, NETWORK, tmp_path)


def training_of(**changes):
    falling = CONSTANT.training.replace(final_learning_rate=0.001, **changes)
    return CONSTANT.replace(training=falling)


@pytest.fixture
def clock(monkeypatch):
    """Steps take a second, the validation two."""
    with goes(monkeypatch) as clock:
        validate = ImageTraining.validate

        def slow_step(self):
            clock.seconds += 1.0

        def slow_validation(self, epoch):
            clock.seconds += 2.0
            return validate(self, epoch)

        monkeypatch.setattr(ImageTraining, "after_step", slow_step)
        monkeypatch.setattr(ImageTraining, "validate", slow_validation)
        yield clock


@pytest.mark.long
def test_a_training_ends_in_its_time_with_its_final_rate_also_when_it_is_resumed(
    data, tmp_path, clock
):
    # 12 steps an epoch: it is decided in the middle of the first one, and at ends of epochs.
    config = training_of(batch_size=4).replace(time_budget="60s")
    begun = clock.seconds
    whole = retrain(ARCHITECTURE, data, config, NETWORK, tmp_path / "whole")
    events = events_of(tmp_path / "whole")
    plan = [event for event in events if event["phase"] == "plan"][-1]
    assert plan["steps"] == events[-1]["step"]
    # What comes after the last step takes no time here: exports 5 seconds, traces 2, the test 5.
    assert 42.0 <= clock.seconds - begun <= 50.0
    assert 12 in [event["step"] for event in events if event["phase"] == "plan"]
    assert events[-1]["learning_rate"] == pytest.approx(0.001, rel=1e-5)
    folder = tmp_path / "resumed"
    with pytest.raises(Ended):
        retrain(ARCHITECTURE, data, config, NETWORK, folder, on_event=end_in(4))
    clock.seconds += 1000.0
    resumed = retrain(ARCHITECTURE, data, config, NETWORK, folder)
    assert_same_weights(whole, resumed)
    assert events_of(folder) == events
