import pytest

from enas_tf.settings.data import TextDataConfig
from enas_tf.settings.training import TextRetrainConfig
from enas_tf.spaces.rnn.config import RnnNetworkConfig
from enas_tf.spaces.rnn.presets import RETRAIN_PRESETS, SEARCH_PRESETS
from enas_tf.spaces.rnn.published import ENAS_RNN_RELEASE
from enas_tf.spaces.rnn.space import RnnSpace

RELEASE_SEARCH = SEARCH_PRESETS["release"]
RELEASE_FINAL = RETRAIN_PRESETS["release"]
KINDS = pytest.mark.parametrize("presets", [SEARCH_PRESETS, RETRAIN_PRESETS])


def dropout_rates(regularization):
    """Returns the rates for words, embeddings, cell input, nodes and output."""
    return (
        regularization.word_dropout,
        regularization.embedding_dropout,
        regularization.input_dropout,
        regularization.node_dropout,
        regularization.output_dropout,
    )


def test_both_kinds_have_the_same_names():
    assert (
        set(SEARCH_PRESETS)
        == set(RETRAIN_PRESETS)
        == {"default", "release", "paper", "nas", "darts", "smoke"}
    )


def test_search_presets_are_of_the_space():
    assert {type(preset.space) for preset in SEARCH_PRESETS.values()} == {RnnSpace}


def test_retrain_presets_are_of_language_models():
    kinds = {(type(preset.network), type(preset.retrain)) for preset in RETRAIN_PRESETS.values()}
    assert kinds == {(RnnNetworkConfig, TextRetrainConfig)}


@KINDS
def test_data_are_text(presets):
    assert {type(preset.data) for preset in presets.values()} == {TextDataConfig}


def test_release_search_size():
    space = RELEASE_SEARCH.space
    space.check(ENAS_RNN_RELEASE)
    assert (space.hidden_size, space.cell_output, space.initial_range) == (200, "mean", 0.04)


def test_release_search_regularization():
    regularization = RELEASE_SEARCH.space.regularization
    assert dropout_rates(regularization) == (0.10, 0.20, 0.75, 0.25, 0.75)
    assert (regularization.slowness_penalty, regularization.activation_penalty) == (1.0, 0.0)


def test_release_search_training():
    training = RELEASE_SEARCH.search.shared_weights
    assert (training.batch_size, training.epochs) == (128, 600)
    assert (training.learning_rate, training.final_learning_rate) == (20.0, 20.0)
    assert (training.weight_decay, training.momentum, training.clip_norm) == (8e-7, 0.0, 0.1)


def test_release_controller():
    controller = RELEASE_SEARCH.space.controller
    assert (controller.lstm_size, controller.initial_range) == (64, 0.01)
    assert (controller.temperature, controller.tanh_constant) == (5.0, 2.25)
    assert (controller.distance_divisor, controller.entropy) == (6.0, "release")


def test_release_policy():
    policy = RELEASE_SEARCH.search.policy
    assert policy.learning_rate == 5e-5
    assert (policy.samples_per_update, policy.updates_per_epoch) == (10, 25)
    assert (policy.adam_beta_1, policy.adam_epsilon) == (0.9, 1e-8)
    assert (policy.baseline_decay, policy.entropy_weight) == (0.999, 1e-5)


@pytest.mark.parametrize("preset", [RELEASE_SEARCH, RELEASE_FINAL])
def test_release_data(preset):
    data = preset.data
    assert (data.dataset, data.sequence_length, data.random_lengths) == ("ptb", 35, True)


def test_release_final_network():
    network = RELEASE_FINAL.network
    assert (network.hidden_size, network.cell_output, network.initial_range) == (800, "mean", 0.05)
    assert dropout_rates(network.regularization) == (0.125, 0.175, 0.725, 0.225, 0.75)
    assert network.regularization.slowness_penalty == 0.0
    assert network.regularization.activation_penalty == 0.7


def test_release_final_training():
    retrain = RELEASE_FINAL.retrain
    training = retrain.training
    assert (training.batch_size, training.epochs) == (64, 3000)
    assert (training.learning_rate, training.final_learning_rate) == (20.0, 20.0)
    assert (training.weight_decay, training.momentum, training.clip_norm) == (8e-7, 0.0, 0.25)
    assert retrain.averaging_patience == 10


def test_default_search_ranks_more_candidates_on_the_whole_validation_part():
    default, release = (SEARCH_PRESETS[name].search for name in ("default", "release"))
    assert (default.derive.num_candidates, default.derive.scoring) == (100, "validation_set")
    assert (release.derive.num_candidates, release.derive.scoring) == (10, "minibatch")
    assert default.shared_weights == release.shared_weights


def test_default_presets_have_the_defaults_of_the_settings():
    assert SEARCH_PRESETS["default"].space == RnnSpace()
    assert RETRAIN_PRESETS["default"].network == RnnNetworkConfig()
    assert RETRAIN_PRESETS["default"].retrain == TextRetrainConfig()


def test_paper_cell_and_controller():
    space = SEARCH_PRESETS["paper"].space
    assert (space.num_nodes, space.cell_output) == (12, "loose_ends")
    assert (space.controller.lstm_size, space.controller.tanh_constant) == (100, 2.5)


def test_paper_network_has_24_million_parameters():
    size, nodes = RETRAIN_PRESETS["paper"].network.hidden_size, 12
    parameters = 10_000 * size + (2 * size) * (2 * size) + nodes * size * (2 * size)
    assert parameters == pytest.approx(24e6, rel=0.001)


@KINDS
def test_smoke_uses_the_embedded_text(presets):
    assert presets["smoke"].data.dataset == "pydoc"
