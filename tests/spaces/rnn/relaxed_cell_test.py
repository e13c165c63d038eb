import numpy as np
import pytest
import tensorflow as tf

from enas_tf.spaces.rnn.decisions import RnnMixture, RnnPaths
from enas_tf.spaces.rnn.relaxed_cell import relaxed_cell
from tests.spaces.rnn.made_up_text import HIDDEN, SPACE, random_batch, random_state

SEED = np.array([3, 4], np.int32)
OUTPUTS = pytest.mark.parametrize("cell_output", ["mean", "loose_ends"])


def as_tensors(values):
    return type(values)(*(tf.constant(value[0]) for value in values))


def pass_of(supernet):
    """Returns what makes the outcome and the gradients of weights and of the mixture or gains."""
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

    return run


@pytest.fixture(scope="module", params=["mean", "loose_ends"])
def space_and_pass(request):
    """A space and the `pass_of` its supernet, which is traced once for a kind of decisions."""
    space = SPACE.replace(cell_output=request.param)
    return space, pass_of(space.build_supernet())


def random_mixture(space):
    permitted = space.permitted()
    exponentials = np.where(
        permitted, np.exp(np.random.default_rng(0).normal(size=permitted.shape)), 0.0
    )
    return (exponentials / exponentials.sum(axis=(-1, -2), keepdims=True)).astype(np.float32)


@pytest.mark.parametrize("seed", range(2))
def test_one_hot_mixtures_are_the_discrete_pass(space_and_pass, seed):
    space, run = space_and_pass
    architectures = [space.random_architecture(seed)]
    discrete, expected = run(as_tensors(space.encode(architectures)))
    relaxed, gradients = run(as_tensors(space.relax(architectures)))
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
    # In single precision differences cannot tell more than three digits.
    supernet = SPACE.build_supernet()
    input_kernel, *banks = (
        tf.constant(one.numpy(), tf.float64) for one in (supernet.input_kernel, *supernet.banks)
    )
    generator = np.random.default_rng(1)
    inputs = tf.constant(generator.normal(size=(4, 3, HIDDEN)))
    state = tf.constant(random_state(), tf.float64)
    wanted = generator.normal(size=(4, 3, HIDDEN))

    def loss(weights):
        mixture = RnnMixture(weights)
        cell = relaxed_cell(input_kernel, banks, mixture, cell_output, compute_type=tf.float64)
        return tf.reduce_mean(tf.square(cell(inputs, state, None).outputs - wanted))

    permitted = SPACE.permitted()
    weights = tf.constant(random_mixture(SPACE), tf.float64)
    with tf.GradientTape() as tape:
        tape.watch(weights)
        value = loss(weights)
    gradient = tape.gradient(value, weights).numpy()
    assert np.all(gradient[permitted] != 0.0)
    for _ in range(3):
        direction = np.where(permitted, generator.normal(size=permitted.shape), 0.0)
        high, low = (float(loss(weights + sign * direction)) for sign in (1e-6, -1e-6))
        expected = (high - low) / 2e-6
        assert np.sum(gradient * direction) == pytest.approx(expected, rel=1e-4, abs=1e-7)


def test_gradients_in_a_graph_and_outside_of_it_agree():
    supernet = SPACE.replace(initial_range=0.5).build_supernet()
    mixture = RnnMixture(tf.constant(random_mixture(SPACE)))
    batch, state = random_batch(), tf.constant(random_state())
    with tf.GradientTape() as tape:
        tape.watch(mixture.weights)
        outcome = supernet.training_pass(batch, mixture, state, SEED)
    plain = tape.gradient(outcome.objective, mixture.weights)
    np.testing.assert_allclose(pass_of(supernet)(mixture)[1][-1], plain, rtol=1e-4, atol=1e-5)


def test_paths_with_gains_of_one_are_the_discrete_pass(space_and_pass):
    space, run = space_and_pass
    decisions = as_tensors(space.encode([space.random_architecture(2)]))
    discrete, expected = run(decisions)
    paths = RnnPaths(*decisions, tf.ones([space.num_nodes]))
    outcome, gradients = run(paths)
    np.testing.assert_allclose(outcome.objective, discrete.objective, rtol=1e-5)
    for own, other in zip(gradients[:-1], expected):
        np.testing.assert_allclose(own, other, rtol=1e-4, atol=1e-6)
    assert np.all(gradients[-1].numpy() != 0.0)
