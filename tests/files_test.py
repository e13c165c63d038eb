import os

import numpy as np
import pytest

from enas_tf.errors import RunDirectoryError
from enas_tf.files import JsonLines, write_text


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
