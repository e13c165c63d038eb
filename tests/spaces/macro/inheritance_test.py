import numpy as np
import pytest

from enas_tf.errors import ArchitectureError
from enas_tf.spaces.macro.architecture import MacroArchitecture
from enas_tf.spaces.macro.space import MacroSpace
from tests.golden_fixtures import assert_close
from tests.spaces.macro.inheritance import network_of_supernet


def space(**settings):
    return MacroSpace(
        **{
            "num_layers": 6,
            "filters": 4,
            "input_shape": (9, 16, 2),
            "num_classes": 3,
            "dropout_rate": 0.0,
            **settings,
        }
    )


def supernet_with_random_weights(space):
    supernet = space.build_supernet(seed=1)
    generator = np.random.default_rng(0)
    for variable in supernet.weights:
        if variable.dtype == "float32" and variable.name != "kernel":
            variable.assign(generator.uniform(0.5, 1.5, variable.shape))
    return supernet


@pytest.fixture(scope="module")
def images():
    return np.random.default_rng(0).normal(size=(5, 9, 16, 2)).astype(np.float32)


@pytest.mark.parametrize("portable", [True, False])
@pytest.mark.parametrize(
    "text",
    ["0 | 1 1 | 2 1 0 | 3 0 1 1 | 4 0 0 0 1 | 5 1 1 0 0 1", "5 | 4 0 | 3 0 0 | 0 1 1 1"],
)
def test_network_computes_the_supernet_s_logits(images, text, portable):
    architecture = MacroArchitecture.from_release_string(text)
    supernet = supernet_with_random_weights(space(num_layers=architecture.num_layers))
    network = network_of_supernet(supernet, architecture, portable=portable)
    assert_close(network(images), supernet(images, architecture, training=False))
    expected = supernet(images, architecture, training=True)
    assert_close(network(images, training=True), expected)


def test_network_of_the_per_channel_form_computes_the_supernet_s_logits(images):
    whole = space(num_layers=4, search_whole_channels=False)
    architecture = whole.random_architecture(seed=2)
    supernet = supernet_with_random_weights(whole)
    network = network_of_supernet(supernet, architecture)
    assert_close(network(images), supernet(images, architecture, training=False))
    expected = supernet(images, architecture, training=True)
    assert_close(network(images, training=True), expected)


def test_an_architecture_of_another_size_is_refused():
    architecture = MacroArchitecture.from_release_string("0 0 1")
    with pytest.raises(ArchitectureError, match="num_layers=2"):
        network_of_supernet(space(num_layers=3).build_supernet(), architecture)
