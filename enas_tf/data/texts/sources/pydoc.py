"""The embedded text: the prose of Python's language reference, which CPython carries.

It depends a little on the version of Python: results on it can be compared only within one.
"""

import re

from enas_tf.data.texts.parts import TextParts, split_text
from enas_tf.errors import DataError

_BLANK_LINES = re.compile(r"\n\s*\n")
_SENTENCE_ENDS = (".", ":", "?", "!", ".)", '."')
# Below this share of letters and blanks, a paragraph is code, grammar or a table.
_SHARE_OF_LETTERS = 0.8
_SHORTEST = 4
_TYPOGRAPHIC_QUOTES = str.maketrans("\u2018\u2019\u201c\u201d", "''\"\"")


def load() -> TextParts:
    """Returns some 60,000 words of English, a paragraph a line, divided 90:5:5.

    Code, grammar rules, tables and headings are left out. So are repeated paragraphs: the topics
    overlap, and the test part must hold nothing that the model was trained on.

    Raises:
      DataError: this Python lacks `pydoc_data`.
    """
    try:
        # Here, because only this source needs it, and some Python packages leave it out.
        from pydoc_data.topics import topics
    except ModuleNotFoundError as error:
        raise DataError(
            "This Python comes without its module pydoc_data, which holds the dataset 'pydoc'; "
            "give a text file instead."
        ) from error
    text = "\n\n".join(topics[name] for name in sorted(topics))
    return split_text("".join(f"{line}\n" for line in _paragraphs(text)), "pydoc")


def _paragraphs(text: str) -> list[str]:
    """Returns every paragraph of prose once, as one line."""
    blocks = _BLANK_LINES.split(text.translate(_TYPOGRAPHIC_QUOTES))
    lines = (" ".join(block.split()) for block in blocks)
    return list(dict.fromkeys(line for line in lines if _is_prose(line)))


def _is_prose(line: str) -> bool:
    letters = sum(character.isalpha() or character == " " for character in line)
    return (
        line.endswith(_SENTENCE_ENDS)
        and letters >= _SHARE_OF_LETTERS * len(line)
        and line.count(" ") + 1 >= _SHORTEST
        and "::=" not in line
        and not line.startswith(">>>")
    )
