"""Everything that a search or a training changes is in its checkpoint, whatever the space."""

import numpy as np
import pytest

from enas_tf.final_training.averaging import WeightAverage
from enas_tf.searching.shared_weights import SharedWeights
from enas_tf.searching.strategies import build_strategy
from enas_tf.settings.config import SearchConfig, TrainingConfig
from enas_tf.spaces.macro.config import MacroNetworkConfig
from enas_tf.spaces.macro.space import MacroSpace
from enas_tf.spaces.micro.config import MicroNetworkConfig
from enas_tf.spaces.micro.space import MicroSpace
from enas_tf.spaces.rnn.config import RnnNetworkConfig
from enas_tf.spaces.rnn.space import RnnSpace
from enas_tf.training.checkpoints import Checkpoints
from enas_tf.training.optimizers import build_optimizer

SIZE = {"num_layers": 3, "filters": 4, "input_shape": (8, 8, 1), "num_classes": 2}
SPACES = {
    "macro": MacroSpace(**SIZE),
    "macro, channels": MacroSpace(**SIZE, search_whole_channels=False),
    "micro": MicroSpace(**SIZE, num_nodes=2),
    "rnn": RnnSpace(num_nodes=2, hidden_size=4, vocabulary_size=7),
}
NETWORKS = {
    "macro": MacroNetworkConfig(filters=4),
    "micro": MicroNetworkConfig(num_layers=1, filters=4),
    "rnn": RnnNetworkConfig(hidden_size=4),
}


def assert_restored(folder, objects, variables):
    """Saves, changes all variables, restores, and compares."""
    Checkpoints(folder, **objects).save(1)
    expected = [variable.numpy() for variable in variables]
    for variable in variables:
        variable.assign(np.full(variable.shape, 7))
    assert Checkpoints(folder, **objects).restore()
    for variable, value in zip(variables, expected, strict=True):
        np.testing.assert_array_equal(variable.numpy(), value, err_msg=variable.name)


@pytest.mark.parametrize("name", SPACES)
def test_shared_weights_and_their_optimizer(tmp_path, name):
    weights = SharedWeights(SPACES[name], SearchConfig(), 10)
    variables = [
        *weights.supernet.weights,
        *weights.optimizer.variables,
        *weights.carried.tensors,
    ]
    assert_restored(tmp_path, weights.saved_objects(), variables)


def test_text_leaves_a_state_to_the_next_batch():
    assert SharedWeights(SPACES["rnn"], SearchConfig(), 10).carried.tensors


@pytest.mark.parametrize("name", SPACES)
def test_the_controller_and_its_optimizer(tmp_path, name):
    strategy = build_strategy("reinforce", SPACES[name], SearchConfig())
    variables = [*strategy.controller.weights, *strategy.policy.optimizer.variables]
    assert_restored(tmp_path, {"strategy": strategy}, variables)


@pytest.mark.parametrize("name", NETWORKS)
def test_a_derived_network_its_optimizer_and_the_average_of_its_weights(tmp_path, name):
    space = SPACES[name]
    network = space.build_network(space.random_architecture(0), NETWORKS[name], portable=False)
    optimizer = build_optimizer(TrainingConfig(), 10)
    optimizer.build(network.trainable_variables)
    average = WeightAverage(network.trainable_variables)
    objects = {"network": network, "optimizer": optimizer, "average": average}
    variables = [*network.weights, *optimizer.variables, *average.averages, average.count]
    assert_restored(tmp_path, objects, variables)
