"""Pictures in a `.npz` file with the arrays x_train, y_train, x_test and y_test."""

import os
import pathlib
import zipfile
import zlib

import numpy as np

from enas_tf.data.arrays import ImageArrays
from enas_tf.errors import DataError

_REQUIRED = ("x_train", "y_train", "x_test", "y_test")


def load(path: pathlib.Path) -> ImageArrays:
    """Reads a `.npz` file; an array `label_names` of strings may name the classes.

    Raises:
      DataError: the file is missing or damaged, lacks an array, or holds Python objects.
    """
    try:
        file = np.load(path, allow_pickle=False)
        if not isinstance(file, np.lib.npyio.NpzFile):
            raise DataError(f"{path} is a single array; write it with `numpy.savez`.")
        with file:
            missing = [name for name in _REQUIRED if name not in file.files]
            if missing:
                raise DataError(
                    f"{path} must hold the arrays {', '.join(_REQUIRED)}. "
                    f"Missing: {', '.join(missing)}; found: {', '.join(file.files) or 'none'}."
                )
            x_train, y_train, x_test, y_test = (file[name] for name in _REQUIRED)
            names = file["label_names"] if "label_names" in file.files else None
    except FileNotFoundError as error:
        raise DataError(f"{path} does not exist; check the path given as `dataset`.") from error
    except (OSError, ValueError, EOFError, zipfile.BadZipFile, zlib.error) as error:
        # What NumPy says of such a file is advice to load it as a pickle.
        is_archive = not os.path.isfile(path) or zipfile.is_zipfile(path)
        why = " ".join(str(error).split()) if is_archive else "no zip archive, or cut off"
        raise DataError(
            f"{path} is not a readable .npz file of plain arrays ({why:.120}); write it with "
            "`numpy.savez`."
        ) from error
    label_names = None if names is None else _strings(path, names)
    return ImageArrays(x_train, y_train, x_test, y_test, label_names)


def _strings(path: pathlib.Path, names: np.ndarray) -> tuple[str, ...]:
    if names.ndim != 1 or names.dtype.kind not in "US":
        raise DataError(
            f"`label_names` in {path} must be an array of strings, shape [classes]. "
            f"Received: shape {names.shape}, dtype {names.dtype}."
        )
    return tuple(str(name) for name in names.astype(str))
