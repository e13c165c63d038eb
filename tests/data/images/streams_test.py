import dataclasses

import numpy as np
import pytest

from enas_tf.data.images.dataset import ImageData
from enas_tf.errors import DataError
from enas_tf.settings.config import DataConfig
from tests.data.divisions import assert_equal_batches, take, take_spread

BATCH, REWARD_BATCH = 8, 5


@pytest.fixture(scope="module")
def data():
    """40 pictures of one colour each, whose mean is their number: 28 to train, 12 to validate."""
    images = np.tile(np.arange(40, dtype=np.uint8)[:, None, None, None], (1, 4, 4, 1))
    labels = np.arange(40) % 2
    config = DataConfig(validation_size=12, crop_padding=1, flip=True)
    data = ImageData.from_arrays(images, labels, images[:2], labels[:2], config=config)
    # Reading the test set would fail.
    return dataclasses.replace(data, x_test=None, y_test=None)


@pytest.fixture
def streams(data):
    return data.search_streams(batch_size=BATCH, reward_batch_size=REWARD_BATCH, seed=3)


def numbers_of(images):
    """The numbers of unaugmented pictures, normalised by those to train on."""
    values = images * np.std(np.arange(28)) + np.mean(np.arange(28))
    return np.rint(np.max(values, axis=(1, 2, 3))).astype(int).tolist()


def test_an_epoch_has_full_batches_only(streams):
    assert streams.steps_per_epoch == 3


def test_training_goes_on_where_it_is_told(streams):
    assert_equal_batches(take(streams.training(0), 9)[5:], take(streams.training(5), 4))


def test_rewards_go_on_where_they_are_told(streams):
    assert_equal_batches(
        take_spread(streams.rewards(0, 1), 9)[5:], take_spread(streams.rewards(5, 1), 4)
    )


@pytest.mark.parametrize("name", ["training", "refitting"])
def test_training_never_shows_a_validation_example(data, name):
    streams = data.search_streams(batch_size=BATCH, reward_batch_size=1, seed=0)
    if name == "refitting":
        batches = take_spread(streams.refitting(20))
    else:
        batches = take(streams.training(0), 20)
    for images, _ in batches:
        assert max(numbers_of(images)) < 28


def test_training_pictures_are_augmented(streams):
    # Only the padding of a moved picture is of another colour.
    varied = [
        np.ptp(picture) > 0 for images, _ in take(streams.training(0), 3) for picture in images
    ]
    assert any(varied)
    plain = [
        np.ptp(picture) for images, _ in take_spread(streams.refitting(3)) for picture in images
    ]
    assert max(plain) == 0


def test_refitting_sees_the_same_batches_every_time(streams):
    assert_equal_batches(take_spread(streams.refitting(3)), take_spread(streams.refitting(3)))


def test_rewards_come_from_the_validation_part(streams):
    batches = take_spread(streams.rewards(0, 1), 10)
    assert {len(labels) for _, labels in batches} == {REWARD_BATCH}
    numbers = {number for images, _ in batches for number in numbers_of(images)}
    assert min(numbers) >= 28


def test_rewards_of_one_pass_have_no_example_twice(streams):
    numbers = [
        number
        for images, _ in take_spread(streams.rewards(0, 1), 2)
        for number in numbers_of(images)
    ]
    assert len(set(numbers)) == 2 * REWARD_BATCH


def test_a_reward_batch_is_no_larger_than_the_validation_part(data):
    streams = data.search_streams(batch_size=BATCH, reward_batch_size=500, seed=0)
    (batch,) = take_spread(streams.rewards(0, 1), 1)
    assert sorted(numbers_of(batch[0])) == list(range(28, 40))


def test_validation_has_every_example_once_in_order(streams):
    batches = take_spread(streams.validation())
    assert [len(labels) for _, labels in batches] == [8, 4]
    numbers = [number for images, _ in batches for number in numbers_of(images)]
    assert numbers == list(range(28, 40))


def test_normalisation_comes_from_the_training_part(streams):
    (images, _), _ = take_spread(streams.validation())
    expected = (28 - np.mean(np.arange(28))) / np.std(np.arange(28))
    np.testing.assert_allclose(images[0], expected, rtol=1e-5)


def test_a_batch_larger_than_the_training_part_is_refused(data):
    with pytest.raises(DataError, match="batch_size"):
        data.search_streams(batch_size=29, reward_batch_size=5, seed=0)
