"""The words that a language model knows; nothing here imports TensorFlow."""

import collections
import dataclasses
import functools
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from typing_extensions import Self

from enas_tf.data.array_like import as_array
from enas_tf.data.names import check_words
from enas_tf.data.texts.tokenization import BLANKS, END_OF_LINE, UNKNOWN, WORDS, TokenizedText
from enas_tf.errors import DataError

_MARKS = frozenset({UNKNOWN, END_OF_LINE})

# How prose is set: what stands close to the word before it, to the word after it, or to both.
_CLOSE_TO_THE_LEFT = frozenset(",.;:!?)]}%")
_CLOSE_TO_THE_RIGHT = frozenset("([{#$")
_CLOSE_TO_BOTH = frozenset("'-_/@`\\^~")
_QUOTATION_MARK = '"'


@dataclasses.dataclass(frozen=True, repr=False)
class Vocabulary:
    """The words that a language model knows, each with a number, and how text becomes words.

    Attributes:
      words: all different, `<unk>` among them; a word's number is its place.
      tokenization: `blanks` or `words`; see `enas_tf.data.texts.tokenization`.

    Raises:
      DataError: there are fewer than two words, one of them twice, or no `<unk>`.
    """

    words: tuple[str, ...]
    tokenization: str = BLANKS

    def __repr__(self) -> str:
        return f"Vocabulary({len(self.words):,} words, tokenization={self.tokenization!r})"

    def __post_init__(self) -> None:
        object.__setattr__(self, "words", check_words("a vocabulary", self.words))
        if self.tokenization not in (BLANKS, WORDS):
            raise DataError(
                f"A vocabulary's tokenization must be {BLANKS} or {WORDS}. "
                f"Received: {self.tokenization!r:.40}."
            )
        if len(self.words) < 2:
            raise DataError(
                "A vocabulary must have at least two words, or there is nothing to predict. "
                f"Received: {len(self.words)}."
            )
        if len(self._numbers) < len(self.words):
            twice = collections.Counter(self.words).most_common(1)[0][0]
            raise DataError(f"A vocabulary must have every word once. It has {twice!r:.60} twice.")
        if UNKNOWN not in self._numbers:
            raise DataError(f"A vocabulary must contain {UNKNOWN}, for words that it lacks.")

    @classmethod
    def from_tokens(
        cls, tokens: Iterable[str], size: int | None = None, tokenization: str = BLANKS
    ) -> Self:
        """Makes the vocabulary of a training text.

        `<unk>` comes first, then the most frequent words, in the order of their first occurrence
        where they are equally frequent. A model can only learn how likely an unknown word is from a
        text that has some. So if the text has no `<unk>` of its own, and the size limit makes
        none, the words that occur only once become `<unk>`.

        Args:
          tokens: of the training text.
          size: the largest number of words, `<unk>` included. Default: no limit.
          tokenization: how the tokens were found.

        Raises:
          DataError: the text has fewer than two different words, or no word occurs twice.
        """
        if size is not None and size < 2:
            raise DataError(f"`vocabulary_size` must be at least 2. Received: {size}.")
        # Counter keeps the order of first occurrence, and its sorting is stable.
        counts = collections.Counter(tokens)
        different = len(counts.keys() - _MARKS)
        if different < 2:
            raise DataError(
                "The training text must have at least two different words. "
                f"It has {different}; give another text."
            )
        makes_unknown = size is not None and len(counts) >= size
        least = 1 if UNKNOWN in counts or makes_unknown else 2
        del counts[UNKNOWN]
        limit = None if size is None else size - 1
        words = [word for word, count in counts.most_common(limit) if count >= least]
        if least > 1 and not set(words) - _MARKS:
            raise DataError(
                "No word occurs twice in the training text, so that nothing can be learnt from it; "
                "give a longer text."
            )
        return cls((UNKNOWN, *words), tokenization)

    def __len__(self) -> int:
        return len(self.words)

    @functools.cached_property
    def _numbers(self) -> dict[str, int]:
        return {word: number for number, word in enumerate(self.words)}

    @property
    def unknown_id(self) -> int:
        """The number of `<unk>`."""
        return self._numbers[UNKNOWN]

    def encode(self, words: Iterable[str]) -> np.ndarray:
        """Returns the numbers of words, that of `<unk>` for those it lacks, int32 `[words]`."""
        get, unknown = self._numbers.get, self.unknown_id
        return np.fromiter((get(word, unknown) for word in words), np.int32)

    def encode_text(self, text: str) -> np.ndarray:
        """Returns the numbers of the words of any text, int32 `[words]`."""
        return self.encode(TokenizedText(text, self.tokenization))

    def decode(self, ids: Sequence[int] | np.ndarray) -> list[str]:
        """Returns the words that have some numbers.

        Raises:
          DataError: a number belongs to no word, or they are no integers.
        """
        numbers = as_array("`ids`", ids).ravel()
        if numbers.size and numbers.dtype.kind not in "iu":
            raise DataError(f"Numbers of words must be integers. Received: {numbers.dtype}.")
        outside = (numbers < 0) | (numbers >= len(self.words))
        if np.any(outside):
            raise DataError(
                f"Numbers of words must lie between 0 and {len(self.words) - 1}. "
                f"Received: {numbers[outside][0]}."
            )
        return [self.words[number] for number in numbers.tolist()]

    def join(self, words: Iterable[str]) -> str:
        """Returns words as a person wants to read them.

        `<eos>` becomes a line end. Under `words`, punctuation marks go where they mostly stand in
        prose; the original setting is not known any more.
        """
        lines: list[list[str]] = [[]]
        for word in words:
            if word == END_OF_LINE:
                lines.append([])
            else:
                lines[-1].append(word)
        join = _join_prose if self.tokenization == WORDS else " ".join
        return "\n".join(join(line) for line in lines)

    def to_json(self) -> dict[str, Any]:
        """Returns the vocabulary as JSON can hold it."""
        return {"tokenization": self.tokenization, "words": list(self.words)}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Self:
        """Makes a vocabulary from what `to_json` returned.

        Raises:
          DataError: it is something else.
        """
        words = value.get("words") if isinstance(value, Mapping) else None
        tokenization = value.get("tokenization") if isinstance(value, Mapping) else None
        if not isinstance(words, list) or not isinstance(tokenization, str):
            raise DataError(
                "A vocabulary must be a JSON object with a list `words` and a string "
                f"`tokenization`. Received: {value!r:.60}."
            )
        return cls(tuple(words), tokenization)

    def to_text(self) -> str:
        """Returns one word a line, in the order of their numbers."""
        return "".join(f"{word}\n" for word in self.words)


def _join_prose(words: Sequence[str]) -> str:
    pieces: list[str] = []
    is_close, is_quoting = True, False
    for word in words:
        closes_quotation = word == _QUOTATION_MARK and is_quoting
        stays_close = word in _CLOSE_TO_THE_LEFT or word in _CLOSE_TO_BOTH or closes_quotation
        if not is_close and not stays_close:
            pieces.append(" ")
        pieces.append(word)
        opens_quotation = word == _QUOTATION_MARK and not is_quoting
        is_close = word in _CLOSE_TO_THE_RIGHT or word in _CLOSE_TO_BOTH or opens_quotation
        is_quoting ^= word == _QUOTATION_MARK
    return "".join(pieces)
