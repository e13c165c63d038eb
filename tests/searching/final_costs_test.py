import types

import pytest

from enas_tf.errors import ConfigurationError
from enas_tf.searching.final_costs import FinalCosts, Objective
from enas_tf.settings.costs import CostConfig
from enas_tf.settings.search import SearchConfig
from enas_tf.settings.strategies import PolicyConfig
from enas_tf.spaces.costs import Costs
from enas_tf.spaces.macro.config import MacroNetworkConfig
from enas_tf.spaces.macro.space import MacroSpace
from tests.spaces.built_costs import built_costs

CHANNELS = MacroSpace(
    num_layers=2, filters=4, search_whole_channels=False, input_shape=(6, 6, 1), num_classes=2
)


@pytest.mark.parametrize(
    ("form", "weight", "cost", "expected"),
    [
        ("absolute", -0.5, 100, 0.8),
        ("absolute", -0.5, 150, 0.55),
        ("absolute", -0.5, 50, 0.55),
        ("absolute", -0.1, 300, 0.6),
        ("power", -1.0, 200, 0.4),
        ("power", -1.0, 50, 1.6),
        ("power", -0.07, 100, 0.8),
    ],
)
def test_the_reward_by_hand(form, weight, cost, expected):
    objective = Objective(
        CostConfig(cost="parameters", target_cost=100, cost_weight=weight, cost_reward=form)
    )
    assert objective.has_target
    assert objective.reward(0.8, Costs(cost, 0, 0)) == pytest.approx(expected)


def test_each_cost_can_be_the_target():
    costs = Costs(1, 2, 3, 4.5)
    found = [
        Objective(CostConfig(cost=name, target_cost=1.0)).cost(costs)
        for name in ("parameters", "multiply_adds", "latency")
    ]
    assert found == [1, 3, 4.5]


def test_without_a_target_quality_is_the_reward():
    objective = Objective(CostConfig(max_parameters=5))
    assert not objective.has_target
    assert objective.reward(0.3, Costs(10**9, 0, 0)) == 0.3


def test_costs_are_those_of_the_network_that_is_trained():
    # Ranges of channels refer to 4; a network of 6 filters is fitted to 8.
    architecture = CHANNELS.random_architecture(0)
    costs = FinalCosts(CHANNELS, MacroNetworkConfig(filters=6))
    network = CHANNELS.build_network(architecture, MacroNetworkConfig(filters=8))
    assert costs.of(architecture) == built_costs(network)


def test_latencies_are_added_where_they_are_asked_for():
    latencies = types.SimpleNamespace(of=lambda layers: float(sum(layers.values())))
    costs = FinalCosts(CHANNELS, CHANNELS.network_config(), latencies)
    found = costs.of(CHANNELS.random_architecture(0))
    assert found.latency_ms == sum(CHANNELS.layers(CHANNELS.random_architecture(0)).values())


@pytest.mark.parametrize("given", [{"cost": "parameters"}, {"target_cost": 3.0}])
def test_cost_and_target_belong_together(given):
    with pytest.raises(ConfigurationError, match="belong together"):
        CostConfig(**given)


def test_a_weight_that_rewards_costs_is_refused():
    with pytest.raises(ConfigurationError, match="`cost_weight` must be less than 0"):
        CostConfig(cost_weight=0.1)


def test_a_limit_may_be_larger_than_32_bits():
    assert CostConfig(max_multiply_adds=5 * 10**9).maxima == {"multiply_adds": 5 * 10**9}


def test_a_controller_under_limits_needs_samples_to_compare():
    with pytest.raises(ConfigurationError, match="`samples_per_update` must be at least 2"):
        SearchConfig(policy=PolicyConfig(samples_per_update=1), costs=CostConfig(max_parameters=1))
