"""Going on with a text, word by word, as a trained language model would."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from enas_tf.data.texts.tokenization import END_OF_LINE, tokenize
from enas_tf.environment.keras_settings import under_own_settings
from enas_tf.errors import ConfigurationError
from enas_tf.models.language_model import vocabulary_of
from enas_tf.models.language_model_export import AnyLanguageModel

# What single precision can divide by.
_SMALLEST = float(np.finfo(np.float32).tiny)
_LARGEST = float(np.finfo(np.float32).max)


@under_own_settings
def generate(
    model: AnyLanguageModel,
    text: str = "",
    *,
    num_words: int = 50,
    temperature: float = 1.0,
    top_k: int | None = None,
    allow_unknown: bool = False,
    seed: int = 0,
) -> str:
    """Goes on with a text.

    Every word is drawn from what the model predicts after all words before it. The same arguments
    give the same text (on the same kind of device).

    Args:
      model: a `LanguageModel` or a `SavedLanguageModel` that knows its vocabulary.
      text: the beginning, which follows the end of a line; may be empty.
      num_words: how many words and line ends to add.
      temperature: divides the logits: below 1 the likely words become likelier; 0: always the most
        likely word.
      top_k: draw from so many of the most likely words only. Default: from all.
      allow_unknown: whether `<unk>` may be drawn.
      seed: of the draws.

    Returns:
      The beginning and what comes after it, set as `Vocabulary.join` sets words. Words of the
      beginning that the model does not know stay as they are.

    Raises:
      ConfigurationError: a number is out of range.
      ExportError: the model does not know its vocabulary.
    """
    _check_at_least("num_words", num_words, 0)
    _check_at_least("temperature", temperature, 0)
    if top_k is not None:
        _check_at_least("top_k", top_k, 1)
    vocabulary = vocabulary_of(model)
    words = tokenize(text, vocabulary.tokenization)
    numbers = vocabulary.encode([END_OF_LINE, *words])
    forbidden = [] if allow_unknown else [vocabulary.unknown_id]
    drawn = _continue(model, numbers, num_words, _Sampler(temperature, top_k, forbidden), seed)
    return vocabulary.join([*words, *vocabulary.decode(drawn)])


def unknown_words(model: Any, text: str) -> list[str]:
    """Returns the words of a text that a model does not know, each once, in their order.

    Args:
      model: as for `generate`.
      text: any text.
    """
    vocabulary = vocabulary_of(model)
    words = dict.fromkeys(tokenize(text, vocabulary.tokenization))
    known = set(vocabulary.words)
    return [word for word in words if word not in known]


class _Sampler:
    """Draws a word from logits."""

    def __init__(self, temperature: float, top_k: int | None, forbidden: Sequence[int]) -> None:
        self._temperature = temperature
        self._top_k = top_k
        self._forbidden = forbidden

    def __call__(self, logits: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
        """Returns the number of a word, an int32 scalar.

        Args:
          logits: `[vocabulary_size]`.
          seed: int32 `[2]`.
        """
        size = logits.shape[-1]
        for number in self._forbidden:
            logits = tf.where(tf.range(size) == number, -float("inf"), logits)
        if self._temperature < _SMALLEST:
            return tf.argmax(logits, output_type=tf.int32)
        if self._top_k is not None and self._top_k < size:
            least = tf.math.top_k(logits, self._top_k).values[-1]
            logits = tf.where(logits < least, -float("inf"), logits)
        # From the greatest one, so that a small temperature makes no infinity. An infinite one
        # would make what is forbidden undefined.
        logits = (logits - tf.reduce_max(logits)) / min(self._temperature, _LARGEST)
        drawn = tf.random.stateless_categorical(logits[None], 1, seed, dtype=tf.int32)
        return drawn[0, 0]


def _continue(
    model: Any, numbers: np.ndarray, num_words: int, sampler: _Sampler, seed: int
) -> list[int]:
    """Returns the numbers of the words that follow some words."""
    state = model.zero_state(1)
    signature = [
        tf.TensorSpec([1, None], tf.int32),
        tf.nest.map_structure(tf.TensorSpec.from_tensor, state),
        tf.TensorSpec([], tf.int32),
    ]

    @tf.function(input_signature=signature, autograph=False)
    def next_word(tokens: tf.Tensor, state: Any, step: tf.Tensor) -> tuple[tf.Tensor, Any]:
        logits, state = model.advance(tokens, state)
        number = sampler(logits[0, -1], tf.stack([seed, step]))
        return number[None, None], state

    tokens = tf.constant(numbers[None])
    drawn = []
    for step in range(num_words):
        tokens, state = next_word(tokens, state, tf.constant(step))
        drawn.append(tokens.numpy().item())
    return drawn


def _check_at_least(name: str, value: float, least: int) -> None:
    # Written so that NaN fails too.
    if not value >= least:
        raise ConfigurationError(f"`{name}` must be at least {least}. Received: {name}={value!r}.")
