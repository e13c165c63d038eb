import numpy as np
import pytest

from enas_tf.data.images.sources import npz
from enas_tf.errors import DataError


def _arrays():
    return {
        "x_train": np.arange(4 * 6, dtype=np.uint8).reshape(4, 2, 3),
        "y_train": np.array([0, 1, 0, 1]),
        "x_test": np.zeros((2, 2, 3), np.uint8),
        "y_test": np.array([0, 1]),
    }


def _write(tmp_path, **arrays):
    path = tmp_path / "data.npz"
    np.savez_compressed(path, **arrays)
    return path


def _assert_refused(path, message):
    with pytest.raises(DataError, match=message) as caught:
        npz.load(path)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_the_arrays_come_back(tmp_path):
    arrays = npz.load(_write(tmp_path, **_arrays()))
    for name, value in _arrays().items():
        np.testing.assert_array_equal(getattr(arrays, name), value)
    assert arrays.label_names is None


@pytest.mark.parametrize("dtype", ["U", "S"])
def test_label_names_come_back_as_strings(tmp_path, dtype):
    names = np.array(["cat", "dog"], dtype)
    arrays = npz.load(_write(tmp_path, **_arrays(), label_names=names))
    assert arrays.label_names == ("cat", "dog")


def test_label_names_in_utf_8_come_back(tmp_path):
    names = np.array(["käfer".encode(), b"dog"])
    assert npz.load(_write(tmp_path, **_arrays(), label_names=names)).label_names[0] == "käfer"


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (np.array([b"\xff", b"dog"]), r"label_names\[0\].*UTF-8"),
        (np.array(["cat\n", "dog"]), r"label_names\[0\].*UTF-8"),
        (np.array(["cat", "\ud800"]), r"label_names\[1\].*UTF-8"),
    ],
)
def test_names_that_cannot_be_written_are_refused(tmp_path, names, message):
    with pytest.raises(DataError, match=message):
        npz.load(_write(tmp_path, **_arrays(), label_names=names))


def test_a_missing_array_is_named(tmp_path):
    arrays = _arrays()
    del arrays["y_test"]
    _assert_refused(
        _write(tmp_path, **arrays, labels=1), "both pictures and labels. Missing: y_test"
    )
    del arrays["x_train"]
    _assert_refused(_write(tmp_path, **arrays, labels=1), "Missing: x_train; found: .*labels")


def test_label_names_must_be_strings(tmp_path):
    _assert_refused(_write(tmp_path, **_arrays(), label_names=np.arange(2)), "array of strings")


def test_python_objects_are_refused(tmp_path):
    arrays = {**_arrays(), "x_train": np.array([object()])}
    _assert_refused(_write(tmp_path, **arrays), "plain arrays")


def test_a_truncated_file_is_refused(tmp_path):
    path = _write(tmp_path, **_arrays())
    path.write_bytes(path.read_bytes()[:-100])
    _assert_refused(path, "not a readable")


def test_damaged_contents_are_refused(tmp_path):
    path = _write(tmp_path, **{**_arrays(), "x_train": np.arange(9999).reshape(1, 99, 101)})
    data = bytearray(path.read_bytes())
    data[1000:1100] = bytes(100)
    path.write_bytes(data)
    _assert_refused(path, "not a readable")


def test_text_is_refused(tmp_path):
    path = tmp_path / "data.npz"
    path.write_text("hello")
    _assert_refused(path, "not a readable")


def test_an_empty_file_is_refused(tmp_path):
    path = tmp_path / "data.npz"
    path.touch()
    _assert_refused(path, "not a readable")


def test_a_single_array_is_refused(tmp_path):
    path = tmp_path / "data.npz"
    with path.open("wb") as file:
        np.save(file, np.zeros(3))
    _assert_refused(path, "single array")


def test_a_folder_is_refused(tmp_path):
    path = tmp_path / "data.npz"
    path.mkdir()
    _assert_refused(path, "not a readable")
