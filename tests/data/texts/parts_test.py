import pytest

from enas_tf.data.texts.parts import split_text
from enas_tf.errors import DataError


def test_a_text_is_divided_after_whole_lines():
    lines = [f"line {number:03}\n" for number in range(200)]
    parts = split_text("".join(lines), "it")
    assert parts.train == "".join(lines[:181])
    assert parts.validation == "".join(lines[181:191])
    assert parts.test == "".join(lines[191:])


def test_one_long_line_is_divided_between_words():
    text = " ".join(["word"] * 400) + "\n"
    parts = split_text(text, "it")
    assert "".join(parts) == text
    assert [len(part.split()) for part in parts] == [361, 20, 19]


@pytest.mark.parametrize("text", ["", "word\n", "two words\n", "\n" * 100])
def test_a_text_that_is_too_short_is_refused(text):
    with pytest.raises(DataError, match="it is too short to be divided"):
        split_text(text, "it")


def test_the_number_of_words_is_told():
    with pytest.raises(DataError, match="It has 1 word; give a longer text"):
        split_text("word\n", "it")
    with pytest.raises(DataError, match="It has 2 words;"):
        split_text("two words\n", "it")
