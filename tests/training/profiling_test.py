"""Profiles of some steps of a search or a final training."""

import logging
import pathlib

import numpy as np
import pytest
import tensorflow as tf

from enas_tf.data.images.dataset import ImageData
from enas_tf.errors import ConfigurationError, RunDirectoryError
from enas_tf.final_training.api import retrain
from enas_tf.searching.api import search
from enas_tf.settings.data import DataConfig
from enas_tf.settings.search import DeriveConfig, SearchConfig
from enas_tf.settings.strategies import PolicyConfig
from enas_tf.settings.training import RetrainConfig, TrainingConfig
from enas_tf.spaces.macro.config import MacroNetworkConfig
from enas_tf.spaces.macro.space import MacroSpace
from enas_tf.training.profiling import Profile, profiled

SPACE = MacroSpace(num_layers=1, filters=2, input_shape=(4, 4, 1), num_classes=2)
TRAINING = TrainingConfig(epochs=1, batch_size=4, restart_epochs=0)
SEARCH = SearchConfig(
    shared_weights=TRAINING,
    policy=PolicyConfig(updates_per_epoch=1, samples_per_update=1),
    derive=DeriveConfig(num_candidates=1),
)
RETRAIN = RetrainConfig(training=TRAINING)


class Machines:
    def __init__(self, is_chief=True):
        self.is_chief = is_chief


@pytest.fixture(scope="module")
def data():
    pictures = np.random.default_rng(0).integers(0, 256, (16, 4, 4, 1), np.uint8)
    labels = np.arange(16) % 2
    config = DataConfig(validation_size=4)
    return ImageData.from_arrays(pictures, labels, pictures[:4], labels[:4], config=config)


@pytest.fixture
def recorded(monkeypatch):
    """The numbers of steps at whose beginning recording begins, and after which it ends."""
    places = []
    monkeypatch.setattr(tf.profiler.experimental, "start", lambda folder: places.append("start"))
    monkeypatch.setattr(tf.profiler.experimental, "stop", lambda save: places.append(save))
    return places


def take(steps, count, places, machines=None, folder=pathlib.Path("folder")):
    with profiled(steps), Profile(folder, machines or Machines()) as profile:
        for step in range(count):
            with profile.step():
                places.append(step)
    return places


def profiles(folder):
    return list(folder.glob("tensorboard/plugins/profile/*/*.xplane.pb"))


def test_the_steps_that_are_wanted(recorded):
    assert take(range(1, 3), 4, recorded) == [0, "start", 1, 2, True, 3]


def test_the_first_step(recorded):
    assert take(range(1), 2, recorded) == ["start", 0, True, 1]


def test_what_there_is_of_them(recorded):
    assert take(range(1, 9), 3, recorded) == [0, "start", 1, 2, True]


def test_no_step(recorded):
    assert take(None, 2, recorded) == [0, 1]


def test_nothing_without_a_folder(recorded):
    assert take(range(2), 2, recorded, folder=None) == [0, 1]


def test_the_chief_alone_records(recorded):
    assert take(range(2), 2, recorded, Machines(is_chief=False)) == [0, 1]


def test_steps_that_never_come(recorded, caplog):
    with caplog.at_level(logging.WARNING, "enas_tf"):
        assert take(range(2, 3), 2, recorded) == [0, 1]
    assert "step 2 was not reached" in caplog.text


def test_an_error_is_no_profile(recorded):
    with (
        pytest.raises(ZeroDivisionError),
        profiled(range(2)),
        Profile(pathlib.Path("folder"), Machines()) as profile,
        profile.step(),
    ):
        raise ZeroDivisionError
    assert recorded == ["start", False]


def test_a_folder_that_cannot_be_written(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(RunDirectoryError, match=f"Cannot write a profile into {tmp_path}/file: "):
        take(range(1), 1, [], folder=tmp_path / "file")


def test_a_second_profile_at_the_same_time(tmp_path):
    with (
        profiled(range(2)),
        Profile(tmp_path, Machines()) as profile,
        profile.step(),
        pytest.raises(RunDirectoryError, match="another profiler is running"),
    ):
        take(range(1), 1, [], folder=tmp_path)


@pytest.mark.long
def test_a_search_writes_one_only_when_asked(data, tmp_path):
    search(SPACE, data, SEARCH, tmp_path / "without")
    assert not (tmp_path / "without" / "tensorboard" / "plugins").exists()
    # Three steps of the shared weights, one of the controller.
    with profiled(range(2, 4)):
        result = search(SPACE, data, SEARCH, tmp_path / "with")
    (path,) = profiles(tmp_path / "with")
    assert b"train" in path.read_bytes()
    again = search(SPACE, data, SEARCH, tmp_path / "with")
    assert again.candidates == result.candidates


def test_a_final_training_writes_one(data, tmp_path):
    architecture = SPACE.random_architecture(seed=0)
    network = MacroNetworkConfig(filters=2)
    with profiled(range(1, 2)):
        retrain(architecture, data, RETRAIN, network, tmp_path)
    assert len(profiles(tmp_path)) == 1


@pytest.mark.parametrize("steps", [range(2, 2), range(0, 4, 2), range(-1, 2)])
def test_what_are_no_steps(steps):
    with pytest.raises(ConfigurationError, match="`steps` must follow each other"), profiled(steps):
        pass
