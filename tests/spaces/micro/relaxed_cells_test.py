import numpy as np
import pytest
import tensorflow as tf

from enas_tf.spaces.micro.decisions import MicroMixture, MicroPaths
from enas_tf.spaces.micro.space import MicroSpace

SPACE = MicroSpace(
    num_layers=1, filters=4, num_nodes=2, input_shape=(8, 8, 3), num_classes=3, dropout_rate=0.0
)
SEED = np.array([1, 2], np.int32)


@pytest.fixture(scope="module")
def supernet():
    return SPACE.build_supernet(seed=1)


@pytest.fixture(scope="module")
def batch():
    generator = np.random.default_rng(0)
    images = generator.normal(size=(6, 8, 8, 3)).astype(np.float32)
    return tf.constant(images), tf.constant(generator.integers(0, 3, 6), tf.int32)


@pytest.fixture(scope="module")
def pass_of(supernet, batch):
    """Returns the outcome of a training pass and the gradients of all weights; one trace a kind."""

    @tf.function
    def run(decisions):
        with tf.GradientTape() as tape:
            outcome = supernet.training_pass(batch, decisions, (), SEED)
        gradients = tape.gradient(
            outcome.objective, supernet.trainable_variables, unconnected_gradients="zero"
        )
        return outcome, [tf.convert_to_tensor(gradient) for gradient in gradients]

    return run


def as_tensors(values):
    return type(values)(*(tf.constant(value[0]) for value in values))


def random_mixture(seed=0):
    permitted = SPACE.permitted()
    logits = np.random.default_rng(seed).normal(size=permitted.shape)
    exponentials = np.where(permitted, np.exp(logits), 0.0)
    return (exponentials / exponentials.sum(axis=(-1, -2), keepdims=True)).astype(np.float32)


@pytest.mark.parametrize("seed", range(2))
def test_one_hot_mixtures_are_the_discrete_pass(seed, pass_of):
    architectures = [SPACE.random_architecture(seed)]
    discrete, expected = pass_of(as_tensors(SPACE.encode(architectures)))
    relaxed, gradients = pass_of(as_tensors(SPACE.relax(architectures)))
    np.testing.assert_allclose(relaxed.objective, discrete.objective, rtol=1e-5)
    for own, other in zip(gradients, expected):
        np.testing.assert_allclose(own, other, rtol=1e-4, atol=1e-5)
    assert relaxed.statistics.keys() == discrete.statistics.keys()
    for name, statistics in discrete.statistics.items():
        for own, other in zip(relaxed.statistics[name], statistics):
            np.testing.assert_allclose(own, other, rtol=1e-4, atol=1e-5)


def test_one_hot_mixtures_have_the_logits_of_the_architecture(supernet, batch):
    architecture = SPACE.random_architecture(7)
    mixture = as_tensors(SPACE.relax([architecture]))
    np.testing.assert_allclose(
        supernet(batch[0], mixture), supernet(batch[0], architecture), rtol=1e-5, atol=1e-5
    )


def plain_normalization(inputs, scale, offset, epsilon):
    """What the fused kernel computes, in the precision of its inputs."""
    mean, variance = tf.nn.moments(inputs, [0, 1, 2])
    outputs = tf.nn.batch_normalization(inputs, mean, variance, offset, scale, epsilon)
    return outputs, mean, variance


@pytest.mark.parametrize("kind", [0, 1], ids=["normal", "reduction"])
def test_gradient_of_the_mixture_agrees_with_finite_differences(supernet, monkeypatch, kind):
    # In single precision differences cannot tell more than three digits.
    monkeypatch.setattr(tf.compat.v1.nn, "fused_batch_norm", plain_normalization)
    place = next(one for one in supernet.places if one.is_reduction == bool(kind))
    cells = supernet._relaxed_stages[place.stage - supernet.places[0].stage]
    generator = np.random.default_rng(0)
    older, newer, wanted = generator.normal(size=(3, 4, 6, 6, place.filters))
    number = cells._stage.places.index(place)

    def loss(weights):
        selected = cells.select(MicroMixture(weights))[number]
        exact = tf.nest.map_structure(lambda value: tf.cast(value, tf.float64), selected[3:])
        own = type(selected)(weights[kind], None, None, *exact)
        outputs, _ = cells._run_cell(tf.constant(older), tf.constant(newer), own, True)
        return tf.reduce_mean(tf.square(outputs - wanted))

    permitted = SPACE.permitted()[kind]
    weights = tf.constant(random_mixture(), tf.float64)
    with tf.GradientTape() as tape:
        tape.watch(weights)
        value = loss(weights)
    gradient = tape.gradient(value, weights).numpy()
    assert np.all(gradient[kind][permitted] != 0.0)
    assert not gradient[1 - kind].any()
    for _ in range(3):
        direction = np.zeros(weights.shape)
        direction[kind] = np.where(permitted, generator.normal(size=permitted.shape), 0.0)
        high, low = (float(loss(weights + sign * direction)) for sign in (1e-6, -1e-6))
        expected = (high - low) / 2e-6
        assert np.sum(gradient * direction) == pytest.approx(expected, rel=1e-4, abs=1e-7)


def test_paths_with_gains_of_one_are_the_discrete_pass_and_gains_have_a_gradient(
    supernet, batch, pass_of
):
    decisions = as_tensors(SPACE.encode([SPACE.random_architecture(3)]))
    gains = tf.ones(decisions.inputs.shape)
    discrete, _ = pass_of(decisions)

    @tf.function
    def run(gains):
        with tf.GradientTape() as tape:
            tape.watch(gains)
            value = supernet.training_pass(batch, MicroPaths(*decisions, gains), (), SEED).objective
        return value, tape.gradient(value, gains)

    value, gradient = run(gains)
    np.testing.assert_allclose(value, discrete.objective, rtol=1e-6)
    assert np.count_nonzero(gradient) == gains.shape.num_elements()


@pytest.mark.long
def test_partial_mixtures_with_all_channels_are_the_whole_mixture(supernet, pass_of):
    mixture = MicroMixture(tf.constant(random_mixture()))
    whole, _ = pass_of(mixture)
    all_chosen = supernet.partial_mixture(mixture, 1, SEED)
    partial, _ = pass_of(all_chosen)
    np.testing.assert_allclose(partial.objective, whole.objective, rtol=1e-4)


def test_partial_mixtures_choose_so_many_channels_and_pass_the_others_on(supernet, pass_of):
    mixture = MicroMixture(tf.constant(random_mixture()))
    partial = supernet.partial_mixture(mixture, 4, SEED)
    assert [len(one) for one in partial.chosen] == [1, 2, 4]
    for stage, (chosen, passed) in enumerate(zip(partial.chosen, partial.passed)):
        assert sorted([*chosen.numpy(), *passed.numpy()]) == list(range(4 * 2**stage))
    outcome, gradients = pass_of(partial)
    assert np.isfinite(outcome.objective)
    assert all(np.all(np.isfinite(gradient)) for gradient in gradients)
