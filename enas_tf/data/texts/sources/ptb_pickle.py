"""Penn Treebank as the release's `process.py` pickles it."""

import pathlib
from typing import Any

import numpy as np

from enas_tf.data.array_like import as_array
from enas_tf.data.foreign import read_file
from enas_tf.data.names import WORD, check_name
from enas_tf.data.pickles import load_pickle
from enas_tf.data.texts.parts import TextParts
from enas_tf.data.texts.tokenization import BLANKS, END_OF_LINE, tokenize
from enas_tf.errors import DataError

FILE = "ptb.pkl"


def load(path: pathlib.Path) -> TextParts:
    """Reads a pickle of the release, written by Python 2 or 3.

    It holds a tuple: the numbers of the training, validation and test words (integer arrays), a
    dictionary from words to their numbers and one from numbers to words. The words become text
    again, with a line end for each `<eos>`.

    Args:
      path: of the file.

    Raises:
      DataError: the file is missing or damaged, or holds something else.
    """
    content = load_pickle(read_file(path), str(path))
    arrays, words = _arrays_and_words(content, path)
    for array in arrays:
        if array.min() < 0 or array.max() >= len(words):
            raise DataError(
                f"{path} must hold numbers of words from 0 to {len(words) - 1}. It has "
                f"{array.min()} to {array.max()}; write it again."
            )
    words[words == END_OF_LINE] = "\n"
    return TextParts(*(" ".join(words[array]) for array in arrays))


def _arrays_and_words(content: Any, path: pathlib.Path) -> tuple[list[np.ndarray], np.ndarray]:
    """Returns the three arrays of numbers, and the array of words that these are places in."""
    if isinstance(content, tuple) and len(content) == 5 and isinstance(content[3], dict):
        arrays = [as_array(f"A part of {path}", array) for array in content[:3]]
        are_numbers = all(
            array.ndim == 1 and array.size and array.dtype.kind in "iu" for array in arrays
        )
        words = _words_in_order(content[3])
        if are_numbers and words is not None:
            return arrays, words
    raise DataError(
        f"{path} is not the release's {FILE}: expected a tuple of three integer arrays (training, "
        "validation and test words), a dictionary from words to numbers and its inverse."
    )


def _words_in_order(numbers: dict[Any, Any]) -> np.ndarray | None:
    """Returns the words by their numbers, or None if these are not 0, 1, 2 and so on."""
    words = np.empty(len(numbers), object)
    if sorted(value for value in numbers.values() if type(value) is int) != [*range(len(numbers))]:
        return None
    for word, number in numbers.items():
        # Python 2 wrote bytes.
        try:
            words[number] = word.decode("utf-8") if isinstance(word, bytes) else word
        except UnicodeDecodeError:
            return None
        # A blank would make two words of it.
        if not isinstance(words[number], str) or tokenize(words[number], BLANKS) != [words[number]]:
            return None
        check_name(f"Every word of {FILE}", words[number], WORD)
    return words
