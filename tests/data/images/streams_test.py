import dataclasses
import functools
import itertools

import numpy as np
import pytest
import tensorflow as tf

from enas_tf.data.batching import steps_per_epoch
from enas_tf.data.images.dataset import ImageData
from enas_tf.data.images.preprocessing import Augmentation, Normalization
from enas_tf.data.images.streams import ImageSearchStreams, shuffled, training_batches
from enas_tf.data.sharing import ALONE, Share
from enas_tf.errors import ConfigurationError, DataError
from enas_tf.settings.data import DataConfig
from enas_tf.training.devices import mirrored_cpus
from tests.data.divisions import (
    DIVISIONS,
    assert_equal_batches,
    assert_spread,
    blocks,
    spread_over,
    take,
    take_spread,
    whole_batch,
)

_IDENTITY = Normalization(np.zeros(1, np.float32), np.ones(1, np.float32))
_SEVERAL = {name: shares for name, shares in DIVISIONS.items() if name != "1"}
_AUGMENTATION = Augmentation(crop_padding=2, flip=True, cutout=3)
_MIXING = Augmentation(
    crop_padding=1, flip=True, color_jitter=0.3, mixup=0.4, cutmix=1.0, num_classes=10
)


def _examples(count=10):
    images = np.random.RandomState(0).randint(0, 256, (count, 4, 5, 1)).astype(np.uint8)
    return images, np.arange(count, dtype=np.int32)


def _training(share=ALONE, *, seed=1, first_step=0, augmentation=None, batch_size=3):
    return training_batches(
        *_examples(),
        normalization=_IDENTITY,
        batch_size=batch_size,
        seed=seed,
        first_step=first_step,
        augmentation=augmentation,
        share=share,
    )


@functools.cache
def _batches(count, **settings):
    return list(itertools.islice(_training(**settings).as_numpy_iterator(), count))


def _streams(examples=None, batch_size=3):
    examples = examples or _examples()
    return ImageSearchStreams(
        train=examples,
        held_out=examples,
        normalization=_IDENTITY,
        augmentation=_AUGMENTATION,
        class_counts=np.bincount(examples[1]),
        batch_size=batch_size,
        reward_batch_size=batch_size,
        seed=1,
        steps_per_epoch=3,
    )


def _validation(share=ALONE):
    return _streams(batch_size=4).validation(share)


def test_an_epoch_leaves_the_remainder_out():
    assert steps_per_epoch(10, 3) == 3
    assert steps_per_epoch(9, 3) == 3


@pytest.mark.parametrize("batch_size", [11, 0])
def test_a_batch_size_that_does_not_fit_is_refused(batch_size):
    with pytest.raises(DataError, match=f"batch_size={batch_size}"):
        steps_per_epoch(10, batch_size)


def test_pictures_stay_with_their_labels():
    images, _ = _examples()
    for batch, labels in _batches(6):
        np.testing.assert_array_equal(batch, images[labels].astype(np.float32))


def test_an_epoch_has_no_example_twice():
    labels = np.concatenate([labels for _, labels in _batches(2, batch_size=5)])
    assert sorted(labels) == list(range(10))


def test_every_epoch_has_an_order_of_its_own():
    labels = [tuple(labels) for _, labels in _batches(4, batch_size=10)]
    assert len(set(labels)) == 4


def test_every_seed_has_an_order_of_its_own():
    assert _batches(1, seed=1)[0][1].tolist() != _batches(1, seed=2)[0][1].tolist()


def test_the_same_seed_gives_the_same_batches():
    again = _training(augmentation=_AUGMENTATION).as_numpy_iterator()
    assert_equal_batches(_batches(9, augmentation=_AUGMENTATION), itertools.islice(again, 9))


def test_a_later_start_goes_on_exactly():
    # Three steps an epoch: from the middle of one over the border of the next.
    whole = _batches(9, augmentation=_AUGMENTATION)
    assert_equal_batches(whole[4:], _batches(5, augmentation=_AUGMENTATION, first_step=4))


def test_augmentation_changes_pictures_but_not_the_order():
    plain, augmented = _batches(3), _batches(3, augmentation=_AUGMENTATION)
    for (plain_images, plain_labels), (images, labels) in zip(plain, augmented, strict=True):
        np.testing.assert_array_equal(plain_labels, labels)
        assert not np.array_equal(plain_images, images)


def test_augmentation_without_changes_is_none():
    assert_equal_batches(_batches(3), _batches(3, augmentation=Augmentation()))


def test_training_batches_have_a_static_shape():
    assert _training().element_spec == (
        tf.TensorSpec([3, 4, 5, 1], tf.float32),
        tf.TensorSpec([3], tf.int32),
    )


def test_validation_has_every_example_once_in_order():
    images, labels = _examples()
    batches = [element.batch for element in _validation().as_numpy_iterator()]
    assert [len(batch_labels) for _, batch_labels in batches] == [4, 4, 2]
    np.testing.assert_array_equal(np.concatenate([batch for batch, _ in batches]), images)
    np.testing.assert_array_equal(np.concatenate([batch for _, batch in batches]), labels)


def test_validation_needs_examples():
    images, labels = _examples(0)
    with pytest.raises(DataError, match="no examples"):
        _streams((images, labels)).validation()


def test_pictures_and_labels_of_different_lengths_are_refused():
    images, labels = _examples()
    with pytest.raises(DataError, match="10 and 9"):
        _streams((images, labels[:9])).validation()


@pytest.mark.parametrize("num_examples", [1, 2, 3, 17, 256])
def test_an_order_is_a_permutation(num_examples):
    order = shuffled(
        tf.range(num_examples, dtype=tf.int64), num_examples, tf.constant([5, 0], tf.int64)
    )
    assert sorted(order.numpy()) == list(range(num_examples))


@pytest.mark.parametrize("shares", _SEVERAL.values(), ids=_SEVERAL)
def test_replicas_have_the_rows_of_the_undivided_batches(shares):
    # Two steps an epoch: from the middle of one over the border of the next. Three replicas have
    # not as many rows each.
    settings = {"augmentation": _AUGMENTATION, "batch_size": 4, "first_step": 3}
    divided = blocks(lambda share: _training(share, **settings), shares, 3)
    assert_equal_batches(map(whole_batch, divided), _batches(3, **settings))


@pytest.mark.parametrize(
    "shares",
    # With three replicas, not all have as many rows.
    [
        pytest.param(shares, id=name, marks=[] if name == "2+1" else pytest.mark.long)
        for name, shares in _SEVERAL.items()
    ],
)
def test_mixed_rows_do_not_depend_on_who_makes_them(shares):
    settings = {"augmentation": _MIXING, "batch_size": 4, "first_step": 3}
    divided = blocks(lambda share: _training(share, **settings), shares, 3)
    assert_equal_batches(map(whole_batch, divided), _batches(3, **settings))


def test_mixed_batches_go_on_exactly():
    whole = _batches(9, augmentation=_MIXING)
    assert_equal_batches(whole[4:], _batches(5, augmentation=_MIXING, first_step=4))


def test_labels_of_mixed_pictures_are_shares_of_the_two_classes():
    plain, mixed = _batches(4, batch_size=5), _batches(4, batch_size=5, augmentation=_MIXING)
    for (_, labels), (_, shares) in zip(plain, mixed, strict=True):
        assert shares.dtype == np.float32
        np.testing.assert_allclose(shares.sum(axis=1), 1.0, rtol=1e-6)
        for row, (own, other) in enumerate(zip(labels, np.roll(labels, -1))):
            assert set(np.flatnonzero(shares[row])) <= {own, other}


@pytest.mark.parametrize(("batch_size", "rows"), [(6, 2), (7, None)])
def test_mixed_rows_have_a_static_number_if_all_replicas_have_as_many(batch_size, rows):
    dataset = _training(Share(1, 2, 3), batch_size=batch_size, augmentation=_MIXING)
    assert dataset.element_spec == (
        tf.TensorSpec([rows, 4, 5, 1], tf.float32),
        tf.TensorSpec([rows, 10], tf.float32),
    )


def test_rows_without_augmentation():
    shares = DIVISIONS["2+1"]
    divided = blocks(lambda share: _training(share, batch_size=7), shares, 2)
    assert [[len(labels) for _, labels in block] for block in divided] == [[2, 2, 3]] * 2
    assert_equal_batches(map(whole_batch, divided), _batches(2, batch_size=7))


@pytest.mark.parametrize(("batch_size", "rows"), [(6, 2), (7, None)])
def test_rows_have_a_static_number_if_all_replicas_have_as_many(batch_size, rows):
    dataset = _training(Share(1, 2, 3), batch_size=batch_size, augmentation=_AUGMENTATION)
    assert dataset.element_spec == (
        tf.TensorSpec([rows, 4, 5, 1], tf.float32),
        tf.TensorSpec([rows], tf.int32),
    )


def test_more_replicas_than_rows_are_refused():
    with pytest.raises(ConfigurationError, match="batch_size=3"):
        _training(Share(0, 2, 4), batch_size=3)


@pytest.mark.parametrize("shares", DIVISIONS.values(), ids=DIVISIONS)
def test_first_batches_are_spread_whole(shares):
    elements = itertools.chain.from_iterable(
        blocks(lambda share: _streams().refitting(5, share), shares)
    )
    assert_spread(list(elements), spread_over(_batches(5), shares[0].total))


def test_spread_batches_have_static_shapes():
    assert _streams().refitting(3, Share(0, 2, 4)).element_spec == (
        (tf.TensorSpec([3, 4, 5, 1], tf.float32), tf.TensorSpec([3], tf.int32)),
        tf.TensorSpec([], tf.float32),
    )


@pytest.mark.parametrize("shares", DIVISIONS.values(), ids=DIVISIONS)
def test_rewards_fill_up_the_blocks_of_every_update(shares):
    total, samples = shares[0].total, 5
    stream = _batches(3 * samples)
    updates = [stream[start : start + samples] for start in (samples, 2 * samples)]
    elements = blocks(
        lambda share: _streams().rewards(1, samples, share), shares, 2 * -(-samples // total)
    )
    expected = [element for update in updates for element in spread_over(update, total)]
    assert_spread(list(itertools.chain.from_iterable(elements)), expected)


@pytest.mark.parametrize("shares", DIVISIONS.values(), ids=DIVISIONS)
def test_validation_is_spread_whole(shares):
    images, labels = _examples()
    batches = [(images[start : start + 4], labels[start : start + 4]) for start in (0, 4, 8)]
    elements = itertools.chain.from_iterable(blocks(_validation, shares))
    assert_spread(list(elements), spread_over(batches, shares[0].total))


def test_a_strategy_hands_the_elements_to_its_replicas_in_order(two_devices):
    strategy = mirrored_cpus(two_devices)
    distributed = strategy.distribute_datasets_from_function(
        lambda context: _training(Share.of_pipeline(context), batch_size=5)
    )
    for expected, batch in zip(_batches(3, batch_size=5), distributed):
        rows = [strategy.experimental_local_results(field) for field in batch]
        assert [len(own) for own in rows[1]] == [2, 3]
        assert_equal_batches([map(np.concatenate, rows)], [expected])


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


def test_the_whole_validation_part_is_read(streams):
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
