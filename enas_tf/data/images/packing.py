"""Writing a dataset of pictures once, so that any picture of it can be had without decoding."""

import json
import pathlib
import zipfile
from collections.abc import Callable

import numpy as np

from enas_tf.data.images.arrays import CheckedArrays
from enas_tf.data.images.pictures import as_pictures
from enas_tf.data.images.sources.npz import SETTINGS
from enas_tf.errors import DataError
from enas_tf.files.places import shown
from enas_tf.files.replacing import replacing
from enas_tf.files.writing import reason

_PARTS = ("train", "validation", "test")


def part_sizes(arrays: CheckedArrays) -> dict[str, int]:
    """Returns the number of pictures of each part that there is."""
    labels = {part: getattr(arrays, f"y_{part}") for part in _PARTS}
    return {part: len(values) for part, values in labels.items() if values is not None}


def pack(
    arrays: CheckedArrays, path: pathlib.Path, on_piece: Callable[[int], None] = lambda _: None
) -> None:
    """Writes pictures and labels to a `.npz` file that is not compressed, whole or not at all.

    Only some pictures are in memory at a time. `load_images` maps the file if it is large.

    Args:
      arrays: the dataset.
      path: of the file.
      on_piece: called with the number of pictures that were written since the last time.

    Raises:
      DataError: a picture cannot be read, or the file not be written.
    """
    try:
        with replacing(path) as temporary, zipfile.ZipFile(temporary, "w") as archive:
            for part in part_sizes(arrays):
                _write(archive, f"y_{part}", getattr(arrays, f"y_{part}"))
                pictures = as_pictures(getattr(arrays, f"x_{part}"))
                with archive.open(f"x_{part}.npy", "w", force_zip64=True) as member:
                    header = {"descr": "|u1", "fortran_order": False, "shape": pictures.shape}
                    np.lib.format.write_array_header_1_0(member, header)
                    for piece in pictures.pieces():
                        member.write(np.ascontiguousarray(piece).data)
                        on_piece(len(piece))
            _write(archive, "label_names", np.array(arrays.label_names))
            if arrays.settings is not None:
                settings = json.dumps(arrays.settings.to_json())
                _write(archive, SETTINGS, np.array(settings))
    except OSError as error:
        raise DataError(f"Cannot write {shown(path)}: {reason(error)}.") from error


def _write(archive: zipfile.ZipFile, name: str, array: np.ndarray) -> None:
    with archive.open(f"{name}.npy", "w") as member:
        np.lib.format.write_array(member, array, allow_pickle=False)
