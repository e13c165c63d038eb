"""The derived networks against the release's micro children."""

import numpy as np
import pytest
import tensorflow as tf

from enas_tf.spaces.images.network_builder import assign_portable_weights
from enas_tf.spaces.micro.architecture import MicroArchitecture, MicroCell
from enas_tf.spaces.micro.config import MicroNetworkConfig
from enas_tf.spaces.micro.network import FORM, build_micro_network
from enas_tf.training.image_metrics import classification_metrics, image_objective
from enas_tf.training.optimizers import add_weight_decay, sum_of_squares
from tests.golden_fixtures import assert_close, load_golden
from tests.release_network_weights import (
    fixed_child_variable,
    fixed_child_weights,
    search_child_weights,
)

pytestmark = pytest.mark.parity


def is_auxiliary(variable):
    return variable.path.startswith("auxiliary_")


def number_of(variables):
    return sum(int(np.prod(variable.shape)) for variable in variables)


class Child:
    """The fixture of the fixed child, and the fast network with its weights."""

    def __init__(self):
        self.fixture = load_golden("micro_fixed_child.npz")
        config = self.fixture["config"]
        self.weight_decay = config["l2_reg"]
        self.architecture = MicroArchitecture.from_release_string(config["fixed_arc"])
        self.config = MicroNetworkConfig(
            num_layers=config["num_layers"],
            filters=config["out_filters"],
            dropout_rate=1.0 - config["keep_prob"],
            drop_path_rate=0.0,
            auxiliary_weight=config["aux_weight"],
        )
        self.network = build_micro_network(
            self.architecture,
            self.config,
            input_shape=self.fixture["x"].shape[1:],
            num_classes=self.fixture["logits_eval"].shape[1],
            portable=False,
        )
        assign_portable_weights(self.network, fixed_child_weights(self.network, self.fixture))
        portable = FORM.to_portable(self.network, self.architecture, self.config)
        # Evaluation first: training moves the statistics.
        self.portable_logits = {
            mode: portable(self.fixture["x"], training=mode == "train")
            for mode in ("eval", "train")
        }
        self.variables = [v for v in self.network.trainable_variables if not is_auxiliary(v)]
        self._train()

    def _train(self):
        """Runs one pass in training mode, with moving statistics that start at zero."""
        self.statistics = [v for v in self.network.non_trainable_variables if "moving_" in v.path]
        for variable in self.statistics:
            variable.assign(tf.zeros_like(variable.value))
        labels = tf.constant(self.fixture["y"])
        with tf.GradientTape() as tape:
            self.logits, self.auxiliary = self.network(self.fixture["x"], training=True)
            objective, _ = image_objective(
                labels, [self.logits, self.auxiliary], self.config.auxiliary_weight
            )
            self.objective = objective / len(labels)
        gradients = tape.gradient(self.objective, self.variables)
        gradients = add_weight_decay(gradients, self.variables, self.weight_decay)
        self.gradients = {fixed_child_variable(v): g for v, g in zip(self.variables, gradients)}


@pytest.fixture(scope="module")
def child():
    return Child()


def test_every_variable_of_the_release_has_its_place(child):
    ours = {fixed_child_variable(v) for v in child.network.weights if "num_calls" not in v.path}
    assert ours == {name for name in child.fixture if name.startswith("child/")}


@pytest.mark.parametrize("mode", ["eval", "train"])
def test_logits_of_the_portable_network(child, mode):
    assert_close(child.portable_logits[mode], child.fixture[f"logits_{mode}"])


def test_logits_of_the_fast_network(child):
    assert_close(child.logits, child.fixture["logits_train"])


def test_auxiliary_logits(child):
    assert_close(child.auxiliary, child.fixture["aux_logits_train"])


def test_losses(child):
    labels = tf.constant(child.fixture["y"])
    for logits, name in ((child.logits, "loss"), (child.auxiliary, "aux_loss")):
        loss = classification_metrics(labels, logits).loss / len(labels)
        assert_close(loss, child.fixture[name])
    squares = sum_of_squares(child.variables)
    assert_close(squares, child.fixture["l2_sum"])
    assert_close(child.objective + child.weight_decay * squares, child.fixture["total_loss"])


def test_gradient_norms(child):
    global_norm = child.fixture["grad_global_norm"]
    names = {name for name in child.fixture if name.startswith("grad_norm/")}
    assert {f"grad_norm/{name}" for name in child.gradients} == names
    for name, gradient in child.gradients.items():
        difference = np.linalg.norm(gradient.numpy()) - child.fixture[f"grad_norm/{name}"]
        # Long sums in single precision: on one thread the error is 1.2e-5, on two below 1e-5.
        assert abs(difference) <= 2e-5 * global_norm, name
    assert_close(tf.linalg.global_norm(list(child.gradients.values())), global_norm)


def test_statistics_of_a_pass(child):
    # The release's are free of their initial values: after one pass they are the batch's. Ours
    # started at zero. The release's variance is the unbiased one.
    counts = {
        layer.name: np.prod(layer.output.shape[1:3]) * len(child.fixture["x"])
        for layer in child.network.layers
    }
    for variable in child.statistics:
        layer = variable.path.split("/")[0]
        batch = variable.numpy() / 0.1
        if "variance" in variable.path:
            batch *= counts[layer] / (counts[layer] - 1)
        assert_close(batch, child.fixture[f"after_1/{fixed_child_variable(variable)}"])


# Of the rows, 5 has one loose end in the normal cell and six in the reduction cell, 6 the other way
# round.
@pytest.mark.parametrize("row", [0, 5, 6])
def test_supernet_s_form_computes_what_the_supernet_computes(row):
    fixture = load_golden("micro_search_child.npz")
    config = fixture["config"]
    cells = (fixture[name][row].tolist() for name in ("normal_arcs", "reduce_arcs"))
    architecture = MicroArchitecture(*map(MicroCell.from_integers, cells))
    network = build_micro_network(
        architecture,
        MicroNetworkConfig(
            num_layers=config["num_layers"],
            filters=config["out_filters"],
            form="supernet",
            dropout_rate=0.0,
        ),
        input_shape=fixture["x"].shape[1:],
        num_classes=fixture["logits_train"].shape[-1],
    )
    assign_portable_weights(network, search_child_weights(network, architecture, fixture))
    assert_close(network(fixture["x"], training=True), fixture["logits_train"][row])


def test_numbers_of_parameters():
    counts = load_golden("param_counts.json")
    script = counts["cifar10_micro_final"]
    network = build_micro_network(
        MicroArchitecture.from_release_string(script["config"]["fixed_arc"]),
        MicroNetworkConfig(
            num_layers=script["config"]["num_layers"], filters=script["config"]["out_filters"]
        ),
        input_shape=(32, 32, 3),
        num_classes=10,
        portable=False,
    )
    auxiliary = [v for v in network.trainable_variables if is_auxiliary(v)]
    assert number_of(auxiliary) == script["aux_head_vars"]
    assert number_of(network.trainable_variables) == script["child_plus_aux"]


def test_number_of_parameters_of_the_auxiliary_head_in_the_search():
    script = load_golden("param_counts.json")["cifar10_micro_search"]
    network = build_micro_network(
        # The head does not depend on the cells.
        MicroArchitecture.from_release_string("0 4 1 4 0 4 1 4"),
        MicroNetworkConfig(
            num_layers=script["config"]["num_layers"],
            filters=script["config"]["out_filters"],
            form="supernet",
        ),
        input_shape=(32, 32, 3),
        num_classes=10,
        portable=False,
    )
    auxiliary = [v for v in network.trainable_variables if is_auxiliary(v)]
    assert number_of(auxiliary) == script["aux_head_vars"]
