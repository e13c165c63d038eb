"""Checks of labelled pictures that come as arrays, whatever their source."""

import dataclasses
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

from enas_tf.data.array_like import as_array
from enas_tf.data.names import check_label_names
from enas_tf.errors import DataError

# Seeds every order that loading draws, so that the same files always give the same split.
_ORDER_SEED = 0

# Pictures are looked through and converted so much at a time, lest large ones be copied as a whole.
_PIECE_BYTES = 2**24


@dataclasses.dataclass(frozen=True, eq=False)
class ImageArrays:
    """What a source of pictures hands over; not checked yet.

    Attributes:
      x_train: pictures of the training set, `[examples, height, width(, channels)]`.
      y_train: integer labels `[examples]`.
      x_test: pictures of the test set.
      y_test: integer labels of the test set.
      label_names: the name of each label, or None when the source has no names.
    """

    x_train: Any
    y_train: Any
    x_test: Any
    y_test: Any
    label_names: Any = None

    def checked(self) -> "CheckedArrays":
        """Returns the arrays in one form, with names for all labels.

        Raises:
          DataError: they are not labelled pictures of one size with at least two classes.
        """
        y_train = _checked_labels("y_train", self.y_train)
        y_test = _checked_labels("y_test", self.y_test)
        x_train = _checked_pictures("x_train", self.x_train, len(y_train))
        x_test = _checked_pictures("x_test", self.x_test, len(y_test))
        if x_train.shape[1:] != x_test.shape[1:]:
            raise DataError(
                "`x_train` and `x_test` must hold pictures of the same shape. "
                f"Received: {x_train.shape[1:]} and {x_test.shape[1:]}."
            )
        names = _checked_label_names(self.label_names, y_train, y_test)
        _check_finite("x_train", x_train)
        _check_finite("x_test", x_test)
        scale = _scale(x_train, x_test)
        return CheckedArrays(
            _to_bytes(x_train, scale), y_train, _to_bytes(x_test, scale), y_test, names
        )


class CheckedArrays(NamedTuple):
    """Arrays that fit each other.

    Attributes:
      x_train: uint8 `[examples, height, width, channels]`.
      y_train: int32 `[examples]`.
      x_test: uint8, pictures of the same shape.
      y_test: int32.
      label_names: the name of each class.
    """

    x_train: np.ndarray
    y_train: np.ndarray
    x_test: np.ndarray
    y_test: np.ndarray
    label_names: tuple[str, ...]


def fixed_permutation(num_examples: int) -> np.ndarray:
    """Returns the same random order of `num_examples` examples on every machine and every day."""
    # The legacy generator, because only its stream is promised never to change.
    return np.random.RandomState(_ORDER_SEED).permutation(num_examples)


def is_grouped_by_class(labels: np.ndarray) -> bool:
    """Whether neighbours share a class far more often than they would in a random order."""
    num_examples = len(labels)
    shares = np.bincount(labels) / num_examples
    expected_changes = num_examples * (1.0 - np.square(shares).sum())
    changes = np.count_nonzero(np.diff(labels))
    return bool(changes < 0.5 * expected_changes)


def _checked_labels(name: str, labels: Any) -> np.ndarray:
    labels = as_array(f"`{name}`", labels)
    if labels.ndim == 2 and labels.shape[1] == 1:
        labels = labels[:, 0]
    if labels.ndim != 1 or labels.dtype.kind not in "iu":
        raise DataError(
            f"`{name}` must hold one integer label per picture, shape [examples]. "
            f"Received: shape {labels.shape}, dtype {labels.dtype}."
        )
    if not labels.size:
        raise DataError(f"`{name}` is empty; at least one example is needed.")
    if labels.min() < 0 or labels.max() >= 2**31:
        wrong = labels.min() if labels.min() < 0 else labels.max()
        raise DataError(f"`{name}` must hold labels from 0 to classes - 1. Received: {wrong}.")
    return labels.astype(np.int32, copy=False)


def _checked_pictures(name: str, images: Any, num_labels: int) -> np.ndarray:
    images = as_array(f"`{name}`", images)
    if images.ndim == 3:
        images = images[..., np.newaxis]
    if images.ndim != 4 or 0 in images.shape[1:] or images.dtype.kind not in "iuf":
        raise DataError(
            f"`{name}` must hold pictures of numbers, shape [examples, height, width, channels] or "
            f"[examples, height, width]. Received: shape {images.shape}, dtype {images.dtype}."
        )
    if len(images) != num_labels:
        raise DataError(
            f"`{name}` and `{name.replace('x', 'y', 1)}` must have the same length. "
            f"Received: {len(images)} pictures and {num_labels} labels."
        )
    return images


def _checked_label_names(names: Any, y_train: np.ndarray, y_test: np.ndarray) -> tuple[str, ...]:
    highest = max(int(y_train.max()), int(y_test.max()))
    if names is None:
        counts = np.unique(y_train)
        if len(counts) != highest + 1:
            missing = np.flatnonzero(~np.isin(np.arange(len(counts) + 1), counts))[0]
            raise DataError(
                f"`y_train` must hold every label from 0 to {highest}, the highest one there is. "
                f"Received: no example of label {missing}; number the classes from 0, or give "
                "`label_names`."
            )
        names = [str(label) for label in range(highest + 1)]
    names = check_label_names(names)
    if highest >= len(names):
        raise DataError(
            f"`label_names` must name every label. Received: {len(names)} names, but label "
            f"{highest}."
        )
    if len(names) < 2:
        raise DataError("Classification needs at least two classes. Received: one.")
    return names


def _check_finite(name: str, images: np.ndarray) -> None:
    if images.dtype.kind != "f":
        return
    for start, piece in _pieces(images):
        finite = np.isfinite(piece)
        if not finite.all():
            index = start + int(np.argwhere(~finite)[0, 0])
            raise DataError(
                f"`{name}` must hold finite numbers. Received: {piece[~finite][0]} in the picture "
                f"with index {index}; mend or remove such pictures."
            )


def _scale(x_train: np.ndarray, x_test: np.ndarray) -> float:
    """Returns what pixels are multiplied by to reach the range 0 to 255."""
    if x_train.dtype == np.uint8 and x_test.dtype == np.uint8:
        return 1.0
    lowest = min(x_train.min(), x_test.min())
    highest = max(x_train.max(), x_test.max())
    if lowest < 0 or highest > 255:
        raise DataError(
            "Pixels must be integers from 0 to 255, or floats from 0 to 1 or from 0 to 255 (not "
            f"normalised). Received: values from {lowest} to {highest}."
        )
    both_floats = x_train.dtype.kind == "f" and x_test.dtype.kind == "f"
    if (x_train.dtype.kind == "f") != (x_test.dtype.kind == "f"):
        raise DataError(
            "`x_train` and `x_test` must be of the same dtype. "
            f"Received: {x_train.dtype} and {x_test.dtype}."
        )
    return 255.0 if both_floats and highest <= 1.0 else 1.0


def _to_bytes(images: np.ndarray, scale: float) -> np.ndarray:
    if images.dtype == np.uint8:
        return np.ascontiguousarray(images)
    result = np.empty(images.shape, np.uint8)
    for start, piece in _pieces(images):
        if piece.dtype.kind == "f":
            piece = np.rint(piece * np.asarray(scale, piece.dtype))
        result[start : start + len(piece)] = piece
    return result


def _pieces(images: np.ndarray) -> Iterator[tuple[int, np.ndarray]]:
    """Yields views of some pictures at a time, each with the index of its first one."""
    size = max(1, _PIECE_BYTES // images[0].nbytes)
    for start in range(0, len(images), size):
        yield start, images[start : start + size]
