import numpy as np
import pytest
import tensorflow as tf

from enas_tf.searching.darts.architecture import MixtureWeights, ReadOff
from enas_tf.searching.darts.stopping import StopRule
from enas_tf.settings.strategies import DartsConfig
from enas_tf.spaces.micro.space import MicroSpace
from enas_tf.spaces.rnn.space import RnnSpace

RNN = RnnSpace(num_nodes=3)
MICRO = MicroSpace(num_nodes=2)
# Whose operations have other numbers than in the space of all.
CHOSEN = MicroSpace(num_nodes=2, operations=["identity", "separable_5x5"])
BOTH = pytest.mark.parametrize("space", [MICRO, CHOSEN, RNN], ids=["micro", "chosen", "rnn"])


def decided(space, architecture):
    """Weights of a mixture that is as good as the architecture."""
    weights = MixtureWeights(space, DartsConfig(), seed=0)
    one_hot = space.relax([architecture]).weights[0]
    weights.logits.assign(50.0 * one_hot)
    return weights


@BOTH
def test_mixtures_are_distributions_over_what_is_permitted(space):
    weights = MixtureWeights(space, DartsConfig(), seed=0).weights()
    np.testing.assert_allclose(weights.sum(axis=(-1, -2)), 1.0, rtol=1e-6)
    assert not weights[~space.permitted()].any()


@BOTH
def test_what_is_decided_is_read_off(space):
    architecture = space.discretise(space.relax([space.random_architecture(1)]), "edges")[0]
    assert ReadOff(decided(space, architecture)).most_likely() == architecture


@BOTH
def test_entropy_falls_from_the_largest_to_zero(space):
    metrics = MixtureWeights(space, DartsConfig(), seed=0).metrics()
    assert metrics["entropy"] == pytest.approx(space.largest_entropy, rel=1e-3)
    found = decided(space, space.random_architecture(1)).metrics()["entropy"]
    assert found == pytest.approx(0.0, abs=1e-4)


def test_share_of_the_identity_is_that_of_the_decisions():
    architecture = RNN.random_architecture(1)
    share = np.mean([node.function.label == "identity" for node in architecture.nodes])
    assert decided(RNN, architecture).metrics()["identity_share"] == pytest.approx(share, abs=1e-4)


def test_a_step_is_adam_with_weight_decay_as_the_authors_have_it():
    config = DartsConfig(learning_rate=3e-3, weight_decay=5e-4, initial_deviation=1.0)
    weights = MixtureWeights(RNN, config, seed=2)
    permitted = RNN.permitted()
    alpha = weights.logits.numpy().astype(np.float64)
    first, second = np.zeros_like(alpha), np.zeros_like(alpha)
    generator = np.random.default_rng(0)
    for step in range(1, 4):
        gradient = generator.normal(size=alpha.shape).astype(np.float32)
        weights.apply(tf.constant(gradient))
        # torch.optim.Adam: decay is added to the gradient; both moments are corrected.
        whole = gradient + 2 * 5e-4 * alpha
        first = 0.5 * first + 0.5 * whole
        second = 0.999 * second + 0.001 * whole**2
        corrected = np.sqrt(second / (1 - 0.999**step)) + 1e-8
        change = 3e-3 * first / (1 - 0.5**step) / corrected
        alpha = np.where(permitted, alpha - change, alpha)
    np.testing.assert_allclose(weights.logits.numpy(), alpha, rtol=1e-5, atol=1e-5)


@BOTH
def test_paths_are_drawn_as_often_as_the_mixture_says(space):
    weights = MixtureWeights(space, DartsConfig(initial_deviation=1.0), seed=0)
    logits = tf.convert_to_tensor(weights.logits.value)
    drawn = tf.function(lambda seed: weights.path(logits, tf.constant(1.0), seed))
    counts = np.zeros(logits.shape)
    total = 400
    kind = type(space.decision_options())
    for number in range(total):
        path = drawn(tf.constant([number, 0], tf.int32))
        np.testing.assert_array_equal(path.gains, 1.0)
        batched = kind(*(np.asarray(field)[None] for field in path[:2]))
        counts += space.relax(space.decode(batched)).weights[0]
    np.testing.assert_allclose(counts / total, weights.weights(), atol=0.12)


def test_gains_of_a_path_have_the_gradient_of_the_chosen_weights():
    weights = MixtureWeights(RNN, DartsConfig(), seed=0)
    logits = tf.convert_to_tensor(weights.logits.value)
    with tf.GradientTape() as tape:
        tape.watch(logits)
        total = tf.reduce_sum(weights.path(logits, tf.constant(1.0), tf.constant([1, 2])).gains)
    gradient = tape.gradient(total, logits).numpy()
    # A softmax has no gradient in the direction of all its logits.
    np.testing.assert_allclose(gradient.sum(axis=(-1, -2)), 0.0, atol=1e-6)
    assert np.any(gradient != 0.0)


def test_a_search_stops_when_the_cell_has_so_many_identities():
    space = MicroSpace(num_nodes=1)
    normal, reduction = "0 4 1 4", "0 4 1 0"
    architecture = type(space.random_architecture(0)).from_release_string(f"{normal} {reduction}")
    assert StopRule("skips:2", space).reached(architecture)
    assert not StopRule("skips:3", space).reached(architecture)


def test_a_search_stops_when_the_cell_stays_the_same():
    rule = StopRule("stable:2", RNN)
    found = [rule.reached(RNN.random_architecture(seed)) for seed in (1, 2, 2)]
    assert found == [False, False, True]


def test_a_search_does_not_stop_without_a_rule():
    assert not StopRule(None, RNN).reached(RNN.random_architecture(1))
