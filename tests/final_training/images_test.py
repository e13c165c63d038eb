import dataclasses
import json
import os
import signal

import keras
import numpy as np
import pytest

from enas_tf.data.images.dataset import ImageData
from enas_tf.errors import (
    ArchitectureError,
    DataError,
    NumericalError,
    RunDirectoryError,
)
from enas_tf.final_training import images, task
from enas_tf.final_training.api import retrain
from enas_tf.models.classifier import evaluate
from enas_tf.settings.data import DataConfig
from enas_tf.settings.training import LossConfig, RetrainConfig, TrainingConfig
from enas_tf.spaces.macro.architecture import MacroArchitecture
from enas_tf.spaces.macro.config import MacroNetworkConfig
from enas_tf.spaces.micro.architecture import MicroArchitecture
from enas_tf.spaces.micro.config import MicroNetworkConfig
from enas_tf.spaces.micro.network import build_micro_network
from enas_tf.spaces.registry import get_space
from enas_tf.training.devices import mirrored_cpus
from tests.warned import warned

ARCHITECTURE = MacroArchitecture.from_release_string("3")
NETWORK = MacroNetworkConfig(filters=4, dropout_rate=0.3)
CONFIG = RetrainConfig(
    seed=3,
    training=TrainingConfig(epochs=2, batch_size=16, restart_epochs=0, weight_decay=1e-4),
)

# With dropout, drop path and an auxiliary head.
MICRO_ARCHITECTURE = MicroArchitecture.from_release_string("0 0 1 2 0 4 1 3")
MICRO_NETWORK = MicroNetworkConfig(num_layers=1, filters=2, drop_path_rate=0.5)


@pytest.fixture(scope="module")
def data():
    """Pictures whose upper or lower half is brighter, with noise."""
    generator = np.random.default_rng(0)
    labels = generator.integers(0, 2, 80)
    pictures = generator.integers(0, 128, (80, 6, 6, 1))
    for picture, label in zip(pictures, labels):
        picture[3 * label : 3 * label + 3] += 60
    pictures = pictures.astype(np.uint8)
    return ImageData.from_arrays(
        pictures[:64],
        labels[:64],
        pictures[64:],
        labels[64:],
        label_names=["top", "bottom"],
        name="halves",
        config=DataConfig(flip=True, crop_padding=0, validation_size=16),
    )


@pytest.fixture(scope="module")
def whole_run(data, tmp_path_factory):
    """A run without interruption: its folder and its model."""
    folder = tmp_path_factory.mktemp("whole")
    return folder, retrain(ARCHITECTURE, data, CONFIG, NETWORK, folder)


def weights_of(model):
    return [weight.numpy() for weight in model.weights]


def metrics_of(folder):
    lines = (folder / "metrics.jsonl").read_text().splitlines()
    return [{k: v for k, v in json.loads(line).items() if k != "seconds"} for line in lines]


def test_learns(data):
    config = CONFIG.replace(training=CONFIG.training.replace(epochs=12))
    model = retrain(ARCHITECTURE, data, config, NETWORK.replace(dropout_rate=0.0))
    assert evaluate(model, data).accuracy >= 0.9


def test_writes_the_files_of_the_contract(whole_run, data):
    folder, model = whole_run
    results = json.loads((folder / "results.json").read_text())
    assert results["test_accuracy"] == evaluate(model, data).accuracy
    assert results["parameters"] == model.count_params() - sum(
        int(np.prod(w.shape)) for w in model.non_trainable_weights
    )
    assert results["epochs"] == 2
    assert results["architecture"]["release_string"] == ARCHITECTURE.to_release_string()
    assert results["label_names"] == ["top", "bottom"]
    assert [event["epoch"] for event in metrics_of(folder)] == [1, 2]


def test_the_file_holds_the_model_that_is_returned(whole_run, data):
    folder, model = whole_run
    loaded = keras.models.load_model(folder / "model.keras")
    np.testing.assert_array_equal(loaded(data.x_test), model(data.x_test))


def test_calling_again_changes_nothing(whole_run, data):
    folder, model = whole_run
    before = json.loads((folder / "results.json").read_text())
    again = retrain(ARCHITECTURE, data, CONFIG, NETWORK, folder)
    for expected, actual in zip(weights_of(model), weights_of(again)):
        np.testing.assert_array_equal(actual, expected)
    assert json.loads((folder / "results.json").read_text()) == before
    assert len(metrics_of(folder)) == 2


def interrupted_and_resumed(data, folder, monkeypatch, last_step, config=CONFIG, **options):
    monkeypatch.setattr(task, "_PROGRESS_STEPS", 1)

    def interrupt(progress):
        if progress.step == last_step:
            os.kill(os.getpid(), signal.SIGINT)

    with pytest.raises(KeyboardInterrupt):
        retrain(ARCHITECTURE, data, config, NETWORK, folder, on_progress=interrupt, **options)
    assert not (folder / "results.json").exists()
    return retrain(ARCHITECTURE, data, config, NETWORK, folder, **options)


# An epoch has four steps: this is inside of an epoch, or at the end of the last one.
@pytest.mark.parametrize("last_step", [pytest.param(3, marks=pytest.mark.long), 8])
def test_interrupted_run_goes_on_to_the_same_bits(
    whole_run, data, tmp_path, monkeypatch, last_step
):
    # A name that TensorFlow would take for a pattern.
    resumed = tmp_path / "lr=[0.05]*?"
    model = interrupted_and_resumed(data, resumed, monkeypatch, last_step)
    folder, expected = whole_run
    for left, right in zip(weights_of(expected), weights_of(model)):
        np.testing.assert_array_equal(right, left)
    assert metrics_of(resumed) == metrics_of(folder)


def test_a_training_whose_folder_was_renamed_writes_no_model(data, tmp_path, monkeypatch):
    monkeypatch.setattr(task, "_PROGRESS_STEPS", 1)

    def rename(progress):
        if progress.step == progress.total_steps and (tmp_path / "run").exists():
            (tmp_path / "run").rename(tmp_path / "moved")

    with pytest.raises(RunDirectoryError, match="run is not the folder any more"):
        retrain(ARCHITECTURE, data, CONFIG, NETWORK, tmp_path / "run", on_progress=rename)
    assert os.listdir(tmp_path) == ["moved"]
    assert not {"model.keras", "results.json"} & set(os.listdir(tmp_path / "moved"))


@pytest.mark.long
def test_interrupted_run_on_two_devices_goes_on_to_the_same_bits(
    data, tmp_path, monkeypatch, two_devices
):
    distribution = mirrored_cpus(two_devices)
    whole, folder = tmp_path / "whole", tmp_path / "interrupted"
    expected = retrain(ARCHITECTURE, data, CONFIG, NETWORK, whole, distribution=distribution)
    model = interrupted_and_resumed(data, folder, monkeypatch, 3, distribution=distribution)
    for left, right in zip(weights_of(expected), weights_of(model)):
        np.testing.assert_array_equal(right, left)
    assert metrics_of(folder) == metrics_of(whole)


@pytest.fixture(scope="module")
def varied(data):
    """The same pictures with everything that can be done to them."""
    config = data.config.replace(crop_padding=1, color_jitter=0.2, cutout=0.3, mixup=0.4, cutmix=1)
    layer = keras.Sequential([keras.layers.RandomRotation(0.1), keras.layers.RandomZoom(0.1)])
    return ImageData.from_arrays(
        data.x_train, data.y_train, data.x_test, data.y_test, config=config, augmentation=layer
    )


def test_varied_pictures_train_on_two_devices(varied, tmp_path, two_devices):
    config = CONFIG.replace(training=CONFIG.training.replace(epochs=1))
    strategy = mirrored_cpus(two_devices)
    retrain(ARCHITECTURE, varied, config, NETWORK, tmp_path / "run", distribution=strategy)
    (event,) = metrics_of(tmp_path / "run")
    assert np.isfinite(event["loss"])
    assert 0.0 < event["accuracy"] < 1.0
    identity = json.loads((tmp_path / "run" / "config.json").read_text())["data"]
    assert (identity["mixup"], identity["cutmix"], identity["color_jitter"]) == (0.4, 1.0, 0.2)
    assert identity["augmentation_layer"] == varied.config.augmentation_layer


@pytest.mark.long
def test_interrupted_run_on_varied_pictures_goes_on_to_the_same_bits(varied, tmp_path, monkeypatch):
    expected = retrain(ARCHITECTURE, varied, CONFIG, NETWORK, tmp_path / "whole")
    model = interrupted_and_resumed(varied, tmp_path / "interrupted", monkeypatch, 3)
    for left, right in zip(weights_of(expected), weights_of(model)):
        np.testing.assert_array_equal(right, left)
    assert metrics_of(tmp_path / "interrupted") == metrics_of(tmp_path / "whole")


def test_a_number_that_is_not_finite_leads_back_to_the_last_checkpoint(
    data, tmp_path, monkeypatch, caplog
):
    measure, calls = images.ImageTraining.validate, []

    def failing_once(self, epoch):
        calls.append(epoch)
        if calls == [1, 2]:
            raise NumericalError("The validation loss is nan.")
        return measure(self, epoch)

    monkeypatch.setattr(images.ImageTraining, "validate", failing_once)
    retrain(ARCHITECTURE, data, CONFIG, NETWORK, tmp_path)
    assert calls == [1, 2, 2]
    assert [line["step"] for line in metrics_of(tmp_path)] == [4, 8]
    (warning,) = warned(caplog)
    assert "loss is nan. Going back to the last checkpoint, step 4" in warning


@pytest.fixture(scope="module")
def micro_run(data, tmp_path_factory):
    """A run of a micro network without interruption: its folder and its model."""
    folder = tmp_path_factory.mktemp("micro")
    return folder, retrain(MICRO_ARCHITECTURE, data, CONFIG, MICRO_NETWORK, folder)


@pytest.mark.long
def test_interrupted_run_with_drop_path_goes_on_to_the_same_bits(
    micro_run, data, tmp_path, monkeypatch
):
    monkeypatch.setattr(task, "_PROGRESS_STEPS", 1)

    def interrupt(progress):
        if progress.step == 3:
            os.kill(os.getpid(), signal.SIGINT)

    with pytest.raises(KeyboardInterrupt):
        retrain(MICRO_ARCHITECTURE, data, CONFIG, MICRO_NETWORK, tmp_path, on_progress=interrupt)
    model = retrain(MICRO_ARCHITECTURE, data, CONFIG, MICRO_NETWORK, tmp_path)
    folder, expected = micro_run
    for left, right in zip(weights_of(expected), weights_of(model)):
        np.testing.assert_array_equal(right, left)
    assert metrics_of(tmp_path) == metrics_of(folder)


def test_auxiliary_head_is_neither_counted_nor_saved(micro_run, data):
    folder, model = micro_run
    network = build_micro_network(
        MICRO_ARCHITECTURE, MICRO_NETWORK, input_shape=(6, 6, 1), num_classes=2
    )
    results = json.loads((folder / "results.json").read_text())
    parameters = sum(int(np.prod(weight.shape)) for weight in network.trainable_weights)
    assert results["parameters"] == parameters
    assert results["network"] == MICRO_NETWORK.replace(stem="cifar").to_json()
    loaded = keras.models.load_model(folder / "model.keras")
    assert loaded.output_shape == (None, 2)
    np.testing.assert_array_equal(loaded(data.x_test), model(data.x_test))


@pytest.mark.parametrize(
    ("form", "epoch_steps"), [("final", None), pytest.param("darts", 3, marks=pytest.mark.long)]
)
def test_drop_path_rises_over_the_whole_training(form, epoch_steps, data, monkeypatch):
    built = []

    def build(*args, **kwargs):
        built.append(build_micro_network(*args, **kwargs))
        return built[-1]

    entry = get_space("micro")
    builds = dataclasses.replace(entry.network_form(), build=build)
    monkeypatch.setattr(
        images, "get_space", lambda name: dataclasses.replace(entry, network_form=lambda: builds)
    )
    config = CONFIG.replace(use_validation=True)
    network = MICRO_NETWORK.replace(form=form)
    events = []
    retrain(MICRO_ARCHITECTURE, data, config, network, on_event=events.append)
    schedule = built[0].get_layer("drop_path")
    # Two epochs of three steps; validation and test do not count.
    assert (schedule.training_steps, schedule.epoch_steps) == (6, epoch_steps)
    assert int(schedule.num_calls.numpy()) == 6
    assert [0.0 <= event["validation_accuracy"] <= 1.0 for event in events] == [True, True]


def test_validation_part_is_kept_out_and_reported(data, tmp_path):
    events = []
    config = CONFIG.replace(use_validation=True)
    retrain(ARCHITECTURE, data, config, NETWORK, tmp_path, on_event=events.append)
    assert [event["step"] for event in events] == [3, 6]
    results = json.loads((tmp_path / "results.json").read_text())
    assert results["validation_accuracy"] == events[-1]["validation_accuracy"]


@pytest.mark.parametrize("use_validation", [False, pytest.param(True, marks=pytest.mark.long)])
def test_the_loss_has_the_weights_of_the_part_that_trains(data, use_validation, monkeypatch):
    losses = []

    def image_pass(forward, batch, auxiliary_weight, loss):
        losses.append(loss)
        raise InterruptedError

    monkeypatch.setattr(images, "image_pass", image_pass)
    config = CONFIG.replace(
        use_validation=use_validation,
        loss=LossConfig(class_weights="balanced", label_smoothing=0.1),
    )
    with pytest.raises(InterruptedError):
        retrain(ARCHITECTURE, data, config, NETWORK)
    labels = data.y_train[: 48 if use_validation else 64]
    expected = len(labels) / (2 * np.bincount(labels))
    np.testing.assert_allclose(losses[0].class_weights, expected, rtol=1e-6)
    assert losses[0].label_smoothing == 0.1


@pytest.mark.long
def test_an_interrupted_run_with_another_loss_goes_on_to_the_same_bits(data, tmp_path, monkeypatch):
    config = CONFIG.replace(loss=LossConfig(class_weights="balanced", label_smoothing=0.1))
    whole = retrain(ARCHITECTURE, data, config, NETWORK)
    model = interrupted_and_resumed(data, tmp_path / "run", monkeypatch, 3, config=config)
    for left, right in zip(weights_of(whole), weights_of(model)):
        np.testing.assert_array_equal(right, left)


def test_another_configuration_is_refused(whole_run, data):
    folder, _ = whole_run
    with pytest.raises(RunDirectoryError, match="seed"):
        retrain(ARCHITECTURE, data, CONFIG.replace(seed=4), NETWORK, folder)


def test_several_devices_train_one_network(data, two_devices):
    strategy = mirrored_cpus(two_devices)
    model = retrain(ARCHITECTURE, data, CONFIG, NETWORK, distribution=strategy)
    assert all(np.isfinite(weight).all() for weight in weights_of(model))
    assert 0.0 <= evaluate(model, data).accuracy <= 1.0


def test_a_loss_that_is_not_finite_is_an_error(data):
    training = CONFIG.training.replace(learning_rate=1e30, epochs=1)
    with pytest.raises(NumericalError, match="lower `learning_rate`"):
        retrain(ARCHITECTURE, data, CONFIG.replace(training=training), NETWORK)


def test_a_batch_larger_than_the_data_is_refused(data):
    training = CONFIG.training.replace(batch_size=1000)
    with pytest.raises(DataError, match="`batch_size`"):
        retrain(ARCHITECTURE, data, CONFIG.replace(training=training), NETWORK)


def test_what_is_no_architecture_is_refused(data):
    with pytest.raises(ArchitectureError, match="Received: str"):
        retrain("0 3 1", data, CONFIG)


def test_progress_is_shown_as_in_a_search(data, capsys):
    retrain(ARCHITECTURE, data, CONFIG, NETWORK)
    shown = [line for line in capsys.readouterr().err.splitlines() if line.startswith("retrain  ")]
    assert shown[0].startswith("retrain  epoch 1/2  step 4/8  loss ")


def test_the_run_writes_down_where_its_settings_come_from(data, tmp_path):
    retrain(ARCHITECTURE, data, CONFIG, NETWORK, tmp_path, preset="smoke")
    config = json.loads((tmp_path / "config.json").read_text())
    assert config["origin"] == {
        "preset": "smoke",
        "data": data.config.to_json(),
        "files": None,
    }
