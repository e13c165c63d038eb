"""The macro supernet computes what the release's computes, operation bound correctly."""

import re

import numpy as np
import pytest
import tensorflow as tf

from enas_tf.spaces.macro.architecture import MacroArchitecture
from enas_tf.training.image_metrics import classification_metrics
from enas_tf.training.optimizers import add_weight_decay, sum_of_squares
from tests.golden_fixtures import assert_close, assert_gradient_close, load_golden
from tests.release_supernet_weights import entries, load_weights, of_entry, space_of

pytestmark = pytest.mark.parity


@pytest.fixture(scope="module")
def golden():
    return load_golden("macro_search_child.npz")


@pytest.fixture(scope="module")
def supernet(golden):
    return space_of(golden).build_supernet()


@pytest.fixture(scope="module")
def forward(supernet):
    return tf.function(supernet.forward, autograph=False)


@pytest.fixture(autouse=True)
def _weights(supernet, golden):
    load_weights(supernet, golden)
    for bank in supernet.normalization_banks().values():
        bank.num_updates.assign(tf.zeros_like(bank.num_updates.value))


def architectures(golden):
    return [
        MacroArchitecture.from_release_string(" ".join(map(str, arc))) for arc in golden["arcs"]
    ]


@pytest.mark.parametrize("mode", ["train", "eval"])
def test_logits_equal_the_releases(supernet, forward, golden, mode):
    for architecture, expected in zip(architectures(golden), golden[f"logits_{mode}"]):
        decisions = supernet.decisions_of(architecture)
        logits, _ = forward(golden["x"], decisions, use_batch_statistics=mode == "train")
        assert_close(logits, expected)


def test_losses_equal_the_releases(supernet, forward, golden):
    losses = []
    for architecture in architectures(golden):
        decisions = supernet.decisions_of(architecture)
        logits, _ = forward(golden["x"], decisions, use_batch_statistics=True)
        losses.append(classification_metrics(golden["y"], logits).loss / len(golden["y"]))
    assert_close(losses, golden["loss_train"])


@pytest.fixture(scope="module")
def gradients(supernet, golden):
    load_weights(supernet, golden)
    architecture = architectures(golden)[int(golden["grad_arc_index"])]
    decisions = supernet.decisions_of(architecture)
    variables = [variable.value for variable in supernet.trainable_variables]
    factor = golden["config"]["l2_reg"]

    @tf.function(autograph=False)
    def compute():
        with tf.GradientTape() as tape:
            logits, _ = supernet.forward(golden["x"], decisions, use_batch_statistics=True)
            loss = classification_metrics(golden["y"], logits).loss / len(golden["y"])
        return loss, add_weight_decay(tape.gradient(loss, variables), variables, factor)

    loss, dense = compute()
    return loss, {id(v): g.numpy() for v, g in zip(supernet.trainable_variables, dense)}


def test_total_loss_equals_the_releases(supernet, gradients, golden):
    squares = sum_of_squares(supernet.trainable_variables)
    assert_close(gradients[0], golden["loss"])
    assert_close(squares, golden["l2_sum"])
    total = gradients[0] + golden["config"]["l2_reg"] * squares
    assert_close(total, golden["total_loss"])


def test_every_gradient_equals_the_releases(supernet, gradients, golden):
    compared = 0
    for name, variable, entry, layout in entries(supernet):
        if variable.trainable:
            actual = of_entry(gradients[1][id(variable)], entry, layout)
            assert_gradient_close(actual, golden[f"grad/{name}"], golden["grad_global_norm"])
            compared += 1
    assert compared == sum(key.startswith("grad/") for key in golden)


def test_gradient_norm_equals_the_releases(gradients, golden):
    norm = np.sqrt(sum(np.sum(np.square(g, dtype=np.float64)) for g in gradients[1].values()))
    assert_close(norm, golden["grad_global_norm"])


def test_moving_statistics_of_what_ran_equal_the_releases(supernet, golden):
    architecture = architectures(golden)[int(golden["grad_arc_index"])]
    step = tf.function(lambda x: supernet(x, architecture, training=True), autograph=False)
    for number, images in enumerate((golden["x"], golden["x2"]), 1):
        step(images)
        for name, variable, entry, layout in entries(supernet):
            if variable.trainable or not ran(name, architecture):
                continue
            expected = golden[f"after_{number}/{name}"]
            assert_close(of_entry(np.array(variable), entry, layout), expected)


def ran(name, architecture):
    """Whether a variable belongs to an operation that the architecture runs."""
    match = re.match(r"child/layer_(\d+)/branch_(\d+)/", name)
    return match is None or architecture.layers[int(match[1])].operation == int(match[2])


def test_parameter_count_of_the_search_equals_the_releases():
    from enas_tf.spaces.macro.presets import SEARCH_PRESETS

    counts = load_golden("param_counts.json")["cifar10_macro_search"]
    supernet = SEARCH_PRESETS["release"].space.build_supernet()
    variables = supernet.trainable_variables
    assert sum(int(np.prod(v.shape)) for v in variables) == counts["child_num_vars"]
