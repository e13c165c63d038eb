import json

import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from enas_tf.reporting.training_report import TrainingReport
from enas_tf.runs.directory import RunDirectory
from enas_tf.spaces.macro.architecture import MacroArchitecture

EVENT = {"phase": "retrain", "step": 4, "epoch": 1, "loss": 2.5, "averaging": False}


@pytest.fixture
def run(tmp_path):
    return RunDirectory.open(tmp_path, {"command": "retrain"})


def tensors_of(run, folder):
    board = EventAccumulator(str(run.tensorboard / folder), size_guidance={"tensors": 0})
    board.Reload()
    return {tag: [event.step for event in board.Tensors(tag)] for tag in board.Tags()["tensors"]}


def test_an_event_is_a_line_and_on_the_board(run):
    report = TrainingReport(run, steps_done=0)
    report.event(EVENT)
    report.close()
    assert [json.loads(line) for line in run.metrics.path.read_text().splitlines()] == [EVENT]
    assert tensors_of(run, "retrain") == {"retrain/loss": [4], "retrain/averaging": [4]}


def test_what_is_done_again_after_a_resume_is_there_once(run):
    for steps_done in (0, 0, 4):
        report = TrainingReport(run, steps_done)
        report.event({**EVENT, "step": steps_done + 4})
        report.close()
    assert tensors_of(run, "retrain")["retrain/loss"] == [4, 8]


def test_a_new_training_begins_with_its_settings_and_a_drawing(run):
    report = TrainingReport(run, steps_done=0)
    report.begin(MacroArchitecture.from_release_string("0 1 0"), "one two", {})
    report.close()
    assert {"settings", "training_text"} <= set(tensors_of(run, "."))
    assert set(tensors_of(run, "architecture")) == {"architecture", "drawing/architecture"}
