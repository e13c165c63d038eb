"""Architectures of the micro space: a normal cell and a reduction cell.

A cell has two inputs, the outputs of the two cells before it (index 0: the older one, index 1: the
newer one), and a number of nodes (index 2 onwards). A node applies an operation to each of two
earlier tensors and adds the results. Source: the authors' release, `src/cifar10/micro_child.py`.
"""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from typing_extensions import Self

from enas_tf.errors import ArchitectureError
from enas_tf.spaces.base import (
    MOST_PARTS,
    Architecture,
    check_size,
    is_index,
    naming,
    parse_integers,
    parse_json_object,
)
from enas_tf.spaces.operations import ImageOperation, OwnOperation

NUM_CELL_INPUTS = 2
OPERANDS_PER_NODE = 2
# The release writes an operand as its input and its operation.
_INTEGERS_PER_NODE = 2 * OPERANDS_PER_NODE


class MicroOperation(ImageOperation):
    """What a node does with one of its inputs; the first five values are those of the release.

    A separable convolution stands for two of them: (ReLU, depthwise, pointwise, batch
    normalisation) twice. A dilated convolution is the same once, with pixels left out between those
    that it reads; it comes from DARTS, and is searched where it is asked for.
    """

    SEPARABLE_CONVOLUTION_3X3 = 0
    SEPARABLE_CONVOLUTION_5X5 = 1
    AVERAGE_POOLING_3X3 = 2
    MAX_POOLING_3X3 = 3
    IDENTITY = 4
    DILATED_CONVOLUTION_3X3 = 5
    DILATED_CONVOLUTION_5X5 = 6


# What an operand chooses from unless something else is said.
RELEASE_OPERATIONS = tuple(MicroOperation)[:5]


@dataclasses.dataclass(frozen=True, order=True)
class MicroOperand:
    """One of the two terms that a node adds.

    Attributes:
      input: index of an earlier tensor of the cell; 0 and 1 are the cell's inputs, `n + 2` is the
        output of node `n`.
      operation: what is done with it.
    """

    input: int
    operation: MicroOperation | OwnOperation


@dataclasses.dataclass(frozen=True)
class MicroNode:
    """A node: the sum of its two operands.

    Attributes:
      operands: the two terms; each place has shared weights of its own.
    """

    operands: tuple[MicroOperand, ...]

    def __post_init__(self) -> None:
        object.__setattr__(self, "operands", tuple(self.operands))


@dataclasses.dataclass(frozen=True)
class MicroCell:
    """A cell: nodes of which each reads from earlier ones.

    Attributes:
      nodes: first to last.
    """

    nodes: tuple[MicroNode, ...]

    def __post_init__(self) -> None:
        object.__setattr__(self, "nodes", tuple(self.nodes))
        if not self.nodes:
            raise ArchitectureError("A cell must have at least one node.")
        check_size("A cell", "nodes", self.num_nodes)
        for index, node in enumerate(self.nodes):
            with naming(f"Node {index}"):
                _check_node(index, node)

    @property
    def num_nodes(self) -> int:
        """Number of nodes."""
        return len(self.nodes)

    @property
    def loose_ends(self) -> tuple[int, ...]:
        """Ascending indices of the tensors that no node reads; they make the cell's output.

        There is at least one, since nothing comes after the last node. A cell's input that no node
        reads is among them.
        """
        read = {operand.input for node in self.nodes for operand in node.operands}
        return tuple(i for i in range(self.num_nodes + NUM_CELL_INPUTS) if i not in read)

    def canonical(self) -> Self:
        """Returns the same cell with the operands of every node in ascending order.

        Addition does not depend on the order, so cells of the same canonical form are the same
        network (in the supernet their weights differ, since each place has its own).
        """
        return type(self)(tuple(MicroNode(tuple(sorted(node.operands))) for node in self.nodes))

    def to_words(self) -> list[str]:
        """Returns the release's integers: `input operation input operation` for each node.

        An operation of the user's own has no integer; its name stands there.
        """
        return [
            word
            for node in self.nodes
            for operand in node.operands
            for word in (str(int(operand.input)), operand.operation.word)
        ]

    def to_integers(self) -> list[int]:
        """Returns the release's integers; see `to_words`.

        Raises:
          ValueError: an operation of the user's own has none.
        """
        return [int(word) for word in self.to_words()]

    @classmethod
    def from_integers(cls, integers: Sequence[Any]) -> Self:
        """Makes a cell from the release's integers, four for each node.

        In the place of an operation's integer its name may stand.

        Raises:
          ArchitectureError: an input or an operation is out of range.
        """
        nodes = []
        for start in range(0, len(integers), _INTEGERS_PER_NODE):
            numbers = integers[start : start + _INTEGERS_PER_NODE]
            with naming(f"Node {start // _INTEGERS_PER_NODE}"):
                operations = map(MicroOperation.from_word, numbers[1::2])
                nodes.append(MicroNode(tuple(map(MicroOperand, numbers[0::2], operations))))
        return cls(tuple(nodes))

    def to_json(self) -> dict[str, Any]:
        """Returns `{"nodes": [[{"input": …, "operation": …}, {…}], …]}`."""
        return {
            "nodes": [
                [
                    {"input": operand.input, "operation": operand.operation.label}
                    for operand in node.operands
                ]
                for node in self.nodes
            ]
        }

    @classmethod
    def from_json(cls, value: Any) -> Self:
        """Makes a cell from what `to_json` returned.

        Raises:
          ArchitectureError: the value has another form, or an entry is out of range.
        """
        entries = value.get("nodes") if isinstance(value, Mapping) else None
        if not isinstance(entries, list):
            raise ArchitectureError(
                f"A cell must be an object with a list `nodes`. Received: {value!r:.60}."
            )
        nodes = []
        for index, entry in enumerate(entries):
            with naming(f"Node {index}"):
                nodes.append(_node_of_json(entry))
        return cls(tuple(nodes))


@dataclasses.dataclass(frozen=True, repr=False)
class MicroArchitecture(Architecture):
    """A network of the micro space: all its cells are copies of two.

    Attributes:
      normal: the cell that keeps the size of the picture.
      reduction: the cell that halves it; of as many nodes.
    """

    normal: MicroCell
    reduction: MicroCell

    space_name: ClassVar[str] = "micro"

    def __post_init__(self) -> None:
        for name, cell in self.cells.items():
            if not isinstance(cell, MicroCell):
                raise ArchitectureError(f"`{name}` must be a MicroCell. Received: {cell!r:.60}.")
        numbers = self.normal.num_nodes, self.reduction.num_nodes
        if numbers[0] != numbers[1]:
            raise ArchitectureError(
                "The normal and the reduction cell must have the same number of nodes. "
                f"Received: {numbers[0]} and {numbers[1]}."
            )

    @property
    def cells(self) -> dict[str, MicroCell]:
        """Both cells by name: `normal`, `reduction`."""
        return {"normal": self.normal, "reduction": self.reduction}

    @property
    def num_nodes(self) -> int:
        """Number of nodes in each cell."""
        return self.normal.num_nodes

    def canonical(self) -> Self:
        """Returns the same network with the operands of every node in ascending order."""
        return type(self)(self.normal.canonical(), self.reduction.canonical())

    @classmethod
    def from_release_string(cls, text: str) -> Self:
        """Parses the release's integers: the normal cell, then the reduction cell.

        Args:
          text: for each node `input operation input operation`, 40 integers for 5 nodes; bars and
            commas count as blanks. In the place of an operation's integer its name may stand.

        Raises:
          ArchitectureError: the number of integers is no multiple of 8, or one is out of range.
        """
        both = 2 * _INTEGERS_PER_NODE
        integers = parse_integers(text, "A micro architecture", both * MOST_PARTS, True)
        if len(integers) % both:
            raise ArchitectureError(
                f"A micro architecture of n nodes has {both} n integers, half of them for the "
                f"normal cell (5 nodes: {5 * both}). Received: {len(integers)} integers."
            )
        half = len(integers) // 2
        parts = {"normal": integers[:half], "reduction": integers[half:]}
        return cls(**{name: _in_cell(name, MicroCell.from_integers, parts[name]) for name in parts})

    def to_release_string(self) -> str:
        """Returns the release's integers, normal cell first, `8 * num_nodes` of them."""
        return " ".join(self.normal.to_words() + self.reduction.to_words())

    def to_json(self) -> dict[str, Any]:
        """Returns `{"normal": {"nodes": […]}, "reduction": {"nodes": […]}}`."""
        return {name: cell.to_json() for name, cell in self.cells.items()}

    @classmethod
    def from_json(cls, value: Mapping[str, Any] | str) -> Self:
        """Makes an architecture from what `to_json` returned, or from its JSON text."""
        value = parse_json_object(value, "A micro architecture")
        names = ("normal", "reduction")
        if set(value) != set(names):
            raise ArchitectureError(
                "A micro architecture must be an object with the keys normal and reduction. "
                f"Received keys: {sorted(map(str, value))}."
            )
        return cls(**{name: _in_cell(name, MicroCell.from_json, value[name]) for name in names})


def _check_node(index: int, node: Any) -> None:
    if not isinstance(node, MicroNode):
        raise ArchitectureError(f"expected a MicroNode. Received: {node!r:.60}.")
    if len(node.operands) != OPERANDS_PER_NODE:
        raise ArchitectureError(
            f"expected {OPERANDS_PER_NODE} operands. Received: {len(node.operands)}."
        )
    for operand in node.operands:
        if not isinstance(operand, MicroOperand):
            raise ArchitectureError(f"expected a MicroOperand. Received: {operand!r:.60}.")
        if not isinstance(operand.operation, MicroOperation | OwnOperation):
            raise ArchitectureError(
                "`operation` must be a MicroOperation or an OwnOperation. "
                f"Received: {operand.operation!r}."
            )
        if not is_index(operand.input, index + NUM_CELL_INPUTS):
            raise ArchitectureError(
                "`input` must be the index of an earlier tensor, an integer from 0 to "
                f"{index + NUM_CELL_INPUTS - 1} (0 and 1 are the cell's inputs, "
                f"{NUM_CELL_INPUTS} is node 0). Received: {operand.input!r}."
            )


def _node_of_json(entry: Any) -> MicroNode:
    keys = {"input", "operation"}
    if not isinstance(entry, list) or not all(
        isinstance(operand, Mapping) and set(operand) == keys for operand in entry
    ):
        raise ArchitectureError(
            f"expected a list of two objects with the keys input and operation. "
            f"Received: {entry!r:.60}."
        )
    return MicroNode(
        tuple(
            MicroOperand(operand["input"], MicroOperation.from_label(operand["operation"]))
            for operand in entry
        )
    )


def _in_cell(name: str, parse: Any, value: Any) -> MicroCell:
    with naming(f"{name.capitalize()} cell"):
        return parse(value)
