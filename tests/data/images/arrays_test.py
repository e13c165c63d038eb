import tracemalloc

import numpy as np
import pytest

from enas_tf.data.images.arrays import ImageArrays, fixed_permutation, is_grouped_by_class
from enas_tf.errors import DataError


def _checked(**changes):
    values = {
        "x_train": np.zeros((4, 2, 3, 1), np.uint8),
        "y_train": np.array([0, 1, 0, 1]),
        "x_test": np.zeros((2, 2, 3, 1), np.uint8),
        "y_test": np.array([0, 1]),
        "label_names": None,
    }
    return ImageArrays(**{**values, **changes}).checked()


def test_labels_become_int32_and_get_names():
    arrays = _checked()
    assert arrays.y_train.dtype == np.int32
    assert arrays.label_names == ("0", "1")


def test_grey_pictures_get_a_channel_axis():
    arrays = _checked(x_train=np.zeros((4, 2, 3), np.uint8), x_test=np.zeros((2, 2, 3), np.uint8))
    assert arrays.x_train.shape == (4, 2, 3, 1)


def test_a_column_of_labels_is_taken():
    assert _checked(y_train=np.array([[0], [1], [0], [1]])).y_train.tolist() == [0, 1, 0, 1]


def test_floats_up_to_one_are_scaled():
    x_train = np.zeros((4, 2, 3, 1), np.float32)
    x_train[0, 0, 0, 0], x_train[0, 0, 1, 0] = 1.0, 0.2
    arrays = _checked(x_train=x_train, x_test=np.zeros((2, 2, 3, 1), np.float32))
    assert arrays.x_train[0, 0, :2, 0].tolist() == [255, 51]
    assert arrays.x_train.dtype == np.uint8


def test_floats_up_to_255_are_rounded():
    x_train = np.full((4, 2, 3, 1), 99.6)
    arrays = _checked(x_train=x_train, x_test=np.zeros((2, 2, 3, 1)))
    assert np.all(arrays.x_train == 100)
    assert np.all(arrays.x_test == 0)


def test_wide_integers_in_range_are_taken():
    assert np.all(_checked(x_train=np.full((4, 2, 3, 1), 200, np.int64)).x_train == 200)


def test_a_named_class_need_not_occur():
    assert _checked(label_names=("a", "b", "c")).label_names == ("a", "b", "c")


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64, np.longdouble, ">f4"])
@pytest.mark.parametrize("name", ["x_train", "x_test"])
def test_one_value_that_is_not_finite_is_refused(name, dtype, value):
    arrays = {"x_train": np.zeros((4, 2, 3, 1), dtype), "x_test": np.zeros((2, 2, 3, 1), dtype)}
    arrays[name][1, 1, 2, 0] = value
    message = f"`{name}` must hold finite numbers. Received: {value} in the picture with index 1;"
    with pytest.raises(DataError, match=message):
        _checked(**arrays)


@pytest.mark.parametrize("examples", [1, 3, 4, 5])
def test_values_are_checked_and_converted_in_pieces(examples, monkeypatch, tmp_path):
    monkeypatch.setattr("enas_tf.data.images.arrays._PIECE_BYTES", examples * 2 * 3 * 2)
    pixels = np.arange(24, dtype=np.float16).reshape(4, 2, 3, 1)
    np.save(tmp_path / "x.npy", pixels)
    x_train = np.load(tmp_path / "x.npy", mmap_mode="r+")
    arrays = _checked(x_train=x_train, x_test=np.zeros((2, 2, 3, 1)))
    assert arrays.x_train.ravel().tolist() == list(range(24))
    x_train[3, 0, 0, 0] = np.nan
    with pytest.raises(DataError, match=r"`x_train` must hold finite.*index 3;"):
        _checked(x_train=x_train, x_test=np.zeros((2, 2, 3, 1)))


def test_bytes_on_disk_stay_there(tmp_path):
    np.save(tmp_path / "x.npy", np.ones((4, 2, 3, 1), np.uint8))
    x_train = np.load(tmp_path / "x.npy", mmap_mode="r")
    assert np.shares_memory(_checked(x_train=x_train).x_train, x_train)


def test_checking_and_converting_takes_little_more_than_the_result(monkeypatch):
    monkeypatch.setattr("enas_tf.data.images.arrays._PIECE_BYTES", 2**16)
    x_train = np.ones((32, 256, 256, 1))
    tracemalloc.start()
    arrays = _checked(x_train=x_train, y_train=np.arange(32) % 2, x_test=x_train[:2])
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    # One picture of floats, in some copies, is the least that is looked at.
    assert peak < arrays.x_train.nbytes + arrays.x_test.nbytes + 6 * x_train[0].nbytes


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"x_train": np.zeros((4, 6), np.uint8)}, "x_train.*height"),
        ({"x_train": np.zeros((4, 0, 3, 1), np.uint8)}, "x_train.*height"),
        ({"x_train": np.array([["a"]])}, "x_train"),
        ({"x_train": np.zeros((3, 2, 3, 1), np.uint8)}, "same length"),
        ({"x_test": np.zeros((2, 3, 3, 1), np.uint8)}, "same shape"),
        ({"x_train": np.full((4, 2, 3, 1), 256, np.int32)}, "0 to 255"),
        ({"x_train": np.full((4, 2, 3, 1), -1, np.int32)}, "0 to 255"),
        ({"x_train": np.zeros((4, 2, 3, 1), np.float32)}, "same dtype"),
        ({"y_train": np.array([0.0, 1.0, 0.0, 1.0])}, "y_train.*integer"),
        ({"y_train": np.eye(4, 2, dtype=np.int32)}, "y_train.*integer"),
        ({"y_train": np.array([0, -1, 0, 1])}, "-1"),
        ({"y_train": np.array([1, 2, 1, 2])}, "no example of label 0"),
        ({"y_test": np.array([0, 2])}, "no example of label 2"),
        ({"y_test": np.zeros(0, np.int32)}, "empty"),
        ({"y_train": np.zeros(4, np.int32), "y_test": np.zeros(2, np.int32)}, "two classes"),
        ({"label_names": ("a",)}, "1 names"),
        ({"label_names": ("a", "a")}, "differ"),
    ],
)
def test_wrong_arrays_are_refused_in_one_line(changes, message):
    with pytest.raises(DataError, match=message) as caught:
        _checked(**changes)
    assert "\n" not in str(caught.value)


def test_sorted_labels_are_grouped():
    assert is_grouped_by_class(np.repeat([0, 1, 2], 10))


def test_a_random_order_is_not_grouped():
    assert not is_grouped_by_class(np.random.RandomState(0).randint(0, 3, 100))


def test_a_rare_class_in_a_random_order_is_not_grouped():
    labels = np.zeros(100, np.int32)
    labels[[20, 70]] = 1
    assert not is_grouped_by_class(labels)


def test_the_permutation_never_changes():
    assert fixed_permutation(5).tolist() == [2, 0, 1, 3, 4]
