import keras
import numpy as np
import pytest
import tensorflow as tf

from enas_tf.data.images.dataset import ImageData
from enas_tf.data.images.loading import load_images
from enas_tf.data.images.seeded_layer import SeededLayer
from enas_tf.errors import ConfigurationError
from enas_tf.settings.data import DataConfig

SHAPE = (8, 8, 3)
PIXELS = np.random.default_rng(1).integers(0, 256, (6, *SHAPE)).astype(np.float32)


class Drawing(keras.layers.Layer):
    """Adds one number, drawn from somewhere."""

    def __init__(self, how="own", **kwargs):
        super().__init__(**kwargs)
        self.how = how
        self.generator = keras.random.SeedGenerator(1)

    def call(self, images, training=False):
        if self.how == "numpy":
            return images + np.random.default_rng().normal()
        if self.how == "global":
            return images + keras.random.normal([])
        return images + keras.random.normal([], seed=self.generator)


class Halving(keras.layers.Layer):
    def call(self, images):
        return images[:, ::2]


# Made when they are needed: a layer has variables.
LAYERS = {
    "one": lambda: keras.layers.RandomRotation(0.1),
    "several": lambda: keras.Sequential(
        [keras.layers.RandomZoom(0.2), keras.layers.RandomColorJitter(brightness_factor=0.3)]
    ),
    "own": Drawing,
}


def _called(layer, *seed):
    return layer(tf.constant(PIXELS), tf.constant(seed, tf.int64)).numpy()


@pytest.mark.parametrize("make", LAYERS.values(), ids=LAYERS)
def test_a_layer_is_a_function_of_the_seed(make):
    layer = SeededLayer(make(), SHAPE)
    first = _called(layer, 1, 2)
    assert not np.array_equal(first, _called(layer, 1, 3))
    assert not np.array_equal(first, _called(layer, 2, 2))
    np.testing.assert_array_equal(first, _called(layer, 1, 2))
    # Nor does it depend on what another process drew before.
    np.testing.assert_array_equal(first, _called(SeededLayer(make(), SHAPE), 1, 2))


@pytest.mark.parametrize("make", LAYERS.values(), ids=LAYERS)
def test_a_pipeline_that_begins_later_goes_on_exactly(make):
    layer = SeededLayer(make(), SHAPE)

    def batches(first):
        dataset = tf.data.Dataset.range(first, 5)
        return dataset.map(
            lambda step: layer(tf.constant(PIXELS), tf.stack([tf.constant(7, tf.int64), step])),
            num_parallel_calls=2,
        )

    whole, later = (list(batches(first).as_numpy_iterator()) for first in (0, 3))
    np.testing.assert_array_equal(whole[3:], later)
    assert not np.array_equal(whole[3], whole[4])


def test_the_state_of_the_layer_stays():
    own = Drawing()
    layer = SeededLayer(own, SHAPE)
    before = own.generator.state.numpy()
    _called(layer, 1, 2)
    np.testing.assert_array_equal(own.generator.state, before)


def test_a_layer_without_random_numbers_or_training():
    layer = SeededLayer(keras.layers.Rescaling(0.5), SHAPE)
    np.testing.assert_array_equal(_called(layer, 1, 2), PIXELS / 2)


@pytest.mark.parametrize(
    ("layer", "message"),
    [
        (lambda: len, "must be a keras.layers.Layer"),
        (lambda: Drawing("numpy"), "keras.random.SeedGenerator"),
        (lambda: Drawing("global"), "keras.random.SeedGenerator"),
        (lambda: Halving(), "the shape it gets"),
        (lambda: keras.layers.Rescaling(float("inf")), "finite pixels"),
    ],
)
def test_what_is_no_such_layer_is_refused(layer, message):
    with pytest.raises(ConfigurationError, match=message):
        SeededLayer(layer(), SHAPE)


def test_a_layer_is_told_from_others_by_its_settings():
    one, same, other = (
        SeededLayer(keras.layers.RandomRotation(factor), SHAPE).identity
        for factor in (0.1, 0.1, 0.2)
    )
    assert one == same != other
    assert one.startswith("RandomRotation_")


def _data(layer=None, **settings):
    arrays = PIXELS.astype(np.uint8), np.arange(6) % 2
    config = DataConfig(validation_size=2, crop_padding=0, flip=False, **settings)
    return ImageData.from_arrays(*arrays, *arrays, name="a", config=config, augmentation=layer)


def test_a_layer_changes_training_pictures_only():
    streams = {
        name: _data(layer).search_streams(batch_size=4, reward_batch_size=2, seed=0)
        for name, layer in (("with", Drawing()), ("without", None))
    }
    first = {name: next(iter(one.training(0)))[0].numpy() for name, one in streams.items()}
    assert np.abs(first["with"] - first["without"]).max() > 1e-3
    checks = {name: next(iter(one.refitting(1))) for name, one in streams.items()}
    np.testing.assert_array_equal(checks["with"].batch[0], checks["without"].batch[0])


def test_a_run_writes_the_layer_down():
    data = _data(Drawing())
    assert data.config.augmentation_layer == data.augmentation_layer.identity
    assert data.augmentation.identity()["augmentation_layer"].startswith("Drawing_")
    assert DataConfig.from_json(data.config.to_json()) == data.config


def test_who_loads_the_data_of_such_a_run_without_the_layer_is_told(caplog):
    data = load_images(DataConfig(dataset="digits", augmentation_layer="Drawing_0123456789ab"))
    assert data.config.augmentation_layer is None
    assert "the Keras layer Drawing changes" in caplog.text


def test_named_data_take_a_layer_too():
    data = load_images("digits", augmentation=keras.layers.RandomRotation(0.1))
    assert data.augmentation.layer.identity.startswith("RandomRotation_")
