import pathlib

import pytest

from enas_tf.data.texts.parts import TextParts
from enas_tf.data.texts.sources.text_files import is_present, load_file, load_folder, read_text
from enas_tf.errors import DataError


def _write(folder, **files):
    """Files whose names have `_` in place of `.`, each holding its own name unless told."""
    for name, text in files.items():
        (folder / name.replace("_", ".")).write_text(text or f"{name}\n", encoding="utf-8")


@pytest.mark.parametrize(
    "names",
    [
        ("train.txt", "valid.txt", "test.txt"),
        ("ptb.train.txt", "ptb.valid.txt", "ptb.test.txt"),
        ("wiki.train.tokens", "wiki.valid.tokens", "wiki.test.tokens"),
        ("Training", "Validation", "Test"),
        ("train", "val", "test"),
        ("latest-train.txt", "latest-dev.txt", "latest-test.txt"),
        ("trainset.txt", "validset.txt", "testset.txt"),
    ],
)
def test_parts_are_told_by_the_names_of_files(tmp_path, names):
    for name in names:
        (tmp_path / name).write_text(f"{name}\n")
    assert is_present(tmp_path)
    assert load_folder(tmp_path) == TextParts(*(f"{name}\n" for name in names))


def test_what_is_no_text_is_passed_over(tmp_path):
    _write(tmp_path, train_txt="", valid_txt="", test_txt="", train_txt_gz="", README="", _train="")
    (tmp_path / "test").mkdir()
    assert load_folder(tmp_path).train == "train_txt\n"


def test_penn_treebanks_files_go_before_others(tmp_path):
    _write(tmp_path, ptb_train_txt="", ptb_valid_txt="", ptb_test_txt="", ptb_char_train_txt="")
    assert load_folder(tmp_path).train == "ptb_train_txt\n"


def test_a_missing_part_is_named(tmp_path):
    _write(tmp_path, train_txt="", test_txt="")
    with pytest.raises(DataError, match=r"no valid file.*It holds: test\.txt, train\.txt\.$"):
        load_folder(tmp_path)


def test_an_empty_folder_is_refused(tmp_path):
    assert not is_present(tmp_path)
    with pytest.raises(DataError, match=r"no train file.*It holds: nothing"):
        load_folder(tmp_path)


@pytest.mark.parametrize(
    ("names", "advice"),
    [
        (["book.txt", ".hidden", "cover.npz"], r"; give \S+/book\.txt itself, which is divided"),
        (["a b.txt", "c.txt"], r"; join .* `cat 'a b\.txt' c\.txt > all\.txt`, and give that"),
        (["test.txt", "valid.txt"], r"; join .* `cat test\.txt valid\.txt > all\.txt`"),
        (["cover.npz"], r"It holds: cover\.npz\.$"),
    ],
)
def test_without_a_training_part_it_says_how_to_make_one(tmp_path, names, advice):
    for name in names:
        (tmp_path / name).write_text("a\n")
    with pytest.raises(DataError, match=f"has no train file.*{advice}"):
        load_folder(tmp_path)


def test_several_files_for_a_part_are_refused(tmp_path):
    _write(tmp_path, train_txt="", valid_txt="", test_txt="", old_train_txt="")
    with pytest.raises(DataError, match=r"one train file. It has 2: old\.train\.txt, train\.txt;"):
        load_folder(tmp_path)


def test_one_file_is_divided(tmp_path):
    path = tmp_path / "book.txt"
    path.write_text("a b\n" * 100)
    assert [len(part) for part in load_file(path)] == [364, 20, 16]


def test_the_last_line_gets_its_end(tmp_path):
    path = tmp_path / "text"
    path.write_text("a\nb")
    assert read_text(path) == "a\nb\n"


def test_a_byte_order_mark_is_no_text(tmp_path):
    path = tmp_path / "text"
    path.write_bytes(b"\xef\xbb\xbfa\n")
    assert read_text(path) == "a\n"


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "holds no words"),
        (b" \n\n", "holds no words"),
        (b"abc\xe9d", "UTF-8 .byte 0xe9 at position 3.; convert it"),
        (b"\xef\xbb\xbfabc\xe9d", "UTF-8 .byte 0xe9 at position 6."),
        ("ab".encode("utf-16"), "UTF-8 .byte 0xff at position 0."),
        ("ab".encode("utf-16-le"), "UTF-8 .zero byte at position 1."),
    ],
)
def test_what_is_no_text_is_refused_in_one_line(tmp_path, data, message):
    path = tmp_path / "text"
    path.write_bytes(data)
    with pytest.raises(DataError, match=message) as caught:
        read_text(path)
    assert str(caught.value).startswith(str(path))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", ["book.gz", "book.ZIP", "pictures.npz"])
def test_a_file_that_is_no_text_by_its_name_is_refused(tmp_path, name):
    with pytest.raises(DataError, match=f"{name} is no text file, since its name ends in"):
        load_file(tmp_path / name)


@pytest.mark.parametrize("name", ["missing.txt", "."])
def test_a_missing_file_and_a_folder_are_refused(tmp_path, name):
    with pytest.raises(DataError, match="cannot be read"):
        read_text(pathlib.Path(tmp_path / name))
