import json

import numpy as np
import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.util.tensor_util import make_ndarray

from enas_tf.reporting.search_report import SCORE_NOTE, SearchReport
from enas_tf.runs.directory import RunDirectory
from enas_tf.searching.ranking import Candidate
from enas_tf.spaces.costs import Costs
from enas_tf.spaces.macro.architecture import MacroArchitecture
from enas_tf.spaces.macro.space import MacroSpace

SPACE = MacroSpace(num_layers=2, filters=4, input_shape=(8, 8, 1), num_classes=2, stem="cifar")
FIRST, SECOND = map(MacroArchitecture.from_release_string, ("0 1 0", "5 2 1"))


@pytest.fixture
def run(tmp_path):
    run = RunDirectory.open(tmp_path / "run", {"command": "search"})
    with run:
        yield run


@pytest.fixture
def report(run):
    report = SearchReport(run, SPACE, {"shared_weights": 0, "controller": 0, "derive": 0})
    yield report
    report.close()


def lines_of(log):
    return [json.loads(line) for line in log.path.read_text().splitlines()]


def test_an_event_is_one_line(report, run):
    report.metrics("controller", 3, 2, 1.23456, {"reward": 0.5})
    assert lines_of(run.metrics) == [
        {"phase": "controller", "step": 3, "epoch": 2, "seconds": 1.235, "reward": 0.5}
    ]


def test_every_rewarded_architecture_is_one_line(report, run):
    report.rewarded([FIRST, SECOND], {"reward": [0.25, 0.75]}, epoch=1, update=7)
    assert lines_of(run.architectures) == [
        {"epoch": 1, "update": 7, "reward": 0.25, "release_string": "0 1 0"},
        {"epoch": 1, "update": 7, "reward": 0.75, "release_string": "5 2 1"},
    ]


def test_the_best_architecture_comes_with_the_ranking_and_a_warning(report, run):
    candidates = [
        Candidate(SECOND, 0.9, "short_retraining_validation_accuracy", 0.5),
        Candidate(
            FIRST,
            0.75,
            "shared_weights_validation_accuracy",
            0.75,
            standard_error=0.125,
            tied_with_first=False,
            costs=Costs(10, 12, 34),
        ),
    ]
    report.derived(candidates, 3, 12.34567, {"epochs": 3})
    document = run.read_json("best_architecture.json")
    assert MacroArchitecture.from_json(document["architecture"]) == SECOND
    assert document["space"] == "macro"
    assert document["score"] == 0.9
    assert document["score_kind"] == "short_retraining_validation_accuracy"
    assert document["note"] == SCORE_NOTE
    assert document["seconds"] == 12.346
    assert MacroSpace.from_json(document["space_settings"]) == SPACE
    assert document["ranked_by"] == {"epochs": 3}
    assert document["ranking"][1] == {
        "architecture": FIRST.to_json(),
        "release_string": "0 1 0",
        "score": 0.75,
        "score_kind": "shared_weights_validation_accuracy",
        "shared_weights_score": 0.75,
        "standard_error": 0.125,
        "tied_with_first": False,
        "parameters": 10,
        "all_parameters": 12,
        "multiply_adds": 34,
    }
    assert (run.path / "best_architecture.svg").read_text().startswith("<svg")


def test_the_board_has_a_folder_for_each_phase(report, run):
    report.metrics("controller", 1, 1, 0.1, {"reward": 0.5})
    report.sampled([FIRST, SECOND], step=0)
    report.proposed(FIRST, 0.5, None, epoch=1)
    report.flush()
    folders = {path.parent.name for path in run.tensorboard.glob("**/*tfevents*")}
    assert folders == {"shared_weights", "controller", "derive"}


@pytest.mark.parametrize("favourite", [None, SECOND])
def test_the_most_likely_architecture_is_drawn_if_there_is_one(report, run, favourite):
    report.proposed(FIRST, 0.5, favourite, epoch=1)
    report.flush()
    drawn = "proposed_architecture" if favourite is None else "most_likely_architecture"
    assert tags_of(run, "derive") == {"proposed_architecture", f"drawing/{drawn}"}


def test_a_new_search_begins_with_its_settings_and_a_look_at_its_data(report, run):
    report.begin(np.zeros([2, 8, 8, 1], np.uint8), "accuracy")
    tags = tags_of(run, ".")
    assert {"settings", "augmented_input"} <= tags
    (settings,) = board_of(run, ".").Tensors("settings")
    assert b"| command | `search` |" in settings.tensor_proto.string_val[0]


def board_of(run, phase):
    events = EventAccumulator(str(run.tensorboard / phase), size_guidance={"tensors": 0})
    events.Reload()
    return events


def tags_of(run, phase):
    return set(board_of(run, phase).Tags()["tensors"])


def test_a_warning_stands_beside_its_number(report, run):
    report.explored("controller", "controller/entropy_share", 0.5, 1)
    report.explored("controller", "controller/entropy_share", 0.01, 2, "It is low.")
    report.flush()
    board = board_of(run, "controller")
    share = [
        (event.step, pytest.approx(float(make_ndarray(event.tensor_proto))))
        for event in board.Tensors("controller/entropy_share")
    ]
    assert share == [(1, 0.5), (2, 0.01)]
    (warning,) = board.Tensors("controller/entropy_share_warning")
    assert (warning.step, warning.tensor_proto.string_val[0]) == (2, b"It is low.")


def test_what_is_sampled_again_after_a_resume_is_there_once(report, run):
    report.sampled([FIRST, SECOND], step=5)
    report.close()
    resumed = SearchReport(run, SPACE, {"shared_weights": 5})
    resumed.sampled([FIRST, SECOND], step=5)
    resumed.close()
    for tag in tags_of(run, "shared_weights"):
        assert [event.step for event in board_of(run, "shared_weights").Tensors(tag)] == [6]
