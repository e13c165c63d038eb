"""The supernet of the rnn space: the weights of all its cells, and the embedding they share.

Source: the authors' release, `enas_lm/src/child.py`.
"""

from collections.abc import Sequence
from typing import Any

import tensorflow as tf

from enas_tf.data.texts.batch import TextBatch
from enas_tf.settings.training import PRECISIONS
from enas_tf.spaces.controller import UniformWeights
from enas_tf.spaces.rnn.cell import run_cell
from enas_tf.spaces.rnn.cell_wiring import SampledWiring
from enas_tf.spaces.rnn.decisions import (
    REWARD_CONSTANT,
    RnnDecisions,
    RnnDecisionSpace,
    RnnMixture,
    RnnPaths,
    perplexity_of_reward,
)
from enas_tf.spaces.rnn.language_modelling import (
    Cell,
    Unrolled,
    text_loss,
    training_pass,
    word_features,
)
from enas_tf.spaces.rnn.relaxed_cell import path_cell, relaxed_cell
from enas_tf.spaces.supernet import Score, Supernet
from enas_tf.training.text_metrics import perplexity
from enas_tf.training.training_pass import TrainingPass


class RnnSupernet(Supernet):
    """All language models of an `RnnSpace` in one, sharing their weights.

    Node `i` has a bank `[functions, i, hidden, 2 * hidden]`: a matrix for each function and each
    earlier node. The matrices of an architecture are gathered once for a whole segment of text,
    outside the time loop.

    Args:
      space: size and form of the models.
      seed: of the initial weights.

    Call arguments:
      tokens: int32 `[batch, time]`.
      architecture: an `RnnArchitecture` of the space, or its `RnnDecisions` without the batch axis.
      training: has no effect; `training_pass` is for training.

    Returns:
      Logits of the word after each word, `[batch, time, vocabulary_size]`.
    """

    score_kind = "shared_weights_validation_reward"
    precisions = PRECISIONS

    space: RnnDecisionSpace

    def __init__(self, space: RnnDecisionSpace, seed: int = 0) -> None:
        super().__init__(space, seed, name="rnn_supernet")
        hidden = space.hidden_size
        initializers = UniformWeights(space.initial_range, seed)
        self.embedding = self.add_weight(
            (space.vocabulary_size, hidden), initializers.next(), name="embedding"
        )
        self.input_kernel = self.add_weight(
            (2 * hidden, 2 * hidden), initializers.next(), name="input_kernel"
        )
        self.banks = [
            self.add_weight(
                (len(space.searched_operations), node, hidden, 2 * hidden),
                initializers.next(),
                name=f"node_{node}_bank",
            )
            for node in range(1, space.num_nodes + 1)
        ]
        self.built = True

    def call(
        self, tokens: tf.Tensor, architecture: RnnDecisions, training: bool | None = False
    ) -> tf.Tensor:
        """Returns logits `[batch, time, vocabulary_size]`; the architecture comes as decisions."""
        del training
        embedding = tf.convert_to_tensor(self.embedding.value)
        outputs, _ = self._features(tokens, embedding, architecture)
        return tf.einsum("tbh,vh->btv", outputs, embedding)

    def initial_state(self, batch_size: int) -> tf.Tensor:
        """Returns the state before any word, `[batch_size, hidden]`."""
        return tf.zeros([batch_size, self.space.hidden_size])

    def select(self, decisions: RnnDecisions) -> tf.Tensor:
        """Returns the matrices of an architecture's nodes, `[num_nodes, hidden, 2 * hidden]`."""
        return tf.stack(
            [
                tf.gather(
                    tf.gather(bank.value, decisions.functions[node]), decisions.previous[node]
                )
                for node, bank in enumerate(self.banks)
            ]
        )

    def training_pass(
        self, batch: TextBatch, decisions: RnnDecisions, state: tf.Tensor, dropout_seed: tf.Tensor
    ) -> TrainingPass:
        """Runs one architecture on a training batch; see `Supernet.training_pass`.

        Weight decay applies to the cell's matrices in use, as in the release.
        """
        embedding = tf.convert_to_tensor(self.embedding.value)
        cell, used = self._cell(decisions)
        outcome = training_pass(
            batch,
            embedding,
            cell,
            state,
            self.space.regularization,
            dropout_seed,
            self.compute_type,
        )
        return outcome._replace(decayed=used)

    def score(
        self,
        batch: TextBatch,
        decisions: RnnDecisions,
        *,
        use_batch_statistics: bool = False,
        metric: str = "loss",
    ) -> Score:
        """Returns the summed cross-entropy and the number of words, from the zero state.

        Args:
          batch: segments of text.
          decisions: of the architecture.
          use_batch_statistics: has no effect; there is no batch normalisation.
          metric: has no effect; the loss is what counts.
        """
        del use_batch_statistics, metric
        embedding = tf.convert_to_tensor(self.embedding.value)
        outputs, _ = self._features(batch.tokens, embedding, decisions)
        metrics = text_loss(outputs, tf.cast(embedding, self.compute_type), batch.targets)
        return Score(metrics.loss, metrics.tokens)

    def reward(self, scores: Sequence[Score], metric: str = "loss") -> float:
        """Returns 80 / perplexity, from summed cross-entropies and numbers of words."""
        del metric
        total, count = map(sum, zip(*scores))
        return REWARD_CONSTANT / perplexity(total / count)

    def score_metrics(self, score: float) -> dict[str, float]:
        """Returns the perplexity that belongs to a reward; 0 is the reward of an infinite one."""
        return {"shared_weights_validation_perplexity": perplexity_of_reward(score)}

    def _features(
        self, tokens: tf.Tensor, embedding: tf.Tensor, decisions: RnnDecisions
    ) -> Unrolled:
        cell, _ = self._cell(decisions)
        state = self.initial_state(tf.shape(tokens)[0])
        return word_features(tokens, embedding, cell, state)

    def _cell(self, decisions: Any) -> tuple[Cell, tuple[tf.Tensor, ...]]:
        """Returns the cell of an architecture, a mixture or a path, and the matrices in use."""
        input_kernel = tf.convert_to_tensor(self.input_kernel.value)
        output, functions = self.space.cell_output, self.space.searched_operations
        compute_type = self.compute_type
        if isinstance(decisions, RnnMixture):
            banks = [tf.convert_to_tensor(bank.value) for bank in self.banks]
            cell = relaxed_cell(input_kernel, banks, decisions, output, functions, compute_type)
            return cell, (input_kernel, *banks)
        kernels = input_kernel, self.select(decisions)
        if isinstance(decisions, RnnPaths):
            return path_cell(*kernels, decisions, output, functions, compute_type), kernels
        wiring = SampledWiring(decisions.previous, decisions.functions, output, functions)

        def cell(inputs: tf.Tensor, state: tf.Tensor, mask: tf.Tensor | None) -> Unrolled:
            return run_cell(inputs, state, *kernels, wiring, mask, compute_type)

        return cell, kernels
