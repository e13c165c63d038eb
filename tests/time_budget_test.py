"""Commands with a time budget end in their time, annealed.

The clock is that of the processor: what else a machine does tells nothing of the commands.
"""

import json
import time

import pytest

from enas_tf.cli import retrain, search
from enas_tf.training import pace


@pytest.fixture
def seconds_of(monkeypatch):
    """Runs a command; returns the seconds from where its budget begins, after the start-up."""
    looks = []

    def clock():
        looks.append(time.process_time())
        return looks[-1]

    def run(command, *arguments):
        looks.clear()
        monkeypatch.setattr(pace, "now", clock)
        assert command.main(arguments) == 0
        return time.process_time() - looks[0]

    return run


def last_rate(folder, phase):
    events = map(json.loads, (folder / "metrics.jsonl").read_text().splitlines())
    return [event["learning_rate"] for event in events if event["phase"] == phase][-1]


@pytest.mark.long
def test_a_minute_of_search_and_half_a_minute_of_training(tmp_path, seconds_of):
    found, final = tmp_path / "search", tmp_path / "final"
    common = "--space=macro", "--preset=smoke", "--dataset=digits"
    used = seconds_of(search, *common, "--time_budget=60s", f"--output_dir={found}")
    assert 45.0 <= used <= 66.0
    assert last_rate(found, "shared_weights") == pytest.approx(0.0005, rel=0.01)
    used = seconds_of(
        retrain, f"--architecture={found}", "--time_budget=30s", f"--output_dir={final}"
    )
    assert 22.0 <= used <= 33.0
    assert last_rate(final, "retrain") == pytest.approx(0.0005, rel=0.01)
