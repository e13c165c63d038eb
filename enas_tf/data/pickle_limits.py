"""How deep and how large a pickle's value would be, found out before it is loaded.

The unpickler makes values of any depth. Whatever then goes through such a value in C, if only to
hash it, overflows the stack, which ends the process; and a few values that hold each other many
times are endless in effect. So a pickle is followed here opcode by opcode, with numbers in place of
values, in time and memory that are proportional to its length.
"""

import pickle
import pickletools
from collections.abc import Iterator

# Arrays of numbers in plain containers need about ten.
_DEEPEST = 100
# Without repetitions there is at most one for a byte.
_MOST_VALUES_A_BYTE = 100

_TWO_LINES = frozenset({"GLOBAL", "INST"})
_CHANGES = frozenset({"APPEND", "APPENDS", "SETITEM", "SETITEMS", "ADDITEMS", "BUILD"})
_STORES = frozenset({"PUT", "BINPUT", "LONG_BINPUT", "MEMOIZE"})
_RECALLS = frozenset({"GET", "BINGET", "LONG_BINGET"})
_LENGTHS = {
    pickletools.TAKEN_FROM_ARGUMENT1: 1,
    pickletools.TAKEN_FROM_ARGUMENT4: 4,
    pickletools.TAKEN_FROM_ARGUMENT4U: 4,
    pickletools.TAKEN_FROM_ARGUMENT8U: 8,
}


def check_pickle(data: bytes) -> None:
    """Raises an error unless what a pickle makes is of bounded depth and size.

    Args:
      data: the pickle.

    Raises:
      pickle.UnpicklingError: it is malformed, nested too deeply, contains itself, repeats a value
        too often, or numbers its values absurdly.
      ValueError: it is malformed in another way, as are `IndexError` and `KeyError`.
    """
    room = _MOST_VALUES_A_BYTE * len(data)
    stack: list[_Value | None] = []  # None: a mark.
    memo: dict[int, _Value] = {}
    for count, (step, argument) in enumerate(_steps(data)):
        name = step.name
        if name == "MARK":
            stack.append(None)
        elif name == "POP":
            stack.pop()
        elif name == "DUP":
            stack.append(_top(stack))
        elif name in _STORES:
            number = len(memo) if name == "MEMOIZE" else step.number(argument)
            # The unpickler's table is as long as the highest number.
            if not 0 <= number <= count:
                raise pickle.UnpicklingError(f"it numbers a value {number}")
            memo[number] = _top(stack)
        elif name in _RECALLS:
            stack.append(memo[step.number(argument)])
        else:
            parts = _take(stack, step)
            if step.gives:
                value = parts.pop(0) if step.changes else _Value()
                if parts or step.changes:
                    room -= value.take_in(parts)
                if value.depth > _DEEPEST:
                    raise pickle.UnpicklingError(f"nested more than {_DEEPEST} deep")
                if room < 0:
                    raise pickle.UnpicklingError("it repeats values too often")
                stack.append(value)


class _Value:
    """What is known of a value: its depth, its size with all that it holds, and if it is held."""

    __slots__ = ("depth", "is_held", "size")

    def __init__(self) -> None:
        self.depth = 0
        self.size = 1
        self.is_held = False

    def take_in(self, parts: "list[_Value]") -> int:
        """Adds what the value holds, and returns how much that is."""
        self._check_not_held()
        size = self.size
        for part in parts:
            part.is_held = True
            self.depth = max(self.depth, part.depth + 1)
            size += part.size
        self._check_not_held()
        added, self.size = size - self.size, size
        return added

    def _check_not_held(self) -> None:
        # Else what holds it would have to be followed as well. Nothing is held before it is
        # complete but what contains itself.
        if self.is_held:
            raise pickle.UnpicklingError("a value contains itself")


def _top(stack: "list[_Value | None]") -> _Value:
    value = stack[-1]
    if value is None:
        raise pickle.UnpicklingError("a mark stands in place of a value")
    return value


def _take(stack: "list[_Value | None]", step: "_Step") -> list[_Value]:
    """Removes from the stack what an opcode takes, and returns it in the order of the stack."""
    parts: list[_Value] = []
    if step.takes_to_mark:
        while (value := stack.pop()) is not None:
            parts.append(value)
    for _ in range(step.takes):
        parts.append(_top(stack))
        stack.pop()
    parts.reverse()
    return parts


class _Step:
    """What an opcode does, as `pickletools` describes it."""

    def __init__(self, opcode: pickletools.OpcodeInfo):
        before = opcode.stack_before
        self.name = opcode.name
        self.takes_to_mark = pickletools.markobject in before
        self.takes = before.index(pickletools.markobject) if self.takes_to_mark else len(before)
        self.gives = bool(opcode.stack_after)
        self.changes = opcode.name in _CHANGES
        self.has_number = opcode.name in _STORES or opcode.name in _RECALLS
        self._size = 0 if opcode.arg is None else opcode.arg.n
        self._lines = 0
        if self._size == pickletools.UP_TO_NEWLINE:
            self._lines = 2 if opcode.name in _TWO_LINES else 1
        # Of these, the length of the argument precedes it.
        self._length_size = _LENGTHS.get(self._size, 0)
        self._is_signed = self._size == pickletools.TAKEN_FROM_ARGUMENT4

    def argument(self, data: bytes, begin: int) -> tuple[int, int]:
        """Returns where the argument that follows the opcode begins and ends."""
        if self._size >= 0:
            return begin, begin + self._size
        end = begin
        for _ in range(self._lines):
            end = data.find(b"\n", end) + 1
            if not end:
                raise pickle.UnpicklingError("it is cut off")
        if self._lines:
            return begin, end
        begin += self._length_size
        length = int.from_bytes(data[end:begin], "little", signed=self._is_signed)
        if length < 0:
            raise pickle.UnpicklingError(f"a value has the length {length}")
        return begin, begin + length

    def number(self, argument: bytes) -> int:
        """Returns the number that the argument is, in digits or in bytes."""
        return int(argument) if self._lines else int.from_bytes(argument, "little")


_STEPS = {ord(opcode.code): _Step(opcode) for opcode in pickletools.opcodes}


def _steps(data: bytes) -> Iterator[tuple[_Step, bytes]]:
    """Yields the opcodes up to the end of a pickle, with the arguments that are numbers of values.

    `pickletools.genops` would decode and copy all arguments, and fails on what Python 2 wrote.
    """
    position = 0
    while position < len(data):
        step = _STEPS.get(data[position])
        if step is None:
            raise pickle.UnpicklingError(f"unknown opcode {data[position]:#04x}")
        begin, position = step.argument(data, position + 1)
        yield step, data[begin:position] if step.has_number else b""
        if step.name == "STOP":
            return
    raise pickle.UnpicklingError("it is cut off")
