"""Pictures in a `.npz` file with the arrays x_train, y_train, x_test and y_test."""

import pathlib

import numpy as np

from enas_tf.data.archives import read_npz
from enas_tf.data.images.arrays import ImageArrays
from enas_tf.data.names import check_label_names
from enas_tf.errors import DataError

_REQUIRED = ("x_train", "y_train", "x_test", "y_test")
_NAMES = "label_names"


def load(path: pathlib.Path) -> ImageArrays:
    """Reads a `.npz` file; an array `label_names` of strings may name the classes.

    Raises:
      DataError: the file is missing or damaged, lacks an array, or holds Python objects.
    """
    arrays = read_npz(path, _REQUIRED, optional=(_NAMES,))
    names = arrays.pop(_NAMES, None)
    label_names = None if names is None else check_label_names(_strings(path, names))
    return ImageArrays(**arrays, label_names=label_names)


def _strings(path: pathlib.Path, names: np.ndarray) -> list[str | bytes]:
    if names.ndim != 1 or names.dtype.kind not in "US":
        raise DataError(
            f"`{_NAMES}` in {path} must be an array of strings, shape [classes]. "
            f"Received: shape {names.shape}, dtype {names.dtype}."
        )
    return names.tolist()
