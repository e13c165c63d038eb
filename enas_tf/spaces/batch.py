"""Some architectures of a space, as values and as decisions."""

import functools
from collections.abc import Iterator, Sequence
from typing import Any, overload

from typing_extensions import Self

from enas_tf.spaces.base import DecisionSpace


class ArchitectureBatch(Sequence[Any]):
    """Architectures that travel through a search: the values, and the decisions that they are.

    Whoever needs values takes it as a sequence of them; whoever needs decisions takes `decisions`.
    They are encoded when that is first asked for, and never twice.

    Args:
      space: of the architectures.
      architectures: values of the space.
    """

    def __init__(self, space: DecisionSpace, architectures: Sequence[Any]) -> None:
        self.space = space
        self._architectures = tuple(architectures)

    @classmethod
    def of(cls, space: DecisionSpace, architectures: Sequence[Any]) -> "ArchitectureBatch":
        """Returns the architectures as a batch; as they are if they are one already."""
        if isinstance(architectures, ArchitectureBatch):
            return architectures
        return cls(space, architectures)

    @classmethod
    def from_decisions(cls, space: DecisionSpace, decisions: Any) -> Self:
        """Returns the architectures of decisions in the form of `space.encode`."""
        batch = cls(space, space.decode(decisions))
        batch.decisions = decisions
        return batch

    @functools.cached_property
    def decisions(self) -> Any:
        """The architectures in the form of `space.encode`."""
        return self.space.encode(self._architectures)

    @overload
    def __getitem__(self, index: int) -> Any: ...

    @overload
    def __getitem__(self, index: slice) -> tuple[Any, ...]: ...

    def __getitem__(self, index: Any) -> Any:
        return self._architectures[index]

    def __len__(self) -> int:
        return len(self._architectures)

    def __iter__(self) -> Iterator[Any]:
        return iter(self._architectures)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sequence) and list(self) == list(other)

    __hash__ = None  # type: ignore[assignment]  # Equal to lists, which have none.

    def __repr__(self) -> str:
        return f"{type(self).__name__}({list(self)!r})"
