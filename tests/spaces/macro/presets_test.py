import numpy as np
import pytest

from enas_tf.data.images.dataset import ImageData
from enas_tf.spaces.macro.presets import RETRAIN_PRESETS, SEARCH_PRESETS

RELEASE_SEARCH = SEARCH_PRESETS["release"]
RELEASE_FINAL = RETRAIN_PRESETS["release"]


def test_both_kinds_have_the_same_names():
    assert (
        set(SEARCH_PRESETS)
        == set(RETRAIN_PRESETS)
        == {"default", "release", "paper", "nas", "smoke"}
    )


def test_release_search_size():
    space = RELEASE_SEARCH.space
    assert (space.num_layers, space.filters, space.num_operations) == (12, 36, 6)
    assert space.search_whole_channels
    assert space.dropout_rate == pytest.approx(1 - 0.90)


def test_release_search_training():
    training = RELEASE_SEARCH.search.shared_weights
    assert (training.batch_size, training.epochs) == (128, 310)
    assert (training.learning_rate, training.final_learning_rate) == (0.05, 0.0005)
    assert (training.restart_epochs, training.restart_multiplier) == (10, 2)
    assert (training.weight_decay, training.momentum, training.clip_norm) == (2.5e-4, 0.9, 0.0)


def test_release_controller():
    controller = RELEASE_SEARCH.space.controller
    assert (controller.lstm_size, controller.tanh_constant, controller.temperature) == (
        64,
        1.5,
        None,
    )
    assert (controller.skip_target, controller.skip_weight) == (0.4, 0.8)
    assert (controller.entropy, controller.initial_range) == ("release", 0.1)


def test_release_policy():
    policy = RELEASE_SEARCH.search.policy
    assert (policy.learning_rate, policy.samples_per_update, policy.updates_per_epoch) == (
        1e-3,
        20,
        50,
    )
    assert (policy.adam_beta_1, policy.adam_epsilon) == (0.0, 1e-3)
    assert (policy.baseline_decay, policy.entropy_weight) == (0.99, 1e-4)


def test_release_rewards_and_ranking():
    search = RELEASE_SEARCH.search
    assert search.reward_statistics == "moving"
    assert RELEASE_SEARCH.space.moving_statistics == "release"
    assert search.derive.scoring == "minibatch"


@pytest.mark.parametrize("preset", [RELEASE_SEARCH, RELEASE_FINAL])
def test_release_data(preset):
    assert preset.data.dataset == "cifar10"
    # 50,000 pictures of 32 x 32 as far as the split and the augmentation can see.
    images = np.broadcast_to(np.zeros((1, 32, 32, 3), np.uint8), (50_000, 32, 32, 3))
    labels = np.arange(50_000) % 10
    data = ImageData.from_arrays(
        images, labels, images[:10], labels[:10], name="cifar10", config=preset.data
    )
    assert (data.validation_size, data.crop_padding, data.flip, data.cutout) == (5000, 4, True, 0)


@pytest.mark.parametrize("presets", [SEARCH_PRESETS, RETRAIN_PRESETS])
def test_every_preset_fits_small_pictures(presets):
    images, labels = np.zeros((1437, 8, 8, 1), np.uint8), np.arange(1437) % 10
    for preset in presets.values():
        data = ImageData.from_arrays(images, labels, images, labels, config=preset.data)
        assert data.validation_size == 143


def test_release_final_network():
    network = RELEASE_FINAL.network
    assert (network.filters, network.dropout_rate, network.merge) == (96, 0.5, "concatenate")
    assert network.widen
    assert not network.separable


def test_release_final_training():
    training = RELEASE_FINAL.retrain.training
    assert (training.batch_size, training.epochs) == (100, 310)
    assert (training.learning_rate, training.final_learning_rate) == (0.05, 0.001)
    assert (training.restart_epochs, training.restart_multiplier) == (10, 2)
    assert (training.weight_decay, training.momentum) == (2e-4, 0.9)


def test_release_final_run_trains_on_everything():
    assert not RELEASE_FINAL.retrain.use_validation


def test_paper_controller_has_100_units():
    assert SEARCH_PRESETS["paper"].space.controller.lstm_size == 100


@pytest.mark.parametrize("presets", [SEARCH_PRESETS, RETRAIN_PRESETS])
def test_smoke_uses_the_embedded_digits(presets):
    assert presets["smoke"].data.dataset == "digits"
