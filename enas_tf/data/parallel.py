"""Reading many things in several threads, ahead of whoever takes them."""

import concurrent.futures
import itertools
import os
from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

Item = TypeVar("Item")
Read = TypeVar("Read")


def read_ahead(
    items: Iterable[Item], read: Callable[[Item], Read], batch_size: int
) -> Iterator[list[Read]]:
    """Yields what is read of items, in their order, a batch while the next one is being read.

    Args:
      items: whatever is to be read; not many more are taken than a batch has.
      read: reads one; several threads call it. The decoders of pictures, and files, leave Python's
        lock to others meanwhile.
      batch_size: of all batches but the last one.

    Raises:
      Exception: what `read` raised first.
    """
    rest = iter(items)
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as readers:
        waiting: list[concurrent.futures.Future[Read]] = []
        while True:
            started = [readers.submit(read, item) for item in itertools.islice(rest, batch_size)]
            if waiting:
                yield [one.result() for one in waiting]
            if not started:
                return
            waiting = started
