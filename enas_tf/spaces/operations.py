"""What operations are: those that a space has, and those that users add to it."""

import dataclasses
import enum
import functools
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

from typing_extensions import Self

from enas_tf.errors import ArchitectureError, ConfigurationError

_HOW_TO_REGISTER = (
    "An operation of your own must be registered first: by enas_tf.register_operation in Python, "
    "by --operations_module=FILE.py in a command."
)


class UnknownOperationError(ArchitectureError, ConfigurationError):
    """No operation has the name; perhaps one of the user's own is not registered."""


@functools.total_ordering
@dataclasses.dataclass(frozen=True)
class OwnOperation:
    """An operation of the user's own, for spaces of pictures; `register_operation` makes it.

    Operations of one name are equal. In an order they come behind those of the space.

    Attributes:
      label: its name in settings, JSON files, release strings, logs and drawings.
      layer: takes a number of filters and a stride, 1 or 2, and returns a new Keras layer.
    """

    label: str
    layer: Callable[[int, int], Any] = dataclasses.field(compare=False, repr=False)

    # As of `Operation`.
    is_simple = False
    is_pooling = False
    is_separable = False

    @property
    def word(self) -> str:
        """What stands for it in a release string: its name."""
        return self.label

    def __lt__(self, other: Any) -> bool:
        if isinstance(other, OwnOperation):
            return self.label < other.label
        return False if isinstance(other, Operation) else NotImplemented


class Operation(enum.IntEnum):
    """Base of a space's operations; members are named like `SEPARABLE_CONVOLUTION_3X3`.

    The values are those of the authors' release; what it does not have comes behind them.
    """

    @functools.cached_property
    def label(self) -> str:
        """The name used in JSON files, logs and drawings, for example `max_pooling_3x3`."""
        return self.name.lower()

    @functools.cached_property
    def word(self) -> str:
        """What stands for it in a release string: its value, whatever else a space has."""
        return str(int(self))

    @functools.cached_property
    def kernel_size(self) -> int:
        """Height and width of the window in pixels; 1 if there is none."""
        size, times, _ = self.name.rpartition("_")[2].partition("X")
        return int(size) if times else 1

    @functools.cached_property
    def is_simple(self) -> bool:
        """Whether the operation has no weights: poolings and the identity."""
        return self.is_pooling or self.name == "IDENTITY"

    @functools.cached_property
    def is_pooling(self) -> bool:
        """Whether the operation pools."""
        return "POOLING" in self.name

    @functools.cached_property
    def is_separable(self) -> bool:
        """Whether the operation is made of depthwise-separable convolutions."""
        return self.name.startswith("SEPARABLE")

    @functools.cached_property
    def dilation(self) -> int:
        """Distance in pixels of what the window reads: 2 if it is dilated, otherwise 1."""
        return 2 if self.name.startswith("DILATED") else 1

    @classmethod
    def own(cls) -> Mapping[str, OwnOperation]:
        """Returns the operations of the user's own that can stand beside these, by name."""
        return {}

    @classmethod
    def advice(cls) -> str:
        """Returns what else can be done about a name that is not known."""
        return ""

    @classmethod
    def from_label(cls, label: str) -> Any:
        """Returns the operation of a name as in `label`, perhaps one of the user's own.

        Raises:
          ArchitectureError: there is none of that name.
        """
        known = _by_label(cls)
        if not isinstance(label, str) or label not in known:
            what = f"Unknown operation {label!r:.60}. Known: {', '.join(known)}. {cls.advice()}"
            raise UnknownOperationError(what.strip())
        return known[label]

    @classmethod
    def from_integer(cls, value: int) -> Self:
        """Returns the operation of a number of the release.

        Raises:
          ArchitectureError: there is none of that number.
        """
        if not 0 <= value < len(cls):
            raise ArchitectureError(
                f"An operation must be an integer from 0 to {len(cls) - 1}. Received: {value}."
            )
        return cls(value)

    @classmethod
    def from_word(cls, word: int | str) -> Any:
        """Returns the operation that a release string names, by its integer or by its name."""
        return cls.from_integer(word) if isinstance(word, int) else cls.from_label(word)


class ImageOperation(Operation):
    """Base of the operations of spaces for pictures, beside which users can have others."""

    @classmethod
    def own(cls) -> Mapping[str, OwnOperation]:
        """Returns the operations that are registered."""
        return _REGISTERED

    @classmethod
    def advice(cls) -> str:
        """Returns how an operation is registered."""
        return _HOW_TO_REGISTER


# By name.
_REGISTERED: dict[str, OwnOperation] = {}


def register(operation: OwnOperation) -> None:
    """Makes an operation known for as long as this process lives; one of its name is replaced."""
    _REGISTERED[operation.label] = operation


def chosen_operations(kind: type[Operation], names: Sequence[Any]) -> tuple[Any, ...]:
    """Returns the operations that a setting `operations` names, in their order.

    Args:
      kind: the space's operations.
      names: names, or operations. A name may be some of the words of an operation's whole name, in
        their order, if these fit no other one: `separable_3x3`.

    Raises:
      ConfigurationError: there is none, a name fits none or several, or one is there twice.
    """
    known = _by_label(kind)
    choices = f"Choose from: {', '.join(known)}."
    chosen: list[Any] = []
    for name in names:
        name = getattr(name, "label", name)
        found = matches(name, known)
        if not found:
            what = f"`operations`: {name!r:.60} is no operation of this space. {choices}"
            raise UnknownOperationError(f"{what} {kind.advice()}".strip())
        if len(found) > 1:
            raise ConfigurationError(
                f"`operations`: {name!r:.60} fits {' and '.join(found)}. {choices}"
            )
        if known[found[0]] in chosen:
            raise ConfigurationError(f"`operations` names {found[0]} twice. {choices}")
        chosen.append(known[found[0]])
    if not chosen:
        raise ConfigurationError(f"`operations` must name at least one operation. {choices}")
    return tuple(sorted(chosen))


def whole_names(
    kind: type[Operation], names: Sequence[Any] | None, default: Sequence[Operation]
) -> tuple[str, ...] | None:
    """Returns a setting `operations` as it is kept: whole names in order.

    Args:
      kind: the space's operations.
      names: see `chosen_operations`; None: the default.
      default: what a space has if nothing is said, which is None however it is said.
    """
    if names is None:
        return None
    chosen = chosen_operations(kind, names)
    return None if chosen == tuple(default) else tuple(one.label for one in chosen)


def _by_label(kind: type[Operation]) -> dict[str, Any]:
    """Returns all operations by their names, the user's own last."""
    return {one.label: one for one in (*kind, *sorted(kind.own().values()))}


def matches(name: Any, labels: Collection[str]) -> list[str]:
    """Returns the names that one which may be shortened fits; a whole one fits itself alone.

    Args:
      name: whatever was given as a name.
      labels: whole names.
    """
    if not isinstance(name, str):
        return []
    if name in labels:
        return [name]

    def fits(label: str) -> bool:
        words = iter(label.split("_"))
        return all(word in words for word in name.split("_"))

    return [label for label in labels if fits(label)]
