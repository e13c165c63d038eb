"""What a classifier remembers of its training."""

import keras
import numpy as np
import pytest

from enas_tf.data.images.files import PictureSettings
from enas_tf.models.remembered import (
    attach_label_names,
    attach_picture_settings,
    attach_versions,
    has_place_for_names,
    label_names_of,
    picture_settings_of,
    versions_of,
)

NAMES = ("ä b", "c")
PADDED = PictureSettings(height=4, width=5, channels=3, resize="pad", background="black")


@pytest.fixture
def named():
    inputs = keras.Input((4, 5, 3))
    features = keras.layers.GlobalAveragePooling2D()(inputs)
    model = keras.Model(inputs, keras.layers.Dense(2, use_bias=False)(features))
    attach_label_names(model, NAMES)
    attach_picture_settings(model, PADDED)
    attach_versions(model, {"keras": "3.15"})
    return model


def test_all_survives_training_and_saving_by_keras_alone(named, tmp_path):
    named.save(tmp_path / "first.keras")
    model = keras.models.load_model(tmp_path / "first.keras")
    model.compile("sgd", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    model.fit(np.zeros([4, 4, 5, 3]), np.arange(4) % 2, verbose=0)
    model.save(tmp_path / "second.keras")
    loaded = keras.models.load_model(tmp_path / "second.keras")
    assert not hasattr(loaded, "label_names")
    assert label_names_of(loaded) == NAMES
    assert picture_settings_of(loaded) == PADDED
    assert versions_of(loaded) == {"keras": "3.15"}


def test_a_new_last_layer_has_no_names(named):
    features = keras.layers.GlobalAveragePooling2D()(named.inputs[0])
    model = keras.Model(named.inputs, keras.layers.Dense(2, use_bias=False)(features))
    assert label_names_of(model) is None
    assert versions_of(model) is None


def test_a_last_layer_with_a_bias_keeps_its_initial_value():
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(2)])
    attach_label_names(model, NAMES)
    assert label_names_of(model) == NAMES
    assert not has_place_for_names(model)
    assert isinstance(model.layers[-1].bias_initializer, keras.initializers.Zeros)


@pytest.mark.parametrize("value", ["{", '{"label_names": 3}', "[" * 100_000, 0.5, "[1]"])
def test_an_initial_value_that_holds_no_names(value):
    layer = keras.layers.Dense(
        2, use_bias=False, bias_initializer=keras.initializers.Constant(value)
    )
    assert label_names_of(keras.Sequential([keras.Input((4,)), layer])) is None


def model_of(shape, text=None):
    initializer = "zeros" if text is None else keras.initializers.Constant(text)
    layer = keras.layers.Dense(2, use_bias=False, bias_initializer=initializer)
    return keras.Sequential([keras.Input(shape), keras.layers.Flatten(), layer])


@pytest.mark.parametrize(
    "text",
    [
        None,
        '{"label_names": ["a", "b"]}',
        '{"picture_settings": {"height": 9, "width": 5, "channels": 1}}',
        '{"picture_settings": {"sides": [4, 5]}}',
        '{"picture_settings": [4, 5]}',
    ],
)
def test_a_model_that_does_not_know_takes_cropped_pictures_of_its_size(text):
    expected = PictureSettings(height=4, width=5, channels=1)
    assert picture_settings_of(model_of((4, 5, 1), text)) == expected


def test_other_pictures_than_grey_and_rgb_are_in_no_files():
    assert picture_settings_of(model_of((4, 5, 2))) is None
