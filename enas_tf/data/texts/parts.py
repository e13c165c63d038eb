"""The three parts of a text, as sources hand them over."""

import re
from typing import NamedTuple

from enas_tf.errors import DataError

_TRAIN_SHARE = 0.9
_VALIDATION_SHARE = 0.05
# A part ends at the next line end, or between two words where a line is longer than this share.
_LONGEST_SHIFT = 0.01

_WORD_END = re.compile(r"[ \t\n\r\f\v]")


class TextParts(NamedTuple):
    """Texts, not divided into words yet.

    Attributes:
      train: what the model learns from.
      validation: what a search and a training are steered by.
      test: what the result is measured on.
    """

    train: str
    validation: str
    test: str


def split_text(text: str, name: str) -> TextParts:
    """Divides a text into its first 90 %, the next 5 % and the last 5 %, after whole lines.

    A text that is one long line is divided between words.

    Args:
      text: of which no character is lost.
      name: names the text in the message of an error.

    Raises:
      DataError: the text is too short to be divided.
    """
    first = _boundary(text, _TRAIN_SHARE)
    second = _boundary(text, _TRAIN_SHARE + _VALIDATION_SHARE)
    parts = TextParts(text[:first], text[first:second], text[second:])
    if not all(part.strip() for part in parts):
        number = len(text.split())
        raise DataError(
            f"{name} is too short to be divided into training, validation and test parts (90, 5 "
            f"and 5 %). It has {number} word{'' if number == 1 else 's'}; give a longer text, or "
            "three files."
        )
    return parts


def _boundary(text: str, share: float) -> int:
    """Returns where a part that should end after that share of the text ends."""
    wanted = int(len(text) * share)
    line_end = text.find("\n", wanted, wanted + max(1, int(len(text) * _LONGEST_SHIFT)))
    if line_end >= 0:
        return line_end + 1
    word_end = _WORD_END.search(text, wanted)
    return word_end.end() if word_end else len(text)
