"""The derived network of the rnn space: a language model with one recurrent cell.

Source: the authors' release, `enas_lm/src/fixed_lib.py`.
"""

from typing import Any

import keras
import tensorflow as tf

from enas_tf.data.texts.batch import TextBatch
from enas_tf.data.texts.vocabulary import Vocabulary
from enas_tf.spaces.controller import UniformWeights
from enas_tf.spaces.rnn.architecture import (
    LstmBaseline,
    RnnArchitecture,
    rnn_architecture_from_json,
)
from enas_tf.spaces.rnn.cell import LstmCell, RnnCell
from enas_tf.spaces.rnn.config import RnnNetworkConfig
from enas_tf.spaces.rnn.language_modelling import carried, text_loss, training_pass, word_features
from enas_tf.training.text_metrics import TextMetrics
from enas_tf.training.training_pass import TrainingPass


@keras.saving.register_keras_serializable(package="enas_tf")
class LanguageModel(keras.Model):
    """Predicts each next word from all words before it.

    The embedding that reads the words also predicts them. A saved model loads wherever this
    package is imported.

    Args:
      architecture: of the cell, as a value or as its JSON.
      config: width, form and regularisation, as a value or as its JSON.
      vocabulary_size: number of words.
      vocabulary: the words, if they are known, as a value or as its JSON.
      seed: of the initial weights.
      **kwargs: `name`, as for any Keras model.

    Attributes:
      compute_type: of products; not saved with the model, which is always read as float32.

    Call arguments:
      tokens: int32 `[batch, time]`.
      training: has no effect; `training_pass` is for training.

    Returns:
      Logits of the word after each word, `[batch, time, vocabulary_size]`.
    """

    compute_type = tf.float32

    def __init__(
        self,
        architecture: Any,
        config: Any,
        vocabulary_size: int,
        vocabulary: Any = None,
        seed: int = 0,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        if not isinstance(architecture, (RnnArchitecture, LstmBaseline)):
            architecture = rnn_architecture_from_json(architecture)
        if not isinstance(config, RnnNetworkConfig):
            config = RnnNetworkConfig.from_json(config)
        if isinstance(vocabulary, dict):
            vocabulary = Vocabulary.from_json(vocabulary)
        self.architecture = architecture
        self.config = config
        self.vocabulary_size = vocabulary_size
        self.vocabulary = vocabulary
        initializers = UniformWeights(config.initial_range, seed)
        self.embedding = self.add_weight(
            (vocabulary_size, config.hidden_size), initializers.next(), name="embedding"
        )
        if isinstance(architecture, LstmBaseline):
            self.cell = LstmCell(config.hidden_size, initializers)
        else:
            self.cell = RnnCell(architecture, config.hidden_size, config.cell_output, initializers)
        self.built = True

    def set_precision(self, precision: str) -> None:
        """Chooses the type of products in training and in `score`; before they are traced.

        Args:
          precision: one of `enas_tf.settings.training.PRECISIONS`.
        """
        self.compute_type = self.cell.compute_type = tf.as_dtype(precision)

    def zero_state(self, rows: Any) -> Any:
        """Returns the state before any word; its tensors have `rows` rows."""
        return self.cell.zero_state(rows)

    def call(self, tokens: tf.Tensor, training: bool | None = None) -> tf.Tensor:
        """Returns logits `[batch, time, vocabulary_size]`, from the zero state."""
        del training
        return self.advance(tokens, self.zero_state(tf.shape(tokens)[0]))[0]

    def advance(self, tokens: tf.Tensor, state: Any) -> tuple[tf.Tensor, Any]:
        """Goes on from a state.

        Args:
          tokens: int32 `[batch, time]`.
          state: as `zero_state` or an earlier call returned it.

        Returns:
          Logits of the word after each word, `[batch, time, vocabulary_size]`, and the state after
          the last one.
        """
        embedding = tf.convert_to_tensor(self.embedding.value)
        outputs, state = word_features(tokens, embedding, self.cell, state)
        return tf.einsum("tbh,vh->btv", outputs, embedding), state

    def score(self, batch: TextBatch, state: Any) -> tuple[TextMetrics, Any]:
        """Returns the summed cross-entropy of a batch, and the state after it.

        Args:
          batch: segments of text.
          state: at the end of the last batch; `batch.carry` says which rows go on from it.
        """
        embedding = tf.convert_to_tensor(self.embedding.value)
        before = carried(state, batch)
        outputs, state = word_features(batch.tokens, embedding, self.cell, before)
        return text_loss(outputs, tf.cast(embedding, self.compute_type), batch.targets), state

    def training_pass(self, batch: TextBatch, state: Any, seed: tf.Tensor) -> TrainingPass:
        """Runs a training batch, with dropout and penalties.

        Args:
          batch: segments of text.
          state: at the end of the last batch.
          seed: int32 `[2]`, of dropout.
        """
        embedding = tf.convert_to_tensor(self.embedding.value)
        regularization = self.config.regularization
        return training_pass(
            batch, embedding, self.cell, state, regularization, seed, self.compute_type
        )

    def get_config(self) -> dict[str, Any]:
        """Returns what `from_config` needs."""
        return {
            **super().get_config(),
            "architecture": self.architecture.to_json(),
            "config": self.config.to_json(),
            "vocabulary_size": self.vocabulary_size,
            "vocabulary": None if self.vocabulary is None else self.vocabulary.to_json(),
        }


def build_rnn_network(
    architecture: RnnArchitecture | LstmBaseline,
    config: RnnNetworkConfig,
    *,
    vocabulary_size: int,
    seed: int = 0,
    vocabulary: Vocabulary | None = None,
) -> LanguageModel:
    """Returns the language model of an architecture with fresh weights.

    Args:
      architecture: any recurrent cell, or the LSTM.
      config: width, form and regularisation.
      vocabulary_size: number of words.
      seed: of the initial weights.
      vocabulary: the words, if they are known.
    """
    return LanguageModel(
        architecture, config, vocabulary_size, vocabulary, seed, name="language_model"
    )
