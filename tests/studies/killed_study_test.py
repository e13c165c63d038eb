"""A study by the command that is killed again and again."""

import subprocess
import sys
import time

import pytest

from tests.studies.study_test import comparable

pytestmark = [pytest.mark.end_to_end, pytest.mark.long]

PATIENCE = 1200
NUM_KILLS = 5
COMMAND = (
    "--space=macro",
    "--dataset=digits",
    "--preset=smoke",
    "--max_train_examples=200",
    "--num_layers=2",
    "--num_operations=2",
    "--filters=4",
    "--epochs=4",
    "--derive_num_candidates=2",
    "--seeds=2",
    "--num_random=3",
    "--retrain_epochs=2",
)


def start(folder):
    return subprocess.Popen(
        [sys.executable, "-m", "enas_tf.cli.study", *COMMAND, f"--output_dir={folder}"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )


def finished(process):
    _, errors = process.communicate(timeout=PATIENCE)
    assert process.returncode == 0, errors


def lines_of(folder):
    """How many lines all runs of a study have logged."""
    return sum(len(path.read_bytes().splitlines()) for path in folder.glob("*/*/metrics.jsonl"))


def test_a_study_that_is_killed_five_times_ends_like_one_that_is_not(tmp_path):
    finished(start(tmp_path / "whole"))
    total = lines_of(tmp_path / "whole")
    for number in range(1, NUM_KILLS + 1):
        with start(tmp_path / "study") as process:
            deadline = time.monotonic() + PATIENCE
            while lines_of(tmp_path / "study") < total * number // (NUM_KILLS + 1):
                assert process.poll() is None, process.stderr.read()
                assert time.monotonic() < deadline
                time.sleep(0.01)
            process.kill()
        assert not (tmp_path / "study" / "study.json").exists()
    finished(start(tmp_path / "study"))
    assert comparable(tmp_path / "study") == comparable(tmp_path / "whole")
