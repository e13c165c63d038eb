"""Everything that a search or a training changes is in its checkpoint, whatever the space."""

import numpy as np
import pytest

from enas_tf.config import SearchConfig, TrainingConfig
from enas_tf.search.shared_weights import SharedWeights
from enas_tf.search.strategies import build_strategy
from enas_tf.spaces.macro.config import MacroNetworkConfig
from enas_tf.spaces.macro.space import MacroSpace
from enas_tf.spaces.micro.config import MicroNetworkConfig
from enas_tf.spaces.micro.space import MicroSpace
from enas_tf.training.checkpoints import Checkpoints
from enas_tf.training.optimizers import build_optimizer

SIZE = {"num_layers": 3, "filters": 4, "input_shape": (8, 8, 1), "num_classes": 2}
SPACES = {
    "macro": MacroSpace(**SIZE),
    "macro, channels": MacroSpace(**SIZE, search_whole_channels=False),
    "micro": MicroSpace(**SIZE, num_nodes=2),
}
NETWORKS = {
    "macro": MacroNetworkConfig(filters=4),
    "micro": MicroNetworkConfig(num_layers=1, filters=4),
}


def assert_restored(folder, objects, variables):
    """Saves, changes all variables, restores, and compares."""
    Checkpoints(folder, **objects).save(1)
    expected = [variable.numpy() for variable in variables]
    for variable in variables:
        variable.assign(np.full(variable.shape, 7))
    assert Checkpoints(folder, **objects).restore()
    for variable, value in zip(variables, expected, strict=True):
        np.testing.assert_array_equal(variable.numpy(), value, err_msg=variable.path)


@pytest.mark.parametrize("name", SPACES)
def test_shared_weights_and_their_optimizer(tmp_path, name):
    weights = SharedWeights(SPACES[name], SearchConfig(), 10)
    objects = {"supernet": weights.supernet, "optimizer": weights.optimizer}
    variables = [*weights.supernet.weights, *weights.optimizer.variables]
    assert_restored(tmp_path, objects, variables)


@pytest.mark.parametrize("name", SPACES)
def test_the_controller_and_its_optimizer(tmp_path, name):
    strategy = build_strategy("reinforce", SPACES[name], SearchConfig())
    variables = [*strategy.controller.weights, *strategy.policy.optimizer.variables]
    assert_restored(tmp_path, {"strategy": strategy}, variables)


@pytest.mark.parametrize("name", NETWORKS)
def test_a_derived_network_and_its_optimizer(tmp_path, name):
    space = SPACES[name]
    network = space.build_network(space.random_architecture(0), NETWORKS[name], portable=False)
    optimizer = build_optimizer(TrainingConfig(), 10)
    optimizer.build(network.trainable_variables)
    objects = {"network": network, "optimizer": optimizer}
    assert_restored(tmp_path, objects, [*network.weights, *optimizer.variables])
