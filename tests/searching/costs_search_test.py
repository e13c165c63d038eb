"""Searches under limits, and with a target of costs."""

import numpy as np
import pytest

from enas_tf.errors import ConfigurationError
from enas_tf.records.run import recorded_run
from enas_tf.searching.api import search
from enas_tf.searching.ranking_again import derive_run
from enas_tf.searching.search import Search
from enas_tf.searching.shared_weights import SharedWeights
from enas_tf.settings.costs import CostConfig
from enas_tf.settings.search import DeriveConfig
from enas_tf.spaces.macro.config import MacroNetworkConfig
from tests.run_contents import run_contents
from tests.searching.interruptions import interrupting
from tests.searching.made_up_data import (
    CONFIG,
    SPACE,
    STEPS_PER_EPOCH,
    lines_of,
    load_without_test_set,
    write_npz,
)

NETWORK = MacroNetworkConfig(filters=4)
# 10 of the 18 architectures have no more parameters.
LIMIT = 600
# A target between what they have, so that limit and target both decide.
COSTS = CostConfig(max_parameters=LIMIT, cost="parameters", target_cost=500, cost_weight=-0.25)
# The first epoch trains on fair random architectures.
CONFIG = CONFIG.replace(warm_up=0.5, policy_start_epoch=0, costs=COSTS)


def parameters(architecture):
    return SPACE.costs(architecture, NETWORK).parameters


def architectures_of(run):
    strings = [line["release_string"] for line in lines_of(run, "architectures.jsonl")]
    return list(map(SPACE.architecture_from_release_string, strings))


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    path = tmp_path_factory.mktemp("data") / "halves.npz"
    write_npz(path)
    return load_without_test_set(path)


@pytest.fixture(scope="module")
def trained():
    """All architectures that the shared weights of `whole` were trained with."""
    return []


@pytest.fixture(scope="module")
def whole(data, trained, tmp_path_factory):
    train = SharedWeights.train

    def noting(self, batch, decisions, *others):
        trained.extend(SPACE.decode(decisions))
        return train(self, batch, decisions, *others)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(SharedWeights, "train", noting)
        folder = tmp_path_factory.mktemp("costs") / "run"
        return search(SPACE, data, CONFIG, folder, network=NETWORK)


def test_all_that_is_sampled_trained_and_ranked_is_within_the_limit(whole, trained):
    sampled = architectures_of(whole.run)
    ranked = [candidate.architecture for candidate in whole.candidates]
    assert (len(sampled), len(ranked)) == (6, 3)
    assert len(trained) == 2 * STEPS_PER_EPOCH
    assert max(map(parameters, [*sampled, *ranked, *trained])) <= LIMIT


def test_candidates_say_what_their_final_networks_cost(whole):
    for candidate in whole.candidates:
        assert candidate.costs == SPACE.costs(candidate.architecture, NETWORK)
    document = whole.run.read_json("best_architecture.json")
    assert document["network"] == NETWORK.to_json()
    assert document["ranking"][0]["parameters"] == parameters(whole.architecture)


def test_candidates_are_ranked_by_score_and_cost(whole):
    rewards = [
        one.score - 0.25 * abs(parameters(one.architecture) / 500 - 1) for one in whole.candidates
    ]
    assert [one.reward for one in whole.candidates] == pytest.approx(rewards)
    assert rewards == sorted(rewards, reverse=True)
    assert [one.tied_with_first for one in whole.candidates] == [True, None, None]


def test_reward_quality_and_cost_are_logged(whole):
    lines = lines_of(whole.run, "architectures.jsonl")
    for line, architecture in zip(lines, architectures_of(whole.run), strict=True):
        assert line["cost"] == parameters(architecture)
        expected = line["quality"] - 0.25 * abs(line["cost"] / 500 - 1)
        assert line["reward"] == pytest.approx(expected)
    updates = [line for line in lines_of(whole.run) if line["phase"] == "controller"]
    for update, start in zip(updates, (0, 3), strict=True):
        for name in ("reward", "quality", "cost"):
            mean = np.mean([line[name] for line in lines[start : start + 3]])
            assert update[name] == pytest.approx(mean)


def test_an_interrupted_search_ends_like_one_that_was_not(whole, data, tmp_path, monkeypatch):
    for name, after in (("train", 2), ("train", STEPS_PER_EPOCH), ("rewards", 1)):
        with monkeypatch.context() as patch:
            method = interrupting(getattr(SharedWeights, name), after)
            patch.setattr(SharedWeights, name, method)
            with pytest.raises(KeyboardInterrupt):
                search(SPACE, data, CONFIG, tmp_path / "run", network=NETWORK)
    # It has written down what its costs are of.
    search(SPACE, data, CONFIG, tmp_path / "run")
    found, expected = run_contents(tmp_path / "run"), run_contents(whole.run.path)
    assert found["architectures.jsonl"] == expected["architectures.jsonl"]
    assert found["metrics.jsonl"] == expected["metrics.jsonl"]
    assert found["best_architecture.json"] == expected["best_architecture.json"]


def test_another_ranking_is_within_the_limit_too(whole):
    result = derive_run(whole.run.path, DeriveConfig(num_candidates=9))
    assert max(parameters(one.architecture) for one in result.candidates) <= LIMIT


def test_the_run_says_which_networks_are_meant(whole):
    recorded = recorded_run(whole.run.path)
    assert recorded.final_network == NETWORK
    preset = recorded.retraining(recorded.preset, whole.architecture)
    assert preset.network == NETWORK


def test_by_default_networks_are_those_of_the_preset(data, tmp_path, monkeypatch):
    monkeypatch.setattr(Search, "run", lambda self, on_epoch_end: None)
    monkeypatch.setattr(Search, "finish", lambda self: self.costs.network)
    config = CONFIG.replace(costs=CostConfig(max_parameters=10**9))
    network = search(SPACE, data, config, tmp_path / "run", preset="release")
    recorded = recorded_run(tmp_path / "run")
    assert network == recorded.entry.retrain_presets["release"].network == recorded.final_network


def test_a_run_without_limits_says_nothing_of_networks(data, tmp_path, monkeypatch):
    monkeypatch.setattr(Search, "run", lambda self, on_epoch_end: None)
    monkeypatch.setattr(Search, "finish", lambda self: None)
    search(SPACE, data, CONFIG.replace(costs=CostConfig()), tmp_path / "run", preset="smoke")
    assert "network" not in recorded_run(tmp_path / "run").run.configuration


def test_a_limit_that_cannot_be_met_ends_before_anything_is_made(data, tmp_path):
    config = CONFIG.replace(costs=CostConfig(max_parameters=200))
    with pytest.raises(ConfigurationError, match=r"max_parameters=200.* has 244\)"):
        search(SPACE, data, config, tmp_path / "run", network=NETWORK)
    assert not (tmp_path / "run").exists()


def test_latencies_limit_a_search_and_are_kept(data, tmp_path, monkeypatch):
    monkeypatch.setattr(type(SPACE), "layer_latency", lambda self, layer: float(len(layer.shapes)))
    latencies = {
        one: sum(n * len(layer.shapes) for layer, n in SPACE.layers(one, NETWORK).items())
        for one in SPACE.every_architecture()
    }
    limit = float(np.median(list(latencies.values())))
    config = CONFIG.replace(strategy="random", costs=CostConfig(max_latency_ms=limit))
    result = search(SPACE, data, config, tmp_path / "run", network=NETWORK)
    found = [*architectures_of(result.run), *(one.architecture for one in result.candidates)]
    assert max(latencies[one] for one in found) <= limit < max(latencies.values())
    best = result.candidates[0]
    assert best.costs.latency_ms == latencies[best.architecture]
    assert "call 6x6x1" in result.run.read_json("latencies.json")["layers"]


def test_a_search_by_gradient_refuses_costs():
    from enas_tf.searching.procedures import check_procedure
    from enas_tf.spaces.micro.space import MicroSpace

    config = CONFIG.replace(strategy="darts", costs=CostConfig(max_parameters=5))
    with pytest.raises(ConfigurationError, match=r"Received: --max_parameters=5\."):
        check_procedure(MicroSpace(), config)
