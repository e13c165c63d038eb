"""What an exported language model is, and reading it back.

A SavedModel has three signatures. A *row* is one text.

* `serving_default`: input `tokens`, int32 `[batch, time]`, numbers of words from 0 to
  `vocabulary_size - 1`, everything else is an error. Outputs `log_probabilities`, float32
  `[batch, time, vocabulary_size]`, natural logarithms, at `[row, t]` of the word that follows token
  `t`; and `perplexity`, float32 `[batch]`, of the tokens from the second one on, each given all
  before it in its row (1 if there is only one).
* `serving_text`, if the model knows its vocabulary: input `text`, string `[batch]`, which is made
  words as in training, with `<eos>`, the end of a line before the text, in front. The same outputs,
  and `num_tokens`, int32 `[batch]`, of each row with that `<eos>`; beyond it the
  `log_probabilities` of a row are zero, and do not count in its `perplexity`.
* `serving_step`: inputs `tokens`, and `state`, float32 `[batch, state_size]`, zeros at first.
  Outputs `log_probabilities`, and `state` after the last token, for going on.

No rows are answered with no rows. Inputs of another shape, rows without tokens, and a `state` with
more or fewer rows than `tokens` are errors.

Its assets are `language_model.json` (sizes, tokenization) and, if known, `vocabulary.txt`, the
words one a line in the order of their numbers; it brings its warm-up requests
(`enas_tf.models.warm_up`).
TFLite and ONNX have `serving_default` alone, without these checks.
"""

import json
import pathlib
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import tensorflow as tf

from enas_tf.data.texts.batch import TextBatch
from enas_tf.data.texts.tokenization import (
    END_OF_LINE,
    LINE_END_PATTERNS,
    PUNCTUATION_PATTERN,
    PUNCTUATION_REWRITE,
    WORDS,
)
from enas_tf.data.texts.vocabulary import Vocabulary
from enas_tf.errors import DataError
from enas_tf.files.reading import read_bytes
from enas_tf.models import formats as export_formats
from enas_tf.models import warm_up
from enas_tf.models.files import LANGUAGE_MODEL_FILE
from enas_tf.models.formats import SIGNATURE
from enas_tf.models.reading import load_saved_model, read_lines, reading
from enas_tf.spaces.rnn.network import LanguageModel
from enas_tf.training.text_metrics import TextMetrics

TEXT_SIGNATURE = "serving_text"
STEP_SIGNATURE = "serving_step"
VOCABULARY_FILE = "vocabulary.txt"

# What warm-up requests hold.
_WARM_UP_TIME = 16
_WARM_UP_TEXT = b"a line of a few words"


class SavedLanguageModel(tf.Module):
    """A loaded SavedModel as a language model for evaluation and for going on with a text.

    Args:
      loaded: what `tf.saved_model.load` returned.
      vocabulary_size: number of words.
      state_size: numbers in the state of one row.
      vocabulary: the words, if they are known.
    """

    def __init__(
        self, loaded: Any, vocabulary_size: int, state_size: int, vocabulary: Vocabulary | None
    ) -> None:
        super().__init__(name="saved_language_model")
        self.vocabulary_size = vocabulary_size
        self.vocabulary = vocabulary
        self._loaded = loaded
        self._state_size = state_size
        self._step = loaded.signatures[STEP_SIGNATURE]

    @property
    def variables(self) -> tuple[Any, ...]:
        """The weights."""
        return tuple(self._step.variables)

    def zero_state(self, rows: Any) -> tf.Tensor:
        """Returns the state before any word; `rows` goes first."""
        return tf.zeros([rows, self._state_size])

    def __call__(self, tokens: tf.Tensor) -> tf.Tensor:
        """Returns log-probabilities `[batch, time, vocabulary_size]`, from the zero state."""
        return self.advance(tokens, self.zero_state(tf.shape(tokens)[0]))[0]

    def advance(self, tokens: tf.Tensor, state: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """Returns log-probabilities and the new state; as `LanguageModel.advance` does."""
        outputs = self._step(tokens=tokens, state=state)
        return outputs["log_probabilities"], outputs["state"]

    def score(self, batch: TextBatch, state: tf.Tensor) -> tuple[TextMetrics, tf.Tensor]:
        """Returns summed cross-entropies and the new state; as `LanguageModel.score` does."""
        logits, state = self.advance(batch.tokens, state * batch.carry[:, None])
        losses = tf.nn.sparse_softmax_cross_entropy_with_logits(batch.targets, logits)
        return TextMetrics(tf.reduce_sum(losses), tf.cast(tf.size(losses), tf.float32)), state


# What evaluation, export and generation take.
AnyLanguageModel = LanguageModel | SavedLanguageModel


class _Servable:
    """The functions of a language model that are exported.

    Args:
      model: the language model.
      checked: whether tokens out of range are told.

    Attributes:
      module: has the variables and tables of the functions.
    """

    def __init__(self, model: AnyLanguageModel, *, checked: bool) -> None:
        self._checked = checked
        self._model = model
        # Not the model itself, of which nothing else belongs into a SavedModel.
        self.module = tf.Module()
        self.module.weights = export_formats.weights(model)
        self._sizes = [part.shape[-1] for part in tf.nest.flatten(model.zero_state(1))]

    @property
    def state_size(self) -> int:
        """Numbers in the state of one row."""
        return sum(self._sizes)

    def serve(self, batch: int | None = None) -> Any:
        """Returns the signature `serving_default`.

        Args:
          batch: number of rows. Default: any.
        """

        @tf.function(input_signature=[_tokens(batch)])
        def serve(tokens: tf.Tensor) -> dict[str, tf.Tensor]:
            tokens = self._check(tokens)
            return self._outputs(tokens, tf.fill(tf.shape(tokens)[:1], tf.shape(tokens)[1]))

        return serve

    def step(self) -> Any:
        """Returns the signature `serving_step`."""
        state = tf.TensorSpec([None, self.state_size], tf.float32, name="state")

        @tf.function(input_signature=[_tokens(), state])
        def step(tokens: tf.Tensor, state: tf.Tensor) -> dict[str, tf.Tensor]:
            tokens = self._check(tokens)
            state = self._check_state(state, tokens)
            parts = tf.split(state, self._sizes, axis=-1)
            structure = self._model.zero_state(1)
            nested = tf.nest.pack_sequence_as(structure, parts)
            logits, after = self._advance(tokens, nested)
            return {
                "log_probabilities": tf.nn.log_softmax(logits),
                "state": tf.concat(tf.nest.flatten(after), axis=-1),
            }

        return step

    def serve_text(self, words_file: str) -> Any:
        """Returns the signature `serving_text`.

        Args:
          words_file: path of a file with the words, one a line.
        """
        vocabulary = self._model.vocabulary
        initializer = tf.lookup.TextFileInitializer(
            words_file,
            tf.string,
            tf.lookup.TextFileIndex.WHOLE_LINE,
            tf.int64,
            tf.lookup.TextFileIndex.LINE_NUMBER,
        )
        table = tf.lookup.StaticHashTable(initializer, vocabulary.unknown_id)
        self.module.table = table
        (line_end,) = vocabulary.encode([END_OF_LINE]).tolist()

        @tf.function(input_signature=[tf.TensorSpec([None], tf.string, name="text")])
        def serve_text(text: tf.Tensor) -> dict[str, tf.Tensor]:
            text = tf.ensure_shape(text, [None])
            words = split_words(text, vocabulary.tokenization)
            numbers = tf.cast(table.lookup(words.flat_values), tf.int32)
            start = tf.fill([tf.shape(text)[0], 1], line_end)
            rows = tf.concat([start, words.with_flat_values(numbers)], axis=1)
            lengths = tf.cast(rows.row_lengths(), tf.int32)
            return {**self._outputs(rows.to_tensor(), lengths), "num_tokens": lengths}

        return serve_text

    def _outputs(self, tokens: tf.Tensor, lengths: tf.Tensor) -> dict[str, tf.Tensor]:
        """Returns the outputs of rows of which only the first tokens count."""
        # TFLite needs to know the number of rows.
        rows = tokens.shape[0] or tf.shape(tokens)[0]
        logits, _ = self._advance(tokens, self._model.zero_state(rows))
        logarithms = tf.nn.log_softmax(logits)
        counts = tf.sequence_mask(lengths, tf.shape(tokens)[1], dtype=tf.float32)
        chosen = tf.gather(logarithms[:, :-1], tokens[:, 1:], batch_dims=2)
        sums = tf.reduce_sum(chosen * counts[:, 1:], axis=1)
        predicted = tf.cast(tf.maximum(lengths - 1, 1), tf.float32)
        return {
            "log_probabilities": logarithms * counts[:, :, None],
            "perplexity": tf.exp(-sums / predicted),
        }

    def _advance(self, tokens: tf.Tensor, state: Any) -> tuple[tf.Tensor, Any]:
        if not self._checked:
            return self._model.advance(tokens, state)
        # Without rows there may be no times either, and the loop over them needs one.
        time = tf.shape(tokens)[1]
        tokens = tf.pad(tokens, [[0, 0], [0, tf.cast(time == 0, tf.int32)]])
        logits, state = self._model.advance(tokens, state)
        return logits[:, :time], state

    def _check(self, tokens: tf.Tensor) -> tf.Tensor:
        """Returns the tokens, whose request fails unless they are what the signature says."""
        if not self._checked:
            return tokens
        tokens = tf.ensure_shape(tokens, [None, None])
        last = self._model.vocabulary_size - 1
        message = f"`tokens` must be numbers of words from 0 to {last}."
        checks = [
            tf.debugging.assert_non_negative(tokens, message),
            tf.debugging.assert_less_equal(tokens, last, message),
            tf.debugging.assert_equal(
                tf.logical_or(tf.shape(tokens)[0] == 0, tf.shape(tokens)[1] > 0),
                True,
                "There must be at least one token in each row.",
            ),
        ]
        with tf.control_dependencies(checks):
            return tf.identity(tokens)

    def _check_state(self, state: tf.Tensor, tokens: tf.Tensor) -> tf.Tensor:
        state = tf.ensure_shape(state, [None, self.state_size])
        # One row would be taken for all rows.
        check = tf.debugging.assert_equal(
            tf.shape(state)[0], tf.shape(tokens)[0], "`state` must have as many rows as `tokens`."
        )
        with tf.control_dependencies([check]):
            return tf.identity(state)


def _tokens(batch: int | None = None) -> tf.TensorSpec:
    return tf.TensorSpec([batch, None], tf.int32, name="tokens")


def split_words(text: tf.Tensor, tokenization: str) -> tf.RaggedTensor:
    """Returns the words of texts, as `enas_tf.data.texts.tokenization` makes them, in a graph.

    Args:
      text: string `[batch]`.
      tokenization: `blanks` or `words`.

    Returns:
      String `[batch, (words)]`.
    """
    if tokenization == WORDS:
        text = tf.strings.lower(text, encoding="utf-8")
        text = tf.strings.regex_replace(text, PUNCTUATION_PATTERN, PUNCTUATION_REWRITE)
    text = tf.strings.regex_replace(text, LINE_END_PATTERNS[tokenization], f" {END_OF_LINE} ")
    return tf.strings.split(text)


def _write_saved_model(model: AnyLanguageModel, path: pathlib.Path) -> None:
    servable = _Servable(model, checked=True)
    vocabulary = model.vocabulary
    description = {
        "vocabulary_size": model.vocabulary_size,
        "state_size": servable.state_size,
        "tokenization": None if vocabulary is None else vocabulary.tokenization,
    }
    texts = {LANGUAGE_MODEL_FILE: json.dumps(description, indent=2) + "\n"}
    if vocabulary is not None:
        texts[VOCABULARY_FILE] = vocabulary.to_text()
    with export_formats.assets(texts) as paths:
        servable.module.description = tf.saved_model.Asset(paths[LANGUAGE_MODEL_FILE])
        signatures = {SIGNATURE: servable.serve(), STEP_SIGNATURE: servable.step()}
        if vocabulary is not None:
            signatures[TEXT_SIGNATURE] = servable.serve_text(paths[VOCABULARY_FILE])
        tf.saved_model.save(servable.module, str(path), signatures=signatures)
    warm_up.write(path, _warm_up_requests(signatures, servable.state_size))


def _warm_up_requests(signatures: Iterable[str], state_size: int) -> Iterator[bytes]:
    for rows in warm_up.BATCH_SIZES:
        inputs = {
            SIGNATURE: {"tokens": warm_up.filled(0, tf.int32, [rows, _WARM_UP_TIME])},
            STEP_SIGNATURE: {
                "tokens": warm_up.filled(0, tf.int32, [rows, 1]),
                "state": warm_up.filled(0.0, tf.float32, [rows, state_size]),
            },
            TEXT_SIGNATURE: {"text": warm_up.filled(_WARM_UP_TEXT, tf.string, [rows])},
        }
        for signature in signatures:
            yield warm_up.predict_request(signature, inputs[signature])


def _write_keras(model: AnyLanguageModel, path: pathlib.Path) -> None:
    if not isinstance(model, LanguageModel):
        raise export_formats.no_keras_file()
    export_formats.write_keras(model, path)


def _write_tflite(model: AnyLanguageModel, path: pathlib.Path) -> None:
    servable = _Servable(model, checked=False)
    export_formats.write_tflite(servable.module, servable.serve(batch=1), path)


def _write_onnx(model: AnyLanguageModel, path: pathlib.Path) -> None:
    export_formats.write_onnx(_Servable(model, checked=False).serve(), path)


WRITERS: dict[str, Callable[[AnyLanguageModel, pathlib.Path], None]] = {
    "saved_model": _write_saved_model,
    "keras": _write_keras,
    "tflite": _write_tflite,
    "onnx": _write_onnx,
}


def load_saved_language_model(path: pathlib.Path) -> SavedLanguageModel:
    """Reads a SavedModel.

    Args:
      path: of a folder with one version.

    Raises:
      ExportError: it holds no language model.
    """
    with reading(path, "a SavedModel of a language model"):
        folder = path / "assets"
        description = json.loads(read_bytes(folder / LANGUAGE_MODEL_FILE))
        vocabulary = None
        if description["tokenization"] is not None:
            words = read_lines(folder / VOCABULARY_FILE)
            vocabulary = Vocabulary(words, description["tokenization"])
        loaded = load_saved_model(path)
        sizes = int(description["vocabulary_size"]), int(description["state_size"])
        outputs = loaded.signatures[STEP_SIGNATURE].structured_outputs
        actual = outputs["log_probabilities"].shape[-1], outputs["state"].shape[-1]
        num_words = sizes[0] if vocabulary is None else len(vocabulary)
        if (*actual, num_words) != (*sizes, sizes[0]):
            raise DataError("the sizes of its signatures and of its assets differ")
        return SavedLanguageModel(loaded, *sizes, vocabulary)
