"""Architectures of the rnn space: a recurrent cell, and the LSTM it is compared with.

A cell has node 0, which combines the embedded word with the state before it, and computed nodes 1
to N, each of which applies a function to one earlier node. Source: the authors' release,
`enas_lm/src/child.py`.
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
from enas_tf.spaces.operations import Operation

_INTEGERS_PER_NODE = 2
_NODE_KEYS = {"previous", "function"}


class RnnFunction(Operation):
    """What a node applies to its candidate values; the values are those of the release.

    Users cannot add any: derivatives are known by heart.
    """

    TANH = 0
    RELU = 1
    SIGMOID = 2
    IDENTITY = 3


@dataclasses.dataclass(frozen=True)
class RnnNode:
    """A computed node: a gated step away from an earlier node.

    Attributes:
      previous: index of the earlier node; 0 is the node of the cell's input.
      function: applied to the candidate values.
    """

    previous: int
    function: RnnFunction


@dataclasses.dataclass(frozen=True, repr=False)
class RnnArchitecture(Architecture):
    """A recurrent cell.

    Attributes:
      nodes: the computed nodes 1 to N, first to last; `nodes[0]` is node 1.
    """

    nodes: tuple[RnnNode, ...]

    space_name: ClassVar[str] = "rnn"

    def __post_init__(self) -> None:
        object.__setattr__(self, "nodes", tuple(self.nodes))
        if not self.nodes:
            raise ArchitectureError("A recurrent cell must have at least one node.")
        check_size("A recurrent cell", "nodes", self.num_nodes)
        for index, node in enumerate(self.nodes, 1):
            with naming(f"Node {index}"):
                _check_node(index, node)

    @property
    def num_nodes(self) -> int:
        """Number of computed nodes."""
        return len(self.nodes)

    @property
    def loose_ends(self) -> tuple[int, ...]:
        """Ascending indices, from 1, of the computed nodes that no node reads.

        There is at least one, since nothing comes after the last node.
        """
        read = {node.previous for node in self.nodes}
        return tuple(index for index in range(1, self.num_nodes + 1) if index not in read)

    def to_integers(self) -> list[int]:
        """Returns the release's integers: previous node and function of each node."""
        return [int(number) for node in self.nodes for number in (node.previous, node.function)]

    @classmethod
    def from_integers(cls, integers: Sequence[int]) -> Self:
        """Makes a cell from the release's integers, two for each node.

        Raises:
          ArchitectureError: an integer is out of range, or there is an odd number of them.
        """
        if len(integers) % _INTEGERS_PER_NODE:
            raise ArchitectureError(
                "A recurrent cell has two integers for each node, the previous node and the "
                f"function. Received: {len(integers)} integers."
            )
        nodes = []
        pairs = zip(integers[0::_INTEGERS_PER_NODE], integers[1::_INTEGERS_PER_NODE])
        for index, (previous, function) in enumerate(pairs, 1):
            with naming(f"Node {index}"):
                nodes.append(RnnNode(previous, RnnFunction.from_integer(function)))
        return cls(tuple(nodes))

    @classmethod
    def from_release_string(cls, text: str) -> Self:
        """Makes a cell from the release's integers, for example `0 2 1 0 2 1`.

        Raises:
          ArchitectureError: the text does not hold a valid cell.
        """
        most = _INTEGERS_PER_NODE * MOST_PARTS
        return cls.from_integers(parse_integers(text, "A recurrent cell", most))

    def to_release_string(self) -> str:
        """Returns the release's integers, `2 * num_nodes` of them."""
        return " ".join(map(str, self.to_integers()))

    def to_json(self) -> dict[str, Any]:
        """Returns `{"nodes": [{"previous": …, "function": …}, …]}`."""
        return {
            "nodes": [
                {"previous": node.previous, "function": node.function.label} for node in self.nodes
            ]
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any] | str) -> Self:
        """Makes a cell from what `to_json` returned, or from its JSON text.

        Raises:
          ArchitectureError: the value has another form, or an entry is out of range.
        """
        entries = parse_json_object(value, "A recurrent cell").get("nodes")
        if not isinstance(entries, list):
            raise ArchitectureError(
                f"A recurrent cell must be an object with a list `nodes`. Received: {value!r:.60}."
            )
        nodes = []
        for index, entry in enumerate(entries, 1):
            with naming(f"Node {index}"):
                if not isinstance(entry, Mapping) or set(entry) != _NODE_KEYS:
                    raise ArchitectureError(
                        "expected an object with the keys previous and function. "
                        f"Received: {entry!r:.60}."
                    )
                nodes.append(RnnNode(entry["previous"], RnnFunction.from_label(entry["function"])))
        return cls(tuple(nodes))


@dataclasses.dataclass(frozen=True)
class LstmBaseline(Architecture):
    """The LSTM (Hochreiter and Schmidhuber, 1997), with which cells that were found are compared.

    It is no point of the search space: it can be trained, but not searched or shared.
    """

    space_name: ClassVar[str] = "rnn"

    def to_release_string(self) -> str:
        """Returns its name, `lstm`; the release has no integers for it."""
        return "lstm"

    def to_json(self) -> dict[str, Any]:
        """Returns `{"baseline": "lstm"}`."""
        return {"baseline": "lstm"}

    @classmethod
    def from_json(cls, value: Mapping[str, Any] | str) -> Self:
        """Makes the baseline from what `to_json` returned, or from its JSON text."""
        value = parse_json_object(value, "A baseline")
        if value != {"baseline": "lstm"}:
            raise ArchitectureError(
                f'A baseline must be {{"baseline": "lstm"}}. Received: {dict(value)!r:.60}.'
            )
        return cls()


def rnn_architecture_from_json(value: Mapping[str, Any] | str) -> RnnArchitecture | LstmBaseline:
    """Returns the cell, or the baseline, in what its `to_json` returned.

    Raises:
      ArchitectureError: it is neither.
    """
    value = parse_json_object(value, "A recurrent cell")
    kind = LstmBaseline if "baseline" in value else RnnArchitecture
    return kind.from_json(value)


def _check_node(index: int, node: Any) -> None:
    if not isinstance(node, RnnNode):
        raise ArchitectureError(f"expected an RnnNode. Received: {node!r:.60}.")
    if not isinstance(node.function, RnnFunction):
        raise ArchitectureError(f"`function` must be an RnnFunction. Received: {node.function!r}.")
    if not is_index(node.previous, index):
        raise ArchitectureError(
            f"`previous` must be the index of an earlier node, an integer from 0 to {index - 1}. "
            f"Received: {node.previous!r}."
        )
