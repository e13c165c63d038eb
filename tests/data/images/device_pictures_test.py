import keras
import numpy as np
import pytest
import tensorflow as tf

from enas_tf.data.images.dataset import ImageData
from enas_tf.data.images.device_pictures import DevicePictures, HeldPictures
from enas_tf.data.images.streams import Chosen
from enas_tf.data.sharing import Share
from enas_tf.settings.data import DataConfig
from enas_tf.training.devices import mirrored_cpus
from tests.data.divisions import assert_equal_batches

# No multiple of eight bytes a picture.
PICTURES = np.random.default_rng(0).integers(0, 256, (40, 5, 6, 3), np.uint8)
LABELS = np.arange(40) % 3
CHANGES = {
    "none": {"crop_padding": 0, "flip": False},
    "moved": {"cutout": 2.0},
    "mixed": {"color_jitter": 0.3, "mixup": 0.4, "cutmix": 1.0},
}


def _data(layer=None, **settings):
    config = DataConfig(validation_size=11, **settings)
    test = PICTURES[:3], LABELS[:3]
    return ImageData.from_arrays(
        PICTURES, LABELS, *test, name="a", config=config, augmentation=layer
    )


def _streams(data):
    return data.search_streams(batch_size=8, reward_batch_size=4, seed=5)


def _traced(streams):
    return tf.function(streams.reader(), autograph=False)


def _assert_same(own, expected, read):
    assert_equal_batches([read(batch) for batch in own], list(expected))


def test_pictures_come_back_in_any_order():
    memory = DevicePictures(PICTURES, ["CPU:0"])
    numbers = tf.constant([3, 0, 39, 3], tf.int64)
    np.testing.assert_array_equal(memory.read(numbers), PICTURES[[3, 0, 39, 3]])


def test_a_part_knows_its_place_in_the_memory():
    held = HeldPictures(PICTURES, None, 0)[4:][2:30]
    assert (held.first, len(held)) == (6, 28)
    np.testing.assert_array_equal(np.asarray(held), PICTURES[6:34])
    np.testing.assert_array_equal(np.asarray(held[::2]), PICTURES[6:34:2])


@pytest.mark.parametrize("name", CHANGES)
def test_a_step_makes_the_bits_that_the_host_makes(name):
    data = _data(**CHANGES[name])
    host, held = _streams(data), _streams(data.on_devices(["CPU:0"]))
    own = held.training(2).take(3)
    assert isinstance(own.element_spec, Chosen)
    # Within a function, where TensorFlow rewrites arithmetic.
    _assert_same(own, host.training(2).take(3), _traced(held))


def test_a_layer_of_ones_own_changes_the_same_in_a_step():
    layer = keras.Sequential([keras.layers.RandomRotation(0.1), keras.layers.RandomZoom(0.2)])
    data = _data(layer, **CHANGES["moved"])
    host, held = _streams(data), _streams(data.on_devices(["CPU:0"]))
    _assert_same(held.training(0).take(2), host.training(0).take(2), _traced(held))


@pytest.mark.parametrize("name", ["refitting", "rewards", "validation"])
def test_spread_batches_are_the_same(name):
    data = _data(**CHANGES["moved"])
    arguments = {"refitting": [3], "rewards": [1, 2], "validation": []}[name]
    pairs = []
    for one in (data, data.on_devices(["CPU:0"])):
        streams = _streams(one)
        read = streams.reader()
        stream = getattr(streams, name)(*arguments).take(3)
        pairs.append([read(element.batch) for element in stream])
    assert_equal_batches(*pairs)


def test_the_divided_training_part_is_the_same():
    data = _data(**CHANGES["moved"])
    halves = zip(_streams(data).divided(0.5), _streams(data.on_devices(["CPU:0"])).divided(0.5))
    for host, held in halves:
        _assert_same(held.training(0).take(2), host.training(0).take(2), held.reader())


def test_what_the_final_test_reads_is_on_no_device():
    data = _data().on_devices(["CPU:0"])
    streams = data.search_streams(batch_size=8, reward_batch_size=2, seed=5, scored_part="test")
    assert not isinstance(streams.validation().element_spec.batch, Chosen)
    np.testing.assert_array_equal(streams.preview(), _streams(_data()).preview())


def test_every_replica_reads_its_own_copy(two_devices):
    strategy = mirrored_cpus(two_devices)
    # Another layer in each of two mixed replicas: variables are made outside of the strategy.
    data = _data(keras.layers.RandomRotation(0.1), **CHANGES["mixed"])
    host, held = _streams(data), _streams(data.on_devices(two_devices))
    read = held.reader()
    copies = held.train[0].memory._words._copies
    assert [copy.device[-5:] for copy in copies] == two_devices
    own = strategy.distribute_datasets_from_function(
        lambda context: held.training(0, Share.of_pipeline(context))
    )
    step = tf.function(lambda batch: strategy.run(read, (batch,)), autograph=False)
    for number, batch in zip(range(2), own):
        images, labels = step(batch)
        expected = list(host.training(number, Share(0, 2, 2)).take(2))
        for replica in range(2):
            result = [strategy.experimental_local_results(x)[replica] for x in (images, labels)]
            assert_equal_batches([result], [expected[replica]])
