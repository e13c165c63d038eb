"""Checks of labelled pictures that come as arrays, whatever their source."""

import dataclasses
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np

from enas_tf.data.array_like import as_array
from enas_tf.data.images.files import PictureSettings
from enas_tf.data.images.pictures import Pictures, mapped_file
from enas_tf.data.names import check_label_names
from enas_tf.errors import DataError

# Seeds every order that loading draws, so that the same files always give the same split.
_ORDER_SEED = 0

# Pictures are looked through and converted so much at a time, lest large ones be copied as a whole.
_PIECE_BYTES = 2**24
# Floats that end here are meant to end at 1, and were resized with overshoot, say.
_ALMOST_ONE = 2.0

PARTS = ("train", "validation", "test")


@dataclasses.dataclass(frozen=True, eq=False)
class ImageArrays:
    """What a source of pictures hands over; not checked yet.

    Attributes:
      x_train: pictures of the training set, `[examples, height, width(, channels)]`, or
        `Pictures`.
      y_train: labels `[examples]`: integers, names; or `[examples, classes]` with one 1 a row.
      x_test: pictures of the test set; None: it has none.
      y_test: labels of the test set.
      label_names: the name of each label, or None when the source has no names.
      x_validation: pictures of a validation set; None: it has none.
      y_validation: labels of the validation set.
      is_ordered: whether the order of the training set may mean something, so that the last
        examples are those that validate.
      settings: what files were brought to; None: the pictures were no files.
      fingerprint: tells files from others by names, sizes and times; None: there are none.
    """

    x_train: Any
    y_train: Any
    x_test: Any = None
    y_test: Any = None
    label_names: Any = None
    x_validation: Any = None
    y_validation: Any = None
    is_ordered: bool = True
    settings: PictureSettings | None = None
    fingerprint: str | None = None

    def checked(self) -> "CheckedArrays":
        """Returns the arrays in one form, with names for all labels.

        Raises:
          DataError: they are not labelled pictures of one size with at least two classes.
        """
        given = {part: labels for part in PARTS if (labels := self._of("y", part)) is not None}
        if "train" not in given or any(
            (self._of("x", part) is None) != (part not in given) for part in PARTS
        ):
            raise DataError("Every part needs pictures and labels, and there must be a `train`.")
        labels, names = check_labels(given, self.label_names)
        images = {
            part: _checked_pictures(f"x_{part}", self._of("x", part), len(labels[part]))
            for part in labels
        }
        for part, pictures in images.items():
            if pictures.shape[1:] != images["train"].shape[1:]:
                raise DataError(
                    f"`x_train` and `x_{part}` must hold pictures of the same shape. "
                    f"Received: {images['train'].shape[1:]} and {pictures.shape[1:]}."
                )
            _check_finite(f"x_{part}", pictures)
        scale = _scale(images)
        x = {part: _to_bytes(pictures, scale) for part, pictures in images.items()}
        return CheckedArrays(
            x["train"],
            labels["train"],
            x.get("test"),
            labels.get("test"),
            names,
            x.get("validation"),
            labels.get("validation"),
            self.is_ordered,
            self.settings,
            self.fingerprint,
        )

    def _of(self, kind: str, part: str) -> Any:
        return getattr(self, f"{kind}_{part}")


class CheckedArrays(NamedTuple):
    """Arrays that fit each other; see `ImageArrays`.

    Attributes:
      x_train: uint8 `[examples, height, width, channels]`, or `Pictures`.
      y_train: int32 `[examples]`.
      x_test: pictures of the same shape, or None.
      y_test: int32, or None.
      label_names: the name of each class.
      x_validation: pictures of the same shape, or None.
      y_validation: int32, or None.
      is_ordered: as in `ImageArrays`.
      settings: as in `ImageArrays`.
      fingerprint: as in `ImageArrays`.
    """

    x_train: Any
    y_train: np.ndarray
    x_test: Any
    y_test: np.ndarray | None
    label_names: tuple[str, ...]
    x_validation: Any
    y_validation: np.ndarray | None
    is_ordered: bool
    settings: PictureSettings | None
    fingerprint: str | None


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


def stratified(labels: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Divides examples so that both parts have about the same shares of the classes.

    Which examples of a class go where is random, and the same every time. Of each class at least
    one example stays in the first part.

    Args:
      labels: int32 `[examples]`.
      count: examples of the second part, as far as the classes allow.

    Returns:
      The indices of both parts, int64, each in the order of the examples.
    """
    sizes = np.bincount(labels)
    exact = sizes * (count / len(labels))
    counts = np.floor(exact).astype(int)
    # What is left over goes to the classes that came off worst.
    for label in np.argsort(counts - exact, kind="stable")[: count - counts.sum()]:
        counts[label] += 1
    counts = np.minimum(counts, np.maximum(sizes - 1, 0))
    order = fixed_permutation(len(labels))
    grouped = order[np.argsort(labels[order], kind="stable")]
    places = np.arange(len(labels)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    is_second = np.zeros(len(labels), bool)
    is_second[grouped] = places < counts[labels[grouped]]
    return np.flatnonzero(~is_second), np.flatnonzero(is_second)


def check_labels(
    parts: Mapping[str, Any], label_names: Any = None
) -> tuple[dict[str, np.ndarray], tuple[str, ...]]:
    """Returns the labels of every part as integers, and the names of the classes.

    Args:
      parts: labels by the name of the part, among them `train`.
      label_names: the name of each class, None if there are no names.

    Raises:
      DataError: they are no labels of at least two classes.
    """
    labels, num_classes = {}, 0
    given = None if label_names is None else check_label_names(label_names)
    arrays = {part: as_array(f"`y_{part}`", values) for part, values in parts.items()}
    if all(_is_text(values) for values in arrays.values()):
        texts = {part: check_texts(f"`y_{part}`", values) for part, values in arrays.items()}
        given = given or check_label_names(sorted(set(texts["train"])))
        numbers = {name: number for number, name in enumerate(given)}
        for part, names in texts.items():
            unknown = sorted(set(names) - set(numbers))
            if unknown:
                known = "`y_train`" if label_names is None else "`label_names`"
                raise DataError(
                    f"`y_{part}` must hold names of classes that {known} has, too. "
                    f"Received: {', '.join(map(repr, unknown)):.200}."
                )
            arrays[part] = np.array([numbers[name] for name in names], np.int32)
    for part, values in arrays.items():
        if values.ndim == 2 and values.shape[1] > 1 and is_one_hot(values):
            num_classes = max(num_classes, values.shape[1])
            values = values.argmax(axis=1)
        labels[part] = _checked_labels(f"y_{part}", values)
    return labels, _checked_label_names(given, labels, num_classes)


def is_one_hot(values: np.ndarray) -> bool:
    """Whether every row of numbers `[examples, classes]` has one 1 and else 0."""
    if not values.size or values.dtype.kind not in "biuf":
        return False
    return bool(np.all((values == 0) | (values == 1)) and np.all((values == 1).sum(axis=1) == 1))


def check_texts(what: str, values: np.ndarray) -> list[str]:
    """Returns the labels of examples that are names."""
    if values.ndim == 2 and values.shape[1] == 1:
        values = values[:, 0]
    if values.ndim != 1 or not values.size:
        raise DataError(
            f"{what} must hold one label per picture, shape [examples]. "
            f"Received: shape {values.shape}."
        )
    return [
        value.decode("utf-8", "surrogateescape") if isinstance(value, bytes) else str(value)
        for value in values.tolist()
    ]


def _is_text(values: np.ndarray) -> bool:
    if values.dtype.kind == "O":
        return bool(values.size) and all(isinstance(value, str | bytes) for value in values.flat)
    return values.dtype.kind in "US"


def _checked_labels(name: str, labels: Any) -> np.ndarray:
    labels = as_array(f"`{name}`", labels)
    if labels.ndim == 2 and labels.shape[1] == 1:
        labels = labels[:, 0]
    if labels.ndim != 1 or labels.dtype.kind not in "iu":
        raise DataError(
            f"`{name}` must hold one integer label per picture, shape [examples], or names, or a 1 "
            "in the column of the class and else 0. "
            f"Received: shape {labels.shape}, dtype {labels.dtype}."
        )
    if not labels.size:
        raise DataError(f"`{name}` is empty; at least one example is needed.")
    if labels.min() < 0 or labels.max() >= 2**31:
        wrong = labels.min() if labels.min() < 0 else labels.max()
        raise DataError(f"`{name}` must hold labels from 0 to classes - 1. Received: {wrong}.")
    return labels.astype(np.int32, copy=False)


def _checked_pictures(name: str, images: Any, num_labels: int) -> Any:
    if not isinstance(images, Pictures):
        images = as_array(f"`{name}`", images)
    if len(images.shape) == 3:
        images = images[..., np.newaxis]
    if len(images.shape) != 4 or 0 in images.shape[1:] or images.dtype.kind not in "iuf":
        raise DataError(
            f"`{name}` must hold pictures of numbers, shape [examples, height, width, channels] or "
            f"[examples, height, width]. Received: shape {images.shape}, dtype {images.dtype}."
        )
    if len(images) != num_labels:
        raise DataError(
            f"`{name}` and `{name.replace('x', 'y', 1)}` must have the same length. "
            f"Received: {len(images)} pictures and {num_labels} labels."
        )
    height, width, channels = images.shape[1:]
    if height in (1, 3, 4) and width > 4 and channels > 4:
        raise DataError(
            f"`{name}` must have channels as its last axis, [examples, height, width, channels]. "
            f"Received: shape {images.shape}, {height} rows and {channels} channels; use "
            f"numpy.moveaxis({name}, 1, -1)."
        )
    return images


def _checked_label_names(
    names: tuple[str, ...] | None, labels: Mapping[str, np.ndarray], num_classes: int
) -> tuple[str, ...]:
    highest = max(int(values.max()) for values in labels.values())
    if names is None:
        counts = np.unique(labels["train"])
        if not num_classes and len(counts) != highest + 1:
            missing = np.flatnonzero(~np.isin(np.arange(len(counts) + 1), counts))[0]
            raise DataError(
                f"`y_train` must hold every label from 0 to {highest}, the highest one there is. "
                f"Received: no example of label {missing}; number the classes from 0, or give "
                "`label_names`."
            )
        names = tuple(str(label) for label in range(max(highest + 1, num_classes)))
    if highest >= len(names):
        raise DataError(
            f"`label_names` must name every label. Received: {len(names)} names, but label "
            f"{highest}."
        )
    if len(names) < 2:
        raise DataError("Classification needs at least two classes. Received: one.")
    return names


def _check_finite(name: str, images: Any) -> None:
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


def _scale(images: Mapping[str, Any]) -> float:
    """Returns what pixels are multiplied by to reach the range 0 to 255."""
    if all(pictures.dtype == np.uint8 for pictures in images.values()):
        return 1.0
    kinds = {part: pictures.dtype.kind == "f" for part, pictures in images.items()}
    for part, pictures in images.items():
        if kinds[part] != kinds["train"]:
            raise DataError(
                f"`x_train` and `x_{part}` must be of the same dtype. "
                f"Received: {images['train'].dtype} and {pictures.dtype}."
            )
    ranges = {part: (float(x.min()), float(x.max())) for part, x in images.items()}
    lowest = min(low for low, _ in ranges.values())
    highest = max(high for _, high in ranges.values())
    if lowest < 0 or highest > 255:
        raise DataError(
            "Pixels must be integers from 0 to 255, or floats from 0 to 1 or from 0 to 255 (not "
            f"normalised). Received: values from {lowest:g} to {highest:g}."
        )
    if not kinds["train"] or highest <= 1.0:
        return 255.0 if kinds["train"] else 1.0
    small = [part for part, (_, high) in ranges.items() if 0.0 < high <= 1.0]
    if highest <= _ALMOST_ONE or small:
        told = ", ".join(
            f"`x_{part}` from {low:g} to {high:g}" for part, (low, high) in ranges.items()
        )
        raise DataError(
            "Floats must be from 0 to 1 in all parts, or from 0 to 255 in all. "
            f"Received: {told}; divide all by 255 or none, or use numpy.clip(x, 0, 1)."
        )
    return 1.0


def _to_bytes(images: Any, scale: float) -> Any:
    if isinstance(images, Pictures) or (mapped_file(images) and images.dtype == np.uint8):
        return images
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
