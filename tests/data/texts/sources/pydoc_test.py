import sys

import pytest

from enas_tf.data.texts.sources import pydoc
from enas_tf.data.texts.tokenization import tokenize
from enas_tf.errors import DataError


@pytest.fixture(scope="module")
def parts():
    return pydoc.load()


def test_there_is_enough_to_learn_from(parts):
    assert [len(tokenize(part, "words")) > least for part, least in zip(parts, (40000, 2000, 2000))]


def test_no_paragraph_occurs_twice(parts):
    lines = "".join(parts).splitlines()
    assert len(set(lines)) == len(lines)


def test_paragraphs_are_prose(parts):
    lines = "".join(parts).splitlines()
    assert all(line[-1] in '.:?!)"' for line in lines)
    assert not any("::=" in line or ">>>" in line[:3] or "****" in line for line in lines)


def test_lines_of_a_paragraph_are_joined(parts):
    # The reference is wrapped at some 70 characters.
    assert any(len(line) > 200 for line in parts.train.splitlines())


def test_a_python_without_it_is_told_so(monkeypatch):
    monkeypatch.setitem(sys.modules, "pydoc_data.topics", None)
    with pytest.raises(DataError, match="without its module pydoc_data"):
        pydoc.load()
