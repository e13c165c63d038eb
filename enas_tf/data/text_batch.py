"""A batch of text; nothing here imports TensorFlow."""

from typing import Any, NamedTuple


class TextBatch(NamedTuple):
    """Segments of several streams of text, one stream a row; rows go first in every field.

    Attributes:
      tokens: int32 `[rows, time]`, numbers of words.
      targets: int32 `[rows, time]`, the word that follows each of them.
      carry: float32 `[rows]`, 1 where the segment goes on where the row's last one ended, 0 where
        the state starts from zero.
      relative_length: float32 `[rows]`, everywhere the same: `time` divided by the configured
        sequence length.
    """

    tokens: Any
    targets: Any
    carry: Any
    relative_length: Any
