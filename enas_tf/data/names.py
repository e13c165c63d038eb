"""Names that are written down later: of classes, data sets and folders, and words.

Config files, assets of models and reports hold them as lines in UTF-8. What could not stand there
is refused where it is read, not after hours of work.
"""

import numbers
import re
import zlib
from collections.abc import Iterable
from typing import Any, NamedTuple

import numpy as np

from enas_tf.errors import DataError


class _Rule(NamedTuple):
    never: re.Pattern[str]
    expected: str


# Besides control characters, whatever some reader of lines takes for the end of one.
NAME = _Rule(
    re.compile(r"^\s*$|[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]"),
    "one line of text in UTF-8, not empty, without control characters",
)
# White space of ASCII divides words; see `tokenization`.
WORD = _Rule(
    re.compile(r"^$|[\x00 \t\n\r\f\v\ud800-\udfff]"),
    "text in UTF-8, not empty, without white space or zero bytes",
)
_NEVER_IN_TEXTS = re.compile(r"[\x00\ud800-\udfff]")


def check_name(what: str, name: Any, rule: _Rule = NAME) -> str:
    """Returns a name that can be written.

    Args:
      what: says in the message of an error what the name is of.
      name: a string, not empty.
      rule: `NAME`, or `WORD` for what stands between blanks.

    Raises:
      DataError: it is something else.
    """
    if not isinstance(name, str):
        raise DataError(f"{what} must be {rule.expected}. Received: {type(name).__name__}.")
    if rule.never.search(name):
        raise DataError(f"{what} must be {rule.expected}. Received: {name!r:.80}.")
    return str(name)


def check_label_names(names: Any) -> tuple[str, ...]:
    """Returns the names of classes, which differ from each other.

    Args:
      names: strings; or bytes in UTF-8, or numbers, which become strings.

    Raises:
      DataError: they are something else, or one of them cannot be written.
    """
    result = tuple(
        check_name(f"`label_names[{label}]`", _text(name))
        for label, name in enumerate(_list("`label_names`", names))
    )
    if len(set(result)) != len(result):
        raise DataError("`label_names` must differ from each other.")
    return result


def check_words(what: str, words: Any) -> tuple[str, ...]:
    """Returns words, each a string that stands between blanks.

    Args:
      what: names the words in the message of an error.
      words: of a vocabulary or a text.

    Raises:
      DataError: they are something else.
    """
    message = f"Every word of {what}"
    return tuple(check_name(message, word, WORD) for word in _list(what, words))


def check_text(what: str, text: str) -> None:
    """Raises a `DataError` if a text holds what no text file in UTF-8 does."""
    wrong = _NEVER_IN_TEXTS.search(text)
    if wrong:
        raise DataError(
            f"{what} must be text that UTF-8 can hold, without zero bytes. "
            f"Received: {wrong[0]!r} at position {wrong.start()}."
        )


def own_name(
    name: str | None, kind: str, arrays: Iterable[np.ndarray], words: Iterable[str]
) -> str:
    """Returns the name that a dataset from memory has in a run directory.

    A name of ours ends in eight characters that are the same for the same data only, so that a run
    is not gone on with on other data by mistake.

    Args:
      name: that the caller gave. None: one is made.
      kind: begins a name that is made.
      arrays: of numbers; shapes count too.
      words: names of classes, or words of a vocabulary.

    Raises:
      DataError: the name cannot be written.
    """
    if name is not None:
        return check_name("`name`", name)
    checksum = 0
    for array in arrays:
        checksum = zlib.crc32(repr((array.shape, array.dtype.str)).encode(), checksum)
        checksum = zlib.crc32(np.ascontiguousarray(array).data, checksum)
    return f"{kind}_{zlib.crc32(chr(10).join(words).encode(), checksum):08x}"


def _list(what: str, names: Any) -> Iterable[Any]:
    """Returns an iterable, of which a string is none here: its characters are no names."""
    if isinstance(names, str | bytes) or not isinstance(names, Iterable):
        raise DataError(f"{what} must be a list of strings. Received: {type(names).__name__}.")
    return names


def _text(name: Any) -> Any:
    if isinstance(name, bytes):
        # What is no UTF-8 becomes what `check_name` refuses.
        return name.decode("utf-8", "surrogateescape")
    return str(name) if isinstance(name, numbers.Integral) else name
