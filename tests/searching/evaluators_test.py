import json

import pytest

from enas_tf.runs.contents import EVALUATIONS
from enas_tf.searching.api import search
from enas_tf.searching.training_alone import TrainingAlone
from enas_tf.settings.search import DeriveConfig, TrainedConfig
from enas_tf.settings.strategies import PolicyConfig
from tests.searching.interruptions import at_once, interrupting
from tests.searching.made_up_data import CONFIG, SPACE, lines_of

TRAINED = CONFIG.replace(
    evaluation="trained",
    trained=TrainedConfig(epochs=2, best_of_epochs=1, reward_power=3.0),
    policy=PolicyConfig(samples_per_update=3, updates_per_epoch=2),
    derive=DeriveConfig(num_candidates=4),
)


def evaluations(run):
    return [json.loads(line) for line in run.file(EVALUATIONS).read_text().splitlines()]


def comparable(result):
    """What a search found and wrote, without times."""
    lines = [
        {name: value for name, value in line.items() if name != "seconds"}
        for line in lines_of(result.run)
    ]
    ranking = [(c.architecture, c.score, c.score_kind) for c in result.candidates]
    return ranking, lines, evaluations(result.run), lines_of(result.run, "architectures.jsonl")


@pytest.fixture(scope="module")
def trained(data, tmp_path_factory):
    return search(SPACE, data, TRAINED, tmp_path_factory.mktemp("trained") / "run")


def test_no_architecture_is_trained_twice(trained):
    names = [row["release_string"] for row in evaluations(trained.run)]
    assert len(names) == len(set(names))


def test_a_reward_is_a_power_of_the_score(trained):
    scores = {row["release_string"]: row["score"] for row in evaluations(trained.run)}
    for line in lines_of(trained.run, "architectures.jsonl"):
        assert line["reward"] == pytest.approx(scores[line["release_string"]] ** 3)


def test_a_score_is_that_of_the_last_epochs(trained):
    for row in evaluations(trained.run):
        assert len(row["scores"]) == 2
        assert row["score"] == row["scores"][-1]


def test_what_was_trained_is_ranked_by_its_scores(trained):
    best = sorted((row["score"] for row in evaluations(trained.run)), reverse=True)
    assert [candidate.score for candidate in trained.candidates] == best[:4]
    assert trained.score_kind == "trained_validation_accuracy"


def test_shared_weights_are_not_trained(trained):
    assert {line["phase"] for line in lines_of(trained.run)} == {"controller", "derive"}


@pytest.mark.long
@pytest.mark.parametrize("moment", [2, 7])
def test_an_interrupted_search_ends_like_the_other_one(
    data, trained, tmp_path, monkeypatch, moment
):
    with monkeypatch.context() as patch:
        patch.setattr(TrainingAlone, "train", interrupting(TrainingAlone.train, moment, at_once))
        with pytest.raises(KeyboardInterrupt):
            search(SPACE, data, TRAINED, tmp_path / "run")
    assert comparable(search(SPACE, data, TRAINED, tmp_path / "run")) == comparable(trained)


@pytest.mark.long
def test_a_training_that_fails_has_the_lowest_score(data, tmp_path):
    config = TRAINED.replace(
        shared_weights=TRAINED.shared_weights.replace(learning_rate=1e30, final_learning_rate=1e29)
    )
    result = search(SPACE, data, config, tmp_path / "run")
    assert result.score == 0.0
