"""Runs that a released version began go on under this one with the same command.

`tests/golden_runs/make.py` made them. Between machines and versions of TensorFlow the last bits may
differ, hence numbers are compared up to `TOLERANCE`; all else must be the same.
"""

import importlib
import json
import pathlib
import shutil

import pytest

RUNS = pathlib.Path(__file__).parent / "golden_runs"
CASES = sorted(path.parent for path in RUNS.glob("*/*/case.json"))
TOLERANCE = 1e-3
# Depends on the clock.
IGNORED_KEY = "seconds"


def leaves(value, name=""):
    """Yields the parts of nested dictionaries and lists that are neither, with their places."""
    if isinstance(value, dict | list):
        parts = value.items() if isinstance(value, dict) else enumerate(value)
        for key, part in parts:
            if key != IGNORED_KEY:
                yield from leaves(part, f"{name}/{key}")
    else:
        yield name, value


def contents(path):
    """Returns the parts of a JSON file, or of each line of it, by place."""
    text = path.read_text()
    lines = text.splitlines() if path.suffix == ".jsonl" else [text]
    return dict(leaves([json.loads(line) for line in lines]))


def run_again(case, folder, monkeypatch):
    """Goes on with a copy of a case's run in a folder; returns the exit code."""
    shutil.copytree(case / "run", folder / case.name / "run")
    shutil.copytree(case.parent / "texts", folder / "texts")
    monkeypatch.chdir(folder / case.name)
    document = json.loads((case / "case.json").read_text())
    command = importlib.import_module(f"enas_tf.cli.{document['command']}")
    return command.main([*document["arguments"], "--output_dir=run"])


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.parent.name}-{case.name}")
def test_a_run_of_a_released_version_ends_as_if_it_had_not_been_interrupted(
    case, tmp_path, monkeypatch
):
    assert run_again(case, tmp_path, monkeypatch) == 0
    run = tmp_path / case.name / "run"
    begun = (case / "run" / "metrics.jsonl").read_text()
    assert (run / "metrics.jsonl").read_text().startswith(begun), "The run has started anew."
    for path in (case / "expected").iterdir():
        expected, actual = contents(path), contents(run / path.name)
        # A later version may say more.
        assert {name: actual.get(name) for name in expected} == {
            name: pytest.approx(part, rel=TOLERANCE) if isinstance(part, float) else part
            for name, part in expected.items()
        }


def test_there_are_runs_of_all_spaces():
    searches = {"macro_search", "micro_search", "rnn_search"}
    assert {case.name for case in CASES} == searches | {"macro_retrain", "rnn_retrain"}
