"""Pictures in arrays: members of a `.npz` file, or `.npy` files in a folder."""

import json
import os
import pathlib
from typing import Any

import numpy as np

from enas_tf.data.archives import read_npz
from enas_tf.data.foreign import reading
from enas_tf.data.images.arrays import ImageArrays
from enas_tf.data.images.files import PictureSettings
from enas_tf.data.images.sources.listing import MEGABYTE
from enas_tf.data.names import check_label_names
from enas_tf.errors import DataError
from enas_tf.files.reading import check_regular
from enas_tf.settings.data import DataConfig

_REQUIRED = ("x_train", "y_train")
_OPTIONAL = ("x_test", "y_test", "x_validation", "y_validation")
_NAMES = "label_names"
# Text, JSON: what pictures were brought to before they were packed.
SETTINGS = "picture_settings"


def is_present(path: pathlib.Path) -> bool:
    """Whether a path names such a file or folder."""
    return path.suffix == ".npz" or os.path.isfile(path / f"{_REQUIRED[0]}.npy")


def load(path: pathlib.Path, config: DataConfig | None = None) -> ImageArrays:
    """Reads arrays; one called `label_names` of strings may name the classes.

    Pictures that are uint8 and not compressed are not read if they take more than
    `config.memory_limit`, but mapped.

    Args:
      path: a `.npz` file with x_train and y_train, perhaps x_test, y_test, x_validation and
        y_validation; or a folder with `x_train.npy` and so on.
      config: its limit counts. Default: `DataConfig()`.

    Raises:
      DataError: the file is missing or damaged, lacks an array, or holds Python objects.
    """
    limit = (config or DataConfig()).memory_limit * MEGABYTE
    if path.suffix == ".npz":
        arrays = read_npz(
            path, _REQUIRED, optional=(*_OPTIONAL, _NAMES, SETTINGS), mapped_above=limit
        )
    else:
        arrays = _read_folder(path, limit)
    for kind in ("test", "validation"):
        halves = [name for name in (f"x_{kind}", f"y_{kind}") if name not in arrays]
        if len(halves) == 1:
            raise DataError(f"{path} must hold both pictures and labels. Missing: {halves[0]}.")
    values: dict[str, Any] = dict(arrays)
    names = values.pop(_NAMES, None)
    label_names = None if names is None else check_label_names(_strings(path, names))
    settings = None if SETTINGS not in values else _settings(path, values.pop(SETTINGS))
    return ImageArrays(**values, label_names=label_names, settings=settings)


def _read_folder(path: pathlib.Path, limit: int) -> dict[str, Any]:
    arrays = {}
    for name in (*_REQUIRED, *_OPTIONAL, _NAMES):
        file = path / f"{name}.npy"
        if not os.path.exists(file):
            if name in _REQUIRED:
                raise DataError(f"{file} does not exist; check its spelling.")
            continue
        with reading(file, ".npy file of a plain array", "write it with `numpy.save`"):
            check_regular(file)
            array = np.load(file, mmap_mode="r", allow_pickle=False)
            arrays[name] = array if array.nbytes > limit else np.array(array)
    return arrays


def _settings(path: pathlib.Path, text: np.ndarray) -> PictureSettings:
    with reading(f"`{SETTINGS}` in {path}", "text of settings", "write it with enas-pack"):
        return PictureSettings.from_json(json.loads(str(text)))


def _strings(path: pathlib.Path, names: np.ndarray) -> list[str | bytes]:
    if names.ndim != 1 or names.dtype.kind not in "US":
        raise DataError(
            f"`{_NAMES}` in {path} must be an array of strings, shape [classes]. "
            f"Received: shape {names.shape}, dtype {names.dtype}."
        )
    return names.tolist()
