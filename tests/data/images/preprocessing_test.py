import numpy as np

from enas_tf.data.images.preprocessing import Normalization


def test_statistics_equal_those_of_numpy():
    images = np.random.RandomState(0).randint(0, 256, (300, 5, 4, 3)).astype(np.uint8)
    normalization = Normalization.from_images(images)
    np.testing.assert_allclose(normalization.mean, images.mean(axis=(0, 1, 2)), rtol=1e-7)
    np.testing.assert_allclose(
        normalization.standard_deviation, images.std(axis=(0, 1, 2)), rtol=1e-7
    )
    assert normalization.mean.dtype == np.float32


def test_statistics_worked_out_by_hand():
    images = np.array([0, 4, 4, 8], np.uint8).reshape(1, 2, 2, 1)
    normalization = Normalization.from_images(images)
    assert normalization.mean.tolist() == [4.0]
    np.testing.assert_allclose(normalization.standard_deviation, [np.sqrt(8.0)], rtol=1e-7)


def test_a_constant_channel_is_divided_by_one():
    images = np.zeros((3, 2, 2, 2), np.uint8)
    images[..., 0] = 77
    images[0, 0, 0, 1] = 255
    normalization = Normalization.from_images(images)
    assert normalization.mean[0] == 77.0
    assert normalization.standard_deviation[0] == 1.0
    assert normalization.standard_deviation[1] > 1.0


def test_one_odd_pixel_among_many_is_no_constant_channel():
    images = np.full((2000, 8, 8, 1), 254, np.uint8)
    images[0, 0, 0, 0] = 255
    assert Normalization.from_images(images).standard_deviation[0] < 0.1
