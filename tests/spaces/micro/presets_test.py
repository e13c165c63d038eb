import numpy as np
import pytest

from enas_tf.data.images.dataset import ImageData
from enas_tf.spaces.micro.presets import RETRAIN_PRESETS, SEARCH_PRESETS

RELEASE_SEARCH = SEARCH_PRESETS["release"]
RELEASE_FINAL = RETRAIN_PRESETS["release"]
KINDS = pytest.mark.parametrize("presets", [SEARCH_PRESETS, RETRAIN_PRESETS])


def like_cifar10(config):
    """50,000 pictures of 32 x 32 as far as the split and the augmentation can see."""
    images = np.broadcast_to(np.zeros((1, 32, 32, 3), np.uint8), (50_000, 32, 32, 3))
    labels = np.arange(50_000) % 10
    return ImageData.from_arrays(
        images, labels, images[:10], labels[:10], name="cifar10", config=config
    )


def test_both_kinds_have_the_same_names():
    assert (
        set(SEARCH_PRESETS)
        == set(RETRAIN_PRESETS)
        == {"default", "release", "paper", "nas", "darts", "smoke"}
    )


def test_release_search_size():
    space = RELEASE_SEARCH.space
    assert (space.num_layers, space.filters, space.num_nodes, space.num_operations) == (6, 20, 5, 5)
    assert space.dropout_rate == pytest.approx(1 - 0.90)
    assert space.auxiliary_weight == 0.4
    assert space.bank_initialization == "release"


def test_release_search_training():
    training = RELEASE_SEARCH.search.shared_weights
    assert (training.batch_size, training.epochs) == (160, 150)
    assert (training.learning_rate, training.final_learning_rate) == (0.05, 0.0005)
    assert (training.restart_epochs, training.restart_multiplier) == (10, 2)
    assert (training.weight_decay, training.momentum, training.clip_norm) == (1e-4, 0.9, 0.0)


def test_release_controller():
    controller = RELEASE_SEARCH.space.controller
    assert (controller.lstm_size, controller.temperature) == (64, None)
    assert (controller.tanh_constant, controller.operation_tanh_reduction) == (1.1, 2.5)
    assert (controller.separable_start_bias, controller.separable_fixed_bias) == (10.0, 0.25)


def test_release_policy():
    policy = RELEASE_SEARCH.search.policy
    assert policy.learning_rate == 3.5e-3
    assert (policy.samples_per_update, policy.updates_per_epoch) == (10, 30)
    assert (policy.adam_beta_1, policy.adam_epsilon) == (0.0, 1e-3)
    assert (policy.baseline_decay, policy.entropy_weight) == (0.99, 1e-4)


def test_release_rewards_and_ranking():
    search = RELEASE_SEARCH.search
    assert search.reward_statistics == "batch"
    assert (search.derive.num_candidates, search.derive.scoring) == (10, "minibatch")
    assert search.derive.statistics == "batch"


@pytest.mark.parametrize("preset", [RELEASE_SEARCH, RELEASE_FINAL])
def test_release_data(preset):
    data = like_cifar10(preset.data)
    assert preset.data.dataset == "cifar10"
    assert (data.validation_size, data.crop_padding, data.flip, data.cutout) == (5000, 4, True, 0)


def test_release_final_network():
    network = RELEASE_FINAL.network
    assert (network.num_layers, network.filters, network.form) == (15, 36, "final")
    assert (network.dropout_rate, network.drop_path_rate) == (0.2, pytest.approx(1 - 0.60))
    assert network.auxiliary_weight == 0.4


def test_release_final_training():
    training = RELEASE_FINAL.retrain.training
    assert (training.batch_size, training.epochs) == (144, 630)
    assert (training.learning_rate, training.final_learning_rate) == (0.05, 0.0001)
    assert (training.restart_epochs, training.restart_multiplier) == (10, 2)
    assert (training.weight_decay, training.momentum) == (2e-4, 0.9)


@pytest.mark.parametrize("preset", [RELEASE_SEARCH.search.shared_weights, RELEASE_FINAL.retrain])
def test_release_trainings_end_with_a_cosine_period(preset):
    training = getattr(preset, "training", preset)
    periods = [training.restart_epochs * 2**n for n in range(6)]
    assert training.epochs in np.cumsum(periods)


def test_release_final_run_trains_on_everything():
    assert not RELEASE_FINAL.retrain.use_validation


@pytest.mark.parametrize("name", ["default", "paper"])
def test_cutout_is_16_pixels_on_cifar10(name):
    assert like_cifar10(RETRAIN_PRESETS[name].data).cutout == 16


@KINDS
def test_every_preset_fits_small_pictures(presets):
    images, labels = np.zeros((1437, 8, 8, 1), np.uint8), np.arange(1437) % 10
    for preset in presets.values():
        data = ImageData.from_arrays(images, labels, images, labels, config=preset.data)
        assert data.validation_size == 143


def test_paper_controller_has_100_units():
    assert SEARCH_PRESETS["paper"].space.controller.lstm_size == 100


@KINDS
def test_smoke_uses_the_embedded_digits(presets):
    assert presets["smoke"].data.dataset == "digits"


def test_darts_trains_the_network_of_its_authors():
    network = RETRAIN_PRESETS["darts"].network
    assert (network.form, network.num_layers, network.filters) == ("darts", 18, 36)
