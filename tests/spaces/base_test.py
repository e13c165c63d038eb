import math

import numpy as np
import pytest

from enas_tf.spaces.macro.config import MacroControllerConfig
from enas_tf.spaces.macro.space import MacroSpace
from enas_tf.spaces.micro.config import MicroControllerConfig
from enas_tf.spaces.micro.space import MicroSpace
from enas_tf.spaces.rnn.config import RnnControllerConfig
from enas_tf.spaces.rnn.space import RnnSpace

# Spaces whose controllers prefer nothing without weights, and the decisions of an architecture: how
# many options each has.
SPACES = {
    "macro": (
        MacroSpace(num_layers=3, num_operations=5, controller=MacroControllerConfig(lstm_size=4)),
        # Operations and skip connections.
        3 * [5] + 3 * [2],
    ),
    "micro": (
        MicroSpace(
            num_nodes=2,
            num_operations=4,
            controller=MicroControllerConfig(lstm_size=4, separable_fixed_bias=0.0),
        ),
        # Two cells, in each two operands of both nodes.
        2 * (2 * [2] + 2 * [3] + 4 * [4]),
    ),
    "rnn": (
        RnnSpace(num_nodes=3, controller=RnnControllerConfig(lstm_size=4, distance_divisor=None)),
        [1, 2, 3] + 3 * [4],
    ),
}


@pytest.mark.parametrize("name", SPACES)
def test_the_largest_entropy_is_that_of_all_decisions(name):
    space, options = SPACES[name]
    assert space.largest_entropy == pytest.approx(sum(map(math.log, options)))


@pytest.mark.parametrize("name", SPACES)
def test_a_controller_without_preferences_has_the_largest_entropy(name):
    space, _ = SPACES[name]
    controller = space.build_controller()
    for variable in controller.trainable_variables:
        variable.assign(np.zeros(variable.shape))
    entropy = controller.sample(5, seed=0).entropy
    np.testing.assert_allclose(entropy, np.full(5, space.largest_entropy), rtol=1e-6)
