"""What TensorFlow's profiler recorded: the time of each kind of operation.

The profiler writes a protocol buffer with the events of every thread, one inside another.
TensorFlow brings the class that reads it; the package that TensorBoard shows it with is not needed.
"""

import pathlib
import re
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from tensorflow.tsl.profiler.protobuf import xplane_pb2

# Of the processor; the kernels of other devices stand in planes of their own.
_PLANE = "/host:CPU"
# In which a thread does nothing but wait for others.
_WAITS = frozenset({"BlockUntilReady"})
# What oneDNN's operations are called beside those that they replace.
_PREFIX = re.compile(r"^_Mkl(Native)?")
# Numbers that tell operations of one XLA program apart, for example of `MatMul_4.9`.
_NUMBERS = re.compile(r"(_\d+)?(\.\d+)*$")
_SECONDS = 1e-12


class KindOfOperation(NamedTuple):
    """All operations of a kind.

    Attributes:
      kind: for example `Conv2D`; of those that XLA compiled, `XLA` and its name there.
      seconds: that they took, without operations inside of them.
      calls: how many.
    """

    kind: str
    seconds: float
    calls: int


class _Event(NamedTuple):
    """A piece of a thread's time, in picoseconds.

    Attributes:
      begin: of the event.
      end: of the event.
      kind: of the operation; None: it is a wait.
    """

    begin: int
    end: int
    kind: str | None


def read_operations(folder: pathlib.Path) -> list[KindOfOperation]:
    """Returns the kinds of operations of a profile, those that took longest first.

    Args:
      folder: that the profiler wrote into.
    """
    space = xplane_pb2.XSpace()
    for path in sorted(folder.glob("plugins/profile/*/*.xplane.pb")):
        space.MergeFromString(path.read_bytes())
    return operations_of(space)


def least_of(recordings: Iterable[Iterable[KindOfOperation]]) -> list[KindOfOperation]:
    """Returns of each kind the recording in which it took least, those that took longest first.

    Args:
      recordings: of the same work; where it took longer, it waited for other programs.
    """
    least: dict[str, KindOfOperation] = {}
    for kinds in recordings:
        for one in kinds:
            least[one.kind] = min(one, least.get(one.kind, one), key=lambda each: each.seconds)
    return sorted(least.values(), key=lambda one: -one.seconds)


def operations_of(space: xplane_pb2.XSpace) -> list[KindOfOperation]:
    """Returns the kinds of operations in the threads of the processor; see `read_operations`."""
    seconds: dict[str, float] = {}
    calls: dict[str, int] = {}
    for plane in space.planes:
        if plane.name == _PLANE:
            for line in plane.lines:
                for event, own in _own_times(_events(plane, line)):
                    if event.kind is not None:
                        seconds[event.kind] = seconds.get(event.kind, 0.0) + own * _SECONDS
                        calls[event.kind] = calls.get(event.kind, 0) + 1
    found = [KindOfOperation(kind, seconds[kind], calls[kind]) for kind in seconds]
    return sorted(found, key=lambda one: -one.seconds)


def _events(plane: Any, line: Any) -> list[_Event]:
    """Returns the operations and the waits of a thread, in the order of their beginnings.

    The time of what else is recorded, such as the parts of an operation, belongs to what it is in.
    """
    of_xla = {number for number, stat in plane.stat_metadata.items() if stat.name == "hlo_op"}
    events = []
    for event in line.events:
        about = plane.event_metadata[event.metadata_id]
        # Only operations of a graph have a type, which is what people see of them.
        kind = _PREFIX.sub("", about.display_name) or None
        if kind is None and any(stat.metadata_id in of_xla for stat in event.stats):
            kind = f"XLA {_NUMBERS.sub('', about.name)}"
        if kind is not None or about.name in _WAITS:
            end = event.offset_ps + event.duration_ps
            events.append(_Event(event.offset_ps, end, kind))
    return sorted(events, key=lambda event: (event.begin, -event.end))


def _own_times(events: Iterable[_Event]) -> Iterator[tuple[_Event, int]]:
    """Yields the events of a thread, each with its time without those inside of it."""
    # Those that are open, the innermost last, with what is left of their time.
    stack: list[tuple[_Event, int]] = []
    for event in events:
        while stack and stack[-1][0].end <= event.begin:
            yield stack.pop()
        length = event.end - event.begin
        if stack:
            around, own = stack.pop()
            stack.append((around, own - length))
        stack.append((event, length))
    yield from reversed(stack)
