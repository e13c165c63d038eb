"""The time loop of a recurrent cell, with a gradient of its own.

TensorFlow's gradient of a `tf.while_loop` keeps every intermediate tensor of every step, and adds
up the gradients of the weights step by step. Here only the values of the nodes, their activations
and gates are kept, the gradient of a node's weights is one large matrix product after the loop, and
the many small operations of a step are compiled into a few by XLA.
Source of the cell: the authors' release, `enas_lm/src/child.py`.
"""

import functools
from collections.abc import Callable, Sequence
from typing import Any

import tensorflow as tf

from enas_tf.layers.compute_type import product
from enas_tf.spaces.rnn.cell_wiring import CellWiring

# Compiled code has room for a multiple of so many steps, which nearly all segments of random length
# have in common, since compiling takes seconds. The loop ends where the segment does.
_ROOM = 48


def recurrence(
    projected: tf.Tensor,
    state: tf.Tensor,
    kernels: tf.Tensor,
    wiring: CellWiring,
    mask: tf.Tensor | None = None,
) -> tf.Tensor:
    """Runs a cell over time.

    Node 0: (h, t) = projected input + (state · mask) W₀, value = state + σ(t)(tanh(h) − state).
    Node i reads an earlier node's value s: (h, t) = (s · mask) W_i, value = s + σ(t)(f(h) − s). The
    wiring says which node, which f, and how the values make the new state.

    Args:
      projected: `[time, batch, 2 * hidden]`, the embedded words times node 0's input kernel.
      state: `[batch, hidden]`, before the first step.
      kernels: `[nodes + 1, hidden, 2 * hidden]`, of the state (node 0) and of the computed nodes;
        of the type to multiply in, all else is float32.
      wiring: the connections; its tensors must not depend on trained weights.
      mask: `[batch, hidden]`, dropout of what nodes read, the same at all times; no gradient flows
        into it. None: inference, for a fixed wiring as plain TensorFlow operations that every
        format can hold.

    Returns:
      The states after each step, `[time, batch, hidden]`.
    """
    num_steps = tf.shape(projected)[0]
    if mask is None and wiring.is_fixed:
        return _plain(projected, num_steps, state, kernels, wiring)
    if mask is None:
        forward = _compiled(_forward, wiring, mask)
        return forward(_with_room(projected, num_steps), num_steps, state, kernels)[0][:num_steps]

    @tf.custom_gradient
    def run(
        projected: tf.Tensor, state: tf.Tensor, kernels: tf.Tensor
    ) -> tuple[tf.Tensor, Callable[[tf.Tensor], Any]]:
        forward = _compiled(_forward, wiring, mask)
        states, *kept = forward(_with_room(projected, num_steps), num_steps, state, kernels)
        states = states[:num_steps]

        def gradient(of_states: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
            before = tf.concat([state[None], states[:-1]], axis=0)
            backward = _compiled(_backward, wiring, mask)
            padded = (_with_room(one, num_steps) for one in (of_states, before))
            of_state, products = backward(*padded, num_steps, kept, kernels)
            of_products = [tf.cast(one[:num_steps], kernels.dtype) for one in tf.unstack(products)]
            values = tf.unstack(wiring.read_all(kept[0]))
            sources = [before, *(one[:num_steps] for one in values)]
            of_kernels = [
                product(source * mask, of_product, tf.tensordot, axes=[[0, 1], [0, 1]])
                for source, of_product in zip(sources, of_products, strict=True)
            ]
            of_projected = products[0, :num_steps]
            return of_projected, of_state, tf.cast(tf.stack(of_kernels), kernels.dtype)

        return states, gradient

    return run(projected, state, kernels)


def _with_room(sequence: tf.Tensor, num_steps: tf.Tensor) -> tf.Tensor:
    return tf.pad(sequence, [[0, -num_steps % _ROOM], [0, 0], [0, 0]])


def _compiled(
    function: Callable[..., Any], wiring: CellWiring, mask: tf.Tensor | None
) -> Callable[..., Any]:
    bound = functools.partial(function, wiring=wiring, mask=mask)
    if tf.executing_eagerly():
        # Outside of a graph every call would compile anew.
        return bound
    return tf.function(bound, autograph=False, jit_compile=True)


def _gated(
    both: tf.Tensor, source: tf.Tensor, activate: Callable[[tf.Tensor], tf.Tensor]
) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
    """Returns the value of a node, its activation and its gate, `[batch, hidden]` each."""
    candidates, gate = tf.split(both, 2, axis=1)
    activated, gate = activate(candidates), tf.sigmoid(gate)
    return source + gate * (activated - source), activated, gate


def _plain(
    projected: tf.Tensor,
    num_steps: tf.Tensor,
    state: tf.Tensor,
    kernels: tf.Tensor,
    wiring: CellWiring,
) -> tf.Tensor:
    """Returns the states, node by node; TensorFlow can differentiate it."""
    first, *others = tf.unstack(kernels)

    def step(time: tf.Tensor, state: tf.Tensor, states: Any) -> Sequence[Any]:
        both = product(state, first) + tf.gather(projected, time)
        values = [_gated(both, state, tf.tanh)[0]]
        for node, kernel in enumerate(others, 1):
            source = values[wiring.previous_of(node)]
            activate = functools.partial(wiring.activate, node=node)
            values.append(_gated(product(source, kernel), source, activate)[0])
        state = wiring.combine(values)
        return state, states.write(time, state)

    states = tf.TensorArray(tf.float32, num_steps, element_shape=state.shape)
    return _loop(num_steps, step, (state, states), num_steps)[1].stack()


def _loop(
    steps: tf.Tensor, body: Callable[..., Sequence[Any]], carried: Sequence[Any], most: tf.Tensor
) -> Any:
    """Returns what is carried after `body(number, *carried)` for each of so many numbers."""
    return tf.while_loop(
        lambda number, *_: number < steps,
        lambda number, *carried: (number + 1, *body(number, *carried)),
        (0, *carried),
        maximum_iterations=most,
    )[1:]


def _array(tensor: tf.Tensor) -> Any:
    """Returns an array of a tensor's rows, which may be read and written in any order."""
    return tf.TensorArray(
        tensor.dtype, tf.shape(tensor)[0], element_shape=tensor.shape[1:], clear_after_read=False
    ).unstack(tensor)


class _Held(list):
    """Tensors whose places are known in advance, which the compiler then need not keep in one.

    It does what an array does.
    """

    def read(self, place: int) -> tf.Tensor:
        """Returns the tensor of a place."""
        return self[place]

    def write(self, place: int, tensor: tf.Tensor) -> "_Held":
        """Puts a tensor into a place."""
        self[place] = tensor
        return self


def _by_node(array: Any, num_nodes: int) -> tf.Tensor:
    """Returns `[nodes + 1, time, …]` of an array of all times of node 0, then of node 1, …."""
    stacked = array.stack()
    return tf.reshape(stacked, [num_nodes + 1, -1, *stacked.shape[1:]])


def _forward(
    projected: tf.Tensor,
    num_steps: tf.Tensor,
    state: tf.Tensor,
    kernels: tf.Tensor,
    *,
    wiring: CellWiring,
    mask: tf.Tensor | None,
) -> list[tf.Tensor]:
    """Returns the states, and with a mask what the gradient needs.

    That is the values of all nodes, their activations and their gates, each
    `[nodes + 1, time, batch, hidden]`, so that a node's are in one piece for its weights' gradient.
    """
    room, num_nodes = tf.shape(projected)[0], wiring.num_nodes
    # What no gradient needs is written over by the next step.
    times = 1 if mask is None else room

    def step(time: tf.Tensor, state: tf.Tensor, states: Any, *kept: Any) -> Sequence[Any]:
        place = 0 if mask is None else time
        # Of a fixed wiring; else a node that is not known in advance reads them from the array.
        values: list[tf.Tensor] = []

        def both_of(source: tf.Tensor, node: Any) -> tf.Tensor:
            return product(source if mask is None else source * mask, kernels[node])

        def keep(node: Any, parts: Sequence[tf.Tensor], kept: Sequence[Any]) -> list[Any]:
            values.append(parts[0])
            return [array.write(node * times + place, part) for array, part in zip(kept, parts)]

        def run(node: Any, *kept: Any) -> list[Any]:
            previous = wiring.previous_of(node)
            known = wiring.is_fixed
            source = values[previous] if known else kept[0].read(previous * times + place)
            activate = functools.partial(wiring.activate, node=node)
            return keep(node, _gated(both_of(source, node), source, activate), kept)

        both = both_of(state, 0) + tf.gather(projected, time)
        kept = wiring.for_each_node(run, keep(0, _gated(both, state, tf.tanh), kept))
        if not wiring.is_fixed:
            values = [kept[0].read(node * times + place) for node in range(num_nodes + 1)]
        state = wiring.combine(values)
        return state, states.write(time, state), *kept

    places, parts = (num_nodes + 1) * times, 1 if mask is None else 3
    # Arrays that begin alike would begin as one, and be copied.
    kept = [_array(tf.fill([places, *state.shape], float(part))) for part in range(parts)]
    carried = (state, _array(tf.fill([room, *state.shape], float(parts))), *kept)
    _, states, *kept = _loop(num_steps, step, carried, room)
    return [states.stack(), *(_by_node(one, num_nodes) for one in kept if mask is not None)]


def _backward(
    of_states: tf.Tensor,
    before: tf.Tensor,
    num_steps: tf.Tensor,
    kept: Sequence[tf.Tensor],
    kernels: tf.Tensor,
    *,
    wiring: CellWiring,
    mask: tf.Tensor,
) -> tuple[tf.Tensor, tf.Tensor]:
    """Returns the gradients of the first state, and of what comes out of the nodes' products.

    The latter are `[nodes + 1, time, batch, 2 * hidden]`.
    """
    room, num_nodes = tf.shape(of_states)[0], wiring.num_nodes
    values, activations, gates = (tf.reshape(one, [-1, *one.shape[2:]]) for one in kept)
    transposed = tf.transpose(kernels, [0, 2, 1])

    def step(number: tf.Tensor, of_state: tf.Tensor, products: Any) -> Sequence[Any]:
        time = num_steps - 1 - number

        def through(
            node: Any,
            of_value: tf.Tensor,
            source: tf.Tensor,
            slope: Callable[[tf.Tensor], tf.Tensor],
            products: Any,
        ) -> tuple[tf.Tensor, Any]:
            """Returns the gradient of what a node reads."""
            # Not `[place]`: the compiler would want to know the time, which depends on the number
            # of steps, and compile anew for each.
            place = node * room + time
            activated, gate = tf.gather(activations, place), tf.gather(gates, place)
            of_candidates = of_value * gate * slope(activated)
            of_gate = of_value * (activated - source) * gate * (1.0 - gate)
            of_product = tf.concat([of_candidates, of_gate], axis=1)
            of_source = of_value * (1.0 - gate) + product(of_product, transposed[node]) * mask
            return of_source, products.write(place, of_product)

        def run(node: Any, of_values: Any, products: Any) -> Sequence[Any]:
            previous = wiring.previous_of(node)
            source = tf.gather(values, previous * room + time)
            slope = functools.partial(wiring.slope, node=node)
            of_source, products = through(node, of_values.read(node), source, slope, products)
            return of_values.write(previous, of_values.read(previous) + of_source), products

        spread = wiring.spread(of_state + tf.gather(of_states, time))
        of_values = _Held(tf.unstack(spread)) if wiring.is_fixed else _array(spread)
        of_values, products = wiring.for_each_node(run, (of_values, products), backwards=True)
        source = tf.gather(before, time)
        return through(0, of_values.read(0), source, lambda tanh: 1.0 - tanh * tanh, products)

    zeros = tf.zeros_like(of_states[0])
    shape = [(num_nodes + 1) * room, *before.shape[1:-1], kernels.shape[-1]]
    products = _array(tf.zeros(shape))
    of_state, products = _loop(num_steps, step, (zeros, products), room)
    return of_state, _by_node(products, num_nodes)
