"""Reads pickled data without running anything that the file asks for.

A pickle is a program: the ordinary unpickler imports and calls whatever the file names. This one
knows the few names that arrays need, gives each a stand-in of its own, and refuses all others, so
that nothing outside this module is ever called with values from the file.
"""

import codecs
import io
import math
import pickle
from collections.abc import Callable
from typing import Any

import numpy as np

from enas_tf.data.foreign import reading
from enas_tf.data.pickle_limits import check_pickle
from enas_tf.errors import DataError

_NUMBER_KINDS = frozenset("biuf")
_ADMITTED = "only NumPy arrays of numbers, str, bytes, int, list and dict are read from pickles"


def load_pickle(data: bytes, name: str) -> Any:
    """Returns what a pickle of plain data holds.

    Admitted are NumPy arrays of numbers, str, bytes, int (and float, bool, None), list, tuple and
    dict. Strings written by Python 2 come back as bytes.

    Args:
      data: the pickle, of any protocol up to 5, of Python 2 or 3.
      name: names the file in the message of an error.

    Raises:
      DataError: the pickle is damaged, nested too deeply, or holds anything else.
    """
    with reading(name, "pickle", "fetch or copy the file again"):
        check_pickle(data)
        try:
            return _PlainDataUnpickler(io.BytesIO(data), encoding="bytes").load()
        except _RefusedError as error:
            raise DataError(f"{name} holds {error}, which is refused: {_ADMITTED}.") from None


class _RefusedError(Exception):
    """The pickle asks for something that is not plain data."""


class _PlainDataUnpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        stand_in = _STAND_INS.get((module, name))
        if stand_in is None:
            raise _RefusedError(f"{f'{module}.{name}'!r:.100}")
        # One of its own for every use, so that nothing done to it outlives the file.
        return _Callable(stand_in)


class _Callable:
    """Lets the unpickler call a function, and nothing else: its attributes cannot be set."""

    __slots__ = ("_function",)

    def __init__(self, function: Callable[..., Any]):
        self._function = function

    def __call__(self, *args: Any) -> Any:
        return self._function(*args)

    def __setstate__(self, state: Any) -> None:
        raise pickle.UnpicklingError("a function cannot be given a state")


class _Dtype:
    """Stands for `numpy.dtype`, and admits numbers only."""

    __slots__ = ("_byte_order", "_code")

    def __init__(self, code: Any, align: Any = False, copy: Any = True):
        del align, copy
        self._code = _text(code)
        self._byte_order = "="
        self.resolve()

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        byte_order = _text(state[1])
        if byte_order not in ("<", ">", "=", "|"):
            raise pickle.UnpicklingError(f"unknown byte order {byte_order!r}")
        self._byte_order = byte_order

    def resolve(self) -> np.dtype:
        # Only letters and digits, so that NumPy's own little language of dtypes stays out.
        if self._code[:1] not in _NUMBER_KINDS or not self._code[1:].isdigit():
            raise _RefusedError(f"an array of dtype {self._code!r:.40}")
        return np.dtype(self._byte_order + self._code)


class _Array(np.ndarray):
    """An array that the unpickler fills; its state is checked before NumPy sees it."""

    def __setstate__(self, state: Any) -> None:
        _, shape, dtype, is_fortran_ordered, data = state
        data = data.encode("latin1") if isinstance(data, str) else data
        _check_array(shape, dtype, data)
        checked: Any = (1, shape, dtype.resolve(), bool(is_fortran_ordered), data)
        super().__setstate__(checked)


def _check_array(shape: Any, dtype: Any, data: Any) -> None:
    if not isinstance(dtype, _Dtype):
        raise pickle.UnpicklingError("an array has no valid dtype")
    is_shape = isinstance(shape, tuple) and all(
        type(size) is int and 0 <= size < 2**63 for size in shape
    )
    if not is_shape or len(shape) > 32:
        raise pickle.UnpicklingError("an array has no valid shape")
    expected = math.prod(shape) * dtype.resolve().itemsize
    if not isinstance(data, (bytes, bytearray)) or len(data) != expected:
        raise pickle.UnpicklingError(f"an array of shape {shape} does not hold {expected} bytes")


def _reconstruct(*unused: Any) -> _Array:
    """Stands for what makes the empty array that `__setstate__` fills."""
    return np.empty(0, np.uint8).view(_Array)


def _from_buffer(data: Any, dtype: Any, shape: Any, order: Any) -> _Array:
    """Stands for what makes an array under protocol 5."""
    array = _reconstruct()
    array.__setstate__((1, shape, dtype, _text(order) == "F", bytes(memoryview(data))))
    return array


def _encode(text: Any, encoding: Any) -> bytes:
    """Stands for `codecs.encode`, with which Python 3 writes bytes under protocols 0 to 2."""
    if not isinstance(text, str) or _text(encoding) != "latin1":
        raise pickle.UnpicklingError("only text in latin1 is encoded")
    return codecs.encode(text, "latin1")


def _empty_bytes() -> bytes:
    """Stands for `bytes`, which Python 3 calls for empty bytes under protocols 0 to 2."""
    return b""


def _array_class(*unused: Any) -> None:
    """Stands for `numpy.ndarray`, which is named in pickles, and never called."""
    raise pickle.UnpicklingError("numpy.ndarray is not called")


def _text(value: Any) -> str:
    """Returns a string that Python 2 may have written as bytes."""
    if isinstance(value, bytes):
        value = value.decode("ascii")
    if not isinstance(value, str):
        raise pickle.UnpicklingError(f"expected a string, found {type(value).__name__}")
    return value


_STAND_INS: dict[tuple[str, str], Callable[..., Any]] = {
    ("__builtin__", "bytes"): _empty_bytes,
    ("_codecs", "encode"): _encode,
    ("numpy", "ndarray"): _array_class,
    ("numpy", "dtype"): _Dtype,
    ("numpy.core.multiarray", "_reconstruct"): _reconstruct,
    ("numpy._core.multiarray", "_reconstruct"): _reconstruct,
    ("numpy.core.numeric", "_frombuffer"): _from_buffer,
    ("numpy._core.numeric", "_frombuffer"): _from_buffer,
}
