import numpy as np
import pytest
import tensorflow as tf

from enas_tf.data.pipeline import (
    evaluation_batches,
    shuffled,
    steps_per_epoch,
    training_batches,
)
from enas_tf.data.preprocessing import Augmentation, Normalization
from enas_tf.errors import DataError

_IDENTITY = Normalization(np.zeros(1, np.float32), np.ones(1, np.float32))
_AUGMENTATION = Augmentation(crop_padding=2, flip=True, cutout=3)


def _examples(count=10):
    images = np.random.RandomState(0).randint(0, 256, (count, 4, 5, 1)).astype(np.uint8)
    return images, np.arange(count, dtype=np.int32)


def _batches(count, *, seed=1, first_step=0, augmentation=None, batch_size=3):
    dataset = training_batches(
        *_examples(),
        normalization=_IDENTITY,
        batch_size=batch_size,
        seed=seed,
        first_step=first_step,
        augmentation=augmentation,
    )
    return [(images.numpy(), labels.numpy()) for images, labels in dataset.take(count)]


def _assert_equal(first, second):
    for (first_images, first_labels), (second_images, second_labels) in zip(
        first, second, strict=True
    ):
        np.testing.assert_array_equal(first_images, second_images)
        np.testing.assert_array_equal(first_labels, second_labels)


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
    _assert_equal(*(_batches(7, augmentation=_AUGMENTATION) for _ in range(2)))


def test_a_later_start_goes_on_exactly():
    # Three steps an epoch: from the middle of one over the border of the next.
    whole = _batches(9, augmentation=_AUGMENTATION)
    _assert_equal(whole[4:], _batches(5, augmentation=_AUGMENTATION, first_step=4))


def test_augmentation_changes_pictures_but_not_the_order():
    plain, augmented = _batches(3), _batches(3, augmentation=_AUGMENTATION)
    for (plain_images, plain_labels), (images, labels) in zip(plain, augmented, strict=True):
        np.testing.assert_array_equal(plain_labels, labels)
        assert not np.array_equal(plain_images, images)


def test_augmentation_without_changes_is_none():
    _assert_equal(_batches(3), _batches(3, augmentation=Augmentation()))


def test_training_batches_have_a_static_shape():
    dataset = training_batches(*_examples(), normalization=_IDENTITY, batch_size=3, seed=0)
    assert dataset.element_spec == (
        tf.TensorSpec([3, 4, 5, 1], tf.float32),
        tf.TensorSpec([3], tf.int32),
    )


def test_evaluation_has_every_example_once_in_order():
    images, labels = _examples()
    dataset = evaluation_batches(images, labels, normalization=_IDENTITY, batch_size=4)
    batches = list(dataset.as_numpy_iterator())
    assert [len(batch_labels) for _, batch_labels in batches] == [4, 4, 2]
    np.testing.assert_array_equal(np.concatenate([batch for batch, _ in batches]), images)
    np.testing.assert_array_equal(np.concatenate([batch for _, batch in batches]), labels)


def test_evaluation_needs_examples():
    images, labels = _examples(0)
    with pytest.raises(DataError, match="no examples"):
        evaluation_batches(images, labels, normalization=_IDENTITY, batch_size=4)


def test_pictures_and_labels_of_different_lengths_are_refused():
    images, labels = _examples()
    with pytest.raises(DataError, match="10 and 9"):
        evaluation_batches(images, labels[:9], normalization=_IDENTITY, batch_size=4)


@pytest.mark.parametrize("num_examples", [1, 2, 3, 17, 256])
def test_an_order_is_a_permutation(num_examples):
    order = shuffled(
        tf.range(num_examples, dtype=tf.int64), num_examples, tf.constant([5, 0], tf.int64)
    )
    assert sorted(order.numpy()) == list(range(num_examples))
