"""The recurrent cell of one architecture, and the LSTM, as layers that run over time."""

from typing import Any

import keras
import tensorflow as tf

from enas_tf.layers.compute_type import product
from enas_tf.spaces.rnn.architecture import RnnArchitecture
from enas_tf.spaces.rnn.cell_wiring import CellWiring, FixedWiring
from enas_tf.spaces.rnn.language_modelling import Unrolled
from enas_tf.spaces.rnn.recurrence import recurrence
from enas_tf.spaces.rnn.sizes import kernel_shapes


def run_cell(
    inputs: tf.Tensor,
    state: tf.Tensor,
    input_kernel: tf.Tensor,
    node_kernels: tf.Tensor,
    wiring: CellWiring,
    mask: tf.Tensor | None,
    compute_type: tf.DType = tf.float32,
) -> Unrolled:
    """Runs a recurrent cell over embedded words.

    Only products are computed in a half type. The state is a sum over all words: what a gate that
    is nearly shut adds would be lost in the eight bits of bfloat16. What a step does besides
    products works on small tensors, which are compiled into few operations.

    Args:
      inputs: `[time, batch, hidden]`.
      state: `[batch, hidden]`.
      input_kernel: `[2 * hidden, 2 * hidden]` of node 0; its first half is for the inputs, the
        second for the state.
      node_kernels: `[num_nodes, hidden, 2 * hidden]`.
      wiring: the connections.
      mask: `[batch, hidden]` of what nodes read in training; None: inference.
      compute_type: of products.
    """
    hidden = inputs.shape[-1]
    projected = projection(inputs, tf.cast(input_kernel[:hidden], compute_type))
    kernels = tf.concat([input_kernel[None, hidden:], node_kernels], axis=0)
    kernels = tf.cast(kernels, compute_type)
    states = recurrence(projected, state, kernels, wiring, mask)
    return Unrolled(states, states[-1])


def projection(inputs: tf.Tensor, kernel: tf.Tensor) -> tf.Tensor:
    """Returns the products of the inputs of all times at once: a large one, not many small ones."""
    return product(inputs, kernel, tf.tensordot, axes=1)


class RnnCell(keras.layers.Layer):
    """The cell of one architecture; called as a `Cell` of `language_modelling`.

    Args:
      architecture: the cell.
      hidden_size: features of a word's embedding and of the state.
      cell_output: see `RnnNetworkConfig`.
      initializers: gives the initial weights; see `UniformWeights`.

    Attributes:
      compute_type: of products.
    """

    compute_type = tf.float32

    def __init__(
        self, architecture: RnnArchitecture, hidden_size: int, cell_output: str, initializers: Any
    ) -> None:
        super().__init__(name="cell")
        self.hidden_size = hidden_size
        self._wiring = FixedWiring(architecture, cell_output)
        self.input_kernel, self.node_kernels = (
            self.add_weight(shape, initializers.next(), name=name)
            for name, shape in kernel_shapes(architecture.num_nodes, hidden_size).items()
        )
        self.built = True

    def zero_state(self, rows: Any) -> tf.Tensor:
        """Returns the state before any word, `[rows, hidden]`."""
        return tf.zeros([rows, self.hidden_size])

    def call(
        self, inputs: tf.Tensor, state: tf.Tensor, node_mask: tf.Tensor | None = None
    ) -> Unrolled:
        """Runs over embedded words `[time, batch, hidden]`."""
        kernels = (tf.convert_to_tensor(w.value) for w in (self.input_kernel, self.node_kernels))
        return run_cell(inputs, state, *kernels, self._wiring, node_mask, self.compute_type)


class LstmCell(keras.layers.Layer):
    """An LSTM with biases; called as a `Cell` of `language_modelling`. It computes in float32.

    Args:
      hidden_size: features of a word's embedding and units.
      initializers: gives the initial weights; see `UniformWeights`.
    """

    def __init__(self, hidden_size: int, initializers: Any) -> None:
        super().__init__(name="cell")
        self.hidden_size = hidden_size
        self._cell = keras.layers.LSTMCell(
            hidden_size,
            kernel_initializer=initializers.next(),
            recurrent_initializer=initializers.next(),
        )
        self._cell.build((None, hidden_size))
        self.built = True

    def zero_state(self, rows: Any) -> tuple[tf.Tensor, tf.Tensor]:
        """Returns output and memory before any word, `[rows, hidden]` each."""
        zeros = tf.zeros([rows, self.hidden_size])
        return zeros, zeros

    def call(
        self,
        inputs: tf.Tensor,
        state: tuple[tf.Tensor, tf.Tensor],
        node_mask: tf.Tensor | None = None,
    ) -> Unrolled:
        """Runs over embedded words `[time, batch, hidden]`; the mask is for the fed-back output."""
        num_steps = tf.shape(inputs)[0]
        outputs = tf.TensorArray(tf.float32, num_steps, element_shape=state[0].shape)

        def step(
            number: tf.Tensor, output: tf.Tensor, memory: tf.Tensor, outputs: tf.TensorArray
        ) -> tuple[Any, ...]:
            fed_back = output if node_mask is None else output * node_mask
            output, (_, memory) = self._cell(inputs[number], [fed_back, memory])
            return number + 1, output, memory, outputs.write(number, output)

        _, output, memory, outputs = tf.while_loop(
            lambda number, *_: number < num_steps, step, (0, *state, outputs)
        )
        stacked = tf.ensure_shape(outputs.stack(), inputs.shape)
        return Unrolled(stacked, (output, memory))
