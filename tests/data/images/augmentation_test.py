import numpy as np
import pytest
import tensorflow as tf

from enas_tf.data.images.augmentation import (
    Draws,
    augment,
    crop_and_flip,
    crop_mask,
    cutout_mask,
    draw,
    normalize,
)
from enas_tf.data.images.preprocessing import Augmentation, Normalization

_IMAGES = np.random.RandomState(0).randint(1, 256, (5, 6, 8, 3)).astype(np.uint8)
_NORMALIZATION = Normalization(np.array([10, 20, 30], np.float32), np.array([2, 4, 8], np.float32))


@pytest.fixture(params=["eagerly", "inside tf.data"])
def run(request):
    """Calls a function of no arguments, one of the two ways."""
    if request.param == "eagerly":
        return lambda function: function()
    return lambda function: next(iter(tf.data.Dataset.range(1).map(lambda _: function())))


def _draws(top=(0, 0), left=(0, 0), flipped=(False, False), row=(0, 0), column=(0, 0)):
    return Draws(*(tf.constant(values) for values in (top, left, flipped, row, column)))


def _images():
    return tf.constant(_IMAGES[[3, 1]])


def _reference(image, top, left, flipped):
    """The crop of a picture that is padded by zeros, then mirrored."""
    padding = 2
    height, width, _ = image.shape
    padded = np.pad(image, ((padding, padding), (padding, padding), (0, 0)))
    top, left = top + padding, left + padding
    crop = padded[top : top + height, left : left + width]
    return crop[:, ::-1] if flipped else crop


def test_without_moves_the_pictures_come_back(run):
    result = run(lambda: crop_and_flip(_images(), _draws()))
    np.testing.assert_array_equal(result, _IMAGES[[3, 1]])


@pytest.mark.parametrize("flipped", [False, True])
@pytest.mark.parametrize(("top", "left"), [(0, 0), (-2, 1), (2, -2), (1, 2)])
def test_crop_equals_slicing_a_padded_picture(run, top, left, flipped):
    def function():
        draws = _draws((top, 0), (left, 0), (flipped, False))
        pictures = crop_and_flip(_images(), draws)
        mask = crop_mask(draws, 6, 8).to_rows(3)
        return pictures * tf.cast(tf.reshape(mask, [2, 6, 8, 3]), tf.uint8)

    result = run(function)
    np.testing.assert_array_equal(result[0], _reference(_IMAGES[3], top, left, flipped))
    np.testing.assert_array_equal(result[1], _IMAGES[1])


@pytest.mark.parametrize(
    ("row", "column", "side", "rows", "columns"),
    [
        (3, 4, 2, range(2, 4), range(3, 5)),
        (3, 4, 3, range(2, 5), range(3, 6)),
        (0, 0, 4, range(2), range(2)),
        (5, 7, 4, range(3, 6), range(5, 8)),
    ],
)
def test_cutout_is_a_square_around_its_centre_clipped_at_the_borders(
    run, row, column, side, rows, columns
):
    mask = run(lambda: cutout_mask(_draws(row=(row, 0), column=(column, 0)), side, 6, 8))
    assert np.flatnonzero(mask.rows[0]).tolist() == list(rows)
    assert np.flatnonzero(mask.columns[0]).tolist() == list(columns)


def test_normalisation(run):
    result = run(lambda: normalize(tf.constant(_IMAGES), _NORMALIZATION))
    expected = (_IMAGES.astype(np.float32) - [10, 20, 30]) / [2, 4, 8]
    np.testing.assert_array_equal(result, expected.astype(np.float32))


def test_padding_and_cutout_are_zero_after_normalisation(run):
    def function():
        draws = _draws(top=(2, 0), row=(0, 2), column=(0, 3))
        augmentation = Augmentation(crop_padding=2, cutout=2)
        return augment(_images(), draws, augmentation, _NORMALIZATION)

    result = run(function)
    first, second = normalize(tf.constant(_IMAGES[[3, 1]]), _NORMALIZATION).numpy()
    first = np.concatenate([first[2:], np.zeros((2, 8, 3), np.float32)])
    first[:1, :1] = 0
    second[1:3, 2:4] = 0
    np.testing.assert_array_equal(result, [first, second])


def test_draws_reach_their_whole_ranges_and_no_further(run):
    augmentation = Augmentation(crop_padding=2, flip=True)
    draws = run(lambda: draw(augmentation, 500, 6, 8, tf.constant([1, 2], tf.int64)))
    assert set(draws.top.numpy()) == set(range(-2, 3))
    assert set(draws.left.numpy()) == set(range(-2, 3))
    assert set(draws.center_row.numpy()) == set(range(6))
    assert set(draws.center_column.numpy()) == set(range(8))
    assert 150 < np.count_nonzero(draws.flipped) < 350


def test_draws_depend_on_both_numbers_of_the_seed():
    augmentation = Augmentation(crop_padding=2, flip=True)
    tops = {
        tuple(draw(augmentation, 50, 6, 8, tf.constant(seed, tf.int64)).top.numpy())
        for seed in ([1, 2], [1, 3], [2, 2], [1, 2])
    }
    assert len(tops) == 3


def test_without_flip_nothing_is_mirrored():
    draws = draw(Augmentation(), 50, 6, 8, tf.constant([1, 2], tf.int64))
    assert not np.any(draws.flipped)
    assert not np.any(draws.top)


def test_crops_do_not_depend_on_cutout():
    seed = tf.constant([1, 2], tf.int64)
    with_cutout = draw(Augmentation(crop_padding=2, cutout=4), 50, 6, 8, seed)
    without = draw(Augmentation(crop_padding=2), 50, 6, 8, seed)
    np.testing.assert_array_equal(with_cutout.top, without.top)
