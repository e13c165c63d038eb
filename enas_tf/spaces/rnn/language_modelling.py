"""What the supernet and a single language model have in common: everything around the cell.

Inside, time goes first: `[time, batch, hidden]` lets the cell read and write whole steps.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import tensorflow as tf

from enas_tf.data.texts.batch import TextBatch
from enas_tf.spaces.rnn.config import RnnRegularization
from enas_tf.spaces.rnn.tied_softmax import tied_cross_entropy
from enas_tf.training.text_metrics import TextMetrics
from enas_tf.training.training_pass import TrainingPass


class DropoutMasks(NamedTuple):
    """Variational dropout of one segment of text; a mask is 0 or 1 / (1 − rate).

    Attributes:
      words: `[vocabulary]`; a word is dropped wherever it stands.
      inputs: `[batch, hidden]`, of the embedded words: the embedding's and the cell input's mask.
      nodes: `[batch, hidden]`, of the state and the nodes that a node reads.
      outputs: `[batch, hidden]`, of the states before the words are predicted.
    """

    words: tf.Tensor
    inputs: tf.Tensor
    nodes: tf.Tensor
    outputs: tf.Tensor


class Unrolled(NamedTuple):
    """What a cell made of a segment.

    Attributes:
      outputs: `[time, batch, hidden]`, from which words are predicted.
      state: what the next segment goes on from, with the batch first in every tensor.
    """

    outputs: tf.Tensor
    state: Any


# From embedded words [time, batch, hidden], the state before, and in training the mask of what
# nodes read.
Cell = Callable[[tf.Tensor, Any, tf.Tensor | None], Unrolled]


def draw_masks(
    rates: RnnRegularization, seed: tf.Tensor, *, rows: tf.Tensor, hidden: int, vocabulary: int
) -> DropoutMasks:
    """Draws the masks of one training pass.

    Args:
      rates: the dropout rates.
      seed: int32 `[2]`; the same seed gives the same masks.
      rows: batch size.
      hidden: features of an embedding and of a state.
      vocabulary: number of words.
    """
    seeds = tf.unstack(tf.random.split(seed, 5))
    features = [rows, hidden]
    embedding = _mask(features, rates.embedding_dropout, seeds[1])
    return DropoutMasks(
        words=_mask([vocabulary], rates.word_dropout, seeds[0]),
        inputs=embedding * _mask(features, rates.input_dropout, seeds[2]),
        nodes=_mask(features, rates.node_dropout, seeds[3]),
        outputs=_mask(features, rates.output_dropout, seeds[4]),
    )


def word_features(
    tokens: tf.Tensor,
    embedding: tf.Tensor,
    cell: Cell,
    state: Any,
    masks: DropoutMasks | None = None,
) -> Unrolled:
    """Runs a cell over text.

    Args:
      tokens: int32 `[batch, time]`.
      embedding: `[vocabulary, hidden]`.
      cell: runs over embedded words.
      state: before the first word.
      masks: dropout; the outputs' mask is not applied here. Default: none.
    """
    inputs = tf.gather(embedding, tokens)
    node_mask = None
    if masks is not None:
        inputs *= tf.gather(masks.words, tokens)[:, :, None] * masks.inputs[:, None]
        node_mask = masks.nodes
    # Not the tokens: oneDNN complains of transposed integers on many CPUs.
    return cell(_swapped(inputs), state, node_mask)


def text_loss(
    features: tf.Tensor, embedding: tf.Tensor, targets: tf.Tensor, *, trains: bool = False
) -> TextMetrics:
    """Returns the summed cross-entropy of the words that follow.

    Args:
      features: `[time, batch, hidden]`.
      embedding: `[vocabulary, hidden]`, which gives the logits; of the type to multiply in.
      targets: int32 `[batch, time]`.
      trains: whether there is a gradient.
    """
    flat = tf.reshape(_swapped(features), [-1, features.shape[-1]])
    loss = tied_cross_entropy(flat, embedding, tf.reshape(targets, [-1]), trains=trains)
    return TextMetrics(loss, tf.cast(tf.size(targets), tf.float32))


def carried(state: Any, batch: TextBatch) -> Any:
    """Returns the state of the rows that go on, and zeros for those that begin."""
    return tf.nest.map_structure(lambda tensor: tensor * batch.carry[:, None], state)


def training_pass(
    batch: TextBatch,
    embedding: tf.Tensor,
    cell: Cell,
    state: Any,
    regularization: RnnRegularization,
    seed: tf.Tensor,
    compute_type: tf.DType = tf.float32,
) -> TrainingPass:
    """Runs a cell on a training batch, with dropout and penalties.

    The objective is, summed over the rows, the mean cross-entropy of a row's words plus the
    penalties on the states (before the outputs' dropout), which are means too.

    Args:
      batch: segments of text.
      embedding: `[vocabulary, hidden]`.
      cell: runs over embedded words.
      state: at the end of the last batch; no gradient flows into it.
      regularization: rates and weights.
      seed: int32 `[2]`, of the masks.
      compute_type: that the logits are multiplied in; the cell knows its own.
    """
    vocabulary, hidden = embedding.shape
    rows, time = tf.unstack(tf.shape(batch.tokens))
    masks = draw_masks(regularization, seed, rows=rows, hidden=hidden, vocabulary=vocabulary)
    before = tf.nest.map_structure(tf.stop_gradient, carried(state, batch))
    outputs, after = word_features(batch.tokens, embedding, cell, before, masks)
    # The words that are read stay as they are: their gradient is as sparse as they are.
    of_logits = tf.cast(embedding, compute_type)
    metrics = text_loss(outputs * masks.outputs, of_logits, batch.targets, trains=True)
    objective = metrics.loss / tf.cast(time, tf.float32)
    if regularization.slowness_penalty:
        changes = tf.square(outputs[1:] - outputs[:-1])
        # A segment of one word has no change.
        slowness = tf.math.divide_no_nan(
            tf.reduce_sum(changes), tf.cast(tf.size(changes), tf.float32)
        )
        objective += regularization.slowness_penalty * slowness * tf.cast(rows, tf.float32)
    if regularization.activation_penalty:
        activation = tf.reduce_mean(tf.square(outputs))
        objective += regularization.activation_penalty * activation * tf.cast(rows, tf.float32)
    return TrainingPass(
        objective, metrics, state=after, rate_scale=tf.reduce_mean(batch.relative_length)
    )


def _swapped(tensor: tf.Tensor) -> tf.Tensor:
    """Returns `[batch, time, …]` of `[time, batch, …]`, and the other way round."""
    return tf.transpose(tensor, [1, 0, 2])


def _mask(shape: list[Any], rate: float, seed: tf.Tensor) -> tf.Tensor:
    if not rate:
        return tf.ones(shape)
    kept = tf.random.stateless_uniform(shape, seed) >= rate
    return tf.cast(kept, tf.float32) / (1.0 - rate)
