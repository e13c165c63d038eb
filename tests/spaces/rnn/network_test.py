import keras
import numpy as np
import pytest
import tensorflow as tf

from enas_tf.data.texts.vocabulary import Vocabulary
from enas_tf.spaces.rnn.architecture import LstmBaseline
from enas_tf.spaces.rnn.config import RnnNetworkConfig
from enas_tf.spaces.rnn.published import ENAS_RNN_RELEASE
from enas_tf.spaces.rnn.space import RnnSpace
from tests.spaces.rnn.made_up_text import HIDDEN, SPACE, VOCABULARY, random_batch, random_state
from tests.spaces.rnn.plain_cell import sigmoid

CONFIG = SPACE.network_config()
ARCHITECTURE = SPACE.random_architecture(0)
SEED = np.array([3, 4], np.int32)


def copy_weights(supernet, network):
    """Gives a network the matrices that its architecture uses in a supernet."""
    network.embedding.assign(supernet.embedding)
    network.cell.input_kernel.assign(supernet.input_kernel)
    decisions = supernet.decisions_of(network.architecture)
    network.cell.node_kernels.assign(supernet.select(decisions))


@pytest.mark.parametrize("cell_output", ["mean", "loose_ends"])
def test_supernet_and_network_agree_after_copying_weights(cell_output):
    space = SPACE.replace(cell_output=cell_output)
    supernet = space.build_supernet()
    network = space.build_network(ARCHITECTURE, space.network_config())
    copy_weights(supernet, network)
    tokens = random_batch().tokens
    np.testing.assert_allclose(network(tokens), supernet(tokens, ARCHITECTURE), atol=1e-6)


def test_supernet_and_network_have_the_same_gradients():
    supernet = SPACE.build_supernet()
    network = SPACE.build_network(ARCHITECTURE, CONFIG)
    copy_weights(supernet, network)
    batch, state = random_batch(), tf.constant(random_state())
    with tf.GradientTape(persistent=True) as tape:
        decisions = supernet.decisions_of(ARCHITECTURE)
        shared = supernet.training_pass(batch, decisions, state, SEED).objective
        single = network.training_pass(batch, state, SEED).objective
    assert float(shared) == pytest.approx(float(single), rel=1e-6)
    for name in ("input_kernel", "embedding"):
        owners = (supernet, network.cell if name == "input_kernel" else network)
        pair = [
            tf.convert_to_tensor(tape.gradient(value, getattr(owner, name).value))
            for value, owner in zip((shared, single), owners)
        ]
        np.testing.assert_allclose(*pair, atol=1e-6)


def test_the_lstm_is_the_plain_lstm():
    network = SPACE.build_network(LstmBaseline(), CONFIG)
    tokens = random_batch().tokens
    kernel, recurrent, bias = (w.numpy() for w in network.cell.weights)
    embedding = network.embedding.numpy()
    output = memory = np.zeros((3, HIDDEN))
    expected = []
    for word in tokens.T:
        gates = embedding[word] @ kernel + output @ recurrent + bias
        entry, forget, candidates, out = np.split(gates, 4, axis=1)
        memory = sigmoid(forget) * memory + sigmoid(entry) * np.tanh(candidates)
        output = sigmoid(out) * np.tanh(memory)
        expected.append(output @ embedding.T)
    np.testing.assert_allclose(network(tokens), np.stack(expected, axis=1), atol=1e-5)


@pytest.mark.parametrize("architecture", [ARCHITECTURE, LstmBaseline()])
def test_going_on_from_a_state_equals_one_long_text(architecture):
    network = SPACE.build_network(architecture, CONFIG)
    tokens = random_batch(time=5).tokens
    state = network.zero_state(3)
    first, state = network.advance(tokens[:, :2], state)
    second, _ = network.advance(tokens[:, 2:], state)
    np.testing.assert_allclose(np.concatenate([first, second], axis=1), network(tokens), atol=1e-6)


@pytest.mark.parametrize("architecture", [ARCHITECTURE, LstmBaseline()])
def test_the_score_adds_up_over_segments(architecture):
    network = SPACE.build_network(architecture, CONFIG)
    whole = random_batch(time=6, carry=0.0)
    expected, _ = network.score(whole, network.zero_state(3))
    loss, state = 0.0, network.zero_state(3)
    for part in (slice(0, 4), slice(4, 6)):
        segment = whole._replace(
            tokens=whole.tokens[:, part],
            targets=whole.targets[:, part],
            carry=np.full(3, float(part.start > 0), np.float32),
        )
        metrics, state = network.score(segment, state)
        loss += float(metrics.loss)
    assert loss == pytest.approx(float(expected.loss), rel=1e-6)


@pytest.mark.parametrize("architecture", [ARCHITECTURE, LstmBaseline()])
def test_every_weight_gets_a_gradient(architecture):
    network = SPACE.build_network(architecture, CONFIG)
    with tf.GradientTape() as tape:
        outcome = network.training_pass(random_batch(), network.zero_state(3), SEED)
    gradients = tape.gradient(outcome.objective, network.trainable_variables)
    for variable, gradient in zip(network.trainable_variables, gradients, strict=True):
        assert np.any(tf.convert_to_tensor(gradient).numpy()), variable.path


def test_a_segment_of_one_word_can_be_trained():
    network = SPACE.build_network(ARCHITECTURE, CONFIG)
    outcome = network.training_pass(random_batch(time=1), network.zero_state(3), SEED)
    assert np.isfinite(float(outcome.objective))


@pytest.mark.parametrize("architecture", [ARCHITECTURE, LstmBaseline()])
def test_a_saved_model_loads_with_its_vocabulary(tmp_path, architecture):
    network = SPACE.build_network(architecture, CONFIG)
    network.vocabulary = Vocabulary(("<unk>", *"abcdefghij"), "blanks")
    network.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    assert loaded.vocabulary == network.vocabulary
    assert loaded.architecture == architecture
    tokens = random_batch().tokens
    np.testing.assert_array_equal(loaded(tokens), network(tokens))


def test_the_published_cell_has_the_size_of_the_release():
    # 10,000 words of 800 features; node 0 and 8 more nodes.
    network = RnnSpace().build_network(ENAS_RNN_RELEASE, RnnNetworkConfig())
    assert network.count_params() == 10000 * 800 + 1600 * 1600 + 8 * 800 * 1600


def test_dropped_words_are_dropped_everywhere():
    rates = CONFIG.regularization.replace(
        word_dropout=0.5, embedding_dropout=0.0, input_dropout=0.0, node_dropout=0.0
    )
    network = SPACE.build_network(ARCHITECTURE, CONFIG.replace(regularization=rates))
    tokens = np.arange(VOCABULARY, dtype=np.int32)[:, None]
    batch = random_batch(rows=VOCABULARY, time=1)._replace(tokens=tokens)
    states = network.training_pass(batch, network.zero_state(VOCABULARY), SEED).state.numpy()
    dropped = [word for word in range(VOCABULARY) if not np.any(states[word])]
    assert 0 < len(dropped) < VOCABULARY
    # Two rows with the words the other way round have the same ones dropped.
    again = batch._replace(tokens=tokens[::-1].copy())
    states = network.training_pass(again, network.zero_state(VOCABULARY), SEED).state.numpy()
    assert [VOCABULARY - 1 - r for r in range(VOCABULARY) if not np.any(states[r])][::-1] == dropped
