import io
import os
import pathlib
import pickle
import pickletools

import numpy as np
import pytest

from enas_tf.data.pickles import load_pickle
from enas_tf.errors import DataError


def _load(data):
    return load_pickle(data, "some.pkl")


class _Executes:
    """Asks the unpickler to call a function with arguments of its choice."""

    def __init__(self, function, *arguments):
        self._call = (function, arguments)

    def __reduce__(self):
        return self._call


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
@pytest.mark.parametrize(
    "array",
    [
        np.arange(6, dtype=np.uint8).reshape(2, 3),
        np.asfortranarray(np.arange(6.0).reshape(2, 3)),
        np.arange(3, dtype=">i4"),
        np.zeros((0, 3), np.int64),
        np.array([True, False]),
    ],
    ids=["bytes", "fortran order", "big endian", "empty", "bool"],
)
def test_arrays_come_back(array, protocol):
    result = _load(pickle.dumps({"data": array}, protocol))["data"]
    assert isinstance(result, np.ndarray)
    np.testing.assert_array_equal(result, array)


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_plain_values_come_back(protocol):
    value = {"list": [1, 2**70, -3], b"bytes": b"\x00\xff", "tuple": ("ü", None, True, 1.5, b"")}
    assert _load(pickle.dumps(value, protocol)) == value


def test_python_2_strings_come_back_as_bytes():
    # What Python 2 writes for {'labels': [6, 9], 'data': numpy.array([[1, 255]], 'uint8')}.
    data = (
        b"\x80\x02}q\x01(U\x06labelsq\x02]q\x03(K\x06K\teU\x04dataq\x04"
        b"cnumpy.core.multiarray\n_reconstruct\nq\x05cnumpy\nndarray\nq\x06K\x00\x85"
        b"U\x01b\x87Rq\x07(K\x01K\x01K\x02\x86cnumpy\ndtype\nq\x08U\x02u1K\x00K\x01\x87Rq\t"
        b"(K\x03U\x01|NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb\x89U\x02\x01\xfftbu."
    )
    result = _load(data)
    assert result[b"labels"] == [6, 9]
    np.testing.assert_array_equal(result[b"data"], np.array([[1, 255]], np.uint8))


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_a_pickle_that_executes_something_is_refused_and_does_not(tmp_path, protocol):
    path = tmp_path / "made"
    data = pickle.dumps({"data": _Executes(os.mkdir, str(path))}, protocol)
    with pytest.raises(DataError, match=r"mkdir.*refused"):
        _load(data)
    assert not path.exists()
    pickle.loads(data)
    assert path.exists()


@pytest.mark.parametrize(
    ("value", "name"),
    [
        (_Executes(eval, "1"), "eval"),
        (_Executes(getattr, 1, "real"), "getattr"),
        (pathlib.PurePosixPath("a"), "PurePosixPath"),
        (np.int64(3), "scalar"),
        (print, "print"),
        (np.array([object()]), "dtype 'O8'"),
        (np.array(["text"]), "dtype 'U4'"),
        (np.zeros(2, [("field", "i4")]), "dtype 'V4'"),
    ],
)
def test_what_is_refused_is_named_in_one_line(value, name):
    with pytest.raises(DataError, match=name) as caught:
        _load(pickle.dumps([value]))
    assert str(caught.value).startswith("some.pkl holds ")
    assert "\n" not in str(caught.value)


def test_attributes_of_the_stand_ins_cannot_be_set():
    # The stack: what stands for `_codecs.encode`, then ({}, {"_function": 1}) as its state.
    data = b"c_codecs\nencode\n(}}X\x09\x00\x00\x00_functionK\x01stb."
    pickletools.dis(data, out=io.StringIO())
    with pytest.raises(DataError, match="state"):
        _load(data)


def test_only_text_is_encoded():
    with pytest.raises(DataError, match="latin1"):
        _load(b"c_codecs\nencode\n(X\x01\x00\x00\x00aX\x04\x00\x00\x00zliltR.")


def test_an_array_shorter_than_its_shape_is_refused():
    data = pickle.dumps(np.arange(6, dtype=np.uint8), 2)
    longer = data.replace(b"(K\x01K\x06\x85", b"(K\x01K\x07\x85")
    assert longer != data
    with pytest.raises(DataError, match="7 bytes"):
        _load(longer)


def test_every_truncation_is_refused_in_one_line():
    data = pickle.dumps({"data": np.arange(6, dtype=np.uint8), "labels": [1, 2]}, 2)
    for length in range(len(data)):
        with pytest.raises(DataError) as caught:
            _load(data[:length])
        assert "\n" not in str(caught.value)


def test_text_is_no_pickle():
    with pytest.raises(DataError, match=r"some\.pkl is not a readable pickle"):
        _load(b"<html>not found</html>")
