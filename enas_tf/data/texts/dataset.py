"""Texts as numbers of words: the value that searching, retraining and evaluation take."""

import dataclasses
import itertools
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from typing_extensions import Self

from enas_tf.data.array_like import as_array
from enas_tf.data.names import check_text, check_words, own_name
from enas_tf.data.texts.batch import check_devices
from enas_tf.data.texts.parts import split_text
from enas_tf.data.texts.segments import positions_of, segments_per_epoch
from enas_tf.data.texts.sources_by_name import read_source
from enas_tf.data.texts.tokenization import BLANKS, UNKNOWN, TokenizedText
from enas_tf.data.texts.vocabulary import Vocabulary
from enas_tf.errors import ConfigurationError, DataError
from enas_tf.settings.arguments import differing_arguments
from enas_tf.settings.data import TextDataConfig
from enas_tf.settings.search import OF_ACCURACY, SearchConfig
from enas_tf.settings.training import LossConfig, TextRetrainConfig

if TYPE_CHECKING:
    from enas_tf.data.texts.streams import TextSearchStreams

_PARTS = ("train", "validation", "test")

# With one, no state would ever be carried on.
_FEWEST_POSITIONS = 2

# Larger numbers are no numbers of words, but hashes or the like.
_MOST_WORDS = 2**24

# Batches of the default length in each part of a random text, unless it is said how many.
_RANDOM_SEGMENTS = 4


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class TextData:
    """A text in three parts, each one long row of numbers of words.

    Make it with `load_texts`, or with `TextData.from_text`, `from_tokens` or `from_token_ids`,
    which check everything.

    Attributes:
      name: of the dataset.
      train: int32 `[words]`.
      validation: int32 `[words]`.
      test: int32 `[words]`.
      vocabulary: the words that the numbers stand for.
      config: the settings that the dataset was made with.
    """

    name: str
    train: np.ndarray
    validation: np.ndarray
    test: np.ndarray
    vocabulary: Vocabulary
    config: TextDataConfig
    # The words are named by their own checksum, and files of texts are read as a whole.
    fingerprint = None
    obstacle_on_devices = "words are sent as they are needed, and only pictures are kept there"

    @classmethod
    def from_tokens(
        cls,
        train: Sequence[str],
        validation: Sequence[str],
        test: Sequence[str],
        *,
        name: str | None = None,
        config: TextDataConfig | None = None,
    ) -> Self:
        """Makes a dataset from lists of words.

        ```python
        words = ["the", "cat", "saw", "the", "dog", "<eos>"]
        data = enas_tf.TextData.from_tokens(100 * words, 10 * words, 10 * words)
        ```

        Args:
          train: words of the training part, which make the vocabulary; see
            `Vocabulary.from_tokens`.
          validation: words of the validation part.
          test: words of the test part.
          name: of the dataset, which stands in the run directories. Default: `tokens_` and a
            fingerprint of the words, so that a run is not gone on with on other ones by mistake.
          config: vocabulary size, numbers of tokens, sequence length, and how the words were
            found; its `dataset` and `data_dir` are not used. Default: `TextDataConfig()`.

        Returns:
          The dataset.

        Raises:
          DataError: a part has not at least two words, there are not two different ones, or one
            is no word.
        """
        tokens = []
        for part, words in zip(_PARTS, (train, validation, test), strict=True):
            if isinstance(words, str):
                raise DataError(
                    f"`{part}` must be a list of words. Received: a text; TextData.from_text "
                    "divides it into words."
                )
            tokens.append(check_words(f"`{part}`", words))
        config = config or TextDataConfig()
        data = cls._from_parts(tokens, _tokenization(config), name or "tokens", config)
        return data._named("tokens", name)

    @classmethod
    def from_text(
        cls,
        train: str,
        validation: str | None = None,
        test: str | None = None,
        *,
        name: str | None = None,
        config: TextDataConfig | None = None,
    ) -> Self:
        r"""Makes a dataset from one text, or from three.

        ```python
        text = "The cat saw the dog.\n" * 200
        config = enas_tf.TextDataConfig(tokenization="words")  # of prose, with punctuation
        data = enas_tf.TextData.from_text(text, config=config)
        ```

        Args:
          train: the training part; or, if it is the only one, the whole text, which is divided at
            line ends: 90 % training, 5 % validation, 5 % test.
          validation: the validation part.
          test: the test part.
          name: as in `from_tokens`. Default: `text_` and a fingerprint.
          config: tokenization, vocabulary size, numbers of tokens and sequence length; its
            `dataset` and `data_dir` are not used. Default: `TextDataConfig()`, which divides a text
            at blanks, as it does with files.

        Returns:
          The dataset.

        Raises:
          DataError: a part is no text, is missing, or too short.
        """
        parts: tuple[str | None, ...] = (train, validation, test)
        if validation is None and test is None and isinstance(train, str):
            parts = split_text(train, name or "The text")
        config = config or TextDataConfig()
        tokenization = _tokenization(config)
        texts = []
        for part, text in zip(_PARTS, parts, strict=True):
            if not isinstance(text, str):
                raise DataError(
                    f"`{part}` must be a text; give one text, which is divided, or all three "
                    f"parts. Received: {type(text).__name__}."
                )
            check_text(f"`{part}`", text)
            texts.append(TokenizedText(text, tokenization))
        data = cls._from_parts(texts, tokenization, name or "text", config)
        return data._named("text", name)

    @classmethod
    def from_token_ids(
        cls,
        train: Any,
        validation: Any,
        test: Any,
        words: Sequence[str] | None = None,
        *,
        name: str | None = None,
        config: TextDataConfig | None = None,
    ) -> Self:
        """Makes a dataset from numbers of words, as another tokenizer made them.

        ```python
        ids = np.random.default_rng(0).integers(0, 50, 2000)
        data = enas_tf.TextData.from_token_ids(ids[:1800], ids[1800:1900], ids[1900:])
        ```

        Args:
          train: integers from 0 `[words]`.
          validation: likewise.
          test: likewise.
          words: what the numbers stand for; different strings without white space. Default: the
            numbers themselves. A word `<unk>`, for words that are none of them, is added at the end
            if there is none.
          name: as in `from_tokens`. Default: `token_ids_` and a fingerprint.
          config: numbers of tokens, sequence length, and how the words were found; its `dataset`,
            `data_dir` and `vocabulary_size` are not used. Default: `TextDataConfig()`.

        Returns:
          The dataset.

        Raises:
          DataError: a part has not at least two numbers, or a number stands for no word.
        """
        config = config or TextDataConfig()
        given = zip(_PARTS, (train, validation, test), _limits(config), strict=True)
        parts = [_checked_ids(part, ids)[:limit] for part, ids, limit in given]
        highest = int(max(ids.max() for ids in parts))
        known = check_words("`words`", map(str, range(highest + 1)) if words is None else words)
        if highest >= len(known):
            raise DataError(
                f"`words` must have a word for every number. Received: {len(known)} words, but "
                f"number {highest}."
            )
        vocabulary = Vocabulary(
            known if UNKNOWN in known else (*known, UNKNOWN), _tokenization(config)
        )
        data = cls(name or "", parts[0], parts[1], parts[2], vocabulary, config)
        return data._named("token_ids", name)

    @classmethod
    def _from_parts(
        cls, parts: Sequence[Iterable[str]], tokenization: str, name: str, config: TextDataConfig
    ) -> Self:
        limits = _limits(config)
        vocabulary = Vocabulary.from_tokens(
            itertools.islice(parts[0], limits[0]), config.vocabulary_size, tokenization
        )
        arrays = []
        for part, tokens, limit in zip(_PARTS, parts, limits, strict=True):
            arrays.append(vocabulary.encode(itertools.islice(tokens, limit)))
            if len(arrays[-1]) < 2:
                raise DataError(
                    f"The {part} part of {name} must have at least two words, one to read and one "
                    f"to predict. It has {len(arrays[-1])}; give a longer text."
                )
        return cls(name, arrays[0], arrays[1], arrays[2], vocabulary, config)

    def _named(self, kind: str, name: str | None) -> Self:
        """Returns the dataset with the name that it is called by in a run directory."""
        parts = (self.train, self.validation, self.test)
        name = own_name(name, kind, parts, self.vocabulary.words)
        config = self.config.replace(dataset=name, data_dir=None)
        return dataclasses.replace(self, name=name, config=config)

    @classmethod
    def random(
        cls,
        vocabulary_size: int,
        rows: int,
        seed: int = 0,
        segments: int = _RANDOM_SEGMENTS,
        held_out: int | None = None,
    ) -> Self:
        """Makes a text of random words, in segments of the default length.

        Args:
          vocabulary_size: number of words, of which all but `<unk>` are called by numbers.
          rows: of a batch.
          seed: of the words.
          segments: in each row of the training part.
          held_out: segments of one row in each of the other parts. Default: as many as in training.
        """
        config = TextDataConfig(dataset="random", random_lengths=False)
        other = rows * segments if held_out is None else held_out
        # Each has a word more, the last one to be predicted.
        ends = np.cumsum([n * config.sequence_length + 1 for n in (rows * segments, other, other)])
        generator = np.random.default_rng(seed)
        words = generator.integers(vocabulary_size, size=ends[-1], dtype=np.int32)
        parts = np.split(words, ends[:-1])
        vocabulary = Vocabulary((UNKNOWN, *map(str, range(1, vocabulary_size))))
        return cls("random", parts[0], parts[1], parts[2], vocabulary, config)

    def __repr__(self) -> str:
        return (
            f"TextData({self.name!r}: {len(self.train):,} training, {len(self.validation):,} "
            f"validation and {len(self.test):,} test words, {self.vocabulary_size:,} different)"
        )

    @property
    def vocabulary_size(self) -> int:
        """The number of words that there are."""
        return len(self.vocabulary)

    @property
    def num_reward_segments(self) -> int:
        """Segments of the sequence length in the validation part, at least one."""
        return max(1, (len(self.validation) - 1) // self.config.sequence_length)

    def part(self, part: str) -> np.ndarray:
        """Returns one part, int32 `[words]`.

        Args:
          part: `"train"`, `"validation"` or `"test"`.

        Raises:
          ConfigurationError: there is no such part.
        """
        if part not in _PARTS:
            raise ConfigurationError(
                f"`part` must be one of {', '.join(_PARTS)}. Received: {part!r}."
            )
        return getattr(self, part)

    def beginning(self, count: int = 300) -> str:
        """Returns the first words of the training part as the network gets them."""
        return " ".join(self.vocabulary.words[number] for number in self.train[:count])

    def begun(self, part: str, recall: Callable[[Callable[[], Any]], Any]) -> Self:
        """Returns the data: a run need not keep anything of text; see `ImageData.begun`."""
        del part, recall
        return self

    def assets(self) -> dict[str, str]:
        """Returns what an exported model carries along: the words, one a line, by file name."""
        return {"vocabulary.txt": self.vocabulary.to_text()}

    def check_search(self, config: SearchConfig, num_devices: int = 1) -> None:
        """Finds out whether a search can be made on the text.

        Args:
          config: the settings of the search.
          num_devices: how many share the rows of a batch.

        Raises:
          DataError: the text is too short for the batches.
          ConfigurationError: the devices cannot share a batch equally, or settings are for
            pictures.
        """
        _check_for_text(config)
        self._check_lengths(config.shared_weights.batch_size)
        check_devices(config.shared_weights.batch_size, num_devices)
        size = config.reward_batch_size
        if size is not None and size > self.num_reward_segments:
            raise DataError(
                "`reward_batch_size` must be at most the number of the validation part's segments "
                f"of {self.config.sequence_length} words, {self.num_reward_segments}. "
                f"Received: reward_batch_size={size}; the part has {len(self.validation)} words."
            )

    def check_retraining(self, config: TextRetrainConfig) -> None:
        """Raises a `DataError` unless the text is long enough for a batch of a retraining."""
        self._check_lengths(config.training.batch_size)

    def _check_lengths(self, batch_size: int) -> None:
        number = len(self.train)
        largest = (number - 1) // _FEWEST_POSITIONS
        if batch_size > largest:
            advice = f"set batch_size to at most {largest}, or " if largest else ""
            raise DataError(
                f"The training part of {self.name} has only {number} words, too few for a batch of "
                f"{batch_size} rows of at least {_FEWEST_POSITIONS}; {advice}give a longer text. "
                f"Received: batch_size={batch_size}."
            )
        # The learning rate is scaled by the share of it that a segment has.
        if self.config.sequence_length >= number:
            raise DataError(
                f"The training part of {self.name} has only {number} words, too few for segments "
                f"of {self.config.sequence_length}; set sequence_length to at most {number - 1}, "
                "or give a longer text. "
                f"Received: sequence_length={self.config.sequence_length}."
            )

    def search_streams(
        self,
        *,
        batch_size: int,
        reward_batch_size: int,
        seed: int,
        scored_part: str = "validation",
    ) -> "TextSearchStreams":
        """Returns the batches of a search; see `ImageData.search_streams`."""
        from enas_tf.data.texts.streams import TextSearchStreams

        config = self.config
        positions = positions_of(len(self.train), batch_size)
        return TextSearchStreams(
            train=self.train,
            held_out=self.part(scored_part),
            beginning=self.beginning(),
            sequence_length=config.sequence_length,
            random_lengths=config.random_lengths,
            batch_size=batch_size,
            reward_batch_size=min(reward_batch_size, self.num_reward_segments),
            seed=seed,
            steps_per_epoch=segments_per_epoch(
                positions, config.sequence_length, config.random_lengths
            ),
        )


def _tokenization(config: TextDataConfig) -> str:
    return BLANKS if config.tokenization == "auto" else config.tokenization


def _limits(config: TextDataConfig) -> tuple[int | None, int | None, int | None]:
    return config.max_train_tokens, None, config.max_test_tokens


def _checked_ids(part: str, ids: Any) -> np.ndarray:
    ids = as_array(f"`{part}`", ids)
    if ids.ndim != 1 or ids.dtype.kind not in "iu":
        raise DataError(
            f"`{part}` must be one row of integers, the numbers of words. "
            f"Received: shape {ids.shape}, dtype {ids.dtype}."
        )
    if len(ids) < 2:
        raise DataError(
            f"`{part}` must have at least two words, one to read and one to predict. "
            f"Received: {len(ids)}."
        )
    if ids.min() < 0 or ids.max() >= _MOST_WORDS:
        wrong = ids.min() if ids.min() < 0 else ids.max()
        raise DataError(
            f"`{part}` must hold numbers from 0 to words - 1. Received: {wrong}; number the words "
            "that occur."
        )
    return ids.astype(np.int32, copy=False)


def _check_for_text(config: SearchConfig) -> None:
    """Raises `ConfigurationError` if a search shall do what only pictures with classes can."""
    received = differing_arguments(config.loss, LossConfig())
    received += [
        f"--{name}={metric}" for name, metric in config.metrics.items() if metric not in OF_ACCURACY
    ]
    if received:
        raise ConfigurationError(
            "`reward_metric`, `derive_metric`, `class_weights` and `label_smoothing` are for "
            "pictures, which have classes; a search on text is rewarded for 80 / perplexity. "
            f"Received: {' '.join(received)}."
        )


def load_texts(config: TextDataConfig | str) -> TextData:
    """Loads the text that a configuration names; see `TextDataConfig`.

    The vocabulary is that of the training part; see `Vocabulary.from_tokens`.

    ```python
    data = enas_tf.load_texts("pydoc")
    data = enas_tf.load_texts(enas_tf.TextDataConfig(dataset="pydoc", vocabulary_size=1000))
    ```

    Args:
      config: names the dataset, and says how it is read; or the name alone.

    Returns:
      The dataset, all of it in memory.

    Raises:
      DataError: the text is missing, no text, too short, or lacks a part.
    """
    if not isinstance(config, TextDataConfig):
        config = TextDataConfig(dataset=config)
    source = read_source(config)
    parts = [TokenizedText(text, source.tokenization) for text in source.parts]
    return TextData._from_parts(parts, source.tokenization, config.dataset, config)
