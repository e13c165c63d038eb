"""Which examples train, which validate and which test; nothing here imports TensorFlow."""

import logging
from typing import Any, NamedTuple

import numpy as np

from enas_tf.data.images.arrays import (
    CheckedArrays,
    fixed_permutation,
    is_grouped_by_class,
    stratified,
)
from enas_tf.data.images.pictures import joined, take
from enas_tf.errors import ConfigurationError, DataError
from enas_tf.settings.data import DataConfig

_TEST_SHARE = 0.2

_log = logging.getLogger(__name__)


class Division(NamedTuple):
    """The examples as `ImageData` has them.

    Attributes:
      x_train: pictures that train, and after them those that validate.
      y_train: their labels.
      x_test: pictures of the test part.
      y_test: their labels.
      validation_size: how many validate.
      split: what they are, as in `DataConfig`.
    """

    x_train: Any
    y_train: np.ndarray
    x_test: Any
    y_test: np.ndarray
    validation_size: int
    split: str


def divided(arrays: CheckedArrays, name: str, config: DataConfig) -> Division:
    """Divides examples as the settings ask for; the same examples always in the same way.

    Args:
      arrays: the examples, in the parts that they come in.
      name: of the dataset, for what is said aloud.
      config: the settings.

    Raises:
      DataError: there are too few examples.
      ConfigurationError: a setting is for data with other parts.
    """
    x_train, y_train, is_ordered = arrays.x_train, arrays.y_train, arrays.is_ordered
    x_test, y_test = arrays.x_test, arrays.y_test
    order = np.arange(len(y_train))
    if y_test is None:
        share = config.test_split or _TEST_SHARE
        order, chosen = stratified(y_train, max(1, round(share * len(y_train))))
        x_test, y_test = take(x_train, chosen), y_train[chosen]
        if config.test_split is None:
            _log.warning(
                "%s has no test part: %d of its %d examples, an even share of each class, become "
                "one (--test_split).",
                name,
                len(chosen),
                len(y_train),
            )
    elif config.test_split is not None:
        raise ConfigurationError(
            f"`test_split` is for data without a test part, and {name} has one. "
            f"Received: test_split={config.test_split}."
        )
    if is_grouped_by_class(y_train[order]):
        order, is_ordered = order[fixed_permutation(len(order))], False
    order = order[: config.max_train_examples]
    split = config.split or _split(arrays, is_ordered)
    if split == "own" and arrays.y_validation is None:
        raise ConfigurationError(
            f"`split` can be own only where there is a validation part, and {name} has none. "
            f"Received: split={split}."
        )
    if split == "own":
        if config.validation_size is not None:
            raise ConfigurationError(
                f"`validation_size` is for data without a validation part, and {name} has one. "
                f"Received: validation_size={config.validation_size}; give --split=stratified to "
                "leave that part out."
            )
        x_train = joined(take(x_train, order), arrays.x_validation)
        y_train = np.concatenate([y_train[order], arrays.y_validation])
        size = len(y_train) - len(order)
    else:
        size = _validation_size(config, len(order))
        if split == "stratified":
            kept, chosen = stratified(y_train[order], size)
            order, size = order[np.concatenate([kept, chosen])], len(chosen)
        x_train, y_train = take(x_train, order), y_train[order]
    if config.max_train_examples is None:
        _warn_of_single_examples(arrays, y_train[: len(y_train) - size], name)
    return Division(x_train, y_train, x_test, y_test, size, split)


def _split(arrays: CheckedArrays, is_ordered: bool) -> str:
    if arrays.y_validation is not None:
        return "own"
    return "last" if is_ordered else "stratified"


def _validation_size(config: DataConfig, num_examples: int) -> int:
    size = config.validation_size
    if size is None:
        size = max(1, num_examples // 10)
    if size >= num_examples:
        raise DataError(
            f"`validation_size` must leave examples to train on: less than {num_examples}, the "
            f"size of the training set. Received: validation_size={size}."
        )
    return size


def _warn_of_single_examples(arrays: CheckedArrays, labels: np.ndarray, name: str) -> None:
    counts = np.bincount(labels, minlength=len(arrays.label_names))
    few = [arrays.label_names[label] for label in np.flatnonzero(counts < 2)]
    if few:
        _log.warning(
            "%s has at most one training example of %s; little can be learnt of that.",
            name,
            f"{', '.join(map(repr, few)):.200}",
        )
