import itertools

import numpy as np
import pytest

from enas_tf.data.array_like import as_array
from enas_tf.data.images.dataset import ImageData
from enas_tf.data.texts.dataset import TextData
from enas_tf.data.texts.vocabulary import Vocabulary
from enas_tf.errors import DataError


def _itself():
    value = []
    value.append(value)
    return value


def _deep():
    value = 1
    for _ in range(100_000):
        value = [value]
    return value


class _Refuses:
    def __array__(self, *args, **kwargs):
        raise RuntimeError("no\narray")


NO_ARRAYS = {
    "ragged": [[1, 2], [3]],
    "itself": _itself(),
    "deep": _deep(),
    "masked": np.ma.masked_array([1, 2], [False, True]),
    "refuses": _Refuses(),
}

X, Y = np.zeros((30, 4, 4, 1), np.uint8), np.arange(30) % 2
WAYS_IN = {
    "x_train": lambda bad: ImageData.from_arrays(bad, Y, X, Y),
    "y_train": lambda bad: ImageData.from_arrays(X, bad, X, Y),
    "x_test": lambda bad: ImageData.from_arrays(X, Y, bad, Y),
    "y_test": lambda bad: ImageData.from_arrays(X, Y, X, bad),
    "a picture of `train`": lambda bad: ImageData.from_datasets([(bad, 0)], [(X, Y)]),
    "a label of `test`": lambda bad: ImageData.from_datasets([(X, Y)], [(X[0], bad)]),
    "validation": lambda bad: TextData.from_token_ids(Y, bad, Y),
    "ids": lambda bad: Vocabulary(("<unk>", "a")).decode(bad),
}


def test_an_array_is_not_copied():
    assert as_array("It", X) is X


@pytest.mark.parametrize(("kind", "way"), itertools.product(NO_ARRAYS, WAYS_IN))
def test_what_is_no_array_is_refused_in_one_line(kind, way):
    with pytest.raises(DataError, match=rf"(?i){way}`? must be an array") as caught:
        WAYS_IN[way](NO_ARRAYS[kind])
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "value", [5, [[1, 2], [0, 1]], [0.5, 1.0], ["a", "b"], [None, 1], [2**70, 1]]
)
def test_other_ranks_and_kinds_are_no_numbers_of_words(value):
    with pytest.raises(DataError, match="`train` must be one row of integers"):
        TextData.from_token_ids(value, [0, 1], [0, 1])


@pytest.mark.parametrize(
    "words", [5, None, b"ab", [["a"], ["b", "c"]], _itself(), [1, 2], [b"a", b"b"], np.eye(2)]
)
def test_what_are_no_words_is_refused(words):
    with pytest.raises(DataError, match="`train` must be"):
        TextData.from_tokens(words, ["a", "b"], ["a", "b"])
    with pytest.raises(DataError, match="`words` must be"):
        TextData.from_token_ids([0, 1], [0, 1], [0, 1], 5 if words is None else words)


def test_words_may_come_one_at_a_time():
    data = TextData.from_tokens(iter(20 * ["a", "b"]), iter(["a", "b"]), iter(["b", "a"]))
    assert data.test.tolist() == [2, 1]


@pytest.mark.parametrize("ids", [["a"], [0.5], [None]])
def test_numbers_to_decode_are_integers(ids):
    with pytest.raises(DataError, match="must be integers"):
        Vocabulary(("<unk>", "a")).decode(ids)


def test_nothing_is_decoded_to_nothing():
    assert Vocabulary(("<unk>", "a")).decode([]) == []
