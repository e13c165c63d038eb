"""What tells data without a name from others; nothing here imports TensorFlow."""

import zlib
from collections.abc import Iterable

import numpy as np


def fingerprint(arrays: Iterable[np.ndarray], words: Iterable[str] = ()) -> str:
    """Returns eight characters that are the same for the same data only.

    They are part of the name of data that nobody gave a name to, so that a run is not gone on with
    on other data by mistake.

    Args:
      arrays: of numbers; shapes count too.
      words: names of classes, or words of a vocabulary.
    """
    checksum = 0
    for array in arrays:
        checksum = zlib.crc32(repr((array.shape, array.dtype.str)).encode(), checksum)
        checksum = zlib.crc32(np.ascontiguousarray(array).data, checksum)
    return f"{zlib.crc32(chr(10).join(words).encode(), checksum):08x}"
