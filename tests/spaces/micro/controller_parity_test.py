"""Compares the micro controller with numbers computed by the authors' release."""

import functools

import numpy as np
import pytest
import tensorflow as tf

from enas_tf.layers.decisions import seed_tensor
from enas_tf.spaces.micro.architecture import MicroArchitecture
from enas_tf.spaces.micro.config import MicroControllerConfig
from enas_tf.spaces.micro.space import MicroSpace
from tests.golden_fixtures import assert_close, assert_gradient_close, load_golden
from tests.release_controller_weights import load_release_values, release_values

pytestmark = pytest.mark.parity


def build_space(config):
    settings = {name: config[name] for name in ("lstm_size", "temperature", "tanh_constant")}
    return MicroSpace(
        num_nodes=config["num_cells"],
        num_operations=config["num_branches"],
        controller=MicroControllerConfig(
            **settings, operation_tanh_reduction=config["op_tanh_reduce"]
        ),
    )


@functools.cache
def case():
    """Returns the fixture, the controller with its weights, and its architectures' scores."""
    fixture = load_golden("micro_controller.npz")
    controller = build_space(fixture["config"]).build_controller()
    load_release_values(fixture, controller)
    architectures = [
        MicroArchitecture.from_release_string(" ".join(map(str, (*normal, *reduction))))
        for normal, reduction in zip(fixture["normal_arcs"], fixture["reduce_arcs"])
    ]
    return fixture, controller, architectures, controller.score(architectures)


def test_log_probability_is_minus_the_releases_log_prob():
    fixture, _, _, sample = case()
    assert_close(-sample.log_probability, fixture["sample_log_prob"])


def test_entropy():
    fixture, _, _, sample = case()
    assert_close(sample.entropy, fixture["sample_entropy"])


def test_gradients_of_log_probability():
    fixture, controller, architectures, _ = case()
    decisions = controller.as_decisions([architectures[int(fixture["grad_arc_index"])]])
    with tf.GradientTape() as tape:
        # Eagerly: tracing the gradient would take longer than computing it once.
        value = -controller.unroll(decisions, seed_tensor(0), tf.constant(1.0))["log_probability"]
    variables = [variable.value for variable in controller.trainable_variables]
    gradients = tape.gradient(value, variables)
    expected = release_values(fixture, controller, "grad_log_prob/")
    norm = np.sqrt(sum(np.sum(np.square(array)) for array in expected))
    for gradient, array in zip(gradients, expected, strict=True):
        assert_gradient_close(tf.convert_to_tensor(gradient), array, norm)


def test_bias_of_operations_starts_as_in_the_release():
    fixture, _, _, _ = case()
    controller = build_space(fixture["config"]).build_controller()
    np.testing.assert_array_equal(controller.head.bias, fixture["softmax_b_initial"][0])


def test_number_of_parameters():
    counts = load_golden("param_counts.json")["cifar10_micro_search"]
    space = MicroSpace(
        num_nodes=counts["config"]["num_cells"], num_operations=counts["config"]["num_branches"]
    )
    assert space.build_controller().count_params() == counts["controller_num_vars"]
