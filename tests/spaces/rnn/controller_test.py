"""Tests of the rnn controller."""

import functools
import itertools

import numpy as np
import pytest
import tensorflow as tf

from enas_tf.errors import ArchitectureError
from enas_tf.layers.decisions import FREE
from enas_tf.searching.policy import PolicyGradient
from enas_tf.settings.strategies import PolicyConfig
from enas_tf.spaces.rnn.architecture import RnnArchitecture, RnnFunction
from enas_tf.spaces.rnn.config import RnnControllerConfig
from enas_tf.spaces.rnn.space import RnnSpace
from tests.spaces.traced_graph import transposed_types

NUM_NODES = 4
# A wide initial range makes the distributions far from uniform.
WIDE = RnnControllerConfig(lstm_size=8, initial_range=1.5, temperature=1.0)


def build_space(num_nodes=NUM_NODES, **changes):
    return RnnSpace(num_nodes=num_nodes, controller=WIDE.replace(**changes))


@functools.cache
def build_controller(num_nodes=NUM_NODES):
    return build_space(num_nodes).build_controller(seed=1)


def random_architectures(number):
    return [build_space().random_architecture(seed) for seed in range(number)]


def sigmoid(x):
    return 1.0 / (1.0 + np.exp(-x))


class Reference:
    """The release's rules, written step by step for one architecture."""

    def __init__(self, controller):
        self.config = controller.config
        cell = controller.cell
        # Keras's LSTM: input, forget, candidate and output gates.
        self.kernel = np.concatenate([cell.kernel, cell.recurrent_kernel]).astype(np.float64)
        self.start_input = controller.start_input.numpy()[0]
        self.embeddings = controller.function_embeddings.numpy()
        self.key_kernel = controller.key_kernel.numpy()
        self.query_kernel = controller.query_kernel.numpy()
        self.attention_vector = controller.attention_vector.numpy()[:, 0]

    def squash(self, logits):
        if self.config.temperature is not None:
            logits = logits / self.config.temperature
        if self.config.tanh_constant is not None:
            logits = self.config.tanh_constant * np.tanh(logits)
        return logits

    def score(self, architecture):
        """Returns the log-probability, the entropy and the release's entropy."""
        hidden = memory = np.zeros(self.config.lstm_size)
        anchors, keys = [hidden], [hidden]
        terms, inputs = [], self.start_input

        def step():
            gates = np.concatenate([inputs, hidden]) @ self.kernel
            i, f, c, o = np.split(gates, 4)
            new_memory = sigmoid(f) * memory + sigmoid(i) * np.tanh(c)
            return sigmoid(o) * np.tanh(new_memory), new_memory

        for i, node in enumerate(architecture.nodes, 1):
            hidden, memory = step()
            query = hidden @ self.query_kernel
            scores = [self.attention_vector @ np.tanh(key + query) for key in keys]
            logits = self.squash(np.array(scores))
            if self.config.distance_divisor is not None:
                logits -= [(i - j) ** 2 / self.config.distance_divisor for j in range(i)]
            terms.append((logits, node.previous))
            inputs = anchors[node.previous] / (0.1 + (i - node.previous))
            anchors.append(hidden)
            keys.append(hidden @ self.key_kernel)
            hidden, memory = step()
            terms.append((self.squash(self.embeddings @ hidden), int(node.function)))
            inputs = self.embeddings[node.function]

        log_probability = entropy = release_entropy = 0.0
        for logits, choice in terms:
            logs = logits - np.log(np.sum(np.exp(logits)))
            log_probability += logs[choice]
            entropy -= np.exp(logs) @ logs
            release_entropy -= np.exp(logs[choice]) * logs[choice]
        return log_probability, entropy, release_entropy


@pytest.mark.parametrize(
    ("num_nodes", "changes"),
    [
        (3, {}),
        (5, {"temperature": 5.0, "entropy": "release"}),
        (3, {"tanh_constant": None, "temperature": None, "distance_divisor": None}),
    ],
)
def test_scores_are_those_of_the_rules_written_in_numpy(num_nodes, changes):
    space = build_space(num_nodes, **changes)
    controller = space.build_controller(seed=3)
    architectures = [space.random_architecture(seed) for seed in range(6)]
    sample = controller.score(architectures)
    expected = np.array([Reference(controller).score(a) for a in architectures]).T
    reward_entropy = expected[2 if "entropy" in changes else 1]
    assert np.std(expected[0]) > 0.3
    np.testing.assert_allclose(sample.log_probability, expected[0], rtol=1e-5)
    np.testing.assert_allclose(sample.entropy, expected[1], rtol=1e-5)
    np.testing.assert_allclose(sample.reward_entropy, reward_entropy, rtol=1e-5)


def test_weights_are_those_of_the_release():
    controller = RnnSpace().build_controller()
    size, gates, functions = 64, 4, 4
    of_lstm = 2 * size * gates * size
    of_attention = 2 * size * size + size
    of_inputs = size + functions * size
    assert controller.count_params() == of_lstm + of_attention + of_inputs == 41_344


def test_score_returns_the_given_decisions():
    decisions = build_space().encode(random_architectures(9))
    scored = build_controller().score(decisions).decisions
    np.testing.assert_array_equal(scored.previous, decisions.previous)
    np.testing.assert_array_equal(scored.functions, decisions.functions)


def test_sampled_nodes_are_earlier_ones_and_all_of_them_occur():
    previous = build_controller().sample(1000, seed=0).decisions.previous.numpy()
    for node in range(NUM_NODES):
        assert set(previous[:, node]) == set(range(node + 1))


def test_all_functions_occur():
    functions = build_controller().sample(500, seed=0).decisions.functions.numpy()
    assert set(functions.ravel()) == set(range(4))


def test_a_node_that_is_not_earlier_is_impossible():
    decisions = build_controller().sample(1, seed=0).decisions
    previous = decisions.previous.numpy()
    previous[0, 1] = 2
    score = build_controller().score(decisions._replace(previous=previous))
    assert score.log_probability == -np.inf


def test_probabilities_of_all_architectures_sum_to_one():
    space = build_space(num_nodes=2)
    choices = itertools.product([0], range(4), [0, 1], range(4))
    architectures = [RnnArchitecture.from_integers(numbers) for numbers in choices]
    assert len(set(architectures)) == space.num_architectures == 32
    log_probability = build_controller(2).score(architectures).log_probability
    assert np.std(log_probability) > 0.1
    np.testing.assert_allclose(np.sum(np.exp(log_probability)), 1.0, rtol=1e-5)


def test_entropy_is_the_mean_of_minus_log_probability():
    sample = build_controller().sample(4000, seed=0)
    np.testing.assert_allclose(np.mean(sample.entropy), -np.mean(sample.log_probability), rtol=0.02)


def test_there_is_no_penalty():
    np.testing.assert_array_equal(build_controller().sample(5).penalty, np.zeros(5, np.float32))


def test_without_weights_only_the_distance_decides():
    controller = RnnSpace(num_nodes=4).build_controller()
    for weight in controller.weights:
        weight.assign(tf.zeros_like(weight))
    architecture = RnnArchitecture.from_release_string("0 0 0 1 2 2 1 3")
    # Minus the squared distance of each earlier node, in sixths.
    logits = [np.array([-((i - j) ** 2) / 6 for j in range(i)]) for i in range(1, 5)]
    logs = [row - np.log(np.sum(np.exp(row))) for row in logits]
    expected = sum(row[node.previous] for row, node in zip(logs, architecture.nodes))
    score = controller.score([architecture])
    np.testing.assert_allclose(score.log_probability, [expected - 4 * np.log(4)], rtol=1e-5)


def test_near_nodes_are_preferred_at_first():
    previous = RnnSpace(num_nodes=4).build_controller().sample(500, seed=0).decisions.previous
    counts = np.bincount(previous.numpy()[:, -1], minlength=4)
    assert np.all(np.diff(counts) > 0)


def test_most_likely_without_weights_is_a_chain_of_nearest_nodes():
    controller = build_space(2).build_controller()
    for weight in controller.weights:
        weight.assign(tf.zeros_like(weight))
    assert controller.most_likely().to_integers() == [0, 0, 1, 0]


def test_weights_start_within_the_initial_range():
    for weight in RnnSpace().build_controller(seed=7).weights:
        assert 0.005 < np.max(np.abs(weight)) <= 0.01


def test_free_decisions_are_drawn_and_given_ones_kept():
    decisions = build_controller().sample(50, seed=1).decisions
    partly = decisions._replace(functions=np.full((50, NUM_NODES), FREE, np.int32))
    completed = build_controller().score(partly).decisions
    np.testing.assert_array_equal(completed.previous, decisions.previous)
    assert np.all(completed.functions >= 0)


def test_works_inside_a_function_and_has_a_gradient_for_every_weight():
    controller = build_controller()
    decisions = controller.as_decisions(random_architectures(5))

    @tf.function(autograph=False)
    def gradients():
        with tf.GradientTape() as tape:
            loss = tf.reduce_sum(controller.score(decisions).log_probability)
        return loss, tape.gradient(loss, [w.value for w in controller.trainable_weights])

    loss, values = gradients()
    np.testing.assert_allclose(
        loss, tf.reduce_sum(controller.score(decisions).log_probability), rtol=1e-5
    )
    for weight, gradient in zip(controller.trainable_weights, values):
        assert np.all(np.isfinite(gradient)), weight.path
        assert np.any(np.asarray(gradient) != 0), weight.path


def test_a_cell_of_one_node_has_only_a_function_to_decide():
    sample = build_space(1).build_controller().sample(3, seed=0)
    assert sample.decisions.previous.numpy().tolist() == [[0]] * 3
    assert np.all(sample.entropy < np.log(4))


def test_architecture_of_another_space_is_an_error():
    with pytest.raises(ArchitectureError, match="5 nodes"):
        build_controller().score([build_space(5).random_architecture(0)])


@functools.cache
def traced_policy():
    """Returns an update that is traced once for all tests."""
    config = PolicyConfig(learning_rate=0.05, baseline_decay=0.9)
    policy = PolicyGradient(build_space(num_nodes=3).build_controller(seed=1), config)
    policy._traced_step.get_concrete_function()
    return policy


def test_update_transposes_no_integers():
    """oneDNN writes a message about it on many CPUs."""
    types = transposed_types(traced_policy()._traced_step)
    assert tf.int32.as_datatype_enum not in types


def test_controller_learns_to_prefer_a_function_and_a_node():
    def reward(architecture):
        hits = [(n.function == RnnFunction.RELU) + (n.previous == 0) for n in architecture.nodes]
        return np.mean(hits) / 2

    policy = traced_policy()

    def mean_reward():
        sample = policy.controller.sample(200, seed=10**6)
        return np.mean([reward(architecture) for architecture in sample.architectures])

    before = mean_reward()
    for step in range(60):
        architectures = policy.controller.sample(10, seed=step).architectures
        policy.update(architectures, [reward(architecture) for architecture in architectures])
    assert mean_reward() > before + 0.2
