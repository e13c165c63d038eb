"""The controller of the macro space: operation (or channel ranges) and skips of every layer.

Source: the authors' release, `src/cifar10/general_controller.py`; its variables, weights and
numbers are reproduced exactly (both `search_whole_channels` and not).
"""

import dataclasses
import functools
from typing import Any, ClassVar

import numpy as np
import tensorflow as tf

from enas_tf.spaces.attention import (
    AttentionController,
    DecisionHead,
    Progress,
    batch_major,
    decision_array,
)
from enas_tf.spaces.controller import ControllerSample
from enas_tf.spaces.macro.decisions import MacroChannelDecisions, MacroDecisions, MacroDecisionSpace


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


class MacroController(AttentionController):
    """An LSTM that decides a macro architecture layer by layer.

    For each layer: the operation (one step, softmax over the operations; in the per-channel form
    two steps per operation, for the start and the count of its channels), then one step whose
    output is the layer's *anchor*, and from which all skip connections of the layer are decided by
    attention over the anchors of the earlier layers.

    Two peculiarities of the release are kept. Skip `j` of a layer is scored against the anchor of
    layer `j`, although it adds that layer's *input*. And a skip is drawn from the softmax of the
    pair (−q, q), hence with probability σ(2q), while the penalty compares σ(−q) and σ(q) with the
    target.

    Args:
      space: the search space; its `controller` holds this model's settings.
      seed: of the initial weights.

    Attributes:
      heads: what decides the operations.
    """

    sample_type: ClassVar[type[ControllerSample]] = MacroSample
    space: MacroDecisionSpace

    def __init__(self, space: MacroDecisionSpace, seed: int = 0) -> None:
        super().__init__(space, seed, name="macro_controller")
        size = self.config.lstm_size
        if space.search_whole_channels:
            self.heads = [
                DecisionHead(size, len(space.searched_operations), self.uniform, name="operation")
            ]
        else:
            # A branch never has all channels: the counts are 1 to filters - 1.
            self.heads = [
                DecisionHead(size, options, self.uniform, name=f"branch_{branch}_{what}")
                for branch in range(len(space.searched_operations))
                for what, options in (("start", space.filters), ("count", space.filters - 1))
            ]

    def unroll(
        self,
        decisions: MacroDecisions | MacroChannelDecisions,
        seed: tf.Tensor,
        exploration: tf.Tensor,
    ) -> dict[str, Any]:
        """Takes all decisions; see `Controller.unroll`."""
        batch_size = tf.shape(decisions.skips)[0]
        num_layers = self.space.num_layers
        taken = type(decisions)(*map(decision_array, decisions))
        progress = self.start(seed, exploration, batch_size, num_layers)
        # A loop over equal layers, padded to the full number of anchors, is traced once instead
        # of once a layer, which makes the first call several times shorter.
        _, taken, progress, divergence = tf.while_loop(
            lambda layer, *_: layer < num_layers,
            functools.partial(self._decide_layer, decisions),
            (tf.constant(0), taken, progress, tf.zeros([batch_size])),
            maximum_iterations=num_layers,
            parallel_iterations=1,
        )
        taken = type(decisions)(*map(batch_major, taken))
        # The first layer has no skips, and the release's mean leaves it out.
        skip_penalty = divergence / max(1, num_layers - 1)
        return {
            **self.outcome(progress, taken),
            "release_entropy": progress.sequence.release_entropy,
            "penalty": self.config.skip_weight * skip_penalty,
            "skip_penalty": skip_penalty,
            "skip_count": tf.reduce_sum(taken.skips, axis=[1, 2]),
        }

    def _decide_layer(
        self, given: Any, layer: tf.Tensor, taken: Any, progress: Progress, divergence: tf.Tensor
    ) -> tuple[tf.Tensor, Any, Progress, tf.Tensor]:
        given = type(given)(*(field[:, layer] for field in given))
        fields: tuple[tf.Tensor, ...]
        if self.space.search_whole_channels:
            progress, operation = self._choose(progress, self.heads[0], given.operations)
            fields = (operation,)
        else:
            progress, fields = self._choose_channels(progress, given.starts, given.counts)
        progress, skips, added = self._choose_skips(progress, layer, given.skips)
        choices = (*fields, skips)
        taken = type(taken)(*(array.write(layer, row) for array, row in zip(taken, choices)))
        return layer + 1, taken, progress, divergence + added

    def _choose(
        self,
        progress: Progress,
        head: DecisionHead,
        given: tf.Tensor,
        allowed: tf.Tensor | None = None,
    ) -> tuple[Progress, tf.Tensor]:
        progress, hidden = self.step(progress)
        logits = self.squash(head(hidden))
        if allowed is not None:
            logits = tf.where(allowed, logits, -np.inf)
        progress, choice = progress.decide(logits, given)
        return progress._replace(input=head.embed(choice)), choice

    def _choose_channels(
        self, progress: Progress, starts: tf.Tensor, counts: tf.Tensor
    ) -> tuple[Progress, tuple[tf.Tensor, tf.Tensor]]:
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
        self, progress: Progress, layer: tf.Tensor, given: tf.Tensor
    ) -> tuple[Progress, tf.Tensor, tf.Tensor]:
        """Makes the anchor of a layer and decides its skips.

        Returns:
          Where the pass has got to; the skips, int32 `[batch, num_layers]`; the sum of the
          divergences of their probabilities, `[batch]`.
        """
        progress, hidden = self.step(progress)
        earlier = tf.range(self.space.num_layers) < layer
        scores = self.attend(progress, hidden)
        logits = self.squash(tf.stack([-scores, scores], axis=-1))
        progress, skips = progress.decide(logits, given, counted=earlier)
        skips = tf.where(earlier, skips, 0)
        weights = tf.cast(skips, tf.float32)
        total = tf.reduce_sum(weights[..., None] * progress.anchors, axis=1)
        mean = total / (1.0 + tf.reduce_sum(weights, axis=1, keepdims=True))
        start_input = tf.convert_to_tensor(self.start_input)
        progress = progress._replace(input=tf.where(layer == 0, start_input, mean))
        divergence = tf.where(earlier, self._skip_divergence(logits), 0.0)
        progress = self.add_anchor(progress, layer, hidden)
        return progress, skips, tf.reduce_sum(divergence, axis=1)

    def _skip_divergence(self, logits: tf.Tensor) -> tf.Tensor:
        target = self.config.skip_target
        log_targets = np.log([1.0 - target, target]).astype(np.float32)
        divergence = tf.sigmoid(logits) * (tf.math.log_sigmoid(logits) - log_targets)
        return tf.reduce_sum(divergence, axis=-1)
