"""That steps of all forms are measured, in its shortest form; see `tests.darts_speed`."""

import json

import pytest

from tests import darts_speed

SMALL = (
    "--space=rnn",
    "--preset=smoke",
    "--num_nodes=1",
    "--hidden_size=4",
    "--vocabulary_size=7",
    "--batch_size=4",
)


def test_recurrent_cells_have_no_partial_channels():
    assert darts_speed.forms_of("micro") == list(darts_speed.FORMS)
    assert "partial" not in darts_speed.forms_of("rnn")


@pytest.mark.parametrize("form", [darts_speed.SAMPLED, "first order"])
def test_a_form_tells_seconds_and_memory(form, capsys):
    assert darts_speed.main([f"--form={form}", "--repeats=1", *SMALL]) == 0
    row = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert row.pop("form") == form
    assert all(number > 0 for number in row.values())
