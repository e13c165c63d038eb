import math

import numpy as np
import pytest
import tensorflow as tf

from enas_tf.errors import ArchitectureError
from enas_tf.spaces.rnn.architecture import RnnArchitecture, RnnFunction
from enas_tf.spaces.rnn.language_modelling import draw_masks
from enas_tf.spaces.rnn.published import LstmBaseline
from tests.spaces.rnn.made_up_text import HIDDEN, SPACE, VOCABULARY, random_batch, random_state
from tests.spaces.rnn.plain_cell import cross_entropies, objective, states_of

SEED = np.array([3, 4], np.int32)
OUTPUTS = ("mean", "loose_ends")


def cell_weights(supernet, architecture):
    """The weights that an architecture uses, in double precision."""
    kernels = [
        bank.numpy()[node.function, node.previous]
        for bank, node in zip(supernet.banks, architecture.nodes)
    ]
    return {
        "embedding": supernet.embedding.numpy().astype(np.float64),
        "input_kernel": supernet.input_kernel.numpy().astype(np.float64),
        "node_kernels": np.stack(kernels).astype(np.float64),
    }


def gradients_of(supernet, batch, architecture, state):
    """The gradients by embedding, input kernel and the nodes' kernels in use."""
    decisions = supernet.decisions_of(architecture)

    @tf.function
    def run():
        with tf.GradientTape() as tape:
            outcome = supernet.training_pass(batch, decisions, tf.constant(state), SEED)
        gradients = tape.gradient(outcome.objective, supernet.trainable_variables)
        return outcome.objective, [tf.convert_to_tensor(gradient) for gradient in gradients]

    value, (embedding, input_kernel, *banks) = run()
    kernels = [
        bank.numpy()[node.function, node.previous] for bank, node in zip(banks, architecture.nodes)
    ]
    gradients = {"embedding": embedding, "input_kernel": input_kernel, "node_kernels": kernels}
    return float(value), {name: np.asarray(value) for name, value in gradients.items()}, banks


@pytest.mark.parametrize("cell_output", OUTPUTS)
@pytest.mark.parametrize("seed", [0, 4])
def test_logits_are_those_of_the_plain_cell(cell_output, seed):
    supernet = SPACE.replace(cell_output=cell_output).build_supernet()
    architecture = SPACE.random_architecture(seed)
    batch = random_batch()
    weights = cell_weights(supernet, architecture)
    embedding = weights["embedding"]
    states = states_of(
        embedding[batch.tokens.T],
        np.zeros((3, HIDDEN)),
        weights["input_kernel"],
        weights["node_kernels"],
        architecture,
        cell_output,
    )
    expected = np.einsum("tbh,vh->btv", states, embedding)
    np.testing.assert_allclose(supernet(batch.tokens, architecture), expected, atol=1e-5)


@pytest.mark.parametrize(
    ("text", "cell_output"),
    [("0 0 1 1 2 2 3 3 2 1", "mean"), ("0 3 0 1 0 2 1 0 1 2", "loose_ends")],
)
def test_gradients_are_finite_differences_of_the_plain_cell(cell_output, text):
    space = SPACE.replace(
        cell_output=cell_output,
        regularization=SPACE.regularization.replace(
            input_dropout=0.3, output_dropout=0.4, activation_penalty=0.5
        ),
    )
    supernet = space.build_supernet()
    architecture = RnnArchitecture.from_release_string(text)
    batch, state = random_batch(), random_state()
    value, gradients, _ = gradients_of(supernet, batch, architecture, state)
    masks = draw_masks(space.regularization, SEED, rows=3, hidden=HIDDEN, vocabulary=VOCABULARY)
    masks = type(masks)(*(mask.numpy().astype(np.float64) for mask in masks))
    weights = cell_weights(supernet, architecture)

    def plain(weights):
        return objective(
            weights, batch, state, architecture, space.regularization, masks, cell_output
        )

    assert value == pytest.approx(plain(weights), rel=1e-5)
    generator = np.random.default_rng(0)
    for name, gradient in gradients.items():
        for _ in range(4):
            direction = generator.normal(size=gradient.shape)
            direction *= 1e-6 / np.linalg.norm(direction)
            up, down = ({**weights, name: weights[name] + s * direction} for s in (1, -1))
            slope = (plain(up) - plain(down)) / 2e-6
            expected = np.sum(gradient * direction) / 1e-6
            assert slope == pytest.approx(expected, abs=1e-5), name


def test_only_the_chosen_matrices_get_a_gradient():
    architecture = SPACE.random_architecture(1)
    _, _, banks = gradients_of(SPACE.build_supernet(), random_batch(), architecture, random_state())
    for bank, node in zip(banks, architecture.nodes):
        touched = np.argwhere(np.any(bank.numpy() != 0.0, axis=(2, 3))).tolist()
        assert touched == [[node.function, node.previous]]


@pytest.mark.parametrize("node", range(5))
def test_every_function_of_every_node_gives_other_logits(node):
    supernet = SPACE.build_supernet()
    tokens = random_batch().tokens
    nodes = SPACE.random_architecture(2).nodes
    logits = []
    for function in RnnFunction:
        changed = [*nodes]
        changed[node] = type(nodes[0])(nodes[node].previous, function)
        logits.append(supernet(tokens, RnnArchitecture(changed)).numpy())
    for first in range(4):
        for second in range(first):
            assert np.abs(logits[first] - logits[second]).max() > 1e-4


def test_one_traced_function_serves_all_architectures():
    supernet = SPACE.build_supernet()
    traces = []

    @tf.function
    def run(tokens, decisions):
        traces.append(1)
        return supernet(tokens, decisions)

    tokens = tf.constant(random_batch().tokens)
    for seed in range(3):
        architecture = SPACE.random_architecture(seed)
        logits = run(tokens, supernet.decisions_of(architecture))
        np.testing.assert_allclose(logits, supernet(tokens, architecture), atol=1e-6)
    assert len(traces) == 1


def test_one_long_segment_equals_two_halves_with_carried_state():
    supernet = SPACE.replace(
        regularization=SPACE.regularization.replace(
            word_dropout=0.0,
            embedding_dropout=0.0,
            input_dropout=0.0,
            node_dropout=0.0,
            output_dropout=0.0,
            slowness_penalty=0.0,
        )
    ).build_supernet()
    decisions = supernet.decisions_of(SPACE.random_architecture(0))
    whole = random_batch(time=6)
    halves = [
        whole._replace(tokens=whole.tokens[:, part], targets=whole.targets[:, part])
        for part in (slice(0, 3), slice(3, 6))
    ]
    state = supernet.initial_state(3)
    expected = supernet.training_pass(whole, decisions, state, SEED)
    first = supernet.training_pass(halves[0], decisions, state, SEED)
    second = supernet.training_pass(halves[1], decisions, first.state, SEED)
    loss = float(first.metrics.loss) + float(second.metrics.loss)
    assert loss == pytest.approx(float(expected.metrics.loss), rel=1e-6)
    np.testing.assert_allclose(second.state, expected.state, atol=1e-6)


def test_rows_that_begin_start_from_zero():
    supernet = SPACE.build_supernet()
    decisions = supernet.decisions_of(SPACE.random_architecture(0))
    begins = random_batch(carry=0.0)
    from_anything = supernet.training_pass(begins, decisions, tf.constant(random_state()), SEED)
    from_zero = supernet.training_pass(begins, decisions, supernet.initial_state(3), SEED)
    np.testing.assert_array_equal(from_anything.state, from_zero.state)


def test_weight_decay_is_on_the_matrices_in_use():
    supernet = SPACE.build_supernet()
    architecture = SPACE.random_architecture(0)
    decisions = supernet.decisions_of(architecture)
    state = supernet.initial_state(3)
    decayed = supernet.training_pass(random_batch(), decisions, state, SEED).decayed
    weights = cell_weights(supernet, architecture)
    np.testing.assert_array_equal(decayed[0], np.float32(weights["input_kernel"]))
    np.testing.assert_array_equal(decayed[1], np.float32(weights["node_kernels"]))


def test_the_rate_is_scaled_by_the_length():
    supernet = SPACE.build_supernet()
    decisions = supernet.decisions_of(SPACE.random_architecture(0))
    batch = random_batch()._replace(relative_length=np.full(3, 0.5, np.float32))
    outcome = supernet.training_pass(batch, decisions, supernet.initial_state(3), SEED)
    assert float(outcome.rate_scale) == 0.5


def test_the_score_is_the_cross_entropy_from_the_zero_state():
    supernet = SPACE.build_supernet()
    architecture = SPACE.random_architecture(0)
    batch = random_batch()
    score = supernet.score(batch, supernet.decisions_of(architecture))
    weights = cell_weights(supernet, architecture)
    embedding = weights.pop("embedding")
    states = states_of(
        embedding[batch.tokens.T], np.zeros((3, HIDDEN)), *weights.values(), architecture, "mean"
    )
    expected = cross_entropies(states, embedding, batch.targets).sum()
    assert float(score.total) == pytest.approx(expected, rel=1e-5)
    assert float(score.count) == 12.0


def test_the_perplexity_of_a_uniform_model_is_the_size_of_the_vocabulary():
    supernet = SPACE.build_supernet()
    supernet.embedding.assign(np.zeros(supernet.embedding.shape))
    score = supernet.score(random_batch(), supernet.decisions_of(SPACE.random_architecture(0)))
    reward = supernet.reward([score._make(map(float, score))])
    (perplexity,) = supernet.score_metrics(reward).values()
    assert perplexity == pytest.approx(VOCABULARY, rel=1e-6)
    assert reward == pytest.approx(80 / VOCABULARY, rel=1e-6)


def test_no_reward_at_all_is_an_infinite_perplexity():
    assert [*SPACE.build_supernet().score_metrics(0.0).values()] == [math.inf]


def test_the_banks_have_a_matrix_for_each_function_and_each_earlier_node():
    shapes = [tuple(bank.shape) for bank in SPACE.build_supernet().banks]
    assert shapes == [(4, node, HIDDEN, 2 * HIDDEN) for node in range(1, 6)]


def test_the_lstm_is_no_point_of_the_space():
    with pytest.raises(ArchitectureError, match="baseline"):
        SPACE.build_supernet()(random_batch().tokens, LstmBaseline())
