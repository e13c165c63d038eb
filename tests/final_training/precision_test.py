"""Final trainings in half types; the models that come of them are float32."""

import json

import keras
import numpy as np
import pytest

from enas_tf.data.images.dataset import ImageData
from enas_tf.data.texts.dataset import TextData
from enas_tf.final_training import task
from enas_tf.final_training.api import retrain
from enas_tf.final_training.images import ImageTraining
from enas_tf.final_training.texts import TextTraining
from enas_tf.models.export import load_model
from enas_tf.settings.data import DataConfig, TextDataConfig
from enas_tf.settings.search import SearchConfig
from enas_tf.settings.training import RetrainConfig, TextRetrainConfig, TrainingConfig
from enas_tf.spaces.macro.architecture import MacroArchitecture
from enas_tf.spaces.macro.config import MacroNetworkConfig
from enas_tf.spaces.rnn.architecture import RnnArchitecture
from enas_tf.spaces.rnn.config import RnnNetworkConfig
from tests.searching.interruptions import interrupting

LONG = pytest.mark.long
PICTURES = MacroArchitecture.from_release_string("3"), MacroNetworkConfig(filters=4)
IMAGE_CONFIG = RetrainConfig(
    seed=3,
    training=TrainingConfig(epochs=2, batch_size=16, restart_epochs=0, weight_decay=1e-4),
)
TEXTS = RnnArchitecture.from_release_string("0 2 1 0"), RnnNetworkConfig(hidden_size=8)
TEXT_CONFIG = TextRetrainConfig(
    averaging_patience=None,
    training=TrainingConfig(
        epochs=2, batch_size=4, learning_rate=5.0, momentum=0.0, restart_epochs=0, clip_norm=0.25
    ),
)


@pytest.fixture(scope="module")
def pictures():
    generator = np.random.default_rng(0)
    labels = generator.integers(0, 2, 80)
    images = generator.integers(0, 128, (80, 6, 6, 1)) + 60 * labels[:, None, None, None]
    images = images.astype(np.uint8)
    split = DataConfig(flip=False, crop_padding=0, validation_size=16)
    return ImageData.from_arrays(
        images[:64], labels[:64], images[64:], labels[64:], name="bright", config=split
    )


@pytest.fixture(scope="module")
def words():
    numbers = np.cumsum(np.random.default_rng(0).integers(1, 3, 300)) % 19
    letters = [chr(ord("a") + number) for number in numbers]
    config = TextDataConfig(dataset="alphabet", sequence_length=6)
    return TextData.from_tokens(letters[:200], letters[200:250], letters[250:], config=config)


def events_of(folder):
    lines = (folder / "metrics.jsonl").read_text().splitlines()
    return [{k: v for k, v in json.loads(one).items() if k != "seconds"} for one in lines]


@pytest.mark.parametrize("precision", ["float16", pytest.param("bfloat16", marks=LONG)])
def test_a_network_for_pictures(pictures, tmp_path, precision):
    architecture, network = PICTURES
    exact = retrain(architecture, pictures, IMAGE_CONFIG, network, tmp_path / "exact")
    folder = tmp_path / "run"
    model = retrain(
        architecture, pictures, IMAGE_CONFIG.replace(precision=precision), network, folder
    )
    config = json.loads((folder / "config.json").read_text())
    assert config["configuration"]["retrain"]["precision"] == precision
    # Four steps each.
    for half, single in zip(events_of(folder), events_of(tmp_path / "exact"), strict=True):
        assert half["loss"] == pytest.approx(single["loss"], abs=0.1)
    assert np.any(model.get_weights()[-1] != exact.get_weights()[-1])
    loaded = keras.models.load_model(folder / "model.keras")
    for layer in loaded._flatten_layers():
        assert layer.dtype_policy.name == "float32"
    logged = [event.get("loss_scale") for event in events_of(folder)]
    assert logged == ([2.0**15] * 2 if precision == "float16" else [None] * 2)


@pytest.mark.parametrize("precision", ["bfloat16", pytest.param("float16", marks=LONG)])
def test_a_language_model(words, tmp_path, precision):
    architecture, network = TEXTS
    folder = tmp_path / "run"
    config = TEXT_CONFIG.replace(precision=precision)
    model = retrain(architecture, words, config, network, folder)
    exact = retrain(architecture, words, TEXT_CONFIG, network)
    tokens = np.arange(12, dtype=np.int32)[None]
    np.testing.assert_allclose(model(tokens), exact(tokens), atol=0.2)
    assert np.any(model.get_weights()[0] != exact.get_weights()[0])
    loaded = load_model(folder)
    assert loaded.compute_type == "float32"
    np.testing.assert_array_equal(loaded(tokens), model(tokens))


@pytest.mark.long
def test_an_interrupted_training_goes_on_to_the_same_bits(pictures, tmp_path, monkeypatch):
    architecture, network = PICTURES
    config = IMAGE_CONFIG.replace(precision="float16")
    whole = retrain(architecture, pictures, config, network, tmp_path / "whole")
    with monkeypatch.context() as patch:
        patch.setattr(
            task.TrainingTask, "_take_steps", interrupting(task.TrainingTask._take_steps, 3)
        )
        with pytest.raises(KeyboardInterrupt):
            retrain(architecture, pictures, config, network, tmp_path / "resumed")
    resumed = retrain(architecture, pictures, config, network, tmp_path / "resumed")
    for expected, found in zip(whole.get_weights(), resumed.get_weights(), strict=True):
        np.testing.assert_array_equal(found, expected)
    assert events_of(tmp_path / "resumed") == events_of(tmp_path / "whole")


def test_finalists_train_as_the_shared_weights_did():
    search = SearchConfig(precision="bfloat16")
    for kind in (ImageTraining, TextTraining):
        assert kind.short_config(search).precision == "bfloat16"
