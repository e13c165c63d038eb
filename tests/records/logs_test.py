import os

import pytest

from enas_tf.errors import RunDirectoryError
from enas_tf.records.logs import Lines, logged_warnings, optional_json
from enas_tf.runs.directory import RunDirectory


def test_half_a_last_line_is_left_out(tmp_path):
    path = tmp_path / "lines.jsonl"
    path.write_text('{"a": 1}\n{"a": 2}\n{"a"')
    lines = Lines(path)
    assert list(lines) == [{"a": 1}, {"a": 2}]
    assert lines.complaints() == []


def test_damaged_lines_are_counted(tmp_path):
    path = tmp_path / "lines.jsonl"
    path.write_bytes(b'{"a": 1}\n{"a\n\xff\n3\n' + 100_000 * b"[" + b'\n{"a": 2}\n')
    lines = Lines(path)
    assert list(lines) == [{"a": 1}, {"a": 2}]
    assert lines.complaints() == ["4 damaged lines of lines.jsonl were left out."]


def test_a_file_that_is_not_there_has_no_lines(tmp_path):
    assert list(Lines(tmp_path / "none")) == []
    assert logged_warnings(tmp_path / "none") == []


def test_the_last_warnings_of_a_log(tmp_path):
    path = tmp_path / "log.txt"
    path.write_text("t INFO a: b\nt WARNING a: c\nt ERROR a: d\nt WARNING a: e\n")
    assert logged_warnings(path, 2) == ["t ERROR a: d", "t WARNING a: e"]


def test_an_optional_file(tmp_path):
    run = RunDirectory(tmp_path)
    assert optional_json(run, "a.json") == (None, [])
    (tmp_path / "a.json").write_text("{")
    value, (complaint,) = optional_json(run, "a.json")
    assert value is None
    assert complaint.startswith("a.json was left out:")


@pytest.mark.parametrize("read", [lambda path: list(Lines(path)), logged_warnings])
def test_what_has_no_end_is_not_read(tmp_path, read):
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "endless").symlink_to("/dev/zero")
    for name, kind in (("pipe", "a pipe"), ("endless", "a device")):
        with pytest.raises(RunDirectoryError, match=f"{name}: it is {kind}, not a regular file"):
            read(tmp_path / name)
