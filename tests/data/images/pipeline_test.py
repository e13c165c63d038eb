import functools
import itertools

import numpy as np
import pytest
import tensorflow as tf

from enas_tf.data.batching import steps_per_epoch
from enas_tf.data.images.pipeline import (
    shuffled,
    shuffled_batches,
    training_batches,
    validation_batches,
)
from enas_tf.data.images.preprocessing import Augmentation, Normalization
from enas_tf.data.sharing import ALONE, Share
from enas_tf.errors import ConfigurationError, DataError
from enas_tf.training.devices import mirrored_cpus
from tests.data.divisions import (
    DIVISIONS,
    assert_equal_batches,
    assert_spread,
    blocks,
    spread_over,
    whole_batch,
)

_IDENTITY = Normalization(np.zeros(1, np.float32), np.ones(1, np.float32))
_SEVERAL = {name: shares for name, shares in DIVISIONS.items() if name != "1"}
_AUGMENTATION = Augmentation(crop_padding=2, flip=True, cutout=3)


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


def _shuffled(count, share=ALONE, *, seed=1, first_group=None):
    return shuffled_batches(
        *_examples(),
        normalization=_IDENTITY,
        batch_size=3,
        seed=seed,
        count=count,
        first_group=first_group,
        share=share,
    )


def _validation(share=ALONE):
    return validation_batches(*_examples(), normalization=_IDENTITY, batch_size=4, share=share)


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
        validation_batches(images, labels, normalization=_IDENTITY, batch_size=4)


def test_pictures_and_labels_of_different_lengths_are_refused():
    images, labels = _examples()
    with pytest.raises(DataError, match="10 and 9"):
        validation_batches(images, labels[:9], normalization=_IDENTITY, batch_size=4)


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
    elements = itertools.chain.from_iterable(blocks(lambda share: _shuffled(5, share), shares))
    assert_spread(list(elements), spread_over(_batches(5), shares[0].total))


def test_spread_batches_have_static_shapes():
    assert _shuffled(3, Share(0, 2, 4)).element_spec == (
        (tf.TensorSpec([3, 4, 5, 1], tf.float32), tf.TensorSpec([3], tf.int32)),
        tf.TensorSpec([], tf.float32),
    )


@pytest.mark.parametrize("shares", DIVISIONS.values(), ids=DIVISIONS)
def test_rewards_fill_up_the_blocks_of_every_update(shares):
    total, samples = shares[0].total, 5
    stream = _batches(3 * samples)
    updates = [stream[start : start + samples] for start in (samples, 2 * samples)]
    elements = blocks(
        lambda share: _shuffled(samples, share, first_group=1), shares, 2 * -(-samples // total)
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
