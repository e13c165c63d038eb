"""How the nodes of a recurrent cell are connected: known in advance, or held by tensors.

The time loop of `enas_tf.spaces.rnn.recurrence` asks a wiring what each node reads and applies, on
the way forwards and backwards. Derivatives are written in terms of the function's *value*, so that
the candidates before the function need not be kept.
"""

import abc
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import tensorflow as tf

from enas_tf.spaces.rnn.architecture import RnnArchitecture, RnnFunction


class CellWiring(abc.ABC):
    """The connections of a cell with node 0 and computed nodes 1 to `num_nodes`.

    Attributes:
      num_nodes: number of computed nodes.
      previous: the node that each computed node reads.
      is_fixed: whether they are known in advance.
    """

    num_nodes: int
    previous: Sequence[int] | tf.Tensor
    is_fixed: bool

    @abc.abstractmethod
    def for_each_node(
        self, function: Callable[..., Any], carried: Sequence[Any], backwards: bool = False
    ) -> Any:
        """Calls `function(node, *carried)`, which returns the next `carried`, for computed nodes.

        Args:
          function: takes the node's number, known in advance or a tensor as the connections are.
          carried: goes into the first call; tensors and arrays of them.
          backwards: from the last node to the first.

        Returns:
          What the last call returned.
        """

    def previous_of(self, node: int | tf.Tensor) -> Any:
        """Returns the node that a computed node reads."""
        return self.previous[node - 1]

    def read_all(self, values: tf.Tensor) -> tf.Tensor:
        """Returns what all computed nodes read.

        Args:
          values: of all nodes, `[num_nodes + 1, …]`.

        Returns:
          `[num_nodes, …]`.
        """
        return tf.gather(values, self.previous)

    @abc.abstractmethod
    def activate(self, candidates: tf.Tensor, node: int | tf.Tensor) -> tf.Tensor:
        """Applies the function of a computed node."""

    @abc.abstractmethod
    def slope(self, activated: tf.Tensor, node: int | tf.Tensor) -> tf.Tensor:
        """Returns the derivative of a computed node's function where it has a given value."""

    @abc.abstractmethod
    def combine(self, values: Sequence[tf.Tensor]) -> tf.Tensor:
        """Returns the new state from the values of all nodes."""

    @abc.abstractmethod
    def spread(self, gradient: tf.Tensor) -> tf.Tensor:
        """Returns the gradients of all nodes' values, node by node, from that of the new state."""


class FixedWiring(CellWiring):
    """The connections of one architecture.

    Args:
      architecture: the cell.
      cell_output: `mean` of all computed nodes, or of the `loose_ends`.
    """

    is_fixed = True

    def __init__(self, architecture: RnnArchitecture, cell_output: str) -> None:
        self.num_nodes = architecture.num_nodes
        self.previous = [node.previous for node in architecture.nodes]
        self._functions = [node.function for node in architecture.nodes]
        every_node = range(1, self.num_nodes + 1)
        self._outputs = architecture.loose_ends if cell_output == "loose_ends" else every_node

    def for_each_node(
        self, function: Callable[..., Any], carried: Sequence[Any], backwards: bool = False
    ) -> Any:
        """See `CellWiring`."""
        nodes = range(1, self.num_nodes + 1)
        for node in reversed(nodes) if backwards else nodes:
            carried = function(node, *carried)
        return carried

    def activate(self, candidates: tf.Tensor, node: int) -> tf.Tensor:
        """See `CellWiring`."""
        return FUNCTIONS[self._functions[node - 1]](candidates)

    def slope(self, activated: tf.Tensor, node: int) -> tf.Tensor:
        """See `CellWiring`."""
        return _SLOPES[self._functions[node - 1]](activated)

    def combine(self, values: Sequence[tf.Tensor]) -> tf.Tensor:
        """See `CellWiring`."""
        return tf.add_n([values[node] for node in self._outputs]) / len(self._outputs)

    def spread(self, gradient: tf.Tensor) -> tf.Tensor:
        """See `CellWiring`."""
        share = gradient / len(self._outputs)
        zeros = tf.zeros_like(gradient)
        nodes = range(self.num_nodes + 1)
        return tf.stack([share if node in self._outputs else zeros for node in nodes])


class SampledWiring(CellWiring):
    """Connections that tensors hold, so that one traced function serves all architectures.

    Every node computes one tanh and one maximum, whichever function it has: sigmoid is a scaled
    tanh, identity a maximum of equals. For tensors of a few thousand elements that is cheaper than
    a branch.

    Args:
      previous: int32 `[num_nodes]`, the node that each computed node reads.
      functions: int32 `[num_nodes]`, numbers of the functions.
      cell_output: `mean` of all computed nodes, or of the `loose_ends`.
      numbered: the functions in the order of their numbers.
    """

    is_fixed = False

    def __init__(
        self,
        previous: tf.Tensor,
        functions: tf.Tensor,
        cell_output: str,
        numbered: Sequence[RnnFunction] = tuple(RnnFunction),
    ) -> None:
        self.num_nodes = previous.shape[0]
        self.previous = previous
        table = tf.constant([_COEFFICIENTS[function] for function in numbered])
        self._coefficients = tf.gather(table, functions)
        self._shares = None
        if cell_output == "loose_ends":
            readers = tf.reduce_sum(tf.one_hot(previous, self.num_nodes + 1), axis=0)[1:]
            loose = tf.cast(readers == 0.0, tf.float32)
            self._shares = loose / tf.reduce_sum(loose)

    def for_each_node(
        self, function: Callable[..., Any], carried: Sequence[Any], backwards: bool = False
    ) -> Any:
        """See `CellWiring`."""

        def body(number: tf.Tensor, *carried: Any) -> tuple[Any, ...]:
            node = self.num_nodes - number if backwards else number + 1
            return number + 1, *function(node, *carried)

        return tf.while_loop(
            lambda number, *_: number < self.num_nodes,
            body,
            (0, *carried),
            maximum_iterations=self.num_nodes,
        )[1:]

    def previous_of(self, node: int | tf.Tensor) -> tf.Tensor:
        """See `CellWiring`."""
        # Not `[node - 1]`: the compiler would want to know the node.
        return tf.gather(self.previous, node - 1)

    def activate(self, candidates: tf.Tensor, node: int | tf.Tensor) -> tf.Tensor:
        """See `CellWiring`."""
        of = self._of(node)
        return tf.where(
            of.is_smooth > 0.0,
            of.scale * tf.tanh(of.input_scale * candidates) + of.offset,
            tf.maximum(candidates, of.negative_slope * candidates),
        )

    def slope(self, activated: tf.Tensor, node: int | tf.Tensor) -> tf.Tensor:
        """See `CellWiring`."""
        of = self._of(node)
        polynomial = of.constant + activated * (of.linear + of.square * activated)
        return tf.where((of.is_relu > 0.0) & (activated <= 0.0), 0.0, polynomial)

    def combine(self, values: Sequence[tf.Tensor]) -> tf.Tensor:
        """See `CellWiring`."""
        if self._shares is None:
            return tf.add_n(values[1:]) / self.num_nodes
        return tf.tensordot(self._shares, tf.stack(values[1:]), axes=1)

    def spread(self, gradient: tf.Tensor) -> tf.Tensor:
        """See `CellWiring`."""
        shares = self._shares
        if shares is None:
            shares = tf.fill([self.num_nodes], 1.0 / self.num_nodes)
        shares = tf.concat([tf.zeros([1]), shares], axis=0)
        return shares[:, None, None] * gradient

    def _of(self, node: int | tf.Tensor) -> "_Coefficients":
        return _Coefficients(*tf.unstack(tf.gather(self._coefficients, node - 1)))


FUNCTIONS = {
    RnnFunction.TANH: tf.tanh,
    RnnFunction.RELU: tf.nn.relu,
    RnnFunction.SIGMOID: tf.sigmoid,
    RnnFunction.IDENTITY: tf.identity,
}
_SLOPES = {
    RnnFunction.TANH: lambda value: 1.0 - value * value,
    RnnFunction.RELU: lambda value: tf.cast(value > 0.0, tf.float32),
    RnnFunction.SIGMOID: lambda value: value * (1.0 - value),
    RnnFunction.IDENTITY: tf.ones_like,
}


class _Coefficients(NamedTuple):
    """A function and its derivative as numbers.

    A smooth function is `scale * tanh(input_scale * x) + offset`, the others are
    `max(x, negative_slope * x)`. The derivative at the value `v` is
    `constant + linear * v + square * v²`; ReLU's is zero where it is zero.
    """

    is_smooth: Any
    scale: Any
    input_scale: Any
    offset: Any
    negative_slope: Any
    constant: Any
    linear: Any
    square: Any
    is_relu: Any


_COEFFICIENTS = {
    RnnFunction.TANH: _Coefficients(1.0, 1.0, 1.0, 0.0, 0.0, 1.0, 0.0, -1.0, 0.0),
    RnnFunction.RELU: _Coefficients(0.0, 0.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 1.0),
    RnnFunction.SIGMOID: _Coefficients(1.0, 0.5, 0.5, 0.5, 0.0, 0.0, 1.0, -1.0, 0.0),
    RnnFunction.IDENTITY: _Coefficients(0.0, 0.0, 0.0, 0.0, 1.0, 1.0, 0.0, 0.0, 0.0),
}
