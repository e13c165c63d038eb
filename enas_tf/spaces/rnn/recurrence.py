"""The time loop of a recurrent cell, with a gradient of its own.

TensorFlow's gradient of a `tf.while_loop` keeps every intermediate tensor of every step, and adds
up the gradients of the weights step by step. Here only the values of the nodes, their activations
and gates are kept, the weights' gradients are one large matrix product each, after the loop, and
the many small operations of a step are compiled into a few by XLA.
Source of the cell: the authors' release, `enas_lm/src/child.py`.
"""

import functools
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import tensorflow as tf

from enas_tf.layers.compute_type import product
from enas_tf.spaces.rnn.cell_wiring import CellWiring

# Compiled code is for one number of steps, and compiling takes seconds. Segments of random length
# are padded to a multiple of this; the loop ends where the segment does.
_PADDING = 16


class _Kept(NamedTuple):
    """What a step keeps for its gradient, each `[nodes + 1, batch, hidden]`."""

    values: tf.Tensor
    activated: tf.Tensor
    gates: tf.Tensor


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
        into it. None: inference, as plain TensorFlow operations that every format can hold.

    Returns:
      The states after each step, `[time, batch, hidden]`.
    """
    num_steps = tf.shape(projected)[0]
    if mask is None:
        return _forward(projected, num_steps, state, kernels, wiring=wiring, mask=None)[0]

    @tf.custom_gradient
    def run(
        projected: tf.Tensor, state: tf.Tensor, kernels: tf.Tensor
    ) -> tuple[tf.Tensor, Callable[[tf.Tensor], Any]]:
        forward = _compiled(_forward, wiring, mask)
        states, *kept = forward(projected, num_steps, state, kernels)

        def gradient(states_gradient: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
            before = tf.concat([state[None], states[:-1]], axis=0)
            backward = _compiled(_backward, wiring, mask)
            return backward(states_gradient, num_steps, before, _Kept(*kept), kernels)

        return states, gradient

    missing = -num_steps % _PADDING
    padded = tf.pad(projected, [[0, missing], [0, 0], [0, 0]])
    return run(padded, state, kernels)[:num_steps]


def _compiled(
    function: Callable[..., Any], wiring: CellWiring, mask: tf.Tensor
) -> Callable[..., Any]:
    bound = functools.partial(function, wiring=wiring, mask=mask)
    if tf.executing_eagerly():
        # Outside of a graph every call would compile anew.
        return bound
    return tf.function(bound, autograph=False, jit_compile=True)


def _masked(tensor: tf.Tensor, mask: tf.Tensor | None) -> tf.Tensor:
    return tensor if mask is None else tensor * mask


def _loop(
    times: tuple[tf.Tensor, tf.Tensor],
    step: Callable[[tf.Tensor, tf.Tensor], tuple[tf.Tensor, Sequence[tf.Tensor]]],
    carried: tf.Tensor,
    element_shapes: Sequence[Sequence[int | None]],
    backwards: bool = False,
) -> tuple[tf.Tensor, list[tf.Tensor]]:
    """Runs `step(time, carried) -> (carried, outputs)` for each time.

    Args:
      times: how many there are, and how many the outputs have room for.
      step: one step.
      carried: goes into the first step.
      element_shapes: of the outputs of a step.
      backwards: from the last time to the first.

    Returns:
      What the last step carried on, and all outputs in the order of time; zeros where there is no
      time any more.
    """
    num_steps, room = times
    arrays = [tf.TensorArray(tf.float32, room, element_shape=shape) for shape in element_shapes]

    def body(number: tf.Tensor, carried: tf.Tensor, *arrays: Any) -> tuple[Any, ...]:
        time = num_steps - 1 - number if backwards else number
        carried, outputs = step(time, carried)
        written = (array.write(time, output) for array, output in zip(arrays, outputs))
        return (number + 1, carried, *written)

    _, carried, *arrays = tf.while_loop(
        lambda number, *_: number < num_steps, body, (0, carried, *arrays), maximum_iterations=room
    )
    return carried, [array.stack() for array in arrays]


def _forward(
    projected: tf.Tensor,
    num_steps: tf.Tensor,
    state: tf.Tensor,
    kernels: tf.Tensor,
    *,
    wiring: CellWiring,
    mask: tf.Tensor | None,
) -> list[tf.Tensor]:
    """Returns the states, and with a mask the fields of `_Kept` too, with the time first."""
    per_node = tf.unstack(kernels)

    def step(time: tf.Tensor, state: tf.Tensor) -> tuple[tf.Tensor, Sequence[tf.Tensor]]:
        values: list[tf.Tensor] = []
        activated, gates = [], []
        for node, kernel in enumerate(per_node):
            source = wiring.read(values, node) if node else state
            both = product(_masked(source, mask), kernel)
            if not node:
                both += tf.gather(projected, time)
            candidates, gate = tf.split(both, 2, axis=1)
            activated.append(wiring.activate(candidates, node) if node else tf.tanh(candidates))
            gates.append(tf.sigmoid(gate))
            values.append(source + gates[-1] * (activated[-1] - source))
        state = wiring.combine(values)
        if mask is None:
            return state, [state]
        return state, [state, tf.stack(values), tf.stack(activated), tf.stack(gates)]

    of_nodes = [len(per_node), *state.shape]
    shapes = [state.shape] if mask is None else [state.shape, of_nodes, of_nodes, of_nodes]
    return _loop((num_steps, tf.shape(projected)[0]), step, state, shapes)[1]


def _backward(
    states_gradient: tf.Tensor,
    num_steps: tf.Tensor,
    before: tf.Tensor,
    kept: _Kept,
    kernels: tf.Tensor,
    *,
    wiring: CellWiring,
    mask: tf.Tensor,
) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
    """Returns the gradients of the projected inputs, of the first state and of the kernels."""
    per_node = tf.unstack(kernels)

    def step(time: tf.Tensor, gradient: tf.Tensor) -> tuple[tf.Tensor, Sequence[tf.Tensor]]:
        # Not `kept.values[time]`: the compiler would want to know the time, which depends on the
        # number of steps, and compile anew for each.
        values, activated, gates = (tf.gather(tensor, time) for tensor in kept)
        sources = [tf.gather(before, time), *tf.unstack(wiring.read_all(values))]
        gradients = wiring.spread(gradient + tf.gather(states_gradient, time))
        products: list[Any] = [None] * len(per_node)
        for node in reversed(range(len(per_node))):
            of_value = gradients[node]
            output, gate = activated[node], gates[node]
            slope = wiring.slope(output, node) if node else 1.0 - output * output
            of_candidates = of_value * gate * slope
            of_gate = of_value * (output - sources[node]) * gate * (1.0 - gate)
            products[node] = tf.concat([of_candidates, of_gate], axis=1)
            through = product(products[node], per_node[node], transpose_b=True) * mask
            of_source = of_value * (1.0 - gate) + through
            if node:
                gradients = wiring.send_back(gradients, node, of_source)
        return of_source, [tf.stack(products)]

    rows, hidden = before.shape[1:]
    shape = [len(per_node), rows, 2 * hidden]
    times = (num_steps, tf.shape(before)[0])
    zeros = tf.zeros_like(before[0])
    of_state, (products,) = _loop(times, step, zeros, [shape], backwards=True)
    products = tf.transpose(products, [1, 0, 2, 3])
    values = tf.transpose(kept.values, [1, 0, 2, 3])
    sources = tf.concat([before[None], wiring.read_all(values)], axis=0) * mask
    of_kernels = product(
        tf.reshape(sources, [len(per_node), -1, hidden]),
        tf.cast(tf.reshape(products, [len(per_node), -1, 2 * hidden]), kernels.dtype),
        transpose_a=True,
    )
    return products[0], of_state, tf.cast(of_kernels, kernels.dtype)
