import numpy as np
import pytest
import tensorflow as tf

from enas_tf.data.images.augmentation import (
    ColorDraws,
    Draws,
    MixingDraws,
    change_colors,
    changed,
    changes_of,
    crop_and_flip,
    crop_mask,
    cutout_mask,
    draw,
    mixed,
    mixed_labels,
    normalize,
    row_statistics,
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


def _moved(draws):
    changes = changes_of(draws, Augmentation(), 6, 8)
    return crop_and_flip(_images(), changes.rows, changes.columns)


def _augmented(draws, augmentation):
    return changed(_images(), changes_of(draws, augmentation, 6, 8), None, _NORMALIZATION)


def _reference(image, top, left, flipped):
    """The crop of a picture that is padded by zeros, then mirrored."""
    padding = 2
    height, width, _ = image.shape
    padded = np.pad(image, ((padding, padding), (padding, padding), (0, 0)))
    top, left = top + padding, left + padding
    crop = padded[top : top + height, left : left + width]
    return crop[:, ::-1] if flipped else crop


def test_without_moves_the_pictures_come_back(run):
    result = run(lambda: _moved(_draws()))
    np.testing.assert_array_equal(result, _IMAGES[[3, 1]])


@pytest.mark.parametrize("flipped", [False, True])
@pytest.mark.parametrize(("top", "left"), [(0, 0), (-2, 1), (2, -2), (1, 2)])
def test_crop_equals_slicing_a_padded_picture(run, top, left, flipped):
    def function():
        draws = _draws((top, 0), (left, 0), (flipped, False))
        pictures = _moved(draws)
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


def test_normalisation_by_given_rows_is_the_same(run):
    rows = row_statistics(_NORMALIZATION, 8)
    result = run(lambda: normalize(tf.constant(_IMAGES), tuple(map(tf.constant, rows))))
    np.testing.assert_array_equal(result, normalize(tf.constant(_IMAGES), _NORMALIZATION))


def test_padding_and_cutout_are_zero_after_normalisation(run):
    def function():
        draws = _draws(top=(2, 0), row=(0, 2), column=(0, 3))
        augmentation = Augmentation(crop_padding=2, cutout=2)
        return _augmented(draws, augmentation)

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


def _changed(pixels, brightness=1.0, contrast=1.0, saturation=1.0):
    factors = ColorDraws(*(tf.constant([one]) for one in (brightness, contrast, saturation)))
    return change_colors(tf.constant([pixels], tf.float32), factors)[0].numpy()


def test_colours_stay_with_factors_of_one(run):
    ones = ColorDraws(*[tf.ones([2])] * 3)
    result = run(lambda: change_colors(_images(), ones))
    np.testing.assert_allclose(result, _IMAGES[[3, 1]], rtol=1e-5)


def test_brightness_multiplies_and_ends_at_white():
    result = _changed([[[10.0, 20.0, 200.0]]], brightness=1.5)
    np.testing.assert_allclose(result, [[[15.0, 30.0, 255.0]]])


def test_contrast_moves_grey_pixels_from_their_mean():
    result = _changed([[[100.0], [140.0]]], contrast=0.5)
    np.testing.assert_allclose(result, [[[110.0], [130.0]]])


def test_without_saturation_a_picture_is_grey():
    result = _changed([[[100.0, 50.0, 200.0]]], saturation=0.0)
    grey = 0.299 * 100 + 0.587 * 50 + 0.114 * 200
    np.testing.assert_allclose(result, [[[grey] * 3]], rtol=1e-5)


@pytest.mark.parametrize("channels", [1, 2, 4])
def test_pictures_that_are_not_rgb_have_no_saturation(channels):
    pixels = np.arange(6.0 * channels).reshape(2, 3, channels)
    np.testing.assert_array_equal(_changed(pixels, saturation=0.3), _changed(pixels))


def _mixed(weight=1.0, box=(0, 0, 0, 0)):
    """Two pictures of classes 2 and 0, and how the first one is mixed with the second."""
    augmentation = Augmentation(mixup=1.0, num_classes=3)
    edges = (tf.constant([edge, 0]) for edge in box)
    draws = _draws()._replace(mixing=MixingDraws(tf.constant([weight, 0.0]), *edges))
    mixing = changes_of(draws, augmentation, 6, 8).mixing
    labels = mixed_labels(tf.constant([2, 0]), draws.mixing, 3, 6 * 8)
    return mixed(tf.cast(_images(), tf.float32), mixing), labels


def test_mixup_mixes_a_picture_with_the_next_one_and_their_labels(run):
    pictures, labels = run(lambda: _mixed(0.75))
    expected = 0.75 * _IMAGES[3] + 0.25 * _IMAGES[1].astype(np.float32)
    np.testing.assert_allclose(pictures, [expected])
    np.testing.assert_allclose(labels, [[0.25, 0.0, 0.75]])


def test_cutmix_pastes_a_rectangle_and_mixes_labels_by_area(run):
    # Three of six rows and four of eight columns.
    pictures, labels = run(lambda: _mixed(1.0, (1, 2, 4, 6)))
    expected = _IMAGES[3].copy()
    expected[1:4, 2:6] = _IMAGES[1][1:4, 2:6]
    np.testing.assert_array_equal(pictures, [expected])
    np.testing.assert_allclose(labels, [[0.25, 0.0, 0.75]])


def _drawn_mixing(**parameters):
    augmentation = Augmentation(num_classes=3, **parameters)
    return draw(augmentation, 2000, 6, 8, tf.constant([1, 2], tf.int64)).mixing


def test_weights_of_mixup_have_the_moments_of_their_distribution():
    weight = _drawn_mixing(mixup=0.5).weight.numpy()
    assert weight.min() >= 0.0
    assert weight.max() <= 1.0
    # Of Beta(1/2, 1/2): 1/2 and 1/8.
    assert abs(weight.mean() - 0.5) < 0.03
    assert abs(weight.var() - 0.125) < 0.01


def test_a_tiny_parameter_of_mixup_takes_one_of_both_pictures():
    weight = _drawn_mixing(mixup=1e-3).weight.numpy()
    assert np.isfinite(weight).all()
    assert np.mean((weight < 0.01) | (weight > 0.99)) > 0.98
    assert 0.4 < weight.mean() < 0.6


def test_rectangles_of_cutmix_lie_inside_and_cover_their_share():
    draws = _drawn_mixing(cutmix=1.0)
    assert np.all(draws.weight == 1.0)
    assert np.all((draws.top >= 0) & (draws.top <= draws.bottom) & (draws.bottom <= 6))
    assert np.all((draws.left >= 0) & (draws.left <= draws.right) & (draws.right <= 8))
    share = (draws.bottom - draws.top) * (draws.right - draws.left) / 48
    # Half on average, less what lies outside.
    assert 0.2 < np.mean(share) < 0.5


def test_with_both_each_picture_is_mixed_in_one_way():
    draws = _drawn_mixing(mixup=0.5, cutmix=1.0)
    is_cut = (draws.bottom > draws.top) & (draws.right > draws.left)
    assert np.all((draws.weight == 1.0) | ~is_cut)
    assert 0.2 < np.mean(is_cut) < 0.6
    assert 0.3 < np.mean(draws.weight < 1.0) < 0.7


def test_crops_do_not_depend_on_colours_or_mixing():
    seed = tf.constant([1, 2], tf.int64)
    plain = Augmentation(crop_padding=2, flip=True)
    more = Augmentation(crop_padding=2, flip=True, color_jitter=0.2, mixup=0.2, num_classes=3)
    for one, other in zip(draw(plain, 50, 6, 8, seed)[:5], draw(more, 50, 6, 8, seed)[:5]):
        np.testing.assert_array_equal(one, other)


def test_colours_change_before_padding_is_blanked(run):
    augmentation = Augmentation(crop_padding=2, color_jitter=0.5)

    def function():
        factors = ColorDraws(tf.constant([0.5, 1.0]), tf.ones([2]), tf.ones([2]))
        draws = _draws(top=(2, 0))._replace(color=factors)
        return _augmented(draws, augmentation)

    first, second = run(function)
    expected = normalize(tf.constant(_IMAGES[[3]] * 0.5, tf.float32), _NORMALIZATION)[0]
    np.testing.assert_allclose(first[:4], expected[2:], rtol=1e-4, atol=1e-4)
    assert not np.any(first[4:])
    np.testing.assert_allclose(
        second, normalize(tf.constant(_IMAGES[[1]]), _NORMALIZATION)[0], rtol=1e-4, atol=1e-4
    )


def test_what_is_not_used_is_not_told():
    plain = {"crop_padding": 2, "flip": True, "cutout": 0}
    assert Augmentation(crop_padding=2, flip=True, num_classes=3).identity() == plain
    assert Augmentation(crop_padding=2, flip=True, mixup=0.2).identity() == {**plain, "mixup": 0.2}
