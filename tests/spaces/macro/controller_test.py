"""Tests of the macro controller."""

import functools

import numpy as np
import pytest

from enas_tf.errors import ArchitectureError, ConfigurationError
from enas_tf.spaces.macro.config import MacroControllerConfig
from enas_tf.spaces.macro.space import MacroSpace

FORMS = pytest.mark.parametrize("whole", [True, False], ids=["whole", "channels"])


def build_space(whole=True, **changes):
    # A wide initial range makes the distributions far from uniform.
    config = MacroControllerConfig(lstm_size=8, initial_range=1.0)
    sizes = {"num_layers": 4, "filters": 4, "num_operations": 3, "controller": config}
    return MacroSpace(search_whole_channels=whole, **{**sizes, **changes})


@functools.cache
def controller_of(whole=True):
    return build_space(whole).build_controller(seed=1)


@FORMS
def test_score_of_a_sample_equals_the_sample_exactly(whole):
    controller = controller_of(whole)
    sample = controller.sample(20, seed=4)
    score = controller.score(sample.decisions)
    for name in ("log_probability", "entropy", "release_entropy", "penalty", "skip_count"):
        np.testing.assert_array_equal(getattr(score, name), getattr(sample, name), err_msg=name)


@FORMS
def test_probabilities_of_all_architectures_sum_to_one(whole):
    space = build_space(whole, num_layers=2, num_operations=2 if whole else 1, filters=4)
    controller = space.build_controller()
    architectures = {space.random_architecture(seed) for seed in range(3000)}
    assert len(architectures) == space.num_architectures
    log_probability = controller.score(list(architectures)).log_probability
    np.testing.assert_allclose(np.sum(np.exp(log_probability)), 1.0, rtol=1e-5)


def test_samples_are_as_frequent_as_probable():
    space = build_space(num_layers=2, num_operations=2)
    controller = space.build_controller(seed=3)
    architectures = controller.sample(4000, seed=0).architectures
    distinct = sorted(set(architectures), key=str)
    expected = 4000 * np.exp(controller.score(distinct).log_probability)
    counts = np.array([architectures.count(architecture) for architecture in distinct])
    chi_square = np.sum((counts - expected) ** 2 / expected)
    assert chi_square < 24.4  # 0.999 quantile for 7 degrees of freedom


def test_entropy_is_the_mean_of_minus_log_probability():
    sample = controller_of().sample(4000, seed=0)
    np.testing.assert_allclose(np.mean(sample.entropy), -np.mean(sample.log_probability), rtol=0.02)


@FORMS
def test_entropy_is_between_zero_and_that_of_uniform_choices(whole):
    sample = controller_of(whole).sample(50, seed=0)
    space = controller_of(whole).space
    assert np.all(sample.entropy >= 0)
    assert np.all(sample.log_probability <= 0)
    if whole:
        assert np.all(sample.entropy <= np.log(space.num_architectures))


def test_skip_is_drawn_with_twice_the_logit_of_the_penalty():
    """The release draws skips from softmax([−q, q]) but penalises sigmoid([−q, q])."""
    space = build_space(num_layers=2, num_operations=1)
    sample = space.build_controller(seed=2).score(
        [space.random_architecture(seed) for seed in range(8)]
    )
    log_probability = {
        int(count): float(value) for count, value in zip(sample.skip_count, sample.log_probability)
    }
    q = (log_probability[1] - log_probability[0]) / 2
    probabilities = 1 / (1 + np.exp([q, -q]))
    targets = np.array([0.6, 0.4])
    penalty = np.sum(probabilities * np.log(probabilities / targets))
    np.testing.assert_allclose(sample.skip_penalty, [penalty] * 8, rtol=1e-4)


def test_penalty_is_the_weighted_skip_penalty():
    sample = controller_of().sample(5, seed=0)
    np.testing.assert_allclose(sample.penalty, 0.8 * sample.skip_penalty.numpy(), rtol=1e-6)


def test_skip_count_counts_the_skips():
    sample = controller_of().sample(20, seed=0)
    expected = [architecture.num_skip_connections for architecture in sample.architectures]
    np.testing.assert_array_equal(sample.skip_count, expected)


def test_skip_rate_is_the_share_of_possible_skips():
    sample = controller_of().sample(20, seed=0)
    np.testing.assert_allclose(sample.metrics["skip_rate"], np.mean(sample.skip_count) / 6)


@pytest.mark.parametrize("choice", ["full", "release"])
def test_entropy_of_the_reward_is_a_setting(choice):
    config = MacroControllerConfig(lstm_size=8, entropy=choice)
    sample = build_space(controller=config).build_controller().sample(3, seed=0)
    expected = sample.entropy if choice == "full" else sample.release_entropy
    np.testing.assert_array_equal(sample.reward_entropy, expected)


def test_one_layer_has_neither_skips_nor_penalty():
    sample = build_space(num_layers=1).build_controller().sample(5, seed=0)
    assert sample.skip_penalty.numpy().tolist() == [0.0] * 5
    assert sample.skip_count.numpy().tolist() == [0] * 5


def test_free_decisions_are_drawn_and_given_ones_kept():
    controller = controller_of()
    decisions = controller.sample(50, seed=1).decisions
    partly = decisions._replace(operations=np.full((50, 4), -1, np.int32))
    completed = controller.score(partly).decisions
    np.testing.assert_array_equal(completed.skips, decisions.skips)
    assert np.all(completed.operations >= 0)


def test_weights_start_within_the_initial_range_and_differ():
    config = MacroControllerConfig(lstm_size=16, initial_range=0.1)
    controller = build_space(controller=config).build_controller(seed=7)
    for weight in controller.get_weights():
        assert 0.05 < np.max(np.abs(weight)) <= 0.1
    assert not np.array_equal(controller.key_kernel, controller.query_kernel)


def test_temperature_flattens_the_distributions():
    cold, hot = (
        build_space(
            controller=MacroControllerConfig(lstm_size=8, initial_range=1.0, temperature=value)
        ).build_controller()
        for value in (1.0, 5.0)
    )
    architectures = cold.sample(20, seed=0).architectures
    cold_entropy, hot_entropy = (c.score(architectures).entropy.numpy() for c in (cold, hot))
    assert np.all(hot_entropy > cold_entropy)


@pytest.mark.parametrize("batch_size", [0, -1, 1.5, "8"])
def test_unusable_batch_size_is_an_error(batch_size):
    with pytest.raises(ConfigurationError, match="`batch_size` must be a positive integer"):
        controller_of().sample(batch_size)


def test_architecture_of_another_space_is_an_error():
    other = build_space(num_layers=5).random_architecture(0)
    with pytest.raises(ArchitectureError, match="5 layers"):
        controller_of().score([other])


@pytest.mark.parametrize("architectures", [[], None, 7])
def test_no_architectures_are_an_error(architectures):
    with pytest.raises(ArchitectureError, match="`architectures` must be a list"):
        controller_of().score(architectures)
