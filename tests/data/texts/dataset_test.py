import dataclasses
import re

import numpy as np
import pytest

from enas_tf.data.texts.dataset import TextData, load_texts
from enas_tf.errors import ConfigurationError, DataError
from enas_tf.settings.data import TextDataConfig
from enas_tf.settings.search import SearchConfig
from enas_tf.settings.training import TextRetrainConfig

# The words are <unk>, <eos>, a and b, in this order.
_TRAIN = " a b \n <unk> a \n b \n"
_VALIDATION = " a c \n"
_TEST = " b \n"


@pytest.fixture
def folder(tmp_path):
    for part, text in (("train", _TRAIN), ("valid", _VALIDATION), ("test", _TEST)):
        (tmp_path / f"ptb.{part}.txt").write_text(text)
    return tmp_path


def _load(folder, **settings):
    return load_texts(TextDataConfig(dataset=str(folder), **settings))


def _words(count):
    return [str(number % 10) for number in range(count)]


def _data(train=1001, validation=101, **settings):
    config = TextDataConfig(dataset="numbers", **settings)
    return TextData.from_tokens(
        _words(train), _words(validation), _words(10), name="numbers", config=config
    )


def _search(batch_size, reward_batch_size=None):
    config = SearchConfig(reward_batch_size=reward_batch_size)
    return config.replace(shared_weights=config.shared_weights.replace(batch_size=batch_size))


def test_texts_become_numbers(folder):
    data = _load(folder)
    assert data.vocabulary.words == ("<unk>", "<eos>", "a", "b")
    assert data.train.tolist() == [2, 3, 1, 0, 2, 1, 3, 1]
    assert data.validation.tolist() == [2, 0, 1]
    assert data.test.tolist() == [3, 1]
    assert {data.part(part).dtype for part in ("train", "validation", "test")} == {np.dtype("i4")}
    assert data.vocabulary_size == 4


def test_the_name_is_that_of_the_dataset(folder):
    data = load_texts(TextDataConfig(dataset="ptb", data_dir=str(folder)))
    assert data.name == "ptb"
    assert data.config.data_dir == str(folder)


def test_the_vocabulary_may_be_limited(folder):
    data = _load(folder, vocabulary_size=3)
    assert data.vocabulary.words == ("<unk>", "<eos>", "a")
    assert data.test.tolist() == [0, 1]


def test_the_parts_may_be_shortened(folder):
    data = _load(folder, max_train_tokens=5, max_test_tokens=2)
    assert len(data.train) == 5
    assert data.vocabulary.words == ("<unk>", "a", "b", "<eos>")


def test_wikitext_counts_blank_lines(tmp_path):
    for part in ("train", "valid", "test"):
        (tmp_path / f"wiki.{part}.tokens").write_text(" \n = Title = \n \n a a b <unk> \n")
    assert len(_load(tmp_path).train) == 11


def test_pydoc_needs_no_files():
    data = load_texts(TextDataConfig(dataset="pydoc"))
    assert data.vocabulary.tokenization == "words"
    assert len(data.train) > 40000
    assert 1000 < data.vocabulary_size < 3000
    for part in ("train", "validation", "test"):
        share = np.mean(data.part(part) == data.vocabulary.unknown_id)
        assert 0 < share < 0.08


def test_lists_of_words_become_a_dataset():
    data = TextData.from_tokens(["a", "b", "a", "b"], ["a", "b"], ["b", "c"])
    assert data.train.tolist() == [1, 2, 1, 2]
    assert data.test.tolist() == [2, 0]
    assert data.vocabulary.tokenization == "blanks"


@pytest.mark.parametrize("kind", ["tokens", "text", "token_ids"])
def test_data_without_a_name_are_called_by_their_content(kind):
    def make(word, **settings):
        words = ["a", "b", "a", "b"]
        if kind == "text":
            return TextData.from_text("a b a b", "a b", f"b {word}", **settings)
        if kind == "tokens":
            return TextData.from_tokens(words, ["a", "b"], ["b", word], **settings)
        return TextData.from_token_ids([0, 1, 0, 1], [0, 1], [1, "ab".index(word)], **settings)

    one, same, other = make("a"), make("a"), make("b")
    assert one.name == same.name == one.config.dataset
    assert re.fullmatch(rf"{kind}_[0-9a-f]{{8}}", one.name)
    assert other.name != one.name
    config = TextDataConfig(dataset="ptb", data_dir="somewhere", sequence_length=7)
    named = make("a", name="mine", config=config)
    assert (named.name, named.config) == ("mine", config.replace(dataset="mine", data_dir=None))


def test_texts_in_memory_are_read_as_files_are(folder):
    data = TextData.from_text(_TRAIN, _VALIDATION, _TEST)
    loaded = _load(folder)
    assert data.vocabulary == loaded.vocabulary
    for part in ("train", "validation", "test"):
        np.testing.assert_array_equal(data.part(part), loaded.part(part))


def test_one_text_is_divided():
    data = TextData.from_text("The cat.\n" * 100, config=TextDataConfig(tokenization="words"))
    sizes = [len(data.part(part)) for part in ("train", "validation", "test")]
    assert sizes == [364, 20, 16]
    assert set(data.vocabulary.words) == {"<unk>", "the", "cat", ".", "<eos>"}


@pytest.mark.parametrize(
    ("texts", "message"),
    [
        (("a b a b", "a b"), "`test` must be a text.*Received: NoneType"),
        ((["a", "b"],), "`train` must be a text.*Received: list"),
        (("a",), "The text is too short"),
    ],
)
def test_what_is_no_text_is_refused(texts, message):
    with pytest.raises(DataError, match=message):
        TextData.from_text(*texts)


def test_a_text_in_place_of_words_is_refused():
    with pytest.raises(DataError, match=r"`train` must be a list of words.*TextData\.from_text"):
        TextData.from_tokens("abab", ["a", "b"], ["a", "b"])


def test_numbers_of_words_stay_as_they_are():
    data = TextData.from_token_ids(np.array([2, 0, 1, 2]), [1, 2], [0, 0], ["x", "y", "z"])
    assert data.train.tolist() == [2, 0, 1, 2]
    assert data.train.dtype == np.int32
    assert data.vocabulary.words == ("x", "y", "z", "<unk>")
    marked = TextData.from_token_ids([2, 0], [1, 2], [0, 0], ["x", "<unk>", "z"])
    assert marked.vocabulary.words == ("x", "<unk>", "z")


def test_numbers_without_words_are_their_own_names():
    config = TextDataConfig(max_train_tokens=3, max_test_tokens=2)
    data = TextData.from_token_ids([3, 0, 1, 2], [1, 2], [0, 0, 0], config=config)
    assert data.vocabulary.words == ("0", "1", "2", "3", "<unk>")[: data.vocabulary_size]
    assert (len(data.train), len(data.test)) == (3, 2)


@pytest.mark.parametrize(
    ("train", "words", "message"),
    [
        ([0, 3], ["x", "y"], "2 words, but number 3"),
        ([0, -1], None, "from 0 to words - 1. Received: -1"),
        ([0, 2**31], None, "Received: 2147483648"),
        ([0.0, 1.0], None, "`train` must be one row of integers.*dtype float64"),
        ([[0, 1]], None, r"shape \(1, 2\)"),
        ([1], None, "`train` must have at least two words"),
    ],
)
def test_what_are_no_numbers_of_words_is_refused(train, words, message):
    with pytest.raises(DataError, match=message) as caught:
        TextData.from_token_ids(train, [0, 1], [0, 1], words)
    assert "\n" not in str(caught.value)


def test_a_name_alone_loads_a_text(folder):
    assert load_texts(str(folder)).config == TextDataConfig(dataset=str(folder))


def test_an_unknown_part_is_refused():
    with pytest.raises(ConfigurationError, match="train, validation, test"):
        _data().part("all")


def test_its_asset_is_the_vocabulary(folder):
    assert _load(folder).assets() == {"vocabulary.txt": "<unk>\n<eos>\na\nb\n"}


def test_random_text_suffices_for_four_segments():
    data = TextData.random(50, rows=3, seed=1)
    assert data.vocabulary_size == 50
    for part in ("train", "validation", "test"):
        assert data.part(part).shape == (3 * 4 * 35 + 1,)
        assert data.part(part).dtype == np.int32
        assert data.part(part).max() < 50
    data.check_search(_search(3, reward_batch_size=3))


def test_random_text_follows_its_seed():
    one, same, other = (TextData.random(50, rows=3, seed=seed) for seed in (1, 1, 2))
    assert one.train.tolist() == same.train.tolist()
    assert one.train.tolist() != other.train.tolist()


def test_a_row_needs_two_words():
    data = _data()
    data.check_search(_search(500))
    with pytest.raises(DataError, match=r"1001 words.*batch_size to at most 500.*batch_size=501"):
        data.check_search(_search(501))


def test_a_retraining_needs_them_too():
    config = TextRetrainConfig()
    _data(129).check_retraining(config)
    with pytest.raises(DataError, match="at most 63"):
        _data(128).check_retraining(config)


def test_a_text_of_two_words_suffices_for_no_batch():
    data = dataclasses.replace(_data(), train=np.arange(2, dtype=np.int32))
    with pytest.raises(DataError, match="at least 2; give a longer text"):
        data.check_search(_search(1))


def test_a_segment_cannot_be_longer_than_the_text():
    _data(sequence_length=1000).check_search(_search(1))
    with pytest.raises(DataError, match=r"sequence_length to at most 1000.*sequence_length=1001"):
        _data(sequence_length=1001).check_search(_search(1))


def test_devices_must_share_rows_equally():
    _data().check_search(_search(8), num_devices=2)
    with pytest.raises(ConfigurationError, match="multiple of the number of devices, 2"):
        _data().check_search(_search(9), num_devices=2)


def test_the_default_reward_batch_adapts_to_the_validation_part():
    _data(validation=2).check_search(_search(100))


def test_a_reward_batch_that_was_asked_for_must_fit():
    data = _data(sequence_length=5)
    data.check_search(_search(10, reward_batch_size=20))
    with pytest.raises(DataError, match=r"5 words, 20\. Received: reward_batch_size=21"):
        data.check_search(_search(10, reward_batch_size=21))


@pytest.mark.parametrize(
    ("part", "text", "message"),
    [
        ("train", "", "holds no words"),
        ("train", "one\none\n", "at least two different words"),
        ("train", "one two three\n", "No word occurs twice"),
        ("valid", "", "holds no words"),
        ("test", b"caf\xe9 caf\xe9\n", "not a text in UTF-8 .byte 0xe9 at position 3."),
    ],
)
def test_bad_texts_are_refused_in_one_line(folder, part, text, message):
    data = text if isinstance(text, bytes) else text.encode()
    (folder / f"ptb.{part}.txt").write_bytes(data)
    with pytest.raises(DataError, match=message) as caught:
        _load(folder)
    assert "\n" not in str(caught.value)


def test_a_missing_part_is_refused(folder):
    (folder / "ptb.valid.txt").unlink()
    with pytest.raises(DataError, match="no valid file"):
        _load(folder)


def test_a_part_of_one_word_is_refused():
    with pytest.raises(DataError, match="validation part of it must have at least two words"):
        TextData.from_tokens(["a", "b", "a", "b"], ["a"], ["a", "b"], name="it")
