import numpy as np
import pytest

from enas_tf.data.images.dataset import ImageData
from enas_tf.data.images.loading import load_images
from enas_tf.data.names import NAME, WORD, check_label_names, check_name, check_text
from enas_tf.data.texts.dataset import TextData, load_texts
from enas_tf.errors import DataError
from enas_tf.settings.data import DataConfig, TextDataConfig

NOWHERE = ["", "\n", "a\rb", "a\0", "\ud800", "\udcff", "\v", "\t"]
NOT_IN_NAMES = [*NOWHERE, " ", "a\x1b[31m", "\x7f", "\x85", "\x9f", "\u2028", "\u2029"]
NOT_IN_WORDS = [*NOWHERE, "a b"]


@pytest.mark.parametrize("name", ["a", "New York", "café", "日本", "😀", "<none>", "a/b"])
def test_what_can_be_written_is_a_name(name):
    assert check_name("It", name) == name


@pytest.mark.parametrize("word", ["a", "café", "\u2028", "\x85", "<unk>"])
def test_a_word_may_hold_what_does_not_divide_lines_of_a_vocabulary(word):
    assert check_name("It", word, WORD) == word


@pytest.mark.parametrize(
    ("name", "rule"),
    [*((name, NAME) for name in NOT_IN_NAMES), *((name, WORD) for name in NOT_IN_WORDS)],
)
def test_what_cannot_be_written_is_refused_in_one_line(name, rule):
    with pytest.raises(DataError, match=r"^It must be .* in UTF-8, not empty") as caught:
        check_name("It", name, rule)
    assert str(caught.value).encode().decode().isprintable()


@pytest.mark.parametrize("name", [None, 3, b"a", ["a"]])
def test_what_is_no_string_is_no_name(name):
    with pytest.raises(DataError, match=rf"Received: {type(name).__name__}\."):
        check_name("It", name)


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (["cat", "dog"], ("cat", "dog")),
        (np.array(["cat", "dog"]), ("cat", "dog")),
        ([b"cat", "käfer".encode()], ("cat", "käfer")),
        (np.array([b"cat", b"dog"]), ("cat", "dog")),
        (range(2), ("0", "1")),
    ],
)
def test_names_of_classes_become_strings(names, expected):
    result = check_label_names(names)
    assert result == expected
    assert {type(name) for name in result} == {str}


@pytest.mark.parametrize(
    ("names", "message"),
    [
        ("ab", "must be a list of strings. Received: str"),
        (b"ab", "must be a list of strings. Received: bytes"),
        (3, "must be a list of strings. Received: int"),
        (["a", None], r"`label_names\[1\]`.*Received: NoneType"),
        ([["a"], ["b"]], r"`label_names\[0\]`.*Received: list"),
        (["a", b"\xff"], r"`label_names\[1\]`.*Received: '\\udcff'"),
        (["a", "b\nc"], r"`label_names\[1\]`.*Received: 'b\\nc'"),
        (["a", "b", "a"], "must differ"),
    ],
)
def test_other_names_of_classes_are_refused(names, message):
    with pytest.raises(DataError, match=message):
        check_label_names(names)


@pytest.mark.parametrize("character", ["\ud800", "\0"])
def test_a_text_that_no_file_can_hold_is_refused(character):
    with pytest.raises(DataError, match=r"`train` must be text.*at position 3"):
        check_text("`train`", f"abc{character}")


X, Y = np.zeros((30, 4, 4, 1), np.uint8), np.arange(30) % 2
WORDS = 20 * ["a", "b"]
WAYS_IN = {
    "label_names": lambda bad: ImageData.from_arrays(X, Y, X, Y, label_names=["a", bad]),
    "label_names of datasets": lambda bad: ImageData.from_datasets(
        [(X, Y)], [(X, Y)], label_names=["a", bad]
    ),
    "name of arrays": lambda bad: ImageData.from_arrays(X, Y, X, Y, name=bad),
    "name of tokens": lambda bad: TextData.from_tokens(WORDS, WORDS, WORDS, name=bad),
    "name of a text": lambda bad: TextData.from_text(" ".join(WORDS), name=bad),
    "name of numbers": lambda bad: TextData.from_token_ids(Y, Y, Y, name=bad),
    "dataset of pictures": lambda bad: load_images(DataConfig(dataset=f"{bad}.npz")),
    "dataset of text": lambda bad: load_texts(TextDataConfig(dataset=f"{bad}.txt")),
    "data_dir of pictures": lambda bad: load_images(DataConfig(data_dir=bad)),
    "data_dir of text": lambda bad: load_texts(TextDataConfig(data_dir=bad)),
    "a word": lambda bad: TextData.from_tokens([*WORDS, bad], WORDS, WORDS),
    "a word of the test part": lambda bad: TextData.from_tokens(WORDS, WORDS, ["a", "b", bad]),
    "words of numbers": lambda bad: TextData.from_token_ids(Y, Y, Y, ["a", bad]),
}


@pytest.mark.parametrize("name", ["a\nb", "\udcff", "a\0b"])
@pytest.mark.parametrize("way", WAYS_IN)
def test_every_way_in_refuses_names_that_cannot_be_written(way, name):
    with pytest.raises(DataError, match="in UTF-8, not empty"):
        WAYS_IN[way](name)
