"""The same search loop on text: batches that go on from another, perplexities, lengths."""

import functools
import itertools
import json
import math

import numpy as np
import pytest
import tensorflow as tf

from enas_tf.data.texts.dataset import TextData
from enas_tf.errors import ConfigurationError
from enas_tf.searching.api import search
from enas_tf.searching.shared_weights import SharedWeights
from enas_tf.settings.data import TextDataConfig
from enas_tf.settings.search import DeriveConfig, SearchConfig
from enas_tf.settings.strategies import PolicyConfig
from enas_tf.settings.training import TrainingConfig
from enas_tf.spaces.rnn.architecture import RnnArchitecture
from enas_tf.spaces.rnn.config import RnnControllerConfig, RnnRegularization
from enas_tf.spaces.rnn.space import RnnSpace
from enas_tf.training.devices import mirrored_cpus
from tests.searching.interruptions import interrupting
from tests.searching.made_up_data import lines_of

WORDS = "abcdefg"
SPACE = RnnSpace(
    num_nodes=2,
    hidden_size=4,
    vocabulary_size=len(WORDS) + 1,
    regularization=RnnRegularization(input_dropout=0.5, output_dropout=0.0),
    controller=RnnControllerConfig(lstm_size=4),
)
WITHOUT_DROPOUT = SPACE.replace(
    regularization=RnnRegularization(
        word_dropout=0.0,
        embedding_dropout=0.0,
        input_dropout=0.0,
        node_dropout=0.0,
        output_dropout=0.0,
    )
)
CONFIG = SearchConfig(
    seed=1,
    strategy="random",
    reward_batch_size=2,
    shared_weights=TrainingConfig(
        epochs=2,
        batch_size=4,
        learning_rate=1.0,
        final_learning_rate=1.0,
        momentum=0.0,
        weight_decay=0.01,
        clip_norm=0.25,
    ),
    policy=PolicyConfig(samples_per_update=2, updates_per_epoch=1),
    derive=DeriveConfig(num_candidates=2),
)
ARCHITECTURE, OTHER = map(RnnArchitecture.from_release_string, ("0 0 1 1", "0 2 0 3"))


@pytest.fixture(scope="module")
def data():
    """Letters in an order that has something to learn."""
    generator = np.random.default_rng(0)
    steps = np.cumsum(generator.integers(1, 3, 180))
    letters = [WORDS[step % len(WORDS)] for step in steps]
    config = TextDataConfig(dataset="letters", sequence_length=6)
    return TextData.from_tokens(
        letters[:120], letters[120:150], letters[150:], name="letters", config=config
    )


@pytest.fixture(scope="module")
def whole(data, tmp_path_factory):
    """A search without interruption."""
    return search(SPACE, data, CONFIG, tmp_path_factory.mktemp("runs") / "whole")


def test_the_data_fit_the_space(data):
    assert data.vocabulary_size == SPACE.vocabulary_size


def test_perplexities_are_logged(whole):
    lines = lines_of(whole.run)
    for line in lines:
        if line["phase"] == "shared_weights":
            assert line["perplexity"] == pytest.approx(math.exp(line["loss"]))
            assert "accuracy" not in line
        if line["phase"] == "derive":
            reward = line["shared_weights_validation_reward"]
            assert line["shared_weights_validation_perplexity"] == pytest.approx(80.0 / reward)
    assert {line["phase"] for line in lines} == {"shared_weights", "controller", "derive"}


def test_rewards_are_eighty_by_perplexity(whole):
    # Eight words: a model that knows nothing has the perplexity 8.
    for line in lines_of(whole.run, "architectures.jsonl"):
        assert 80.0 / line["reward"] == pytest.approx(8.0, rel=0.5)


def test_the_result_says_what_its_score_is(whole):
    document = whole.run.read_json("best_architecture.json")
    # All settings of the ranking, also that of pictures.
    del document["ranked_by"]
    assert document["score_kind"] == "shared_weights_validation_reward"
    assert "accuracy" not in json.dumps(document)


def test_the_words_are_kept_with_the_run(whole, data):
    assert (whole.run.path / "vocabulary.txt").read_text() == data.assets()["vocabulary.txt"]


def tensors_of(run):
    reader = tf.train.load_checkpoint(str(run.path / "checkpoints"))
    return {
        name: reader.get_tensor(name)
        for name in reader.get_variable_to_shape_map()
        if "plain_state" not in name and not name.startswith("_CHECKPOINTABLE")
    }


def test_an_interruption_between_two_segments_changes_nothing(whole, data, tmp_path, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(SharedWeights, "train", interrupting(SharedWeights.train, after=3))
        with pytest.raises(KeyboardInterrupt):
            search(SPACE, data, CONFIG, tmp_path / "run")
    result = search(SPACE, data, CONFIG, tmp_path / "run")
    tensors, wanted = tensors_of(result.run), tensors_of(whole.run)
    assert any("carried" in name for name in tensors)
    assert tensors.keys() == wanted.keys()
    for name, value in tensors.items():
        np.testing.assert_array_equal(value, wanted[name], err_msg=name)
    assert result.candidates == whole.candidates


@pytest.fixture(scope="module")
def streams(data):
    return data.search_streams(batch_size=4, reward_batch_size=2, seed=1)


@pytest.fixture(scope="module")
def trained(streams):
    """Weights after three segments, and the state that each of them left."""
    weights = SharedWeights(WITHOUT_DROPOUT, CONFIG, streams.steps_per_epoch)
    batches = weights.training_batches(functools.partial(streams.training, 0))
    states = [weights.carried.read().numpy()]
    for step, architecture in enumerate([ARCHITECTURE, OTHER, ARCHITECTURE]):
        weights.train(next(batches), SPACE.encode([architecture]), step)
        states.append(weights.carried.read().numpy())
    return weights, states


def test_every_segment_leaves_a_state(trained):
    _, states = trained
    assert not states[0].any()
    for before, after in itertools.pairwise(states):
        assert after.shape == (4, 4)
        assert not np.array_equal(before, after)


def test_lengths_and_architectures_do_not_cause_another_trace(trained):
    weights, _ = trained
    assert weights._training_step.experimental_get_tracing_count() == 1


def test_statistics_of_batches_are_not_refitted(trained, streams):
    weights, _ = trained
    before = [variable.numpy() for variable in weights.supernet.variables]
    weights.refit_statistics(streams.refitting(1), ARCHITECTURE)
    for variable, value in zip(weights.supernet.variables, before):
        np.testing.assert_array_equal(variable.numpy(), value)


def test_weight_decay_is_for_what_is_used():
    """A node's matrices that the architecture does not use stay as they are."""
    weights = SharedWeights(WITHOUT_DROPOUT, CONFIG, 10)
    before = weights.supernet.banks[1].numpy()
    batch = next(
        iter(
            SPACE.random_data(CONFIG)
            .search_streams(batch_size=4, reward_batch_size=2, seed=1)
            .training(0)
        )
    )
    weights.train(batch, SPACE.encode([ARCHITECTURE]), 0)
    changed = np.any(weights.supernet.banks[1].numpy() != before, axis=(2, 3))
    np.testing.assert_array_equal(np.argwhere(changed), [[1, 1]])


def test_devices_go_on_with_their_own_rows(trained, streams, two_devices):
    single, states = trained
    weights = SharedWeights(WITHOUT_DROPOUT, CONFIG, 10, mirrored_cpus(two_devices))
    batches = weights.training_batches(functools.partial(streams.training, 0))
    for step, architecture in enumerate([ARCHITECTURE, OTHER, ARCHITECTURE]):
        metrics = weights.train(next(batches), SPACE.encode([architecture] * 2), step)
    np.testing.assert_allclose(weights.carried.read(), states[-1], rtol=1e-4, atol=1e-6)
    for variable, expected in zip(weights.supernet.weights, single.supernet.weights):
        np.testing.assert_allclose(variable.numpy(), expected.numpy(), rtol=1e-4, atol=1e-6)
    assert float(metrics.tokens) % 4 == 0


def test_the_rows_must_be_divisible_among_the_devices(two_devices):
    config = CONFIG.replace(shared_weights=CONFIG.shared_weights.replace(batch_size=5))
    with pytest.raises(ConfigurationError, match="batch_size=5"):
        SharedWeights(SPACE, config, 10, mirrored_cpus(two_devices))
