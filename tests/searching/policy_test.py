"""Tests of the REINFORCE update."""

import functools

import numpy as np
import pytest
import tensorflow as tf

from enas_tf.searching.policy import PolicyGradient
from enas_tf.settings.strategies import PolicyConfig
from enas_tf.spaces.macro.architecture import MacroOperation
from enas_tf.spaces.macro.config import MacroControllerConfig
from enas_tf.spaces.macro.space import MacroSpace
from enas_tf.training.devices import mirrored_cpus


@pytest.fixture
def eagerly():
    """Runs traced functions eagerly, which is faster where few updates are made."""
    tf.config.run_functions_eagerly(True)
    yield
    tf.config.run_functions_eagerly(False)


eager = pytest.mark.usefixtures("eagerly")


def build(config=None, num_layers=3, seed=0, num_updates=1, **controller):
    controller = MacroControllerConfig(**{"lstm_size": 8, "initial_range": 0.5, **controller})
    space = MacroSpace(num_layers=num_layers, num_operations=3, controller=controller)
    return PolicyGradient(space.build_controller(seed=seed), config or PolicyConfig(), num_updates)


def rewards_of(number, seed=0):
    return np.random.default_rng(seed).uniform(size=number).astype(np.float32)


def baselines_by_loop(start, rewards, decay):
    values = []
    for reward in rewards:
        start = start - (1 - decay) * (start - reward)
        values.append(start)
    return np.array(values)


@eager
@pytest.mark.parametrize("decay", [0.0, 0.99])
def test_baseline_moves_with_each_reward_in_turn(decay):
    policy = build(PolicyConfig(baseline_decay=decay, entropy_weight=0.0))
    rewards = rewards_of(12)
    sample = policy.controller.sample(6, seed=0)
    for part in (rewards[:6], rewards[6:]):
        metrics = policy.update(sample.decisions, part)
    expected = baselines_by_loop(0.0, rewards, decay)[-1]
    np.testing.assert_allclose(metrics["baseline"], expected, rtol=1e-5)
    np.testing.assert_allclose(policy.baseline, expected, rtol=1e-5)


@eager
@pytest.mark.parametrize("entropy", ["full", "release"])
def test_loss_uses_the_updated_baseline_entropy_and_penalty(entropy):
    policy = build(PolicyConfig(entropy_weight=0.1, baseline_decay=0.9), entropy=entropy)
    rewards = rewards_of(5)
    sample = policy.controller.sample(5, seed=0)
    metrics = policy.update(sample.decisions, rewards)
    entropies = sample.entropy if entropy == "full" else sample.release_entropy
    rewards = rewards + 0.1 * entropies.numpy()
    advantages = rewards - baselines_by_loop(0.0, rewards, 0.9)
    losses = -sample.log_probability.numpy() * advantages + 0.8 * sample.skip_penalty.numpy()
    np.testing.assert_allclose(metrics["advantage"], np.mean(advantages), rtol=1e-5)
    np.testing.assert_allclose(metrics["loss"], np.mean(losses), rtol=1e-5)


@eager
def test_logged_entropy_is_the_full_one():
    policy = build(entropy="release")
    sample = policy.controller.sample(5, seed=0)
    metrics = policy.update(sample.decisions, rewards_of(5))
    np.testing.assert_allclose(metrics["entropy"], np.mean(sample.entropy), rtol=1e-6)


@eager
def test_gradient_treats_advantages_as_constants_and_averages_over_samples():
    policy = build(PolicyConfig(entropy_weight=0.1))
    controller = policy.controller
    sample = controller.sample(4, seed=0)
    rewards = rewards_of(4)
    total = rewards + 0.1 * sample.entropy.numpy()
    advantages = (total - baselines_by_loop(0.0, total, 0.99)).astype(np.float32)
    variables = [variable.value for variable in controller.trainable_variables]
    gradients = []
    for number in range(4):
        with tf.GradientTape() as tape:
            one = controller.score([sample.architectures[number]])
            loss = -one.log_probability * advantages[number] + one.penalty
        gradients.append([tf.convert_to_tensor(g) for g in tape.gradient(loss, variables)])
    mean = [np.mean(column, axis=0) for column in zip(*gradients)]
    metrics = policy.update(sample.decisions, rewards)
    expected = np.sqrt(sum(np.sum(np.square(gradient)) for gradient in mean))
    np.testing.assert_allclose(metrics["gradient_norm"], expected, rtol=1e-4)


@eager
@pytest.mark.parametrize(
    ("final", "expected"), [(None, [0.01] * 4), (0.002, [0.01, 0.008, 0.004, 0.002])]
)
def test_the_rate_falls_along_a_cosine_to_the_final_one(final, expected):
    policy = build(PolicyConfig(learning_rate=0.01, final_learning_rate=final), num_updates=3)
    rates = []
    for number in range(4):
        rates.append(float(policy.optimizer.learning_rate))
        policy.update(policy.controller.sample(2, seed=number).decisions, rewards_of(2))
    np.testing.assert_allclose(rates, expected, rtol=1e-5)


def test_there_may_be_no_update():
    policy = build(PolicyConfig(learning_rate=0.01, final_learning_rate=0.0), num_updates=0)
    assert float(policy.optimizer.learning_rate) == pytest.approx(0.01)


def test_optimizer_is_the_adam_of_the_release():
    """Adam as in TensorFlow 1: epsilon is added to the uncorrected root of the second moment."""
    policy = build(PolicyConfig(learning_rate=0.01))
    variable = policy.controller.trainable_variables[0]
    value = variable.numpy().astype(np.float64)
    second_moment = np.zeros_like(value)
    for step in (1, 2, 3):
        gradients = [
            np.full(v.shape, 0.1 * step, np.float32) for v in policy.controller.trainable_variables
        ]
        policy.optimizer.apply(
            [tf.constant(g) for g in gradients], policy.controller.trainable_variables
        )
        second_moment = 0.999 * second_moment + 0.001 * gradients[0].astype(np.float64) ** 2
        rate = 0.01 * np.sqrt(1 - 0.999**step)
        value -= rate * gradients[0] / (np.sqrt(second_moment) + 1e-3)
    np.testing.assert_allclose(variable, value, rtol=1e-4)


@eager
def test_clipping_limits_the_step_but_not_the_reported_norm():
    plain, clipped = (
        build(PolicyConfig(clip_norm=norm, learning_rate=0.01)) for norm in (0.0, 1e-4)
    )
    before = plain.controller.get_weights()
    steps, norms = [], []
    for policy in (plain, clipped):
        sample = policy.controller.sample(4, seed=0)
        norms.append(policy.update(sample.decisions, rewards_of(4))["gradient_norm"])
        after = policy.controller.get_weights()
        steps.append(np.sqrt(sum(np.sum((a - b) ** 2) for a, b in zip(after, before))))
    assert norms[0] == norms[1] > 1e-4
    assert steps[1] < 0.1 * steps[0]


@functools.cache
def traced_policy():
    """Returns an update that is traced once for all tests, and its initial state."""
    policy = build(
        PolicyConfig(learning_rate=0.02, baseline_decay=0.9), num_layers=4, skip_weight=0.0
    )
    variables = [policy.baseline, *policy.optimizer.variables, *policy.controller.weights]
    return policy, variables, [variable.numpy() for variable in variables]


def fresh_policy():
    policy, variables, initial = traced_policy()
    for variable, value in zip(variables, initial, strict=True):
        variable.assign(value)
    return policy


def test_nothing_is_traced_again_for_other_numbers_of_samples():
    policy = fresh_policy()
    for number in (1, 4, 7):
        architectures = policy.controller.sample(number).architectures
        policy.update(architectures, rewards_of(number))
    assert policy._traced_step.experimental_get_tracing_count() == 1


@eager
def test_metrics_of_the_space_are_reported():
    policy = build()
    sample = policy.controller.sample(6, seed=0)
    metrics = policy.update(sample.decisions, rewards_of(6))
    np.testing.assert_allclose(metrics["skip_rate"], np.mean(sample.skip_count) / 3, rtol=1e-6)


def test_restored_update_goes_on_bit_for_bit(tmp_path):
    policy = fresh_policy()
    checkpoint = tf.train.Checkpoint(policy=policy)

    def state_after(steps):
        for step in steps:
            decisions = policy.controller.sample(4, seed=step).decisions
            policy.update(decisions, rewards_of(4, seed=step))
        return [policy.baseline.numpy(), *policy.controller.get_weights()]

    state_after(range(3))
    path = checkpoint.write(str(tmp_path / "checkpoint"))
    first = state_after(range(3, 6))
    fresh_policy()
    checkpoint.read(path).assert_consumed()
    for one, other in zip(first, state_after(range(3, 6)), strict=True):
        np.testing.assert_array_equal(one, other)


def train(policy, reward, updates=100):
    for step in range(updates):
        sample = policy.controller.sample(10, seed=step)
        policy.update(sample.decisions, [reward(a) for a in sample.architectures])
    return policy.controller.sample(200, seed=10**6).architectures


def test_controller_learns_to_prefer_an_operation():
    def share(architecture):
        wanted = MacroOperation.SEPARABLE_CONVOLUTION_3X3
        return np.mean([layer.operation == wanted for layer in architecture.layers])

    policy = fresh_policy()
    before = np.mean([share(a) for a in policy.controller.sample(200, seed=0).architectures])
    after = np.mean([share(a) for a in train(policy, share)])
    assert before < 0.5
    assert after > 0.7


def test_controller_learns_a_number_of_skips():
    target = 1

    def reward(architecture):
        return -abs(architecture.num_skip_connections - target) / 6

    policy = fresh_policy()
    before = np.mean([reward(a) for a in policy.controller.sample(200, seed=0).architectures])
    after = np.mean([reward(a) for a in train(policy, reward)])
    assert before < -0.25
    assert after > -0.15


@eager
def test_skip_penalty_pulls_to_its_target():
    policy = build(
        PolicyConfig(learning_rate=0.05), num_layers=3, skip_target=0.2, tanh_constant=None
    )
    first = policy.controller.sample(20, seed=0).skip_penalty
    train(policy, lambda _: 0.0, updates=5)
    last = policy.controller.sample(20, seed=0).skip_penalty
    assert np.mean(last) < 0.8 * np.mean(first)


@eager
def test_update_in_every_replica_equals_the_update_on_one_device(two_devices):
    strategy = mirrored_cpus(two_devices)
    config = PolicyConfig(learning_rate=0.01)
    alone = build(config)
    with strategy.scope():
        mirrored = build(config)
    decisions, rewards = alone.controller.sample(4, seed=0).decisions, tf.constant(rewards_of(4))
    for _ in range(2):
        alone.update(decisions, rewards)
        strategy.run(mirrored.step, (decisions, rewards))
    np.testing.assert_array_equal(mirrored.baseline.values[1], alone.baseline)
    for one, other in zip(mirrored.controller.weights, alone.controller.weights, strict=True):
        np.testing.assert_allclose(one.value.values[1], other, atol=1e-6)


@eager
@pytest.mark.parametrize("advantage", ["baseline", "normalized"])
def test_under_limits_the_gradient_is_that_of_the_conditioned_distribution(advantage):
    # The baseline stays at 0, far from the rewards.
    config = PolicyConfig(entropy_weight=0.0, advantage=advantage, baseline_decay=0.999999)
    policy = build(config, num_layers=2, skip_weight=0.0)
    conditioned = PolicyGradient(policy.controller, config, is_conditioned=True)
    controller, space = policy.controller, policy.controller.space
    allowed = [a for a in space.every_architecture() if a.num_skip_connections == 0]
    assert 1 < len(allowed) < space.num_architectures
    rewards = rewards_of(len(allowed)) - 5.0
    variables = [variable.value for variable in controller.trainable_variables]
    with tf.GradientTape() as tape:
        probability = tf.exp(controller.score(allowed).log_probability)
        loss = -tf.reduce_sum(probability * rewards) / tf.reduce_sum(probability)
    expected = tape.gradient(loss, variables, unconnected_gradients="zero")
    # As often as they are drawn where the others are drawn again.
    share = probability.numpy() / probability.numpy().sum()
    counts = np.rint(5_000 * share).astype(int)
    seen = []
    conditioned.optimizer.apply = lambda gradients, _: seen.extend(gradients)
    drawn = np.random.default_rng(1).permutation(np.repeat(np.arange(len(allowed)), counts))
    conditioned.update([allowed[place] for place in drawn], rewards[drawn])
    scale = np.repeat(rewards, counts).std() if advantage == "normalized" else 1.0
    expected = [tf.convert_to_tensor(gradient) for gradient in expected]
    size = max(float(tf.reduce_max(tf.abs(one))) for one in expected)
    assert size > 0.01
    for found, wanted in zip(seen, expected, strict=True):
        np.testing.assert_allclose(scale * found, wanted, atol=1e-2 * size)
