import numpy as np
import pytest
import tensorflow as tf

from enas_tf.spaces.rnn.decisions import RnnMixture, RnnPaths
from tests.spaces.rnn.made_up_text import SPACE, random_batch, random_state

SEED = tf.constant([3, 4], tf.int32)
OUTPUTS = pytest.mark.parametrize("cell_output", ["mean", "loose_ends"])


def as_tensors(values):
    return type(values)(*(tf.constant(value[0]) for value in values))


def pass_of(supernet, decisions):
    """The objective, the state after it, and the gradients of the weights and of `watched`."""
    batch, state = random_batch(), tf.constant(random_state())

    @tf.function
    def run(decisions):
        floats = [one for one in decisions if one.dtype.is_floating]
        with tf.GradientTape() as tape:
            tape.watch(floats)
            outcome = supernet.training_pass(batch, decisions, state, SEED)
        sources = [*supernet.trainable_variables, *floats]
        gradients = tape.gradient(outcome.objective, sources, unconnected_gradients="zero")
        return outcome, [tf.convert_to_tensor(gradient) for gradient in gradients]

    return run(decisions)


def random_mixture(space):
    permitted = space.permitted()
    exponentials = np.where(
        permitted, np.exp(np.random.default_rng(0).normal(size=permitted.shape)), 0.0
    )
    return (exponentials / exponentials.sum(axis=(-1, -2), keepdims=True)).astype(np.float32)


@OUTPUTS
@pytest.mark.parametrize("seed", range(2))
def test_one_hot_mixtures_are_the_discrete_pass(cell_output, seed):
    space = SPACE.replace(cell_output=cell_output)
    supernet = space.build_supernet()
    architectures = [space.random_architecture(seed)]
    discrete, expected = pass_of(supernet, as_tensors(space.encode(architectures)))
    relaxed, gradients = pass_of(supernet, as_tensors(space.relax(architectures)))
    np.testing.assert_allclose(relaxed.objective, discrete.objective, rtol=1e-5)
    np.testing.assert_allclose(relaxed.state, discrete.state, rtol=1e-5, atol=1e-6)
    for own, other in zip(gradients[:-1], expected):
        np.testing.assert_allclose(own, other, rtol=1e-4, atol=1e-6)


def test_one_hot_mixtures_have_the_logits_of_the_architecture():
    supernet = SPACE.build_supernet()
    architecture = SPACE.random_architecture(5)
    tokens = random_batch().tokens
    np.testing.assert_allclose(
        supernet(tokens, as_tensors(SPACE.relax([architecture]))),
        supernet(tokens, architecture),
        rtol=1e-5,
        atol=1e-6,
    )


@OUTPUTS
def test_gradient_of_the_mixture_agrees_with_finite_differences(cell_output):
    # Larger weights than at the start of a search, so that the differences can be seen.
    space = SPACE.replace(cell_output=cell_output, initial_range=0.5)
    supernet = space.build_supernet()
    batch, state = random_batch(), tf.constant(random_state())

    @tf.function
    def run(weights):
        with tf.GradientTape() as tape:
            tape.watch(weights)
            value = supernet.training_pass(batch, RnnMixture(weights), state, SEED).objective
        return value, tape.gradient(value, weights)

    weights = random_mixture(space)
    gradient = run(tf.constant(weights))[1].numpy()
    assert np.all(gradient[space.permitted()] != 0.0)
    generator = np.random.default_rng(1)
    for _ in range(3):
        direction = np.where(space.permitted(), generator.normal(size=weights.shape), 0.0)
        direction = (direction / np.linalg.norm(direction)).astype(np.float32)
        step = 1e-2
        high, low = (
            float(run(tf.constant(weights + sign * direction))[0]) for sign in (step, -step)
        )
        numeric = (high - low) / (2 * step)
        assert numeric == pytest.approx(float(np.sum(gradient * direction)), rel=1e-2, abs=1e-3)


def test_gradients_in_a_graph_and_outside_of_it_agree():
    supernet = SPACE.replace(initial_range=0.5).build_supernet()
    mixture = RnnMixture(tf.constant(random_mixture(SPACE)))
    batch, state = random_batch(), tf.constant(random_state())
    with tf.GradientTape() as tape:
        tape.watch(mixture.weights)
        outcome = supernet.training_pass(batch, mixture, state, SEED)
    plain = tape.gradient(outcome.objective, mixture.weights)
    np.testing.assert_allclose(pass_of(supernet, mixture)[1][-1], plain, rtol=1e-4, atol=1e-5)


@OUTPUTS
def test_paths_with_gains_of_one_are_the_discrete_pass(cell_output):
    space = SPACE.replace(cell_output=cell_output)
    supernet = space.build_supernet()
    decisions = as_tensors(space.encode([space.random_architecture(2)]))
    discrete, expected = pass_of(supernet, decisions)
    paths = RnnPaths(*decisions, tf.ones([space.num_nodes]))
    outcome, gradients = pass_of(supernet, paths)
    np.testing.assert_allclose(outcome.objective, discrete.objective, rtol=1e-5)
    for own, other in zip(gradients[:-1], expected):
        np.testing.assert_allclose(own, other, rtol=1e-4, atol=1e-6)
    assert np.all(gradients[-1].numpy() != 0.0)
