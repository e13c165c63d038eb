import os

import pytest

from enas_tf.cli.flag_files import with_flag_files
from enas_tf.errors import ConfigurationError


@pytest.fixture
def files(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "inner").write_text("--b=2\n")
    (tmp_path / "outer").write_text("# a comment\n// another\n\n  --a=1  \n--flagfile=inner\n")
    (tmp_path / "itself").write_text("--flagfile=itself\n")
    (tmp_path / "binary").write_bytes(b"\xff\xfe")
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "names_a_pipe").write_text("--flagfile=pipe\n")


@pytest.mark.usefixtures("files")
@pytest.mark.parametrize("words", [["--flagfile=outer"], ["-flagfile", "outer"]])
def test_a_file_stands_where_it_is_named(words):
    assert with_flag_files(["--x=0", *words, "--y=3"]) == ["--x=0", "--a=1", "--b=2", "--y=3"]


@pytest.mark.usefixtures("files")
def test_nothing_is_read_behind_two_dashes():
    assert with_flag_files(["--", "--flagfile=outer"]) == ["--", "--flagfile=outer"]


@pytest.mark.usefixtures("files")
@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("none", "Unable to open flagfile 'none': no such file"),
        (".", "it is a folder, not a regular file"),
        ("pipe", "Unable to open flagfile 'pipe': it is a pipe, not a regular file"),
        ("names_a_pipe", "it is a pipe, not a regular file"),
        (os.devnull, "it is a device, not a regular file"),
        ("a\0b", "Unable to open flagfile"),
        ("binary", "is no text"),
        ("itself", "circular flagfile"),
        ("", "`--flagfile` must be a file"),
    ],
)
def test_what_is_no_file_of_flags(path, message):
    with pytest.raises(ConfigurationError) as caught:
        with_flag_files([f"--flagfile={path}"])
    assert message in str(caught.value)
