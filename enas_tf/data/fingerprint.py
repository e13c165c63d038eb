"""Names of data that nobody gave a name to; nothing here imports TensorFlow."""

import zlib
from collections.abc import Iterable

import numpy as np

from enas_tf.data.names import check_name


def own_name(
    name: str | None, kind: str, arrays: Iterable[np.ndarray], words: Iterable[str]
) -> str:
    """Returns the name that a dataset from memory has in a run directory.

    A name of ours ends in eight characters that are the same for the same data only, so that a run
    is not gone on with on other data by mistake.

    Args:
      name: that the caller gave. None: one is made.
      kind: begins a name that is made.
      arrays: of numbers; shapes count too.
      words: names of classes, or words of a vocabulary.

    Raises:
      DataError: the name cannot be written.
    """
    if name is not None:
        return check_name("`name`", name)
    checksum = 0
    for array in arrays:
        checksum = zlib.crc32(repr((array.shape, array.dtype.str)).encode(), checksum)
        checksum = zlib.crc32(np.ascontiguousarray(array).data, checksum)
    return f"{kind}_{zlib.crc32(chr(10).join(words).encode(), checksum):08x}"
