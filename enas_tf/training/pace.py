"""How long pieces of work take, by their kind. No TensorFlow here.

Who does a piece of work says its kind, with `measured`; whether anybody keeps account of it is
decided outside, by `measuring`. A time budget, which decides by it how much work fits, has an
account of its own.
"""

import contextlib
import contextvars
import time
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple, TypeVar

Item = TypeVar("Item")

# The kinds of work that are the same in every loop; those of a loop stand beside it: a training
# pass, the scores of the proposals of an update, the score of a validation batch; waiting for the
# next batch; proposing architectures; what is written and shown for people.
TRAIN, REWARD, VALIDATE = "train", "reward", "validate"
DATA, PROPOSE, REPORT = "data", "propose", "report"
_NO_MORE = object()


def now() -> float:
    """Returns the seconds of a clock that only goes on."""
    return time.monotonic()


class Own(NamedTuple):
    """All pieces of a kind, the first ones too.

    Attributes:
      pieces: how many.
      seconds: that they took, without what was measured inside of them.
    """

    pieces: int = 0
    seconds: float = 0.0


class Pace:
    """How long pieces of work take, by their kind, in seconds.

    The first pieces of a kind in a process are kept apart: it is traced and compiled in them. A
    piece may have others in it: its time is that of all of it, its own time that of the rest.
    """

    def __init__(self) -> None:
        self._known: dict[str, float] = {}
        self._first: dict[str, float] = {}
        self._total: dict[str, float] = {}
        self._count: dict[str, int] = {}
        self._own: dict[str, Own] = {}
        # Seconds of the pieces inside of the running one.
        self._inside = 0.0

    @contextlib.contextmanager
    def measured(self, kind: str, first: int = 1, count: int = 1) -> Iterator[None]:
        """Measures the block, which is a piece of work, unless it fails.

        Args:
          kind: of the work.
          first: how many pieces of it are kept apart.
          count: how many pieces the block is.
        """
        around, self._inside = self._inside, 0.0
        begun = now()
        try:
            yield
        except BaseException:
            self._inside = around
            raise
        seconds = now() - begun
        pieces, own = self._own.get(kind, Own())
        self._own[kind] = Own(pieces + count, own + seconds - self._inside)
        self._inside = around + seconds
        if pieces + count <= first:
            self._first[kind] = self._first.get(kind, 0.0) + seconds
            return
        self._total[kind] = self._total.get(kind, 0.0) + seconds
        self._count[kind] = self._count.get(kind, 0) + count

    def own(self, kind: str) -> Own:
        """Returns what all pieces of a kind took by themselves."""
        return self._own.get(kind, Own())

    def is_known(self, kind: str) -> bool:
        """Whether more than the first pieces of a kind were measured."""
        return kind in self._count or kind in self._known

    def seconds(self, kind: str) -> float:
        """Returns the mean since `settle`, or what is known from before; else of the first ones."""
        if kind in self._count:
            return self._total[kind] / self._count[kind]
        return self._known.get(kind, self.first(kind))

    def first(self, kind: str) -> float:
        """Returns how long the first pieces of a kind took; 0: there was none yet."""
        return self._first.get(kind, self._known.get(f"first_{kind}", 0.0))

    def settle(self) -> None:
        """Remembers the means so far, and measures anew: speed may change in the course of time."""
        self._known.update(self.to_json())
        self._total.clear()
        self._count.clear()

    def to_json(self) -> dict[str, float]:
        """Returns all that is known, for a checkpoint."""
        means = {kind: self._total[kind] / count for kind, count in self._count.items()}
        firsts = {f"first_{kind}": seconds for kind, seconds in self._first.items()}
        return {**self._known, **firsts, **means}

    def restore(self, known: Mapping[str, float]) -> None:
        """Takes what `to_json` returned for known; what this process measures counts more."""
        self._known = dict(known)


_given: contextvars.ContextVar[Pace | None] = contextvars.ContextVar("pace", default=None)


@contextlib.contextmanager
def measuring(pace: Pace) -> Iterator[None]:
    """Lets a pace keep account of all work that is `measured` in a block.

    ```python
    pace = Pace()
    with measuring(pace):
        enas_tf.search(space, data, config)
    pace.own(TRAIN).seconds
    ```
    """
    token = _given.set(pace)
    try:
        yield
    finally:
        _given.reset(token)


@contextlib.contextmanager
def measured(kind: str, count: int = 1) -> Iterator[None]:
    """Measures a block, or as a decorator every call of a function, if somebody is `measuring`.

    Args:
      kind: of the work.
      count: how many pieces it is.
    """
    pace = _given.get()
    with contextlib.nullcontext() if pace is None else pace.measured(kind, count=count):
        yield


def each(kind: str, items: Iterable[Item]) -> Iterator[Item]:
    """Yields some items, and measures how long each is waited for; see `measured`.

    Args:
      kind: of the waiting.
      items: for example the batches of a dataset.
    """
    iterator = iter(items)
    while True:
        with measured(kind):
            item: Any = next(iterator, _NO_MORE)
        if item is _NO_MORE:
            return
        yield item
