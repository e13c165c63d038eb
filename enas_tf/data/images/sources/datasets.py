"""Labelled pictures out of `tf.data` datasets, or out of anything that is iterated over like one.

TensorFlow is not imported: whoever has such a dataset has done so.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from enas_tf.data.array_like import as_array
from enas_tf.data.images.arrays import ImageArrays, is_one_hot
from enas_tf.data.names import check_label_names
from enas_tf.errors import DataError

# What tf.data answers of a dataset that repeats for ever.
_ENDLESS = -1
_KEYS = ("image", "label")
_CHANNELS = (1, 3, 4)


def load(
    train: Any,
    test: Any = None,
    label_names: Sequence[str] | None = None,
    validation: Any = None,
) -> ImageArrays:
    """Reads all examples of some datasets.

    Args:
      train: yields pairs of a picture and its label, or dictionaries with `image` and `label`, one
        example or one batch at a time.
      test: likewise; None: there is none.
      label_names: the name of each class. Default: `train.class_names`, as Keras's
        `image_dataset_from_directory` sets it, if there is such an attribute.
      validation: as `test`.

    Raises:
      DataError: they hold something else, have no end, or no example.
    """
    names = getattr(train, "class_names", None) if label_names is None else label_names
    label_names = None if names is None else check_label_names(names)
    x_train, y_train = read("train", train)
    x_test, y_test = (None, None) if test is None else read("test", test)
    own = (None, None) if validation is None else read("validation", validation)
    return ImageArrays(x_train, y_train, x_test, y_test, label_names, *own)


def read(name: str, dataset: Any) -> tuple[np.ndarray, np.ndarray]:
    """Reads all pictures and labels of one dataset.

    Args:
      name: of the dataset in the message of an error.
      dataset: as for `load`.

    Raises:
      DataError: as for `load`.
    """
    images: list[np.ndarray] = []
    labels: list[np.ndarray] = []
    for element in _elements(name, dataset):
        image, label = _pair(name, element)
        if not label.ndim or _is_one_picture(image, label):
            image, label = image[np.newaxis], label[np.newaxis]
        if not image.ndim or len(image) != len(label):
            raise DataError(
                f"`{name}` must yield a picture with its integer label, or a batch of both. "
                f"Received: pictures of shape {image.shape} and labels of shape {label.shape}."
            )
        if images and image.shape[1:] != images[0].shape[1:]:
            raise DataError(
                f"`{name}` must yield pictures of one size; resize them. Received: shapes "
                f"{images[0].shape[1:]} and {image.shape[1:]}."
            )
        images.append(image)
        labels.append(label)
    if not images:
        raise DataError(f"`{name}` yields nothing; at least one example is needed.")
    return np.concatenate(images), np.concatenate(labels)


def _is_one_picture(image: np.ndarray, label: np.ndarray) -> bool:
    """Whether a vector is the label of one picture, a 1 among zeros, and not a batch of labels.

    A batch of pictures with two axes each has three axes, too; but then the last one is a width.
    """
    return (
        image.ndim in (2, 3)
        and label.ndim == 1
        and len(label) > 1
        and (
            is_one_hot(label[np.newaxis])
            and (len(image) != len(label) or (image.ndim == 3 and image.shape[2] in _CHANNELS))
        )
    )


def _elements(name: str, dataset: Any) -> Iterator[Any]:
    if hasattr(dataset, "cardinality") and int(dataset.cardinality()) == _ENDLESS:
        raise DataError(f"`{name}` has no end; give the dataset without `repeat()`.")
    if hasattr(dataset, "as_numpy_iterator"):
        return dataset.as_numpy_iterator()
    try:
        return iter(dataset)
    except TypeError as error:
        raise DataError(
            f"`{name}` must be a tf.data.Dataset, or something else that yields pictures with "
            f"labels. Received: {type(dataset).__name__}."
        ) from error


def _pair(name: str, element: Any) -> tuple[np.ndarray, np.ndarray]:
    if isinstance(element, Mapping) and all(key in element for key in _KEYS):
        element = tuple(element[key] for key in _KEYS)
    if isinstance(element, tuple | list) and len(element) == 2:
        image, label = element
        return as_array(f"A picture of `{name}`", image), as_array(f"A label of `{name}`", label)
    if isinstance(element, Mapping):
        what = f"a dictionary of {', '.join(map(repr, element)) or 'nothing'}"
    elif isinstance(element, tuple | list):
        what = f"{len(element)} things"
    else:
        what = type(element).__name__
    raise DataError(
        f"`{name}` must yield pairs (picture, label), or dictionaries with 'image' and 'label'. "
        f"Received: {what:.200}."
    )
