"""The controller of the rnn space: the earlier node and the function of every node.

Source: the authors' release, `enas_lm/src/controller.py`, with the same variables and the same
rules.
"""

import functools
from typing import Any

import numpy as np
import tensorflow as tf

from enas_tf.spaces.attention import AttentionController, Progress, batch_major, decision_array
from enas_tf.spaces.rnn.decisions import RnnDecisions, RnnDecisionSpace

# Added to the distance of the chosen node, by which its anchor is divided.
_DISTANCE_OFFSET = 0.1


class RnnController(AttentionController):
    """An LSTM that decides a recurrent cell node by node.

    For each node: one step whose output is the node's *anchor* and from which the earlier node is
    decided, by attention over the anchors of the earlier nodes; near ones are preferred. Then the
    LSTM reads the anchor of the chosen node, the smaller the farther away it is, and one step
    decides the function. The embeddings of the functions serve twice: times the LSTM's output they
    are the logits, and the chosen one is what the LSTM reads next.

    Peculiarities of the release are kept: the anchor and the key of node 0, the cell's input, are
    zeros; and the preference for near nodes is added after the tanh, so that the tanh constant
    does not bound it.

    Args:
      space: the search space; its `controller` holds this model's settings.
      seed: of the initial weights.

    Attributes:
      function_embeddings: `[functions, lstm_size]`.
    """

    space: RnnDecisionSpace

    def __init__(self, space: RnnDecisionSpace, seed: int = 0) -> None:
        super().__init__(space, seed, name="rnn_controller")
        self.function_embeddings = self.add_weight(
            (len(space.searched_operations), self.config.lstm_size),
            self.uniform.next(),
            name="function_embeddings",
        )

    def unroll(
        self, decisions: RnnDecisions, seed: tf.Tensor, exploration: tf.Tensor
    ) -> dict[str, Any]:
        """Takes all decisions; see `Controller.unroll`."""
        batch_size = tf.shape(decisions.previous)[0]
        num_nodes = self.space.num_nodes
        taken = RnnDecisions(*map(decision_array, decisions))
        # Places are the nodes that can be read: all but the last one.
        progress = self.start(seed, exploration, batch_size, num_places=num_nodes)
        # A loop over equal nodes, padded to the full number of anchors, is traced once instead of
        # once a node, which makes the first call several times shorter.
        _, taken, progress = tf.while_loop(
            lambda node, *_: node <= num_nodes,
            functools.partial(self._decide_node, decisions),
            (tf.constant(1), taken, progress),
            maximum_iterations=num_nodes,
            parallel_iterations=1,
        )
        return self.outcome(progress, RnnDecisions(*map(batch_major, taken)))

    def _decide_node(
        self, given: RnnDecisions, node: tf.Tensor, taken: RnnDecisions, progress: Progress
    ) -> tuple[tf.Tensor, RnnDecisions, Progress]:
        index = node - 1
        progress, previous = self._choose_previous(progress, node, given.previous[:, index])
        progress, function = self._choose_function(progress, given.functions[:, index])
        choices = (previous, function)
        taken = RnnDecisions(*(array.write(index, row) for array, row in zip(taken, choices)))
        return node + 1, taken, progress

    def _choose_previous(
        self, progress: Progress, node: tf.Tensor, given: tf.Tensor
    ) -> tuple[Progress, tf.Tensor]:
        progress, hidden = self.step(progress)
        logits = self.squash(self.attend(progress, hidden))
        places = tf.range(self.space.num_nodes)
        distances = tf.cast(node - places, tf.float32)
        if self.config.distance_divisor is not None:
            logits -= tf.square(distances) / self.config.distance_divisor
        logits = tf.where(places < node, logits, -np.inf)
        progress, previous = progress.decide(logits, given)
        # Products with a one-hot vector, whose gradients in a loop are plainer than a gather's.
        chosen = tf.one_hot(previous, self.space.num_nodes)
        anchor = tf.reduce_sum(chosen[..., None] * progress.anchors, axis=1)
        distance = tf.cast(node - previous, tf.float32)[:, None]
        progress = progress._replace(input=anchor / (_DISTANCE_OFFSET + distance))
        return self.add_anchor(progress, node, hidden), previous

    def _choose_function(self, progress: Progress, given: tf.Tensor) -> tuple[Progress, tf.Tensor]:
        progress, hidden = self.step(progress)
        logits = self.squash(tf.matmul(hidden, self.function_embeddings, transpose_b=True))
        progress, function = progress.decide(logits, given)
        chosen = tf.one_hot(function, len(self.space.searched_operations))
        embedding = tf.matmul(chosen, self.function_embeddings)
        return progress._replace(input=embedding), function
