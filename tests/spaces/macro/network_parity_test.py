"""The derived network against the release's fixed macro child (plain convolutions)."""

import re

import numpy as np
import pytest
import tensorflow as tf

from enas_tf.spaces.macro.architecture import MacroArchitecture
from enas_tf.spaces.macro.config import MacroNetworkConfig
from enas_tf.spaces.macro.network import build_macro_network
from enas_tf.spaces.macro.published import ENAS_MACRO_RELEASE
from enas_tf.training.image_metrics import classification_metrics
from enas_tf.training.optimizers import add_weight_decay, sum_of_squares
from tests.golden_fixtures import assert_close, load_golden

pytestmark = pytest.mark.parity

STATISTICS = ("moving_mean", "moving_variance")
WEIGHTS = {"kernel": "w", "gamma": "scale", "beta": "offset"}


def release_name(variable):
    """Returns the release's name of a variable of a portable network."""
    layer, weight = variable.path.split("/")[-2:]
    weight = WEIGHTS.get(weight, weight)
    layer, is_normalization, _ = layer.partition("_normalization")
    number, _, part = re.match(r"(layer_\d+|\w+?)(_(\w+))?$", layer).groups()
    if layer in ("stem", "classifier"):
        path = {"stem": "stem_conv", "classifier": "fc"}[layer]
    elif part.startswith("reduce"):
        source, path_number = re.match(r"reduce_(\d+)(?:_path_(\d))?", part).groups()
        path = f"{number}/pool_at_{number[6:]}/from_{source}"
        path += f"/path{path_number}_conv" if path_number else ""
    else:
        path = f"{number}/{part}"
    return f"child/{path}/" + ("bn/" if is_normalization else "") + weight


class Child:
    """The fixture, and the network with its weights."""

    def __init__(self):
        self.fixture = load_golden("macro_fixed_child.npz")
        config = self.fixture["config"]
        self.weight_decay = config["l2_reg"]
        architecture = MacroArchitecture.from_release_string(config["fixed_arc"])
        settings = MacroNetworkConfig(
            filters=config["out_filters"], separable=False, dropout_rate=0.0
        )
        sizes = {
            "input_shape": self.fixture["x"].shape[1:],
            "num_classes": self.fixture["logits_eval"].shape[1],
        }
        self.network = build_macro_network(architecture, settings, **sizes)
        operations = {
            f"layer_{i}/operation": f"layer_{i}/conv_{o.operation.kernel_size}x"
            f"{o.operation.kernel_size}"
            for i, o in enumerate(architecture.layers)
        }
        self.names = []
        for variable in self.network.weights:
            name = release_name(variable).replace("/project/", "/conv_1x1/")
            for ours, theirs in operations.items():
                name = name.replace(f"/{ours}/", f"/{theirs}/")
            self.names.append(name)
            variable.assign(self.fixture[name])
        self.trained = [
            name
            for name in self.fixture
            if name.startswith("child/") and not name.endswith(STATISTICS)
        ]

    def unread(self):
        """Trained variables of reductions that no later layer reads; we leave them out."""
        return [self.fixture[name] for name in self.trained if name not in self.names]

    def gradients(self):
        """Returns loss, gradient of the whole loss, by the release's names."""
        variables = self.network.trainable_variables
        with tf.GradientTape() as tape:
            logits = self.network(self.fixture["x"], training=True)
            metrics = classification_metrics(tf.constant(self.fixture["y"]), logits)
            loss = metrics.loss / metrics.examples
        gradients = tape.gradient(loss, variables)
        gradients = add_weight_decay(gradients, variables, self.weight_decay)
        by_variable = {id(v): n for v, n in zip(self.network.weights, self.names)}
        names = [by_variable[id(v)] for v in variables]
        return loss, dict(zip(names, gradients))


@pytest.fixture(scope="module")
def child():
    return Child()


def test_only_reductions_that_nothing_reads_are_left_out(child):
    missing = [name for name in child.trained if name not in child.names]
    assert all("/pool_at_" in name for name in missing)


@pytest.mark.parametrize("mode", ["eval", "train"])
def test_logits(child, mode):
    statistics = [v.numpy() for v in child.network.non_trainable_variables]
    logits = child.network(child.fixture["x"], training=mode == "train")
    for variable, value in zip(child.network.non_trainable_variables, statistics):
        variable.assign(value)
    assert_close(logits, child.fixture[f"logits_{mode}"])


def test_losses(child):
    loss, _ = child.gradients()
    squares = sum_of_squares(child.network.trainable_variables)
    squares += sum(np.sum(np.square(value)) for value in child.unread())
    assert_close(loss, child.fixture["loss"])
    assert_close(squares, child.fixture["l2_sum"])
    assert_close(loss + child.weight_decay * squares, child.fixture["total_loss"])


def test_gradient_norms(child):
    _, gradients = child.gradients()
    global_norm = child.fixture["grad_global_norm"]
    for name, gradient in gradients.items():
        difference = np.linalg.norm(gradient.numpy()) - child.fixture[f"grad_norm/{name}"]
        assert abs(difference) <= 1e-5 * global_norm, name
    decay_only = [2.0 * child.weight_decay * value for value in child.unread()]
    assert_close(tf.linalg.global_norm([*gradients.values(), *decay_only]), global_norm)


def test_number_of_parameters_of_the_release_s_final_network():
    counts = load_golden("param_counts.json")["cifar10_macro_final"]
    network = build_macro_network(
        ENAS_MACRO_RELEASE,
        MacroNetworkConfig(separable=False),
        input_shape=(32, 32, 3),
        num_classes=10,
    )
    number = sum(int(np.prod(v.shape)) for v in network.trainable_variables)
    assert number == counts["child_num_vars"]
