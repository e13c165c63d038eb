import numpy as np
import pytest

from enas_tf.errors import ConfigurationError
from enas_tf.searching.strategies import build_strategy
from enas_tf.settings.search import SearchConfig
from enas_tf.settings.strategies import SurrogateConfig
from enas_tf.spaces.macro.space import MacroSpace
from enas_tf.spaces.micro.architecture import MicroOperation
from enas_tf.spaces.micro.space import MicroSpace

SPACE = MacroSpace(num_layers=4, filters=4, num_operations=3)


def build(space=SPACE, **surrogate):
    surrogate = SurrogateConfig(**{"num_initial": 10, "pool_size": 50, **surrogate})
    return build_strategy(
        "surrogate", space, SearchConfig(strategy="surrogate", surrogate=surrogate)
    )


def reward(architecture):
    """Skips are good, and so is the first operation in the first layer."""
    return architecture.num_skip_connections / 6 + (architecture.layers[0].operation == 0)


def advance(strategy, updates):
    proposed = []
    for _ in range(updates):
        architectures = strategy.propose(5)
        strategy.observe(architectures, [reward(architecture) for architecture in architectures])
        proposed += architectures
    return proposed


@pytest.mark.parametrize("model", ["random_forest", "gaussian_process"])
@pytest.mark.parametrize("acquisition", ["expected_improvement", "upper_bound"])
def test_it_proposes_what_earns_more_than_random_ones(model, acquisition):
    proposed = advance(build(model=model, acquisition=acquisition, num_trees=20), 8)
    rewards = np.array([reward(architecture) for architecture in proposed])
    assert rewards[-15:].mean() > rewards[:10].mean() + 0.3


def test_it_proposes_nothing_twice_while_there_is_something_new():
    proposed = advance(build(num_trees=5), 8)
    assert len(set(proposed[10:])) == len(proposed[10:])


def test_a_space_smaller_than_a_proposal_is_repeated():
    strategy = build(MacroSpace(num_layers=1, filters=4, num_operations=2), num_initial=2)
    advance_by = strategy.propose(2)
    strategy.observe(advance_by, [0.1, 0.2])
    assert len(strategy.propose(7)) == 7


def test_ranges_of_channels_are_features_too():
    space = MacroSpace(num_layers=2, filters=4, num_operations=2, search_whole_channels=False)
    strategy = build(space, num_initial=2, num_trees=5)
    strategy.observe(strategy.propose(3), [0.1, 0.2, 0.3])
    for architecture in strategy.propose(3):
        space.check(architecture)


def test_growing_cells_open_a_node_after_the_other():
    strategy = build(MicroSpace(num_nodes=3), grow=True, grow_after=10, num_trees=5)
    for num_open in (1, 1, 2, 2, 3, 3):
        architectures = strategy.propose(5)
        inputs, operations = strategy.space.encode(architectures)
        assert np.all(operations[:, :, num_open:] == MicroOperation.IDENTITY)
        assert np.all(inputs[:, :, num_open:] == 1)
        strategy.observe(architectures, np.linspace(0, 1, 5))
    assert np.any(operations != MicroOperation.IDENTITY)


def test_a_space_without_empty_parts_cannot_grow():
    with pytest.raises(ConfigurationError, match="micro space with its identity"):
        build(grow=True)
