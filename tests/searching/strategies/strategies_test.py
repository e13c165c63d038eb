"""Tests that every registered strategy must pass, and those of its own for each."""

import subprocess
import sys

import numpy as np
import pytest
import tensorflow as tf

from enas_tf.errors import ConfigurationError, NumericalError
from enas_tf.searching.limits import NO_LIMITS, Limits
from enas_tf.searching.strategies import STRATEGIES, build_strategy
from enas_tf.settings.search import SearchConfig
from enas_tf.settings.strategies import EvolutionConfig
from enas_tf.spaces.costs import Costs
from enas_tf.spaces.macro.architecture import MacroOperation
from enas_tf.spaces.macro.config import MacroControllerConfig
from enas_tf.spaces.macro.space import MacroSpace

EVERY = pytest.mark.parametrize("name", sorted(STRATEGIES))
FORMS = pytest.mark.parametrize("whole", [True, False], ids=["whole", "channels"])


@pytest.fixture(autouse=True)
def eagerly():
    """Runs traced functions eagerly, which is faster for the few updates of each test."""
    tf.config.run_functions_eagerly(True)
    yield
    tf.config.run_functions_eagerly(False)


def build(name, seed=0, whole=True, limits=NO_LIMITS, **evolution):
    space = MacroSpace(
        num_layers=3,
        filters=4,
        num_operations=3,
        search_whole_channels=whole,
        controller=MacroControllerConfig(lstm_size=8),
    )
    evolution = EvolutionConfig(**{"population_size": 5, "tournament_size": 3, **evolution})
    config = SearchConfig(seed=seed, evolution=evolution)
    return build_strategy(name, space, config, limits)


def reward(architecture):
    return architecture.num_skip_connections / 3


def operation_share(architecture):
    wanted = MacroOperation.CONVOLUTION_5X5
    return float(np.mean([layer.operation == wanted for layer in architecture.layers]))


def advance(strategy, updates, reward=reward):
    """Lets a strategy propose and observe; returns what it proposed and what it reported."""
    proposed, metrics = [], []
    for _ in range(updates):
        architectures = strategy.propose(5)
        proposed += architectures
        metrics.append(strategy.observe(architectures, [reward(a) for a in architectures]))
    return proposed, metrics


@EVERY
@FORMS
def test_proposals_belong_to_the_space(name, whole):
    strategy = build(name, whole=whole)
    proposed, _ = advance(strategy, 2)
    assert len(proposed) == 10
    for architecture in [*proposed, *strategy.candidates(12)]:
        strategy.space.check(architecture)


# Five-by-five convolutions cost a parameter each; half of all architectures have more than one.
def few_convolutions(most):
    def costs(architecture):
        operations = [layer.operation for layer in architecture.layers]
        return Costs(operations.count(MacroOperation.CONVOLUTION_5X5), 0, 0)

    return Limits({"parameters": most}, costs)


@EVERY
def test_proposals_and_candidates_are_within_limits(name):
    limits = few_convolutions(0)
    strategy = build(name, limits=limits)
    proposed, _ = advance(strategy, 6)
    favourite = strategy.most_likely()
    found = [*proposed, *strategy.candidates(12), *([favourite] if favourite else [])]
    assert all(map(limits.allows, found))
    assert not all(map(limits.allows, advance(build(name), 6)[0]))


@EVERY
def test_limits_that_allow_all_change_no_draw(name):
    plain, limited = build(name), build(name, limits=few_convolutions(3))
    assert plain.propose(10) == limited.propose(10)
    assert plain.candidates(10) == limited.candidates(10)


@EVERY
def test_restored_strategy_goes_on_within_limits_bit_for_bit(name, tmp_path):
    limits = few_convolutions(0)
    first, second = build(name, limits=limits), build(name, limits=limits)
    advance(first, 2)
    path = tf.train.Checkpoint(strategy=first).write(str(tmp_path / "checkpoint"))
    tf.train.Checkpoint(strategy=second).read(path).assert_consumed()
    assert advance(first, 2) == advance(second, 2)


@EVERY
def test_proposals_differ_from_call_to_call(name):
    strategy = build(name)
    assert strategy.propose(10) != strategy.propose(10)


@EVERY
def test_seed_decides_the_proposals(name):
    one, same, other = (advance(build(name, seed), 2) for seed in (1, 1, 2))
    assert one == same
    assert one[0] != other[0]


@EVERY
def test_candidates_change_nothing(name):
    plain, asked = build(name), build(name)
    for strategy in (plain, asked):
        advance(strategy, 1)
    assert asked.candidates(7) == asked.candidates(7)
    assert len(asked.candidates(7)) == 7
    assert advance(plain, 1) == advance(asked, 1)


@EVERY
def test_restored_strategy_goes_on_bit_for_bit(name, tmp_path):
    first, second = build(name), build(name)
    advance(first, 2)
    path = tf.train.Checkpoint(strategy=first).write(str(tmp_path / "checkpoint"))
    tf.train.Checkpoint(strategy=second).read(path).assert_consumed()
    assert advance(first, 2) == advance(second, 2)
    assert first.candidates(5) == second.candidates(5)
    assert first.most_likely() == second.most_likely()


@EVERY
def test_mean_reward_is_reported_as_floats(name):
    strategy = build(name)
    metrics = strategy.observe(strategy.propose(2), [0.25, 0.75])
    assert metrics["reward"] == 0.5
    assert all(type(value) is float for value in metrics.values())


@EVERY
@pytest.mark.parametrize("reward", [np.inf, np.nan])
def test_reward_that_is_not_finite_is_an_error_and_changes_nothing(name, reward):
    strategy = build(name)
    proposed = strategy.propose(2)
    before = [variable.numpy() for variable in strategy.variables]
    with pytest.raises(NumericalError, match="not finite"):
        strategy.observe(proposed, [0.5, reward])
    for variable, value in zip(strategy.variables, before, strict=True):
        np.testing.assert_array_equal(variable, value)


@EVERY
@pytest.mark.parametrize("rewards", [[], [0.5], [0.5] * 3])
def test_wrong_number_of_rewards_is_an_error(name, rewards):
    strategy = build(name)
    with pytest.raises(ConfigurationError, match="`rewards` must be one number for each"):
        strategy.observe(strategy.propose(2), rewards)


@EVERY
@pytest.mark.parametrize("count", [0, -3, 2.5])
def test_unusable_count_is_an_error(name, count):
    with pytest.raises(ConfigurationError, match="`count` must be a positive integer"):
        build(name).propose(count)


def test_unknown_strategy_is_an_error_that_lists_the_known():
    with pytest.raises(ConfigurationError, match=r"evolution, frozen.*'annealing'"):
        build("annealing")


def test_names_are_known_without_tensorflow():
    code = "import sys, enas_tf.searching.strategies; sys.exit('tensorflow' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_reinforce_reports_the_update():
    _, metrics = advance(build("reinforce"), 1)
    assert {"loss", "advantage", "baseline", "entropy", "skip_rate"} <= set(metrics[0])


def test_reinforce_favours_the_controllers_most_likely_architecture():
    strategy = build("reinforce")
    assert strategy.most_likely() == strategy.controller.most_likely()


def test_random_search_favours_nothing_and_is_uniform():
    strategy = build("random")
    proposed, _ = advance(strategy, 200)
    operations = [layer.operation for architecture in proposed for layer in architecture.layers]
    frequencies = np.bincount(operations) / len(operations)
    np.testing.assert_allclose(frequencies, [1 / 3] * 3, atol=0.04)
    assert strategy.most_likely() is None


def test_evolution_mutates_members_once_the_population_is_full():
    strategy = build("evolution")
    members, _ = advance(strategy, 1)

    def differences(one, other):
        pairs = zip(one.to_release_string().split(), other.to_release_string().split())
        return sum(a != b for a, b in pairs)

    for child in strategy.propose(30):
        assert 1 in [differences(child, member) for member in members]


def test_evolution_forgets_the_oldest():
    strategy = build("evolution", population_size=4)
    old, new = strategy.propose(4), strategy.propose(3)
    strategy.observe(old, [0.9, 0.1, 0.1, 0.8])
    metrics = strategy.observe(new, [0.2, 0.3, 0.4])
    np.testing.assert_allclose(metrics["best_reward"], 0.8)
    np.testing.assert_allclose(metrics["population_reward"], (0.8 + 0.2 + 0.3 + 0.4) / 4)
    assert strategy.most_likely() == old[3]


def test_evolution_keeps_the_youngest_of_more_than_fit():
    strategy = build("evolution", population_size=3)
    metrics = strategy.observe(strategy.propose(5), [1.0, 0.9, 0.3, 0.2, 0.1])
    np.testing.assert_allclose(metrics["population_reward"], 0.2, rtol=1e-6)


def test_evolution_offers_its_best_distinct_members_as_candidates():
    strategy = build("evolution", population_size=6)
    one, other, third = list(dict.fromkeys(strategy.propose(30)))[:3]
    strategy.observe([one, other, one, third], [0.5, 0.9, 0.7, 0.1])
    assert strategy.candidates(2) == [other, one]


def test_evolution_favours_nothing_before_it_observed():
    assert build("evolution").most_likely() is None


def test_evolution_improves():
    strategy = build("evolution", population_size=10)
    proposed, _ = advance(strategy, 40, reward=operation_share)
    rewards = [operation_share(architecture) for architecture in proposed]
    assert np.mean(rewards[-50:]) > np.mean(rewards[:10]) + 0.2
