"""Opening only regular files."""

import os

import pytest

from enas_tf.files.reading import NotRegularError, check_regular, open_regular, read_bytes


def test_a_regular_file_is_read(tmp_path):
    path = tmp_path / "file"
    path.write_bytes(b"content")
    assert read_bytes(path) == b"content"


def test_a_link_to_a_regular_file_is_read(tmp_path):
    (tmp_path / "file").write_bytes(b"content")
    (tmp_path / "link").symlink_to("file")
    assert read_bytes(tmp_path / "link") == b"content"


def _pipe(folder):
    os.mkfifo(folder / "pipe")
    return folder / "pipe"


OTHERS = {
    "a pipe": _pipe,
    "a device": lambda folder: "/dev/zero",
    "a folder": lambda folder: folder,
}


@pytest.mark.parametrize("kind", OTHERS)
def test_anything_else_is_refused_at_once(tmp_path, kind):
    path = OTHERS[kind](tmp_path)
    for open_it in (open_regular, check_regular):
        with pytest.raises(NotRegularError) as caught:
            open_it(path)
        assert caught.value.strerror == f"it is {kind}, not a regular file"


def test_what_is_missing_is_said_as_ever(tmp_path):
    with pytest.raises(FileNotFoundError):
        open_regular(tmp_path / "none")
