import numpy as np

from enas_tf.data.images.sources import digits


def test_the_shapes_and_the_range():
    arrays = digits.load()
    assert arrays.x_train.shape == (1437, 8, 8)
    assert arrays.x_test.shape == (360, 8, 8)
    assert arrays.x_train.dtype == np.uint8
    assert (arrays.x_train.min(), arrays.x_train.max()) == (0, 255)


def test_every_part_has_every_digit():
    arrays = digits.load()
    for labels in (arrays.y_train, arrays.y_train[-143:], arrays.y_test):
        assert set(labels) == set(range(10))
    assert arrays.label_names == tuple("0123456789")


def test_the_order_is_always_the_same():
    np.testing.assert_array_equal(digits.load().y_test, digits.load().y_test)
