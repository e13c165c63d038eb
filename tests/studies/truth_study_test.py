import numpy as np
import pytest

from enas_tf.errors import ConfigurationError
from enas_tf.searching.limits import Limits
from enas_tf.searching.strategies import STRATEGIES
from enas_tf.settings.costs import CostConfig
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


@pytest.mark.parametrize("name", sorted(STRATEGIES))
def test_searches_against_a_truth_keep_within_limits(name):
    whole = made_up_truth(SPACE)
    limits = Limits({"parameters": 4}, whole.costs)
    config = SIMULATED_SEARCH.replace(strategy=name)
    found = simulate(whole.within(limits), config, 20, limits)
    # Others would not be in the table.
    assert set(found.rows.tolist()) <= set(range(5))


@pytest.mark.parametrize(
    "costs", [CostConfig(cost="parameters", target_cost=3), CostConfig(max_latency_ms=1.0)]
)
def test_what_a_truth_does_not_know_is_refused(costs, tmp_path):
    with pytest.raises(ConfigurationError, match="A truth knows parameters and multiply-adds"):
        truth_study(
            "macro_digits", SIMULATED_SEARCH.replace(costs=costs), ["random"], tmp_path / "study"
        )


def test_a_limit_leaves_part_of_a_truth(tmp_path):
    whole = read_truth("macro_digits")
    limit = int(np.median(whole.parameters))
    document = truth_study(
        "macro_digits",
        SIMULATED_SEARCH.replace(costs=CostConfig(max_parameters=limit)),
        ["random"],
        tmp_path / "study",
        num_seeds=1,
        num_evaluations=5,
    )
    assert document["num_architectures"] == np.sum(whole.parameters <= limit)


@pytest.mark.long
# That of cells hardly does in so few updates.
@pytest.mark.parametrize("truth", ["macro_digits", "rnn_pydoc"])
def test_a_controller_learns_on_a_truth(truth):
    table = read_truth(truth)

    def last_proposals(name):
        configs = (SIMULATED_SEARCH.replace(strategy=name, seed=seed) for seed in range(8))
        return np.mean(
            [table.regrets[simulate(table, config, 60).rows[-10:]] for config in configs]
        )

    assert last_proposals("reinforce") < last_proposals("frozen") / 2
