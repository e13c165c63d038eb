"""The controller of the macro space: operation (or channel ranges) and skips of every layer.

Source: the authors' release, `src/cifar10/general_controller.py`; its variables, weights and
numbers are reproduced exactly (both `search_whole_channels` and not).
"""

import dataclasses
import functools
from typing import Any, ClassVar, NamedTuple

import keras
import numpy as np
import tensorflow as tf

from enas_tf.layers.decisions import DecisionSequence, squash
from enas_tf.spaces.controller import Controller, ControllerSample, UniformWeights
from enas_tf.spaces.macro.space import MacroChannelDecisions, MacroDecisions, MacroSpace


@dataclasses.dataclass(frozen=True)
class MacroSample(ControllerSample):
    """A batch of macro architectures and what the controller says about them.

    Attributes:
      release_entropy: float32 `[batch]`, sum of −p·log p of the options taken, which the release
        uses as entropy.
      skip_penalty: float32 `[batch]`, divergence of the skip probabilities from their target, mean
        over the layers after the first.
      skip_count: int32 `[batch]`, number of skip connections.
    """

    release_entropy: tf.Tensor
    skip_penalty: tf.Tensor
    skip_count: tf.Tensor

    @property
    def metrics(self) -> dict[str, tf.Tensor]:
        """The share of possible skip connections that are set, `skip_rate`."""
        num_layers = self.decisions.skips.shape[-1]
        possible = max(1, num_layers * (num_layers - 1) // 2)
        return {"skip_rate": tf.reduce_mean(tf.cast(self.skip_count, tf.float32)) / possible}


class MacroController(Controller):
    """An LSTM that decides a macro architecture layer by layer.

    For each layer: the operation (one step, softmax over the operations; in the per-channel form
    two steps per operation, for the start and the count of its channels), then one step whose
    output is the layer's *anchor*, and from which all skip connections of the layer are decided by
    attention over the anchors of the earlier layers.

    Two peculiarities of the release are kept. Skip `j` of a layer is scored against the anchor of
    layer `j`, although it adds that layer's *input*. And a skip is drawn from the softmax of the
    pair (−q, q), hence with probability σ(2q), while the penalty compares σ(−q) and σ(q) with the
    target.

    Attributes:
      space: the search space; its `controller` holds this model's settings.
      cell: the LSTM cell.
      start_input: `[1, lstm_size]`, the input of the first step.
      key_kernel: `[lstm_size, lstm_size]`, applied to anchors (W₁ in the paper).
      query_kernel: `[lstm_size, lstm_size]`, applied to the current output (W₂).
      attention_vector: `[lstm_size, 1]` (v).
      heads: what decides the operations.
    """

    sample_type: ClassVar[type[ControllerSample]] = MacroSample
    space: MacroSpace

    def __init__(self, space: MacroSpace, seed: int = 0):
        """Initializes the controller and its weights.

        Args:
          space: the search space.
          seed: of the initial weights.
        """
        super().__init__(space, name="macro_controller")
        self.config = space.controller
        size = self.config.lstm_size
        weights = UniformWeights(self.config.initial_range, seed)
        self.cell = keras.layers.LSTMCell(
            size,
            use_bias=False,
            kernel_initializer=weights.next(),
            recurrent_initializer=weights.next(),
        )
        self.cell.build((None, size))
        self.start_input = self.add_weight((1, size), weights.next(), name="start_input")
        self.key_kernel = self.add_weight((size, size), weights.next(), name="key_kernel")
        self.query_kernel = self.add_weight((size, size), weights.next(), name="query_kernel")
        self.attention_vector = self.add_weight((size, 1), weights.next(), name="attention_vector")
        if space.search_whole_channels:
            self.heads = [DecisionHead(size, space.num_operations, weights, name="operation")]
        else:
            # A branch never has all channels: the counts are 1 to filters - 1.
            self.heads = [
                DecisionHead(size, options, weights, name=f"branch_{branch}_{what}")
                for branch in range(space.num_operations)
                for what, options in (("start", space.filters), ("count", space.filters - 1))
            ]
        self.built = True

    def unroll(
        self,
        decisions: MacroDecisions | MacroChannelDecisions,
        seed: tf.Tensor,
        exploration: tf.Tensor,
    ) -> dict[str, Any]:
        """Takes all decisions; see `Controller.unroll`."""
        batch_size = tf.shape(decisions.skips)[0]
        num_layers = self.space.num_layers
        taken = type(decisions)(*(_layer_array(field) for field in decisions))
        # A loop over equal layers, padded to the full number of anchors, is traced once instead
        # of once a layer, which makes the first call several times shorter.
        _, taken, progress = tf.while_loop(
            lambda layer, *_: layer < num_layers,
            functools.partial(self._decide_layer, decisions),
            (tf.constant(0), taken, self._start(seed, exploration, batch_size)),
            maximum_iterations=num_layers,
            parallel_iterations=1,
        )
        sequence = progress.sequence
        taken = type(decisions)(*(_batch_major(array) for array in taken))
        full = self.config.entropy == "full"
        # The first layer has no skips, and the release's mean leaves it out.
        skip_penalty = progress.penalty / max(1, num_layers - 1)
        return {
            "decisions": taken,
            "log_probability": sequence.log_probability,
            "entropy": sequence.entropy,
            "release_entropy": sequence.release_entropy,
            "reward_entropy": sequence.entropy if full else sequence.release_entropy,
            "penalty": self.config.skip_weight * skip_penalty,
            "skip_penalty": skip_penalty,
            "skip_count": tf.reduce_sum(taken.skips, axis=[1, 2]),
        }

    def _start(self, seed: tf.Tensor, exploration: tf.Tensor, batch_size: tf.Tensor) -> "_Progress":
        size = self.config.lstm_size
        zeros = tf.zeros([batch_size, size])
        anchors = tf.zeros([batch_size, self.space.num_layers, size])
        return _Progress(
            sequence=DecisionSequence.start(seed, exploration, batch_size),
            state=(zeros, zeros),
            input=tf.repeat(tf.convert_to_tensor(self.start_input), batch_size, axis=0),
            anchors=anchors,
            keys=anchors,
            penalty=zeros[:, 0],
        )

    def _decide_layer(
        self, given: Any, layer: tf.Tensor, taken: Any, progress: "_Progress"
    ) -> tuple[tf.Tensor, Any, "_Progress"]:
        given = type(given)(*(field[:, layer] for field in given))
        fields: tuple[tf.Tensor, ...]
        if self.space.search_whole_channels:
            progress, operation = self._choose(progress, self.heads[0], given.operations)
            fields = (operation,)
        else:
            progress, fields = self._choose_channels(progress, given.starts, given.counts)
        progress, skips = self._choose_skips(progress, layer, given.skips)
        choices = (*fields, skips)
        taken = type(taken)(*(array.write(layer, row) for array, row in zip(taken, choices)))
        return layer + 1, taken, progress

    def _choose(
        self,
        progress: "_Progress",
        head: "DecisionHead",
        given: tf.Tensor,
        allowed: tf.Tensor | None = None,
    ) -> "tuple[_Progress, tf.Tensor]":
        progress, hidden = self._step(progress)
        logits = self._squash(head(hidden))
        if allowed is not None:
            logits = tf.where(allowed, logits, -np.inf)
        sequence, choice = progress.sequence.decide(logits, given)
        return progress._replace(sequence=sequence, input=head.embed(choice)), choice

    def _choose_channels(
        self, progress: "_Progress", starts: tf.Tensor, counts: tf.Tensor
    ) -> "tuple[_Progress, tuple[tf.Tensor, tf.Tensor]]":
        filters = self.space.filters
        chosen_starts, chosen_counts = [], []
        for branch, (start_head, count_head) in enumerate(zip(self.heads[0::2], self.heads[1::2])):
            progress, start = self._choose(progress, start_head, starts[:, branch])
            # Entry n of the count means n + 1 channels; they must end within the layer.
            fits = start[:, None] + np.arange(1, filters) <= filters
            progress, entry = self._choose(progress, count_head, counts[:, branch] - 1, fits)
            chosen_starts.append(start)
            chosen_counts.append(entry + 1)
        return progress, (tf.stack(chosen_starts, axis=1), tf.stack(chosen_counts, axis=1))

    def _choose_skips(
        self, progress: "_Progress", layer: tf.Tensor, given: tf.Tensor
    ) -> "tuple[_Progress, tf.Tensor]":
        """Makes the anchor of a layer and decides its skips, int32 `[batch, num_layers]`."""
        progress, hidden = self._step(progress)
        earlier = tf.range(self.space.num_layers) < layer
        query = tf.matmul(hidden, self.query_kernel)
        features = tf.tanh(progress.keys + query[:, None])
        scores = tf.reduce_sum(features * self.attention_vector[:, 0], axis=-1)
        logits = self._squash(tf.stack([-scores, scores], axis=-1))
        sequence, skips = progress.sequence.decide(logits, given, counted=earlier)
        skips = tf.where(earlier, skips, 0)
        weights = tf.cast(skips, tf.float32)
        total = tf.reduce_sum(weights[..., None] * progress.anchors, axis=1)
        mean = total / (1.0 + tf.reduce_sum(weights, axis=1, keepdims=True))
        divergence = tf.where(earlier, self._skip_divergence(logits), 0.0)
        here = tf.one_hot(layer, self.space.num_layers)[:, None]
        key = tf.matmul(hidden, self.key_kernel)
        progress = progress._replace(
            sequence=sequence,
            input=tf.where(layer == 0, tf.convert_to_tensor(self.start_input), mean),
            anchors=progress.anchors + here * hidden[:, None],
            keys=progress.keys + here * key[:, None],
            penalty=progress.penalty + tf.reduce_sum(divergence, axis=1),
        )
        return progress, skips

    def _skip_divergence(self, logits: tf.Tensor) -> tf.Tensor:
        target = self.config.skip_target
        log_targets = np.log([1.0 - target, target]).astype(np.float32)
        divergence = tf.sigmoid(logits) * (tf.math.log_sigmoid(logits) - log_targets)
        return tf.reduce_sum(divergence, axis=-1)

    def _step(self, progress: "_Progress") -> "tuple[_Progress, tf.Tensor]":
        hidden, state = self.cell(progress.input, list(progress.state))
        return progress._replace(state=tuple(state)), hidden

    def _squash(self, logits: tf.Tensor) -> tf.Tensor:
        return squash(logits, self.config.temperature, self.config.tanh_constant)


class DecisionHead(keras.layers.Layer):
    """Logits of one kind of decision, and the embeddings of its options."""

    def __init__(self, size: int, options: int, weights: UniformWeights, name: str):
        """Initializes the head.

        Args:
          size: units of the LSTM.
          options: number of options.
          weights: gives the initial weights.
          name: of the layer.
        """
        super().__init__(name=name)
        self.kernel = self.add_weight((size, options), weights.next(), name="kernel")
        self.embeddings = self.add_weight((options, size), weights.next(), name="embeddings")
        self.built = True

    def call(self, hidden: tf.Tensor) -> tf.Tensor:
        """Returns the logits `[batch, options]` of the LSTM's output `[batch, size]`."""
        return tf.matmul(hidden, self.kernel)

    def embed(self, choice: tf.Tensor) -> tf.Tensor:
        """Returns the embeddings `[batch, size]` of options, int32 `[batch]`."""
        return tf.gather(self.embeddings, choice)


class _Progress(NamedTuple):
    """What a pass carries from layer to layer.

    Attributes:
      sequence: the decisions so far.
      state: output and cell state of the LSTM, `[batch, lstm_size]` each.
      input: of the LSTM's next step, same shape.
      anchors: `[batch, num_layers, lstm_size]`, zeros for the layers to come.
      keys: the anchors times `key_kernel`.
      penalty: `[batch]`, sum of the divergences of the skip probabilities.
    """

    sequence: DecisionSequence
    state: tuple[tf.Tensor, tf.Tensor]
    input: tf.Tensor
    anchors: tf.Tensor
    keys: tf.Tensor
    penalty: tf.Tensor


def _layer_array(field: tf.Tensor) -> tf.TensorArray:
    """Returns an empty array for one `[batch, …]` entry of each layer."""
    shape = [field.shape[0], *field.shape[2:]]
    return tf.TensorArray(tf.int32, field.shape[1], element_shape=shape)


def _batch_major(array: tf.TensorArray) -> tf.Tensor:
    # A transposition of integers would make oneDNN complain on many CPUs.
    return tf.stack(tf.unstack(array.stack()), axis=1)
