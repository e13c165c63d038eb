"""Controllers made of an LSTM and of attention over its earlier outputs.

Source: the authors' release, `src/cifar10/general_controller.py` and `micro_controller.py`.
"""

from typing import Any, NamedTuple

import keras
import numpy as np
import tensorflow as tf

from enas_tf.layers.decisions import DecisionSequence, squash
from enas_tf.spaces.controller import Controller, UniformWeights


class Progress(NamedTuple):
    """What a pass carries from decision to decision.

    Attributes:
      sequence: the decisions so far.
      state: output and cell state of the LSTM, `[batch, lstm_size]` each.
      input: of the LSTM's next step, same shape.
      anchors: `[batch, places, lstm_size]`, the outputs that stand for the places (layers, nodes …)
        decided so far; zeros for those to come.
      keys: same shape, the anchors times `key_kernel`.
    """

    sequence: DecisionSequence
    state: tuple[tf.Tensor, tf.Tensor]
    input: tf.Tensor
    anchors: tf.Tensor
    keys: tf.Tensor

    def decide(
        self, logits: tf.Tensor, given: tf.Tensor, counted: tf.Tensor | None = None
    ) -> "tuple[Progress, tf.Tensor]":
        """Takes the next decision; see `DecisionSequence.decide`."""
        sequence, choice = self.sequence.decide(logits, given, counted)
        return self._replace(sequence=sequence), choice


class AttentionController(Controller):
    """What controllers with an LSTM and attention over its earlier outputs share.

    Args:
      space: the search space; its `controller` holds the settings.
      seed: of the initial weights.
      name: of the model.

    Attributes:
      config: the settings, of which `lstm_size`, `temperature`, `tanh_constant` and
        `initial_range` are used here.
      uniform: gives the initial weights.
      cell: the LSTM cell.
      start_input: `[1, lstm_size]`, the input of the first step.
      key_kernel: `[lstm_size, lstm_size]`, applied to anchors (W₁ in the paper).
      query_kernel: `[lstm_size, lstm_size]`, applied to the current output (W₂).
      attention_vector: `[lstm_size, 1]` (v).
    """

    def __init__(self, space: Any, seed: int, name: str) -> None:
        super().__init__(space, name=name)
        self.config = space.controller
        self.uniform = uniform = UniformWeights(self.config.initial_range, seed)
        size = self.config.lstm_size
        self.cell = keras.layers.LSTMCell(
            size,
            use_bias=False,
            kernel_initializer=uniform.next(),
            recurrent_initializer=uniform.next(),
        )
        self.cell.build((None, size))
        self.start_input = self.add_weight((1, size), uniform.next(), name="start_input")
        self.key_kernel = self.add_weight((size, size), uniform.next(), name="key_kernel")
        self.query_kernel = self.add_weight((size, size), uniform.next(), name="query_kernel")
        self.attention_vector = self.add_weight((size, 1), uniform.next(), name="attention_vector")
        self.built = True

    def start(
        self, seed: tf.Tensor, exploration: tf.Tensor, batch_size: tf.Tensor, num_places: int
    ) -> Progress:
        """Returns the state before the first step of a pass.

        Args:
          seed: as for `unroll`.
          exploration: as for `unroll`.
          batch_size: int32 scalar, number of architectures.
          num_places: how many anchors there will be.
        """
        size = self.config.lstm_size
        zeros = tf.zeros([batch_size, size])
        anchors = tf.zeros([batch_size, num_places, size])
        return Progress(
            sequence=DecisionSequence.start(seed, exploration, batch_size),
            state=(zeros, zeros),
            # Not `repeat`, whose gradient transposes integers; see `batch_major`.
            input=zeros + self.start_input,
            anchors=anchors,
            keys=anchors,
        )

    def step(self, progress: Progress) -> tuple[Progress, tf.Tensor]:
        """Makes one step of the LSTM and returns its output `[batch, lstm_size]` as well."""
        hidden, state = self.cell(progress.input, list(progress.state))
        return progress._replace(state=tuple(state)), hidden

    def attend(self, progress: Progress, hidden: tf.Tensor) -> tf.Tensor:
        """Returns vᵀ tanh(key + W₂ h) for the key of every place, `[batch, places]`."""
        query = tf.matmul(hidden, self.query_kernel)
        features = tf.tanh(progress.keys + query[:, None])
        return tf.reduce_sum(features * self.attention_vector[:, 0], axis=-1)

    def add_anchor(self, progress: Progress, place: tf.Tensor, hidden: tf.Tensor) -> Progress:
        """Makes the output `hidden` the anchor of a place, and its key that place's key."""
        here = tf.one_hot(place, progress.anchors.shape[1])[:, None]
        key = tf.matmul(hidden, self.key_kernel)
        return progress._replace(
            anchors=progress.anchors + here * hidden[:, None],
            keys=progress.keys + here * key[:, None],
        )

    def squash(self, logits: tf.Tensor, tanh_reduction: float = 1.0) -> tf.Tensor:
        """Applies the settings' temperature and tanh to logits.

        Args:
          logits: of any shape.
          tanh_reduction: the tanh constant, if there is one, is divided by this.
        """
        tanh_constant = self.config.tanh_constant
        if tanh_constant is not None:
            tanh_constant /= tanh_reduction
        return squash(logits, self.config.temperature, tanh_constant)

    def outcome(self, progress: Progress, decisions: Any) -> dict[str, Any]:
        """Returns the fields of a sample without a penalty, for the end of `unroll`.

        Args:
          progress: after the last decision.
          decisions: all that were taken.
        """
        sequence = progress.sequence
        # Not every space offers the choice.
        full = getattr(self.config, "entropy", "full") == "full"
        return {
            "decisions": decisions,
            "log_probability": sequence.log_probability,
            "entropy": sequence.entropy,
            "reward_entropy": sequence.entropy if full else sequence.release_entropy,
            "penalty": tf.zeros_like(sequence.entropy),
        }


class DecisionHead(keras.layers.Layer):
    """Logits of one kind of decision, and the embeddings of its options.

    Args:
      size: units of the LSTM.
      options: number of options.
      weights: gives the initial weights.
      name: of the layer.
      bias: `[options]`, initial values of a trained bias; None: there is no bias.
    """

    def __init__(
        self,
        size: int,
        options: int,
        weights: UniformWeights,
        name: str,
        bias: np.ndarray | None = None,
    ) -> None:
        super().__init__(name=name)
        self.kernel = self.add_weight((size, options), weights.next(), name="kernel")
        self.embeddings = self.add_weight((options, size), weights.next(), name="embeddings")
        self.bias = None
        if bias is not None:
            values = keras.initializers.Constant(bias)
            self.bias = self.add_weight((options,), values, name="bias")
        self.built = True

    def call(self, hidden: tf.Tensor) -> tf.Tensor:
        """Returns the logits `[batch, options]` of the LSTM's output `[batch, size]`."""
        logits = tf.matmul(hidden, self.kernel)
        return logits if self.bias is None else logits + self.bias

    def embed(self, choice: tf.Tensor) -> tf.Tensor:
        """Returns the embeddings `[batch, size]` of options, int32 `[batch]`."""
        return tf.gather(self.embeddings, choice)


def decision_array(field: tf.Tensor) -> tf.TensorArray:
    """Returns an empty array for one `[batch, …]` entry of each step.

    Args:
      field: int32 `[batch, steps, …]`, what the array will hold in the end.
    """
    shape = [field.shape[0], *field.shape[2:]]
    return tf.TensorArray(tf.int32, field.shape[1], element_shape=shape)


def batch_major(array: tf.TensorArray) -> tf.Tensor:
    """Returns the entries of a `decision_array` as int32 `[batch, steps, …]`."""
    # A transposition of integers would make oneDNN complain on many CPUs.
    return tf.stack(tf.unstack(array.stack()), axis=1)
