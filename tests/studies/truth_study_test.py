import numpy as np
import pytest

from enas_tf.errors import ConfigurationError
from enas_tf.searching.strategies import STRATEGIES
from enas_tf.studies.simulation import SIMULATED_SEARCH, simulate
from enas_tf.studies.truth import read_truth, shipped_truths
from enas_tf.studies.truth_study import truth_study, truth_summary
from tests.studies.truth_test import SPACE, made_up_truth


@pytest.fixture(scope="module")
def document(tmp_path_factory):
    folder = tmp_path_factory.mktemp("truth")
    made_up_truth(SPACE).write(folder / "truth.json")
    found = truth_study(
        folder / "truth.json",
        SIMULATED_SEARCH,
        ["evolution"],
        folder / "study",
        num_seeds=2,
        num_evaluations=10,
    )
    return found, folder / "study"


def test_random_search_is_always_there(document):
    assert list(document[0]["methods"]) == ["random", "evolution"]
    assert document[0]["methods"]["random"]["beats_random_search"] == 0.5


def test_trajectories_never_rise_and_have_every_evaluation(document):
    for method in document[0]["methods"].values():
        assert len(method["trajectory"]) == 10
        assert np.all(np.diff(method["trajectory"]) <= 0)


def test_page_and_words_name_every_method(document):
    page = (document[1] / "study.html").read_text()
    for name in document[0]["methods"]:
        assert name in page
        assert f"{name}: regret" in truth_summary(document[0])


@pytest.mark.long
@pytest.mark.parametrize("truth", shipped_truths())
@pytest.mark.parametrize("strategy", [name for name in STRATEGIES if name != "random"])
def test_a_strategy_beats_random_search_on_a_truth(truth, strategy):
    table = read_truth(truth)

    def regret(name):
        configs = (SIMULATED_SEARCH.replace(strategy=name, seed=seed) for seed in range(20))
        return np.mean([simulate(table, config, 60).regrets[-1] for config in configs])

    assert regret(strategy) < regret("random")


def test_what_does_not_learn_from_rewards_is_refused(tmp_path):
    with pytest.raises(ConfigurationError, match=r"`methods` must be some of .* Received: darts"):
        truth_study(tmp_path / "truth.json", SIMULATED_SEARCH, ["darts"], tmp_path / "study")
    assert not (tmp_path / "study").exists()
