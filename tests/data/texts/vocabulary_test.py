import json

import numpy as np
import pytest

from enas_tf.data.texts.vocabulary import Vocabulary
from enas_tf.errors import DataError


def test_frequent_words_come_first_then_those_that_come_first():
    vocabulary = Vocabulary.from_tokens(["d", "b", "c", "c", "<unk>", "b", "a"])
    assert vocabulary.words == ("<unk>", "b", "c", "d", "a")


def test_a_limit_counts_the_unknown_word():
    vocabulary = Vocabulary.from_tokens(["d", "b", "c", "c", "b", "b", "a", "a"], 3)
    assert vocabulary.words == ("<unk>", "b", "c")


def test_words_beyond_the_limit_are_unknown():
    vocabulary = Vocabulary.from_tokens(["d", "b", "c", "c", "b", "b", "a", "a"], 3)
    numbers = vocabulary.encode(["b", "a", "c", "z"])
    assert numbers.dtype == np.int32
    assert numbers.tolist() == [1, 0, 2, 0]


def test_without_unknown_words_those_that_occur_once_become_unknown():
    assert Vocabulary.from_tokens(["a", "b", "c", "a", "b"]).words == ("<unk>", "a", "b")


@pytest.mark.parametrize("size", [3, 4])
def test_a_limit_that_leaves_no_word_out_makes_none_known(size):
    assert Vocabulary.from_tokens(["a", "b", "c", "a", "b"], size).words == ("<unk>", "a", "b")


def test_a_limit_that_leaves_words_out_keeps_single_words():
    assert Vocabulary.from_tokens(["a", "a", "b", "c"], 3).words == ("<unk>", "a", "b")


def test_with_unknown_words_all_others_are_kept():
    assert Vocabulary.from_tokens(["a", "b", "<unk>", "c"]).words == ("<unk>", "a", "b", "c")


def test_decoding_undoes_encoding():
    vocabulary = Vocabulary(("a", "<unk>", "b"))
    assert vocabulary.encode(["b", "a", "c"]).tolist() == [2, 0, 1]
    assert vocabulary.decode(np.array([2, 0, 1])) == ["b", "a", "<unk>"]
    assert vocabulary.unknown_id == 1


@pytest.mark.parametrize("number", [-1, 3])
def test_a_number_without_a_word_is_refused(number):
    with pytest.raises(DataError, match=rf"between 0 and 2. Received: {number}"):
        Vocabulary(("a", "<unk>", "b")).decode([0, number])


def test_a_users_text_is_tokenized():
    words = Vocabulary(("<unk>", "<eos>", "a", "!"), "words")
    assert words.encode_text("A!\nb").tolist() == [2, 3, 1, 0]
    assert words.encode_text("").tolist() == []


def test_prepared_words_are_joined_by_blanks():
    vocabulary = Vocabulary(("<unk>", "a"), "blanks")
    assert vocabulary.join(["a", ",", "b", "<eos>", "<eos>", "c"]) == "a , b\n\nc"


def test_prose_is_set_as_prose():
    vocabulary = Vocabulary(("<unk>", "a"), "words")
    words = 'it \' s a " built - in " type ( or two ) , see x . y [ 0 ] . <eos> next : " z " !'
    expected = 'it\'s a "built-in" type (or two), see x. y [0].\nnext: "z"!'
    assert vocabulary.join(words.split()) == expected


def test_json_keeps_everything():
    vocabulary = Vocabulary(("<unk>", "ü", '"'), "words")
    assert Vocabulary.from_json(json.loads(json.dumps(vocabulary.to_json()))) == vocabulary


@pytest.mark.parametrize(
    "value", [None, {}, {"words": "ab", "tokenization": "blanks"}, {"words": []}]
)
def test_other_json_is_refused(value):
    with pytest.raises(DataError, match="JSON object"):
        Vocabulary.from_json(value)


def test_its_text_has_a_word_a_line():
    assert Vocabulary(("<unk>", "a", "b")).to_text() == "<unk>\na\nb\n"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("<unk>",), "at least two words"),
        (("a", "b"), "must contain <unk>"),
        (("<unk>", "a", "a"), "'a' twice"),
        (("<unk>", "a b"), "without white space"),
        (("<unk>", ""), "without white space"),
    ],
)
def test_what_is_no_vocabulary_is_refused(words, message):
    with pytest.raises(DataError, match=message):
        Vocabulary(words)


def test_an_unknown_tokenization_is_refused():
    with pytest.raises(DataError, match="tokenization must be blanks or words"):
        Vocabulary(("<unk>", "a"), "letters")


@pytest.mark.parametrize("text", ["", "a a a", "a <eos> a <eos>", "<unk> <eos>"])
def test_a_text_of_one_word_is_refused(text):
    with pytest.raises(DataError, match="at least two different words"):
        Vocabulary.from_tokens(text.split())


def test_a_text_that_repeats_nothing_is_refused():
    with pytest.raises(DataError, match="No word occurs twice"):
        Vocabulary.from_tokens(["a", "b", "c", "<eos>", "d", "<eos>"])


def test_a_size_of_one_is_refused():
    with pytest.raises(DataError, match="`vocabulary_size` must be at least 2"):
        Vocabulary.from_tokens(["a", "b", "a", "b"], 1)
