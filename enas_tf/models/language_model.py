"""How well a trained language model predicts a text."""

from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf

from enas_tf.data.texts.streams import evaluation_batches
from enas_tf.data.texts.vocabulary import Vocabulary
from enas_tf.errors import DataError, ExportError
from enas_tf.training.text_metrics import perplexity

# Words that are read at once when all of a text is read as one stream.
SEGMENT_LENGTH = 1000


class TextEvaluation(NamedTuple):
    """How well a text is predicted.

    Attributes:
      perplexity: exponential of the loss.
      loss: mean cross-entropy per word in nats.
      tokens: number of predicted words, line ends included.
    """

    perplexity: float
    loss: float
    tokens: int


class TextScorer:
    """Scores texts with one language model, whose weights may change in between.

    Args:
      model: a `LanguageModel`, or what `load_model` made of a SavedModel.
    """

    def __init__(self, model: Any) -> None:
        self._model = model
        self._score = tf.function(model.score, autograph=False)

    def __call__(self, tokens: Any, *, rows: int, length: int) -> TextEvaluation:
        """Returns how well the model predicts a text.

        The text is divided into `rows` streams of one length. The state starts from zero in each
        of them and is carried from segment to segment.

        Args:
          tokens: int32 `[words]`, numbers in the model's vocabulary.
          rows: streams that are read side by side; 1: every word but the first one is predicted
            from all that come before it.
          length: words in a segment; it only decides how much memory is needed.

        Raises:
          DataError: the text is too short.
        """
        batches = evaluation_batches(tokens, rows=rows, length=length)
        state = self._model.zero_state(rows)
        # One trace for segments of all lengths.
        score = self._score.get_concrete_function(batches.element_spec, state)
        loss, count = 0.0, 0
        for batch in batches:
            metrics, state = score(batch, state)
            loss += float(metrics.loss)
            count += round(float(metrics.tokens))
        return TextEvaluation(perplexity(loss / count), loss / count, count)


def evaluate_perplexity(
    model: Any, tokens: Any, *, segment_length: int = SEGMENT_LENGTH
) -> TextEvaluation:
    """Returns how well a language model predicts a text, read as one stream from a zero state.

    Every word but the first one is predicted, and counts once (the release's test).

    Args:
      model: a `LanguageModel`, or what `load_model` made of a SavedModel.
      tokens: int32 `[words]`, numbers in the model's vocabulary.
      segment_length: words that are read at once; it only decides how much memory is needed.

    Raises:
      DataError: the text has fewer than two words.
    """
    return TextScorer(model)(tokens, rows=1, length=segment_length)


def encode_for(model: Any, text: str, *, max_tokens: int | None = None) -> np.ndarray:
    """Returns a text as a language model reads it, whatever vocabulary others would give it.

    Args:
      model: a language model that knows its vocabulary.
      text: any text.
      max_tokens: leave out all later words.

    Returns:
      Int32 `[words]`, numbers in the model's vocabulary.

    Raises:
      ExportError: the model does not know its vocabulary.
      DataError: the text has fewer than two words.
    """
    tokens = vocabulary_of(model).encode_text(text)[:max_tokens]
    if len(tokens) < 2:
        raise DataError(
            "A text must have at least two words, one to read and one to predict. "
            f"It has {len(tokens)}; give a longer one."
        )
    return tokens


def vocabulary_of(model: Any) -> Vocabulary:
    """Returns the words that a language model knows.

    Raises:
      ExportError: it was made from numbers alone.
    """
    if model.vocabulary is None:
        raise ExportError(
            "The model does not know its vocabulary, so that it can read and write numbers only; "
            "set its attribute `vocabulary` and export it again."
        )
    return model.vocabulary
