"""Which class or word of a model each one of a dataset is; nothing here imports TensorFlow."""

import logging
from collections.abc import Sequence

import numpy as np

from enas_tf.errors import DataError

_log = logging.getLogger(__name__)
_MOST_LISTED = 10


def match(
    known: Sequence[str] | None, count: int, names: Sequence[str], *, kind: str, dataset: str
) -> np.ndarray:
    """Returns which class (or word) of a model each one of a dataset is.

    They are the same if their names are, in whatever order. Numbers in the place of names, as
    classes without names have them, tell nothing about what they stand for; then the order is
    taken, if both have as many, and a warning says so.

    Args:
      known: the names that the model knows, in its order; None: it knows none.
      count: how many classes the model has.
      names: of the dataset's classes, in its order; all differ.
      kind: what they are, `classes` or `words`.
      dataset: its name.

    Returns:
      Int32 `[classes]`: for each class of the dataset the number that it has in the model.

    Raises:
      DataError: they are not the same; those that only one of both has are listed.
    """
    unchecked = _reason_not_to_compare(known, names, dataset)
    differences = "" if unchecked else _differences(known or (), names)
    if differences or len(names) != count:
        raise DataError(
            f"The model knows {count:,} {kind}, the dataset {dataset} has {len(names):,}, and they "
            f"must be the same{differences}. Give data of the kind that it was trained on, with "
            "the same names."
        )
    if unchecked:
        pairs = zip(known or map(str, range(count)), names)
        _log.warning(
            "%s, so that the %s of %s cannot be compared with the model's; they are taken in their "
            "order: %s.",
            unchecked,
            kind,
            dataset,
            _listed([f"{name!r} for the model's {own!r}" for own, name in pairs]),
        )
        return np.arange(count, dtype=np.int32)
    numbers = {name: number for number, name in enumerate(known or ())}
    return np.array([numbers[name] for name in names], np.int32)


def _reason_not_to_compare(
    known: Sequence[str] | None, names: Sequence[str], dataset: str
) -> str | None:
    if known is None:
        return "The model brings no names"
    if set(known).isdisjoint(names):
        for owner, these in (("The model", known), (f"The dataset {dataset}", names)):
            if all(name == str(number) for number, name in enumerate(these)):
                return f"{owner} has numbers for names"
    return None


def _differences(known: Sequence[str], names: Sequence[str]) -> str:
    has, knows = set(names), set(known)
    owners = {
        "the dataset": [name for name in names if name not in knows],
        "the model": [name for name in known if name not in has],
    }
    return "".join(
        f"; only {owner} has {_listed(list(map(repr, missing)))}"
        for owner, missing in owners.items()
        if missing
    )


def _listed(items: Sequence[str]) -> str:
    more = [f"and {len(items) - _MOST_LISTED:,} more"] if len(items) > _MOST_LISTED else []
    return ", ".join([*(f"{item:.60}" for item in items[:_MOST_LISTED]), *more])
