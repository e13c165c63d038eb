"""The controller of the micro space: inputs and operations of the nodes of both cells.

Source: the authors' release, `src/cifar10/micro_controller.py`; its variables, weights and numbers
are reproduced exactly.
"""

import dataclasses
import functools
from collections.abc import Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from enas_tf.layers.decisions import FREE
from enas_tf.spaces.attention import (
    AttentionController,
    DecisionHead,
    Progress,
    batch_major,
    decision_array,
)
from enas_tf.spaces.micro.architecture import NUM_CELL_INPUTS, OPERANDS_PER_NODE
from enas_tf.spaces.micro.decisions import NUM_CELLS, MicroDecisions, MicroDecisionSpace

_NO_PLACE = -1


class MicroController(AttentionController):
    """An LSTM that decides the normal cell and then, from the state it is in, the reduction cell.

    A cell begins with two steps, whose outputs give the keys of the cell's two inputs. For each
    node: two inputs (one step each, by attention over all earlier tensors of the cell), two
    operations (one step each, softmax over the operations), then one step whose output is the
    node's *anchor*. After an input the LSTM reads the anchor of the chosen tensor, after an
    operation its embedding, otherwise the start input.

    A peculiarity of the release is kept: what the LSTM reads after one of the cell's inputs are
    zeros, so that it does not see which of the two was chosen.

    Args:
      space: the search space; its `controller` holds this model's settings.
      seed: of the initial weights.

    Attributes:
      head: what decides the operations; its bias starts in favour of all but poolings and the
        identity.
    """

    space: MicroDecisionSpace

    def __init__(self, space: MicroDecisionSpace, seed: int = 0) -> None:
        super().__init__(space, seed, name="micro_controller")
        has_weights = np.array([not one.is_simple for one in space.searched_operations])
        self.head = DecisionHead(
            self.config.lstm_size,
            len(space.searched_operations),
            self.uniform,
            name="operation",
            bias=np.where(has_weights, self.config.separable_start_bias, 0.0),
        )
        # Only the normal cell prefers convolutions, and what is not ours.
        preference = np.where(has_weights, 1.0, -1.0) * self.config.separable_fixed_bias
        self._schedule = _make_schedule(space, (preference, np.zeros_like(preference)))

    def unroll(
        self, decisions: MicroDecisions, seed: tf.Tensor, exploration: tf.Tensor
    ) -> dict[str, Any]:
        """Takes all decisions; see `Controller.unroll`."""
        schedule = self._schedule
        given = schedule.to_options(decisions)
        batch_size, num_steps = tf.shape(given)[0], given.shape[1]
        # A loop over equal steps, each with all options of all steps, is traced once instead of
        # once a step, which makes the first call many times shorter.
        _, taken, progress = tf.while_loop(
            lambda step, *_: step < num_steps,
            functools.partial(self._take_step, given),
            (
                tf.constant(0),
                decision_array(given),
                self.start(seed, exploration, batch_size, schedule.num_places),
            ),
            maximum_iterations=num_steps,
        )
        return self.outcome(progress, schedule.to_decisions(batch_major(taken)))

    def _take_step(
        self, given: tf.Tensor, step: tf.Tensor, taken: tf.TensorArray, progress: Progress
    ) -> tuple[tf.Tensor, tf.TensorArray, Progress]:
        schedule = self._schedule
        progress, hidden = self.step(progress)
        input_logits = self.squash(self.attend(progress, hidden))
        operation_logits = self.squash(self.head(hidden), self.config.operation_tanh_reduction)
        logits = tf.concat([input_logits, operation_logits], axis=1)
        logits += tf.gather(schedule.biases, step)
        decides = tf.gather(schedule.decides, step)
        progress, choice = progress.decide(logits, given[:, step], counted=decides)
        read = self._embed(progress, choice)
        start_input = tf.convert_to_tensor(self.start_input)
        progress = progress._replace(input=tf.where(decides, read, start_input))
        progress = self.add_anchor(progress, tf.gather(schedule.places, step), hidden)
        return step + 1, taken.write(step, choice), progress

    def _embed(self, progress: Progress, choice: tf.Tensor) -> tf.Tensor:
        """Returns what the LSTM reads after options were chosen, `[batch, lstm_size]`."""
        num_places = self._schedule.num_places
        chosen = tf.gather(self._schedule.visible, choice)
        anchor = tf.reduce_sum(chosen[:, :num_places, None] * progress.anchors, axis=1)
        return anchor + tf.matmul(chosen[:, num_places:], self.head.embeddings)


@dataclasses.dataclass(frozen=True)
class _Schedule:
    """What each step of the LSTM does.

    All steps choose from one list of options: the tensors of the normal cell, those of the
    reduction cell (both together are the places of anchors and keys), the operations.

    Attributes:
      num_places: number of tensors of both cells.
      places: int32 `[steps]`, the place whose anchor and key a step makes; −1: none.
      decides: bool `[steps]`, whether a step decides anything.
      biases: float32 `[steps, options]`, added to the logits; minus infinity rules an option out.
      visible: float32 `[options, options]`, the identity with zeros for the inputs of the cells.
      deciding_steps: int32 `[2, 2, num_nodes, 2]`, the step that decides the input of each operand
        of each node of each cell, then the step that decides its operation.
      first_options: int32, same shape, the first option that is meant for that decision.
    """

    num_places: int
    places: np.ndarray
    decides: np.ndarray
    biases: np.ndarray
    visible: np.ndarray
    deciding_steps: np.ndarray
    first_options: np.ndarray

    def to_options(self, decisions: MicroDecisions) -> tf.Tensor:
        """Returns the option given to each step, int32 `[batch, steps]`; negative: free."""
        values = tf.stack(decisions, axis=1)
        values = tf.where(values < 0, FREE, values + self.first_options)
        sources = np.zeros(len(self.decides), np.int32)
        sources[self.deciding_steps.ravel()] = np.arange(self.deciding_steps.size)
        values = tf.reshape(values, [-1, self.deciding_steps.size])
        return tf.gather(values, sources, axis=1)

    def to_decisions(self, options: tf.Tensor) -> MicroDecisions:
        """Returns the decisions of the options taken, int32 `[batch, steps]`."""
        values = tf.gather(options, self.deciding_steps, axis=1) - self.first_options
        return MicroDecisions(*tf.unstack(values, axis=1))


def _make_schedule(space: MicroDecisionSpace, operation_biases: Sequence[np.ndarray]) -> _Schedule:
    """Lays out the steps of both cells.

    Args:
      space: the search space.
      operation_biases: for each cell `[num_operations]`, added to the logits of its operations.
    """
    cell_places = NUM_CELL_INPUTS + space.num_nodes
    node_steps = 2 * OPERANDS_PER_NODE + 1
    cell_steps = NUM_CELL_INPUTS + space.num_nodes * node_steps
    num_places, num_steps = NUM_CELLS * cell_places, NUM_CELLS * cell_steps

    cells, nodes, operands = np.indices((NUM_CELLS, space.num_nodes, OPERANDS_PER_NODE))
    first_places = cells * cell_places
    input_steps = cells * cell_steps + NUM_CELL_INPUTS + nodes * node_steps + operands
    operation_steps = input_steps + OPERANDS_PER_NODE
    biases = np.full((num_steps, num_places + len(space.searched_operations)), -np.inf, np.float32)
    for index in np.ndindex(input_steps.shape):
        cell, node, _ = index
        first = first_places[index]
        biases[input_steps[index], first : first + NUM_CELL_INPUTS + node] = 0.0
        biases[operation_steps[index], num_places:] = operation_biases[cell]
    deciding_steps = np.stack([input_steps, operation_steps])
    decides = np.isin(np.arange(num_steps), deciding_steps)
    # Where nothing is decided the logits must be finite, too.
    biases[~decides] = 0.0
    # The steps that decide nothing are those that make the places, one after the other.
    places = np.where(decides, _NO_PLACE, np.cumsum(~decides) - 1)
    is_cell_input = (
        np.arange(num_places + len(space.searched_operations)) % cell_places < NUM_CELL_INPUTS
    )
    is_cell_input[num_places:] = False
    return _Schedule(
        num_places=num_places,
        places=places.astype(np.int32),
        decides=decides,
        biases=biases,
        visible=np.diag(~is_cell_input).astype(np.float32),
        deciding_steps=deciding_steps.astype(np.int32),
        first_options=np.stack([first_places, np.full_like(cells, num_places)]).astype(np.int32),
    )
