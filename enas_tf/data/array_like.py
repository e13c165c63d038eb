"""What callers give as arrays."""

from typing import Any

import numpy as np

from enas_tf.errors import DataError


def as_array(what: str, value: Any) -> np.ndarray:
    """Returns an array, without a copy if it is one already.

    Args:
      what: names the value in the message of an error.
      value: an array, or what NumPy makes one of.

    Raises:
      DataError: it is ragged, contains itself, has masked entries, or is no array at all.
    """
    if np.ma.is_masked(value):
        raise DataError(f"{what} must be an array without masked entries; fill or remove them.")
    try:
        return np.asarray(value)
    # Values of other libraries convert themselves, and fail in their own ways.
    except Exception as error:
        why = " ".join(str(error).split()) or type(error).__name__
        raise DataError(
            f"{what} must be an array of numbers, all rows of one length. "
            f"Received: {type(value).__name__} ({why:.120})."
        ) from error
