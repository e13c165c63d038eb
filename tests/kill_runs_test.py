"""The kill test in its shortest form; see `tests.kill_runs` for the long one."""

import subprocess
import sys

import pytest

pytestmark = pytest.mark.end_to_end

KILLS = "search:line,retrain:checkpoint"
SEARCH = (
    "--epochs=2",
    "--num_layers=2",
    "--num_operations=2",
    "--controller_lstm_size=8",
    "--controller_updates_per_epoch=2",
    "--derive_num_candidates=2",
)
RETRAIN = ("--filters=4", "--epochs=2", "--max_test_examples=100")


def test_runs_that_are_killed_end_like_one_that_is_not():
    command = ["-m", "tests.kill_runs", "--space=macro", "--runs=1", "--undisturbed=1", "--fork"]
    retrain = [f"--retrain_argument={argument}" for argument in RETRAIN]
    result = subprocess.run(
        [sys.executable, *command, f"--plan={KILLS}", *retrain, "--", *SEARCH],
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert result.returncode == 0, result.stdout + result.stderr[-2000:]
    ending = "macro: 1 of 1 runs, hit by 2 kills, end like the undisturbed run."
    assert result.stdout.splitlines()[-1] == ending
