import functools
import pickle

import numpy as np
import pytest

from enas_tf.data.texts.parts import TextParts
from enas_tf.data.texts.sources.ptb_pickle import load
from enas_tf.data.texts.tokenization import tokenize
from enas_tf.errors import DataError

_VOCABULARY = {"<eos>": 0, "<unk>": 1, "a": 2, "ü": 3}

_ITSELF = [1]
_ITSELF.append(_ITSELF)
_DEEP = functools.reduce(lambda value, _: [value], range(200), 1)


def _content(vocabulary=None, train=(2, 3, 0, 1, 0)):
    vocabulary = vocabulary or _VOCABULARY
    arrays = (np.array(part, np.int32) for part in (train, [2, 0], [3, 3, 0]))
    return (*arrays, vocabulary, {number: word for word, number in vocabulary.items()})


@pytest.fixture
def path(tmp_path):
    return tmp_path / "ptb.pkl"


@pytest.mark.parametrize("protocol", [0, 2, 5])
def test_the_releases_pickle_becomes_text(path, protocol):
    path.write_bytes(pickle.dumps(_content(), protocol))
    parts = load(path)
    assert [tokenize(part, "blanks") for part in parts] == [
        ["a", "ü", "<eos>", "<unk>", "<eos>"],
        ["a", "<eos>"],
        ["ü", "ü", "<eos>"],
    ]


def test_words_that_python_2_wrote_are_text(path):
    vocabulary = {word.encode(): number for word, number in _VOCABULARY.items()}
    path.write_bytes(pickle.dumps(_content(vocabulary), 2))
    assert isinstance(load(path), TextParts)
    assert load(path).test == "ü ü \n"


def test_only_whole_words_are_line_ends(path):
    path.write_bytes(pickle.dumps(_content({"<eos>": 0, "<unk>": 1, "x<eos>y": 2, "a": 3})))
    assert load(path).train == "x<eos>y a \n <unk> \n"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({"data": np.zeros(3)}, "not the release's ptb.pkl"),
        (_content()[:3], "not the release's ptb.pkl"),
        ((*_content()[:3], ["a"], {}), "not the release's ptb.pkl"),
        (_content({"a": 0, "b": 2}), "not the release's ptb.pkl"),
        (_content({"a": 0, 7: 1}), "not the release's ptb.pkl"),
        (_content({"a": 0, b"\xff": 1}), "not the release's ptb.pkl"),
        (_content({"a b": 0, "c": 1}), "not the release's ptb.pkl"),
        (_content({"": 0, "c": 1}), "not the release's ptb.pkl"),
        (_content({"\ud800": 0, "c": 1}), "Every word of ptb.pkl must be text in UTF-8"),
        (_content({"a\0": 0, "c": 1}), "Every word of ptb.pkl must be text in UTF-8"),
        (([[1], [1, 1]], *_content()[1:]), "must be an array of numbers, all rows of one length"),
        ((_ITSELF, *_content()[1:]), "contains itself"),
        ((50 * [[[1]]], *_content()[1:]), "not the release's ptb.pkl"),
        ((_DEEP, *_content()[1:]), "nested more than 100 deep"),
        (_content(train=()), "not the release's ptb.pkl"),
        (_content(train=(1, 4)), "from 0 to 3. It has 1 to 4"),
        (_content(train=(1, -1)), "from 0 to 3. It has -1 to 1"),
        (print, "refused"),
    ],
)
def test_another_pickle_is_refused_in_one_line(path, content, message):
    path.write_bytes(pickle.dumps(content))
    with pytest.raises(DataError, match=message) as caught:
        load(path)
    assert "\n" not in str(caught.value)


def test_text_is_no_pickle(path):
    path.write_text("a b c\n")
    with pytest.raises(DataError, match="not a readable pickle"):
        load(path)


def test_a_missing_file_is_refused(path):
    with pytest.raises(DataError, match="cannot be read"):
        load(path)
