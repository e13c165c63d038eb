import pickle

import numpy as np
import pytest

from enas_tf.data.texts.sources_by_name import read_source
from enas_tf.errors import DataError
from enas_tf.settings.data import TextDataConfig

_FILES = ("ptb.train.txt", "ptb.valid.txt", "ptb.test.txt")


def _write_texts(folder, names=_FILES):
    folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        (folder / name).write_text(f"{name}\n")


def _write_pickle(folder):
    folder.mkdir(parents=True, exist_ok=True)
    arrays = (np.array([0, 1], np.int32) for _ in range(3))
    content = (*arrays, {"word": 0, "<eos>": 1}, {0: "word", 1: "<eos>"})
    (folder / "ptb.pkl").write_bytes(pickle.dumps(content, 2))


def _read(dataset, data_dir=None, **settings):
    data_dir = None if data_dir is None else str(data_dir)
    return read_source(TextDataConfig(dataset=str(dataset), data_dir=data_dir, **settings))


@pytest.mark.parametrize("place", [".", "ptb", "simple-examples/data", "data"])
def test_penn_treebank_is_found(tmp_path, place):
    _write_texts(tmp_path / place)
    assert _read("ptb", tmp_path).parts.validation == "ptb.valid.txt\n"


def test_penn_treebank_may_have_the_names_that_the_release_reads(tmp_path):
    _write_texts(tmp_path, ("train.txt", "valid.txt", "test.txt"))
    assert _read("ptb", tmp_path).parts.test == "test.txt\n"


def test_the_releases_pickle_is_found_in_its_folder(tmp_path):
    _write_pickle(tmp_path)
    expected = "word \n"
    assert _read("ptb", tmp_path).parts.train == expected
    assert _read(tmp_path).parts.train == expected
    assert _read(tmp_path / "ptb.pkl").parts.train == expected


def test_texts_go_before_the_pickle(tmp_path):
    _write_pickle(tmp_path)
    _write_texts(tmp_path)
    assert _read("ptb", tmp_path).parts.train == "ptb.train.txt\n"


def test_a_folder_is_read(tmp_path):
    _write_texts(tmp_path)
    assert _read(tmp_path).parts.train == "ptb.train.txt\n"


def test_a_file_is_divided(tmp_path):
    (tmp_path / "book.txt").write_text("a b\n" * 100)
    assert len(_read(tmp_path / "book.txt").parts.train) == 364


def test_names_are_looked_for_in_the_data_folder(tmp_path):
    _write_texts(tmp_path / "mine")
    (tmp_path / "book.txt").write_text("a b\n" * 100)
    assert _read("mine", tmp_path).parts.train == "ptb.train.txt\n"
    assert len(_read("book.txt", tmp_path).parts.train) == 364


def test_the_data_folder_may_hold_the_files_itself(tmp_path):
    _write_texts(tmp_path)
    assert _read("mine", tmp_path).parts.train == "ptb.train.txt\n"


def test_tokenization_follows_the_source(tmp_path):
    _write_texts(tmp_path)
    assert _read(tmp_path).tokenization == "blanks"
    assert _read("pydoc").tokenization == "words"


def test_tokenization_may_be_chosen(tmp_path):
    _write_texts(tmp_path)
    assert _read(tmp_path, tokenization="words").tokenization == "words"


def test_without_a_folder_penn_treebank_is_asked_for(tmp_path, monkeypatch):
    _write_texts(tmp_path / "ptb")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(DataError, match=r"not downloaded.*ptb\.train\.txt.*data_dir.* by hand"):
        _read("ptb")


@pytest.mark.parametrize(
    ("dataset", "with_folder", "message"),
    [
        ("ptb", True, "Penn Treebank .* by hand"),
        ("mine", True, "no train file"),
        ("mine", False, "existing text file"),
        ("mine.txt", False, "existing text file"),
        ("~nobody-of-this-name/x", False, "existing text file"),
        ("a\0b", False, "without control characters"),
        ("x" * 5000, False, "existing text file"),
        (" ", False, "`dataset` is empty"),
    ],
)
def test_what_is_not_there_is_refused_in_one_line(tmp_path, dataset, with_folder, message):
    with pytest.raises(DataError, match=message) as caught:
        _read(dataset, tmp_path if with_folder else None)
    assert "\n" not in str(caught.value)


def test_a_folder_without_texts_is_named(tmp_path):
    with pytest.raises(DataError, match="no train file"):
        _read(tmp_path)


def test_a_missing_data_folder_is_refused(tmp_path):
    with pytest.raises(DataError, match="`data_dir` must be an existing folder"):
        _read("pydoc", tmp_path / "missing")
