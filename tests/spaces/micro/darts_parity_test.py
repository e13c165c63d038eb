"""The networks in the form of DARTS against numbers of the authors' code."""

import numpy as np
import pytest
import tensorflow as tf

from enas_tf.spaces.images.network_builder import assign_portable_weights, portable_weights
from enas_tf.spaces.micro.config import MicroNetworkConfig
from enas_tf.spaces.micro.genotype import architecture_of_genotype
from enas_tf.spaces.micro.network import FORM, build_micro_network
from enas_tf.spaces.micro.published import PUBLISHED
from enas_tf.spaces.micro.space import MicroSpace
from enas_tf.training.image_metrics import classification_metrics, image_objective
from tests.darts_network_weights import darts_names, darts_weights
from tests.golden_fixtures import assert_close, golden_names, load_golden

pytestmark = pytest.mark.parity

CONFIG = MicroNetworkConfig(form="darts", dropout_rate=0.0, drop_path_rate=0.0)


class Child:
    """A fixture, and the fast network with its weights."""

    def __init__(self, name):
        self.fixture = load_golden(name)
        config = self.fixture["config"]
        genotype = config["genotype"]
        self.architecture = architecture_of_genotype(genotype["normal"], genotype["reduce"])
        nodes = list(range(2, self.architecture.num_nodes + 2))
        assert genotype["normal_concat"] == genotype["reduce_concat"] == nodes
        self.config = CONFIG.replace(
            num_layers=config["layers"] - 2,
            filters=config["channels"],
            auxiliary_weight=config["auxiliary_weight"],
        )
        self.network = build_micro_network(
            self.architecture,
            self.config,
            input_shape=self.fixture["x"].shape[1:],
            num_classes=self.fixture["logits_eval"].shape[1],
            portable=False,
        )
        self.names = darts_names(self.network, self.fixture)
        assign_portable_weights(self.network, darts_weights(self.network, self.fixture))
        self.portable = FORM.to_portable(self.network, self.architecture, self.config)
        # Evaluation first: training moves the statistics.
        self.portable_logits = {
            mode: self.portable(self.fixture["x"], training=mode == "train")
            for mode in ("eval", "train")
        }
        self.fast_logits = self.network(self.fixture["x"], training=False)[0]
        labels = tf.constant(self.fixture["y"])
        with tf.GradientTape() as tape:
            self.logits, self.auxiliary = self.network(self.fixture["x"], training=True)
            objective, _ = image_objective(
                labels, [self.logits, self.auxiliary], self.config.auxiliary_weight
            )
            objective /= len(labels)
        self.gradients = tape.gradient(objective, self.network.trainable_variables)


@pytest.fixture(scope="module", params=golden_names("darts_*_child.npz"))
def child(request):
    return Child(request.param)


@pytest.fixture(scope="module")
def unread(child):
    """Arrays of inputs that no node reads: the authors' networks have them, a Keras model not."""
    names = {f"child/{name}" for own in child.names.values() for name in own}
    return {
        name: array
        for name, array in child.fixture.items()
        if name.startswith("child/") and name not in names
    }


def test_every_array_of_the_authors_has_its_place(child, unread):
    read = [
        {operand.input for node in cell.nodes for operand in node.operands}
        for cell in child.architecture.cells.values()
    ]
    assert (not unread) is all({0, 1} <= inputs for inputs in read)


@pytest.mark.parametrize("mode", ["eval", "train"])
def test_logits_of_the_portable_network(child, mode):
    assert_close(child.portable_logits[mode], child.fixture[f"logits_{mode}"])


def test_logits_of_the_fast_network(child):
    assert_close(child.fast_logits, child.fixture["logits_eval"])
    assert_close(child.logits, child.fixture["logits_train"])


def test_auxiliary_logits(child):
    # The fixture's agree with float64 to 1e-5.
    assert_close(child.auxiliary, child.fixture["aux_logits_train"], tolerance=5e-5)


def test_losses(child):
    labels = tf.constant(child.fixture["y"])
    for logits, name in ((child.logits, "loss_train"), (child.auxiliary, "aux_loss_train")):
        loss = classification_metrics(labels, logits).loss / len(labels)
        assert_close(loss, child.fixture[name])


def test_gradient_norm(child):
    # The fixture's norm agrees with float64 to 1e-4.
    norm = tf.linalg.global_norm(child.gradients)
    assert_close(norm, child.fixture["grad_global_norm"], tolerance=2e-4)


def test_number_of_parameters_of_the_fixture(child, unread):
    number = sum(int(np.prod(v.shape)) for v in child.portable.trainable_variables)
    number += sum(array.size for name, array in unread.items() if ".running_" not in name)
    assert number == child.fixture["config"]["parameters_without_auxiliary"]


@pytest.mark.parametrize("name", ["darts_v1", "darts_v2"])
def test_numbers_of_parameters_at_the_published_size(name):
    counts = load_golden("darts_param_counts.json")[name]
    config = CONFIG.replace(num_layers=18, filters=36, auxiliary_weight=0.4)
    costs = [
        MicroSpace().costs(PUBLISHED[name], config, portable=portable).parameters
        for portable in (True, False)
    ]
    assert costs == [counts["without_auxiliary"], counts["with_auxiliary"]]


def test_moving_statistics_move_as_those_of_the_authors(child):
    """PyTorch's momentum 0.1 is a share of the new, ours a share of the old."""
    before = darts_weights(child.network, child.fixture)["stem_normalization"][2]
    batch = tf.reduce_mean(child.network.get_layer("stem")(child.fixture["x"]), axis=[0, 1, 2])
    after = portable_weights(child.network)["stem_normalization"][2]
    assert_close(after, 0.9 * before + 0.1 * batch)
