import os
import resource

import numpy as np
import pytest

from enas_tf.errors import RunDirectoryError
from enas_tf.files.writing import JsonLines, reason, write_text


def test_numpy_values_and_numbers_that_are_not_finite_are_written(tmp_path):
    lines = JsonLines(tmp_path / "x.jsonl")
    lines.append({"a": np.float32(0.5), "b": np.arange(2), "c": float("nan"), "d": np.inf})
    assert lines.read() == [{"a": 0.5, "b": [0, 1], "c": None, "d": None}]


def test_every_line_can_be_read_at_once(tmp_path):
    lines = JsonLines(tmp_path / "x.jsonl")
    lines.append({"a": 1})
    assert lines.path.read_text() == '{"a": 1}\n'


def test_a_torn_last_line_is_left_out(tmp_path):
    lines = JsonLines(tmp_path / "x.jsonl")
    lines.append({"a": 1})
    with lines.path.open("a") as file:
        file.write('{"a": ')
    assert lines.read() == [{"a": 1}]


def test_lines_that_cannot_be_written_are_one_clear_error(tmp_path):
    with pytest.raises(RunDirectoryError, match=r"Cannot write .*none"):
        JsonLines(tmp_path / "none" / "x.jsonl").append({})


def test_a_written_file_has_the_usual_permissions(tmp_path):
    write_text(tmp_path / "written", "x")
    (tmp_path / "plain").write_text("x")
    assert os.stat(tmp_path / "written").st_mode == os.stat(tmp_path / "plain").st_mode


def test_a_written_file_replaces_the_old_one_and_leaves_nothing_else(tmp_path):
    write_text(tmp_path / "a", "old")
    write_text(tmp_path / "a", "new")
    assert (tmp_path / "a").read_text() == "new"
    assert os.listdir(tmp_path) == ["a"]


def test_a_line_that_only_half_fits_is_taken_back(tmp_path, monkeypatch):
    lines = JsonLines(tmp_path / "x.jsonl")
    lines.append({"a": 1})
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100, hard))
    try:
        with pytest.raises(RunDirectoryError, match=r"Cannot write .*x\.jsonl: file too large"):
            lines.append({"a": 200 * "x"})
        lines.append({"a": 2})
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    lines.close()
    assert lines.path.read_text() == '{"a": 1}\n{"a": 2}\n'


def test_a_damaged_line_is_named(tmp_path):
    lines = JsonLines(tmp_path / "x.jsonl")
    lines.path.write_text('{"a": 1}\n{"a"\n{"a": 3}\n')
    with pytest.raises(RunDirectoryError, match="is damaged: line 2 is not valid JSON"):
        lines.read()


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (OSError(28, "No space left on device"), "no space left on device"),
        (
            ValueError("{{function_node __x}} /a/b; No space left on device [Op:SaveV2]\nmore"),
            "no space left on device",
        ),
        (ValueError("Read less bytes than requested."), "read less bytes than requested"),
    ],
)
def test_the_reason_of_an_error_in_a_few_words(error, expected):
    assert reason(error) == expected


def test_half_a_line_that_a_kill_left_is_cut_off_before_the_next_one(tmp_path):
    path = tmp_path / "x.jsonl"
    path.write_bytes(b'{"a": 1}\n{"a')
    JsonLines(path).append({"a": 2})
    assert JsonLines(path).read() == [{"a": 1}, {"a": 2}]
