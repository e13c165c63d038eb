"""That the loop is measured, in the shortest form; see `tests.loop_speed`."""

import json

import pytest

from tests import loop_speed
from tests.darts_speed_test import SMALL


def rows_of(capsys, *arguments):
    assert loop_speed.main(["--repeats=1", *arguments, *SMALL]) == 0
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_the_parts_of_a_save(capsys):
    (row,) = rows_of(capsys, "--steps=0")
    assert all(number >= 0 for number in row.values())
    assert row["write_seconds"] > row["values_seconds"] > 0


@pytest.mark.long
def test_steps_of_each_number_a_call(capsys):
    _, *rows = rows_of(capsys, "--steps=20")
    assert [row["steps_per_call"] for row in rows] == list(loop_speed.PER_CALL)
    assert all(row["step_seconds"] > 0 for row in rows)
