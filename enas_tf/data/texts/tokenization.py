"""How text becomes words; nothing here imports TensorFlow.

The two tokenizations are regular expressions that RE2 knows as well, so that an exported model can
do inside its graph exactly what is done here:

* `blanks`, for texts that are words between blanks already (Penn Treebank, WikiText): every line
  end becomes `<eos>`, blank lines included, and the rest is split at ASCII white space.
* `words`, for ordinary prose: the text is put in lower case; `PUNCTUATION_PATTERN` is replaced by
  `PUNCTUATION_REWRITE`, then `LINE_END_PATTERNS["words"]` by `" <eos> "` (a run of line ends counts
  once), and the rest is split at ASCII white space.

A line that no line end closes has no `<eos>`: it may be the beginning of something to go on with.
"""

import dataclasses
import re
from collections.abc import Iterator

UNKNOWN = "<unk>"
END_OF_LINE = "<eos>"

BLANKS = "blanks"
WORDS = "words"

# Python's and RE2's \s agree neither on the vertical tab nor on white space beyond ASCII.
_SPACE = r" \t\n\r\f\v"
_PUNCTUATION = r"!-/:-@\[-`{-~"

# What becomes a word of its own in ordinary prose. The two marks stay whole.
PUNCTUATION_PATTERN = rf"({UNKNOWN}|{END_OF_LINE}|[{_PUNCTUATION}])"
PUNCTUATION_REWRITE = r" \1 "

# What becomes END_OF_LINE.
LINE_END_PATTERNS = {BLANKS: r"\n", WORDS: rf"[{_SPACE}]*\n[{_SPACE}]*"}

_TOKENS = {
    BLANKS: re.compile(rf"\n|[^{_SPACE}]+"),
    WORDS: re.compile(
        rf"{UNKNOWN}|{END_OF_LINE}|[{_PUNCTUATION}]|[^{_SPACE}{_PUNCTUATION}]+|"
        rf"{LINE_END_PATTERNS[WORDS]}"
    ),
}


@dataclasses.dataclass(frozen=True)
class TokenizedText:
    """The tokens of a text, found anew whenever they are iterated over and never all held.

    Attributes:
      text: any text.
      tokenization: `blanks` or `words`; see the module.
    """

    text: str
    tokenization: str

    def __iter__(self) -> Iterator[str]:
        text = self.text.lower() if self.tokenization == WORDS else self.text
        for match in _TOKENS[self.tokenization].finditer(text):
            token = match[0]
            # Only a line end has one.
            yield END_OF_LINE if "\n" in token else token


def tokenize(text: str, tokenization: str) -> list[str]:
    """Returns the tokens of a text.

    Args:
      text: any text.
      tokenization: `blanks` or `words`; see the module.
    """
    return list(TokenizedText(text, tokenization))
