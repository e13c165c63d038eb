"""Strided stems: the sizes that follow, and the same network in supernet, builder and counter."""

import numpy as np
import pytest

from enas_tf.errors import ConfigurationError
from enas_tf.layers.graph_options import without_graph_optimization
from enas_tf.spaces.images.stem import body_shape, chosen_stem
from enas_tf.spaces.macro.config import MacroNetworkConfig
from enas_tf.spaces.macro.space import MacroSpace
from enas_tf.spaces.micro.config import MicroNetworkConfig
from enas_tf.spaces.micro.space import MicroSpace
from tests.golden_fixtures import assert_close
from tests.spaces.macro import inheritance as macro_inheritance
from tests.spaces.micro import inheritance as micro_inheritance

NETWORKS = {
    "macro": macro_inheritance.network_of_supernet,
    "micro": micro_inheritance.network_of_supernet,
}
SHAPE = (33, 40, 3)
SPACES = {
    "macro": MacroSpace(num_layers=3, filters=4, input_shape=SHAPE, num_classes=3, stem="imagenet"),
    "micro": MicroSpace(
        num_layers=1, filters=4, num_nodes=2, input_shape=SHAPE, num_classes=3, stem="imagenet"
    ),
}


@pytest.mark.parametrize(
    ("stem", "shape", "chosen"),
    [
        ("auto", (32, 32, 3), "cifar"),
        ("auto", (95, 300, 3), "cifar"),
        ("auto", (96, 96, 1), "imagenet"),
        ("cifar", (224, 224, 3), "cifar"),
        ("imagenet", (32, 32, 3), "imagenet"),
    ],
)
def test_the_size_chooses_unless_it_is_said(stem, shape, chosen):
    assert chosen_stem(stem, shape) == chosen
    halved = {"cifar": shape, "imagenet": (-(-shape[0] // 8), -(-shape[1] // 8), shape[2])}
    assert body_shape(stem, shape, 3) == halved[chosen]


def test_what_knew_no_stem_had_the_small_one():
    for kind in (MacroSpace, MicroSpace, MacroNetworkConfig, MicroNetworkConfig):
        assert kind.from_json({}).stem == "cifar"


def test_a_space_writes_down_which_stem_it_has():
    assert MacroSpace(input_shape=(224, 224, 3)).to_json()["stem"] == "imagenet"
    assert MacroSpace().to_json()["stem"] == "cifar"


def test_reductions_go_by_the_size_behind_the_stem():
    assert MacroSpace(num_layers=6, input_shape=(16, 16, 3)).reduction_layers == (1, 3)
    strided = MacroSpace(num_layers=6, input_shape=(32, 32, 3), stem="imagenet")
    assert strided.reduction_layers == (1,)


def test_too_small_pictures_for_a_strided_stem_are_refused():
    with pytest.raises(ConfigurationError, match="at least 17 x 17 pixels"):
        SPACES["micro"].replace(input_shape=(16, 40, 3))
    SPACES["micro"].replace(input_shape=(17, 40, 3))


@pytest.mark.parametrize("name", SPACES)
def test_the_network_computes_the_supernet_s_logits(name):
    space = SPACES[name].replace(dropout_rate=0.0)
    architecture = space.random_architecture(0)
    supernet = space.build_supernet()
    images = np.random.default_rng(0).standard_normal((5, *SHAPE), np.float32)
    decisions = supernet.decisions_of(architecture)
    network = NETWORKS[name](supernet, architecture)
    with without_graph_optimization():
        logits, statistics = supernet.forward(images, decisions, use_batch_statistics=True)
    assert_close(network(images, training=True), logits)
    assert {"stem_0_norm", "stem_1_norm"} <= set(statistics)


@pytest.mark.parametrize("name", SPACES)
def test_costs_are_those_of_the_built_network(name):
    space = SPACES[name]
    architecture = space.random_architecture(0)
    config = space.network_config()
    network = space.build_network(architecture, config)
    counted = sum(int(np.prod(weight.shape)) for weight in network.trainable_weights)
    assert space.costs(architecture, config).parameters == counted
    assert network(np.zeros((1, *SHAPE), np.float32)).shape == (1, 3)
