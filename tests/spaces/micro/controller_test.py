"""Tests of the micro controller."""

import functools
import itertools

import numpy as np
import pytest
import tensorflow as tf

from enas_tf.errors import ArchitectureError
from enas_tf.layers.decisions import FREE
from enas_tf.searching.policy import PolicyGradient
from enas_tf.settings.strategies import PolicyConfig
from enas_tf.spaces.micro.architecture import MicroArchitecture, MicroOperation
from enas_tf.spaces.micro.config import MicroControllerConfig
from enas_tf.spaces.micro.decisions import MicroDecisions
from enas_tf.spaces.micro.space import MicroSpace
from tests.spaces.traced_graph import transposed_types

# A wide initial range makes the distributions far from uniform.
WIDE = MicroControllerConfig(lstm_size=8, initial_range=1.0, separable_start_bias=0.0)


def build_space(**changes):
    return MicroSpace(**{"num_nodes": 3, "num_operations": 4, "controller": WIDE, **changes})


@functools.cache
def build_controller():
    return build_space().build_controller(seed=1)


def set_to_zero(controller):
    """Sets all weights but the bias of the operations to zero."""
    bias = controller.head.bias.numpy()
    for weight in controller.weights:
        weight.assign(tf.zeros_like(weight))
    controller.head.bias.assign(bias)


def operation_probabilities(decisions, num_operations):
    """Returns the frequencies of operations in each cell, `[2, num_operations]`."""
    one_hot = np.eye(num_operations)[decisions.operations.numpy()]
    return np.mean(one_hot, axis=(0, 2, 3))


def test_score_returns_the_given_decisions():
    decisions = build_space().encode([build_space().random_architecture(n) for n in range(9)])
    scored = build_controller().score(decisions).decisions
    np.testing.assert_array_equal(scored.inputs, decisions.inputs)
    np.testing.assert_array_equal(scored.operations, decisions.operations)


def test_score_does_not_depend_on_the_rest_of_the_batch():
    sample = build_controller().sample(20, seed=4)
    for number in (0, 7):
        alone = build_controller().score([sample.architectures[number]])
        np.testing.assert_allclose(
            alone.log_probability[0], sample.log_probability[number], rtol=1e-5
        )


def test_sampled_inputs_are_earlier_tensors_and_all_of_them_occur():
    inputs = build_controller().sample(500, seed=0).decisions.inputs.numpy()
    for cell, node in itertools.product(range(2), range(3)):
        assert set(inputs[:, cell, node].ravel()) == set(range(node + 2))


def test_sampled_operations_are_those_of_the_space():
    operations = build_controller().sample(500, seed=0).decisions.operations.numpy()
    assert set(operations.ravel()) == set(range(4))


def test_input_that_is_not_earlier_is_impossible():
    decisions = build_controller().sample(1, seed=0).decisions
    inputs = decisions.inputs.numpy()
    inputs[0, 1, 0, 1] = 2
    assert build_controller().score(MicroDecisions(inputs, decisions[1])).log_probability == -np.inf


def test_probabilities_of_all_architectures_sum_to_one():
    space = build_space(num_nodes=1, num_operations=2)
    places = [range(2)] * 8
    architectures = [
        MicroArchitecture.from_release_string(" ".join(map(str, numbers)))
        for numbers in itertools.product(*places)
    ]
    assert len(set(architectures)) == space.num_architectures
    log_probability = space.build_controller().score(architectures).log_probability
    assert np.std(log_probability) > 0.1
    np.testing.assert_allclose(np.sum(np.exp(log_probability)), 1.0, rtol=1e-5)


def test_reduction_cell_depends_on_the_normal_cell():
    controller = build_controller()
    first, second = (controller.space.random_architecture(seed) for seed in (0, 1))
    likelihoods = controller.score(
        [
            MicroArchitecture(normal, reduction)
            for normal in (first.normal, second.normal)
            for reduction in (first.reduction, second.reduction)
        ]
    ).log_probability
    ratios = np.diff(np.reshape(likelihoods, (2, 2)))
    assert abs(ratios[0] - ratios[1]) > 1e-3


def test_entropy_is_the_mean_of_minus_log_probability():
    sample = build_controller().sample(4000, seed=0)
    np.testing.assert_allclose(np.mean(sample.entropy), -np.mean(sample.log_probability), rtol=0.02)


def test_entropy_is_between_zero_and_that_of_uniform_choices():
    sample = build_controller().sample(50, seed=0)
    assert np.all(sample.entropy > 0)
    assert np.all(sample.entropy < np.log(float(build_space().num_architectures)))


def test_reward_has_the_full_entropy_and_there_is_no_penalty():
    sample = build_controller().sample(5, seed=0)
    np.testing.assert_array_equal(sample.reward_entropy, sample.entropy)
    np.testing.assert_array_equal(sample.penalty, np.zeros(5, np.float32))


def test_without_weights_only_the_biases_decide():
    """The trained bias counts in both cells, the fixed one only in the normal cell."""
    config = MicroControllerConfig(
        lstm_size=4,
        tanh_constant=2.0,
        operation_tanh_reduction=4.0,
        separable_start_bias=0.3,
        separable_fixed_bias=0.2,
    )
    controller = build_space(controller=config).build_controller()
    set_to_zero(controller)
    sample = controller.sample(10, seed=0)
    is_separable = np.array([1.0, 1.0, 0.0, 0.0])
    logits = 0.5 * np.tanh(0.3) * is_separable + np.outer([1, 0], 0.4 * is_separable - 0.2)
    log_probabilities = logits - np.log(np.sum(np.exp(logits), axis=1, keepdims=True))
    operations = sample.decisions.operations.numpy()
    of_operations = sum(log_probabilities[c][operations[:, c]].sum((1, 2)) for c in range(2))
    of_inputs = -4 * np.log(2 * 3 * 4)
    np.testing.assert_allclose(sample.log_probability, of_inputs + of_operations, rtol=1e-5)
    entropies = -np.sum(np.exp(log_probabilities) * log_probabilities, axis=1)
    np.testing.assert_allclose(sample.entropy, [6 * sum(entropies) - of_inputs] * 10, rtol=1e-5)


def test_separable_convolutions_are_the_likeliest_at_first():
    space = MicroSpace()
    decisions = space.build_controller().sample(200, seed=0).decisions
    normal, reduction = operation_probabilities(decisions, space.num_operations)
    is_separable = [operation.is_separable for operation in space.searched_operations]
    # Logits 0.44 and 0, in the normal cell ± 0.25.
    np.testing.assert_allclose(np.sum(normal[is_separable]), 0.63, atol=0.04)
    np.testing.assert_allclose(np.sum(reduction[is_separable]), 0.51, atol=0.04)


@pytest.mark.parametrize(("num_nodes", "num_operations"), [(1, 1), (1, 5), (7, 2)])
def test_any_number_of_nodes_and_operations(num_nodes, num_operations):
    space = build_space(num_nodes=num_nodes, num_operations=num_operations)
    controller = space.build_controller()
    sample = controller.sample(3, seed=0)
    assert sample.decisions.inputs.shape == (3, 2, num_nodes, 2)
    for architecture in sample.architectures:
        space.check(architecture)
    assert np.all(np.isfinite(sample.log_probability))
    score = controller.score(sample.architectures)
    np.testing.assert_array_equal(score.log_probability, sample.log_probability)


def test_logits_need_neither_temperature_nor_tanh():
    plain, hot = (
        build_space(
            controller=WIDE.replace(tanh_constant=None, temperature=temperature)
        ).build_controller()
        for temperature in (None, 5.0)
    )
    architectures = plain.sample(20, seed=0).architectures
    plain_entropy, hot_entropy = (c.score(architectures).entropy.numpy() for c in (plain, hot))
    assert np.all(hot_entropy > plain_entropy)


def test_weights_start_within_the_initial_range():
    config = MicroControllerConfig(lstm_size=16, initial_range=0.1)
    controller = build_space(controller=config).build_controller(seed=7)
    for weight in controller.weights:
        if weight is not controller.head.bias:
            assert 0.05 < np.max(np.abs(weight)) <= 0.1


def test_free_decisions_are_drawn_and_given_ones_kept():
    decisions = build_controller().sample(50, seed=1).decisions
    partly = decisions._replace(operations=np.full((50, 2, 3, 2), FREE, np.int32))
    completed = build_controller().score(partly).decisions
    np.testing.assert_array_equal(completed.inputs, decisions.inputs)
    assert np.all(completed.operations >= 0)


def test_architecture_of_another_space_is_an_error():
    other = build_space(num_nodes=4).random_architecture(0)
    with pytest.raises(ArchitectureError, match="4 nodes"):
        build_controller().score([other])


@functools.cache
def traced_policy():
    """Returns an update that is traced once for all tests."""
    config = PolicyConfig(learning_rate=0.05, baseline_decay=0.9)
    policy = PolicyGradient(build_space(num_nodes=2).build_controller(seed=1), config)
    policy._traced_step.get_concrete_function()
    return policy


def test_update_transposes_no_integers():
    """oneDNN writes a message about it on many CPUs."""
    types = transposed_types(traced_policy()._traced_step)
    assert tf.int32.as_datatype_enum not in types


def test_controller_learns_to_prefer_an_operation_and_an_input():
    def reward(architecture):
        nodes = [node for cell in architecture.cells.values() for node in cell.nodes]
        operands = [operand for node in nodes for operand in node.operands]
        wanted = MicroOperation.MAX_POOLING_3X3
        return np.mean([(o.operation == wanted) + (o.input == 1) for o in operands]) / 2

    policy = traced_policy()

    def mean_reward():
        sample = policy.controller.sample(200, seed=10**6)
        return np.mean([reward(architecture) for architecture in sample.architectures])

    before = mean_reward()
    for step in range(60):
        architectures = policy.controller.sample(10, seed=step).architectures
        policy.update(architectures, [reward(architecture) for architecture in architectures])
    assert before < 0.45
    assert mean_reward() > before + 0.2
