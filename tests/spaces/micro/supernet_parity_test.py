"""The micro supernet computes what the release's computes."""

import numpy as np
import pytest
import tensorflow as tf

from enas_tf.spaces.micro.space import MicroSpace
from enas_tf.training.image_metrics import classification_metrics
from enas_tf.training.optimizers import sum_of_squares
from tests.golden_fixtures import assert_close, assert_gradient_close, load_golden
from tests.release_micro_supernet_weights import architectures, entries, load_weights, space_of

pytestmark = pytest.mark.parity


@pytest.fixture(scope="module")
def golden():
    return load_golden("micro_search_child.npz")


@pytest.fixture(scope="module")
def supernet(golden):
    supernet = space_of(golden).build_supernet()
    load_weights(supernet, golden)
    return supernet


@pytest.fixture(scope="module")
def run(supernet, golden):
    """The gradients of the cross-entropy, for any architecture in one trace."""
    images, labels = tf.constant(golden["x"]), golden["y"]
    variables = [variable.value for variable in supernet.trainable_variables]

    @tf.function(autograph=False)
    def run(decisions):
        with tf.GradientTape() as tape:
            logits, statistics = supernet.forward(images, decisions, use_batch_statistics=True)
            loss = classification_metrics(labels, logits).loss / len(labels)
        gradients = [tf.convert_to_tensor(g) for g in tape.gradient(loss, variables)]
        return logits, loss, statistics, gradients

    return lambda architecture: run(supernet.decisions_of(architecture))


@pytest.fixture(scope="module")
def results(run, golden):
    return [run(architecture) for architecture in architectures(golden)]


@pytest.fixture(scope="module")
def chosen(results, golden):
    """The results for the architecture whose gradients the fixture has."""
    return results[int(golden["grad_arc_index"])]


def test_logits_equal_the_releases(results, golden):
    for (logits, *_), expected in zip(results, golden["logits_train"], strict=True):
        assert_close(logits, expected)


def test_losses_equal_the_releases(results, golden):
    assert_close([loss for _, loss, *_ in results], golden["loss_train"])


def test_total_loss_equals_the_releases(supernet, chosen, golden):
    squares = sum_of_squares(supernet.trainable_variables)
    assert_close(chosen[1], golden["loss"])
    assert_close(squares, golden["l2_sum"])
    assert_close(chosen[1] + golden["config"]["l2_reg"] * squares, golden["total_loss"])


def test_every_gradient_equals_the_releases(supernet, chosen, golden):
    gradients = {id(v): g.numpy() for v, g in zip(supernet.trainable_variables, chosen[-1])}
    compared = 0
    for name, variable, rows in entries(supernet):
        if variable.trainable:
            expected = golden[f"grad_ce/{name}"]
            actual = gradients[id(variable)][rows].reshape(expected.shape)
            assert_gradient_close(actual, expected, golden["grad_global_norm"])
            compared += 1
    assert compared == sum(key.startswith("grad_ce/") for key in golden)


def test_gradient_norm_equals_the_releases(supernet, chosen, golden):
    factor = 2.0 * golden["config"]["l2_reg"]
    total = [g + factor * v.value for v, g in zip(supernet.trainable_variables, chosen[-1])]
    squares = sum(np.sum(np.square(gradient, dtype=np.float64)) for gradient in total)
    assert_close(np.sqrt(squares), golden["grad_global_norm"])


def test_moving_statistics_equal_the_releases(supernet, chosen, golden):
    supernet.update_statistics(chosen[2])
    compared = 0
    for name, variable, rows in entries(supernet):
        if f"after_1/{name}" in golden:
            assert_close(np.array(variable)[rows][0], golden[f"after_1/{name}"])
            compared += 1
    assert compared == sum(key.startswith("after_1/") for key in golden)


def test_loose_ends_equal_the_releases(golden):
    for name, cells in (("loose_normal", "normal"), ("loose_reduce", "reduction")):
        for architecture, expected in zip(architectures(golden), golden[name], strict=True):
            actual = getattr(architecture, cells).loose_ends
            assert list(actual) == np.flatnonzero(expected).tolist()


def test_parameter_count_of_the_search_equals_the_releases():
    counts = load_golden("param_counts.json")["cifar10_micro_search"]
    config = counts["config"]
    supernet = MicroSpace(
        num_layers=config["num_layers"],
        filters=config["out_filters"],
        num_nodes=config["num_cells"],
        num_operations=config["num_branches"],
    ).build_supernet()

    def size(variables):
        return sum(int(np.prod(variable.shape)) for variable in variables)

    auxiliary = size(supernet.auxiliary_head.trainable_variables)
    assert auxiliary == counts["aux_head_vars"]
    assert size(supernet.trainable_variables) - auxiliary == counts["child_num_vars"]
