"""The recurrent cell as a mixture, and one path through it whose gains have a gradient.

Both are the cell of `enas_tf.spaces.rnn.recurrence`: node i computes, from the value s of an
earlier node j with the function f, the value s + σ(t)(f(h) − s), where (h, t) = (s · mask) W_ijf.
The mixture is the sum of all of them, each times its weight.
"""

from collections.abc import Callable, Sequence
from typing import Any

import tensorflow as tf

from enas_tf.layers.compute_type import product
from enas_tf.spaces.rnn.architecture import RnnFunction
from enas_tf.spaces.rnn.cell import projection
from enas_tf.spaces.rnn.cell_wiring import FUNCTIONS, SampledWiring
from enas_tf.spaces.rnn.decisions import RnnMixture, RnnPaths
from enas_tf.spaces.rnn.language_modelling import Unrolled
from enas_tf.spaces.rnn.recomputed_recurrence import recomputed_recurrence

Cell = Callable[[tf.Tensor, tf.Tensor, tf.Tensor | None], Unrolled]


def relaxed_cell(
    input_kernel: tf.Tensor,
    banks: Sequence[tf.Tensor],
    mixture: RnnMixture,
    cell_output: str,
    functions: Sequence[RnnFunction] = tuple(RnnFunction),
    compute_type: tf.DType = tf.float32,
) -> Cell:
    """Returns the cell of a mixture; see `Cell` of `language_modelling`.

    Args:
      input_kernel: `[2 * hidden, 2 * hidden]` of node 0.
      banks: for each node its matrices `[functions, earlier nodes, hidden, 2 * hidden]`.
      mixture: weights `[num_nodes, num_nodes, functions]`.
      cell_output: `mean` of all computed nodes, or of the `loose_ends`: then each weighs as much
        as it is probable that no node reads it.
      functions: those of a bank's first axis.
      compute_type: of products.
    """
    hidden = input_kernel.shape[-1] // 2
    # One matrix product for each earlier node and all functions: [earlier, hidden, functions * 2H].
    cast = [tf.cast(bank, compute_type) for bank in banks]
    flat = [
        tf.reshape(tf.transpose(bank, [1, 2, 0, 3]), [bank.shape[1], hidden, -1]) for bank in cast
    ]
    weights = [mixture.weights[node, : node + 1] for node in range(len(banks))]
    shares = _shares(mixture.weights, cell_output)

    def nodes(value: tf.Tensor, mask: tf.Tensor | None, own: Sequence[tf.Tensor]) -> tf.Tensor:
        shares, *parts = own
        values = [value]
        for bank, weight in zip(parts[: len(banks)], parts[len(banks) :]):
            sources = tf.stack(values)
            both = product(_masked(sources, mask), bank)
            rows = tf.shape(both)[1]
            both = tf.reshape(both, [len(values), rows, len(functions), 2, hidden])
            candidates = tf.unstack(both[..., 0, :], axis=2)
            activated = tf.stack(
                [FUNCTIONS[f](one) for f, one in zip(functions, candidates)], axis=2
            )
            gates = tf.sigmoid(both[..., 1, :])
            outcome = sources[:, :, None] + gates * (activated - sources[:, :, None])
            values.append(tf.einsum("jf,jbfh->bh", weight, outcome))
        return tf.tensordot(shares, tf.stack(values[1:]), axes=1)

    return _cell(tf.cast(input_kernel, compute_type), nodes, [shares, *flat, *weights])


def path_cell(
    input_kernel: tf.Tensor,
    node_kernels: tf.Tensor,
    paths: RnnPaths,
    cell_output: str,
    numbered: Sequence[RnnFunction] = tuple(RnnFunction),
    compute_type: tf.DType = tf.float32,
) -> Cell:
    """Returns the cell of one path, in which every node's value is multiplied by its gain.

    Args:
      input_kernel: `[2 * hidden, 2 * hidden]` of node 0.
      node_kernels: `[num_nodes, hidden, 2 * hidden]` of the path.
      paths: the path.
      cell_output: see `relaxed_cell`.
      numbered: the functions in the order of their numbers.
      compute_type: of products.
    """

    def nodes(value: tf.Tensor, mask: tf.Tensor | None, own: Sequence[tf.Tensor]) -> tf.Tensor:
        kernels, gains, previous, functions = own
        # Integers, which have no gradient, travel as floats.
        wiring = SampledWiring(
            tf.cast(previous, tf.int32), tf.cast(functions, tf.int32), cell_output, numbered
        )
        values = [value]
        for node, (kernel, gain) in enumerate(zip(tf.unstack(kernels), tf.unstack(gains)), 1):
            source = tf.gather(tf.stack(values), wiring.previous_of(node))
            candidates, gate = tf.split(product(_masked(source, mask), kernel), 2, axis=1)
            activated = wiring.activate(candidates, node)
            values.append(gain * (source + tf.sigmoid(gate) * (activated - source)))
        return wiring.combine(values)

    integers = (tf.cast(one, tf.float32) for one in (paths.previous, paths.functions))
    input_kernel, node_kernels = (
        tf.cast(kernel, compute_type) for kernel in (input_kernel, node_kernels)
    )
    return _cell(input_kernel, nodes, [node_kernels, paths.gains, *integers])


def _cell(
    input_kernel: tf.Tensor, nodes: Callable[..., tf.Tensor], parameters: Sequence[tf.Tensor]
) -> Cell:
    """Returns a cell with node 0 and others after it."""
    hidden = input_kernel.shape[-1] // 2

    def cell(inputs: tf.Tensor, state: tf.Tensor, mask: tf.Tensor | None) -> Unrolled:
        masks = [] if mask is None else [mask]

        def step(projected: tf.Tensor, state: tf.Tensor, own: Sequence[Any]) -> tf.Tensor:
            kernel, *others = own[len(masks) :]
            own_mask = own[0] if masks else None
            both = projected + product(_masked(state, own_mask), kernel)
            candidates, gate = tf.split(both, 2, axis=1)
            value = state + tf.sigmoid(gate) * (tf.tanh(candidates) - state)
            return nodes(value, own_mask, others)

        projected = projection(inputs, input_kernel[:hidden])
        own = [*masks, input_kernel[hidden:], *parameters]
        states = recomputed_recurrence(step, projected, state, own)
        return Unrolled(states, states[-1])

    return cell


def _shares(weights: tf.Tensor, cell_output: str) -> tf.Tensor:
    """Returns by how much each computed node counts in the new state, `[num_nodes]`."""
    num_nodes = weights.shape[0]
    if cell_output == "mean":
        return tf.ones([num_nodes], weights.dtype) / num_nodes
    # Of the computed nodes; the last one is read by none.
    reads = tf.pad(tf.reduce_sum(weights, axis=-1)[:, 1:], [[0, 0], [0, 1]])
    loose = tf.reduce_prod(1.0 - reads, axis=0)
    return loose / tf.reduce_sum(loose)


def _masked(tensor: tf.Tensor, mask: tf.Tensor | None) -> tf.Tensor:
    return tensor if mask is None else tensor * mask
