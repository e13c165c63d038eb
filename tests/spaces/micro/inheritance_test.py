import numpy as np
import pytest

from enas_tf.errors import ArchitectureError
from enas_tf.layers.graph_options import without_graph_optimization
from enas_tf.spaces.micro.architecture import MicroArchitecture
from enas_tf.spaces.micro.space import MicroSpace
from tests.golden_fixtures import assert_close
from tests.spaces.micro.inheritance import network_of_supernet

SPACE = MicroSpace(
    num_layers=3,
    filters=4,
    num_nodes=3,
    input_shape=(9, 16, 2),
    num_classes=3,
    dropout_rate=0.0,
)
# Every operation, and loose ends among the inputs.
ARCHITECTURE = MicroArchitecture.from_release_string(
    "1 0 1 1 2 2 1 3 3 4 2 0 | 0 1 0 4 0 3 2 2 2 0 0 1"
)


@pytest.fixture(scope="module")
def images():
    return np.random.default_rng(0).normal(size=(5, 9, 16, 2)).astype(np.float32)


@pytest.fixture(scope="module")
def supernet():
    supernet = SPACE.build_supernet(seed=1)
    generator = np.random.default_rng(0)
    for variable in supernet.weights:
        if variable.dtype == "float32" and variable.name != "kernel":
            variable.assign(generator.uniform(0.5, 1.5, variable.shape))
    return supernet


@pytest.fixture(scope="module")
def expected(supernet, images):
    """The supernet's logits by the moving statistics, then by the batch's."""
    decisions = supernet.decisions_of(ARCHITECTURE)
    with without_graph_optimization():
        return [
            supernet.forward(images, decisions, use_batch_statistics=use_batch)[0].numpy()
            for use_batch in (False, True)
        ]


@pytest.mark.parametrize("portable", [True, False])
def test_network_computes_the_supernet_s_logits(supernet, images, expected, portable):
    network = network_of_supernet(supernet, ARCHITECTURE, portable=portable)
    for training in (False, True):
        assert_close(network(images, training=training), expected[training])


def test_an_architecture_of_another_space_is_refused(supernet):
    other = SPACE.replace(num_nodes=2).random_architecture(0)
    with pytest.raises(ArchitectureError, match="num_nodes=2"):
        network_of_supernet(supernet, other)
