"""Compares the macro controller with numbers computed by the authors' release."""

import functools

import numpy as np
import pytest
import tensorflow as tf

from enas_tf.layers.decisions import seed_tensor
from enas_tf.spaces.macro.architecture import MacroArchitecture, MacroChannelArchitecture
from enas_tf.spaces.macro.config import MacroControllerConfig
from enas_tf.spaces.macro.space import MacroSpace
from tests.golden_fixtures import assert_close, assert_gradient_close, load_golden
from tests.release_controller_weights import load_release_values, release_values

pytestmark = pytest.mark.parity

FORMS = ("macro_controller.npz", "macro_controller_channels.npz")


@functools.cache
def case(name):
    """Returns the fixture, the controller with its weights, and its architectures' scores."""
    fixture = load_golden(name)
    config = fixture["config"]
    space = MacroSpace(
        num_layers=config["num_layers"],
        filters=config["out_filters"],
        num_operations=config["num_branches"],
        search_whole_channels=config["search_whole_channels"],
        controller=MacroControllerConfig(
            lstm_size=config["lstm_size"],
            temperature=config["temperature"],
            tanh_constant=config["tanh_constant"],
            skip_target=config["skip_target"],
            skip_weight=config["skip_weight"],
            entropy="release",
        ),
    )
    controller = space.build_controller()
    load_release_values(fixture, controller)
    architectures = [parse(space, row) for row in fixture["arcs"]]
    return fixture, controller, architectures, controller.score(architectures)


def parse(space, integers):
    text = " ".join(map(str, integers))
    if space.search_whole_channels:
        return MacroArchitecture.from_release_string(text)
    return MacroChannelArchitecture.from_release_string(text, space.num_operations, space.filters)


def assert_gradients_close(name, prefix, quantity):
    fixture, controller, architectures, _ = case(name)
    decisions = controller.as_decisions([architectures[int(fixture["grad_arc_index"])]])
    with tf.GradientTape() as tape:
        # Eagerly: tracing the gradient would take longer than computing it once.
        fields = controller.unroll(decisions, seed_tensor(0), tf.constant(1.0))
        value = quantity(fields)[0]
    variables = [variable.value for variable in controller.trainable_variables]
    gradients = tape.gradient(value, variables, unconnected_gradients="zero")
    expected = release_values(fixture, controller, prefix)
    norm = np.sqrt(sum(np.sum(np.square(array)) for array in expected))
    for gradient, array in zip(gradients, expected, strict=True):
        assert_gradient_close(tf.convert_to_tensor(gradient), array, norm)


@pytest.mark.parametrize("name", FORMS)
def test_log_probability_is_minus_the_releases_log_prob(name):
    fixture, _, _, sample = case(name)
    assert_close(-sample.log_probability, fixture["sample_log_prob"])


@pytest.mark.parametrize("name", FORMS)
def test_release_entropy(name):
    fixture, _, _, sample = case(name)
    assert_close(sample.release_entropy, fixture["sample_entropy"])


@pytest.mark.parametrize("name", FORMS)
def test_release_entropy_counts_in_the_reward_when_asked_for(name):
    fixture, _, _, sample = case(name)
    assert_close(sample.reward_entropy, fixture["sample_entropy"])


@pytest.mark.parametrize("name", FORMS)
def test_skip_count(name):
    fixture, _, _, sample = case(name)
    np.testing.assert_array_equal(sample.skip_count, fixture["skip_count"])


def test_skip_penalty():
    fixture, _, _, sample = case("macro_controller.npz")
    assert_close(sample.skip_penalty, fixture["skip_penaltys"])
    assert_close(sample.penalty, fixture["config"]["skip_weight"] * fixture["skip_penaltys"])


@pytest.mark.parametrize("name", FORMS)
def test_gradients_of_log_probability(name):
    assert_gradients_close(name, "grad_log_prob/", lambda fields: -fields["log_probability"])


def test_gradients_of_skip_penalty():
    name = "macro_controller.npz"
    assert_gradients_close(name, "grad_skip_penaltys/", lambda fields: fields["skip_penalty"])


def test_number_of_parameters():
    counts = load_golden("param_counts.json")["cifar10_macro_search"]
    space = MacroSpace(
        num_layers=counts["config"]["num_layers"], num_operations=counts["config"]["num_branches"]
    )
    assert space.build_controller().count_params() == counts["controller_num_vars"]
