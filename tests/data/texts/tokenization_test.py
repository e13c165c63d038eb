import re

import pytest

from enas_tf.data.texts.tokenization import (
    LINE_END_PATTERNS,
    PUNCTUATION_PATTERN,
    PUNCTUATION_REWRITE,
    TokenizedText,
    tokenize,
)


def test_a_line_of_penn_treebank_ends_with_a_mark():
    text = " no it was n't black monday \n but while <unk> N \n"
    expected = "no it was n't black monday <eos> but while <unk> N <eos>"
    assert tokenize(text, "blanks") == expected.split()


def test_blank_lines_of_wikitext_count():
    text = " \n = Robert Boulter = \n \n Robert @-@ <unk> . \n"
    expected = "<eos> = Robert Boulter = <eos> <eos> Robert @-@ <unk> . <eos>"
    assert tokenize(text, "blanks") == expected.split()


def test_only_ascii_white_space_separates():
    tokens = tokenize("a\tb\r\nc\vd\fe\xa0f\u2028g", "blanks")
    assert tokens == ["a", "b", "<eos>", "c", "d", "e\xa0f\u2028g"]


def test_an_open_line_has_no_end():
    assert tokenize("the end", "blanks") == ["the", "end"]
    assert tokenize("the end", "words") == ["the", "end"]


def test_prose_is_put_in_lower_case_and_marks_stand_alone():
    text = 'He said: "Don\'t use x_1!"\n'
    expected = 'he said : " don \' t use x _ 1 ! " <eos>'
    assert tokenize(text, "words") == expected.split()


def test_every_mark_of_ascii_is_a_word():
    marks = "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~"
    assert tokenize(f"a{marks}b", "words") == ["a", *marks, "b"]


def test_runs_of_blank_lines_count_once_in_prose():
    assert tokenize("a \n \r\n\n  b\n\n", "words") == ["a", "<eos>", "b", "<eos>"]


def test_marks_of_prepared_texts_stay_whole_in_prose():
    assert tokenize("<<unk>> a<EOS>", "words") == ["<", "<unk>", ">", "a", "<eos>"]


def test_letters_beyond_ascii_belong_to_words():
    assert tokenize("Ürün, naïve\n", "words") == ["ürün", ",", "naïve", "<eos>"]


def test_nothing_has_no_tokens():
    assert tokenize("", "blanks") == tokenize(" ", "words") == []


def test_tokens_can_be_read_again():
    text = TokenizedText("a b\n", "blanks")
    assert list(text) == list(text) == ["a", "b", "<eos>"]


@pytest.mark.parametrize("tokenization", ["blanks", "words"])
def test_the_patterns_for_graphs_find_the_same_tokens(tokenization):
    text = '\n\n A_b  c<unk>d\t"e" \n\n\r\n<Eos> ( f ) \v\f g\n'
    replaced = text
    if tokenization == "words":
        replaced = re.sub(PUNCTUATION_PATTERN, PUNCTUATION_REWRITE, text.lower())
    replaced = re.sub(LINE_END_PATTERNS[tokenization], " <eos> ", replaced)
    assert replaced.split() == tokenize(text, tokenization)
