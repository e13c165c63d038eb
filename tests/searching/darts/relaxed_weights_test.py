"""A step of a search by gradient on a tiny recurrent cell, against one in plain NumPy."""

import dataclasses
import functools

import numpy as np
import pytest
import tensorflow as tf

from enas_tf.data.texts.dataset import TextData
from enas_tf.searching.darts.relaxed_weights import RelaxedWeights
from enas_tf.settings.search import SearchConfig
from enas_tf.settings.strategies import DartsConfig
from enas_tf.settings.training import TrainingConfig
from enas_tf.spaces.rnn.config import RnnRegularization
from enas_tf.spaces.rnn.space import RnnSpace
from enas_tf.training.devices import mirrored_cpus
from enas_tf.training.loss_scaling import unscaled
from tests.searching.darts import plain_darts

XI = 4.0
NO_DROPOUT = RnnRegularization(
    word_dropout=0.0,
    embedding_dropout=0.0,
    input_dropout=0.0,
    node_dropout=0.0,
    output_dropout=0.0,
    slowness_penalty=0.0,
)
SPACE = RnnSpace(
    num_nodes=2, hidden_size=4, vocabulary_size=5, initial_range=0.8, regularization=NO_DROPOUT
)
# A norm that clips.
TRAINING = TrainingConfig(
    epochs=1,
    batch_size=3,
    learning_rate=0.3,
    momentum=0.9,
    weight_decay=0.01,
    clip_norm=0.2,
    restart_epochs=0,
)
CONFIG = SearchConfig(
    strategy="darts",
    shared_weights=TRAINING,
    darts=DartsConfig(order=2, xi=XI, initial_deviation=1.0, weight_decay=0.05),
)
PERMITTED = SPACE.permitted()


@pytest.fixture(scope="module")
def batches():
    data = TextData.random(vocabulary_size=5, rows=3, seed=0)
    streams = data.search_streams(batch_size=3, reward_batch_size=3, seed=0)
    streams = dataclasses.replace(streams, sequence_length=4, random_lengths=False)
    return [next(iter(streams.training(step))) for step in (0, 3)]


def weights_of(order=2, clip_norm=TRAINING.clip_norm, precision="float32"):
    """Weights in the middle of a search: with momentum."""
    config = CONFIG.replace(
        precision=precision,
        darts=CONFIG.darts.replace(order=order),
        shared_weights=TRAINING.replace(clip_norm=clip_norm),
    )
    weights = RelaxedWeights(SPACE, config, steps_per_epoch=4)
    generator = np.random.default_rng(1)
    for held in weights.optimizer.momentums:
        held.assign(0.01 * generator.normal(size=held.shape))
    return weights


def learned_gradient(weights, batches, monkeypatch):
    """The gradient that one step gives the architecture."""
    found = []
    monkeypatch.setattr(weights.architecture, "apply", found.append)
    seed, state = tf.constant([0, 0]), weights.carried.read()
    inputs = [(batch, state, seed) for batch in batches]
    weights._learn_architecture(*inputs, seed, tf.constant(1.0))
    return found[0].numpy()


class Plain:
    """The same weights, losses and step in NumPy."""

    def __init__(self, weights, batches):
        self.weights = [one.numpy().astype(float) for one in weights.supernet.trainable_variables]
        self.logits = weights.architecture.logits.numpy().astype(float)
        self._batches = batches
        rate = float(weights.optimizer.learning_rate)
        # Keras holds what was added to the weights, the authors what was multiplied by the rate.
        held = [-one.numpy().astype(float) / rate for one in weights.optimizer.momentums]
        training = weights._config.shared_weights
        self.step = {"clip_norm": training.clip_norm, "momentum": training.momentum, "held": held}

    def training(self, weights, logits):
        return plain_darts.loss(weights, logits, self._batches[0], PERMITTED, TRAINING.weight_decay)

    def validation(self, weights, logits):
        return plain_darts.loss(weights, logits, self._batches[1], PERMITTED)

    def unrolled(self, logits):
        """L_val(w', α) with w' of the step that the weights would take with this α."""
        moved = plain_darts.after_a_step(self.training, self.weights, logits, XI, **self.step)
        return self.validation(moved, logits)

    def first_order(self):
        return plain_darts.derivative(lambda own: self.validation(self.weights, own), self.logits)

    def second_order(self):
        return plain_darts.second_order(
            self.training, self.validation, self.weights, self.logits, XI, **self.step
        )


def assert_close(found, expected, tolerance):
    """Each number is as close as is said of the largest one."""
    found = np.where(PERMITTED, found, 0.0)
    np.testing.assert_allclose(found, expected, rtol=0, atol=tolerance * np.abs(expected).max())


def test_first_order_is_the_derivative_of_the_validation_loss(batches, monkeypatch):
    weights = weights_of(order=1)
    plain = Plain(weights, batches)
    expected = plain_darts.derivative(
        lambda own: plain.validation(plain.weights, own), plain.logits
    )
    assert_close(learned_gradient(weights, batches, monkeypatch), expected, 1e-5)


@pytest.mark.parametrize(("precision", "rounding"), [("bfloat16", 2**-9), ("float16", 2**-12)])
def test_first_order_in_a_half_type(batches, monkeypatch, precision, rounding):
    exact, half = weights_of(order=1), weights_of(order=1, precision=precision)
    scaled = learned_gradient(half, batches, monkeypatch)
    (found,) = unscaled(half.architecture.optimizer, [scaled])
    # See tests/spaces/precision_test.py.
    assert_close(found, learned_gradient(exact, batches, monkeypatch), 32 * rounding)


def test_an_infinite_gradient_leaves_the_architecture_as_it_is():
    weights = weights_of(order=1, precision="float16")
    before = weights.architecture.logits.numpy()
    weights.architecture.apply(tf.fill(PERMITTED.shape, np.inf))
    np.testing.assert_array_equal(weights.architecture.logits.numpy(), before)
    metrics = weights.step_metrics()
    assert (metrics["skipped_steps"], metrics["architecture_skipped_steps"]) == (0.0, 1.0)
    weights.architecture.apply(tf.ones(PERMITTED.shape))
    assert np.any(weights.architecture.logits.numpy() != before)


def test_second_order_is_that_of_the_authors(batches, monkeypatch):
    weights = weights_of()
    plain = Plain(weights, batches)
    assert_close(learned_gradient(weights, batches, monkeypatch), plain.second_order(), 1e-5)


def test_second_order_is_the_derivative_after_the_step_of_the_weights(batches, monkeypatch):
    # Without clipping, whose share in the derivative the authors leave out.
    weights = weights_of(clip_norm=0.0)
    plain = Plain(weights, batches)
    gradient = learned_gradient(weights, batches, monkeypatch)
    generator = np.random.default_rng(0)
    for _ in range(2):
        direction = np.where(PERMITTED, generator.normal(size=PERMITTED.shape), 0.0)
        direction /= np.linalg.norm(direction)
        high, low = (plain.unrolled(plain.logits + sign * direction) for sign in (1e-4, -1e-4))
        expected = (high - low) / 2e-4
        assert np.sum(gradient * direction) == pytest.approx(expected, rel=1e-4, abs=1e-5)


@pytest.mark.parametrize("order", [1, 2])
def test_a_step_moves_the_architecture_as_the_authors_would(batches, order):
    weights = weights_of(order=order)
    plain = Plain(weights, batches)
    gradient = plain.first_order() if order == 1 else plain.second_order()
    darts = CONFIG.darts
    expected = plain_darts.adam(
        plain.logits,
        gradient,
        rate=darts.learning_rate,
        betas=(darts.adam_beta_1, darts.adam_beta_2),
        weight_decay=2.0 * darts.weight_decay,
    )
    weights.step(*batches, number=0, epoch=0, rollbacks=0)
    found = weights.architecture.logits.numpy()
    np.testing.assert_allclose(found[PERMITTED], expected[PERMITTED], rtol=1e-5, atol=1e-5)
    np.testing.assert_array_equal(found[~PERMITTED], np.float32(plain.logits[~PERMITTED]))


def test_several_steps_in_one_call_are_those_of_single_calls():
    # Segments of several lengths.
    data = TextData.random(vocabulary_size=5, rows=3, seed=0)
    streams = data.search_streams(batch_size=3, reward_batch_size=3, seed=0)

    def after(most):
        weights = weights_of(order=1)
        both = [
            weights.relaxed_batches(functools.partial(streams.training, first)) for first in (0, 3)
        ]
        metrics = [
            weights.step_several(*both, range(first, first + most), 0, 0, most)
            for first in range(0, 4, most)
        ]
        variables = [
            weights.architecture.logits,
            *weights.supernet.variables,
            *weights.carried_architecture.tensors,
        ]
        # Of both passes.
        rows = np.concatenate([np.array(one).reshape(2, 2, -1) for one in metrics], axis=2)
        return [rows, *(variable.numpy() for variable in variables)]

    for value, expected in zip(after(2), after(1), strict=True):
        np.testing.assert_array_equal(value, expected)


def test_learning_the_architecture_leaves_the_weights_as_they_are(batches, monkeypatch):
    weights = weights_of()
    before = [variable.numpy() for variable in weights.supernet.variables]
    learned_gradient(weights, batches, monkeypatch)
    for variable, value in zip(weights.supernet.variables, before):
        np.testing.assert_array_equal(variable.numpy(), value)


@pytest.mark.parametrize("order", [1, pytest.param(2, marks=pytest.mark.long)])
def test_two_devices_take_the_step_of_one(order, two_devices):
    data = TextData.random(vocabulary_size=5, rows=4, seed=0)
    streams = data.search_streams(batch_size=4, reward_batch_size=4, seed=0)
    config = CONFIG.replace(
        darts=CONFIG.darts.replace(order=order), shared_weights=TRAINING.replace(batch_size=4)
    )

    def after_two_steps(distribution):
        weights = RelaxedWeights(SPACE, config, 4, distribution)
        both = [
            weights.relaxed_batches(functools.partial(streams.training, first)) for first in (0, 3)
        ]
        for number in range(2):
            metrics = weights.step(*map(next, both), number, epoch=0, rollbacks=0)
        return weights, metrics

    one, metrics = after_two_steps(None)
    two, of_two = after_two_steps(mirrored_cpus(two_devices))
    pairs = [
        (one.architecture.logits, two.architecture.logits),
        *zip(one.supernet.variables, two.supernet.variables),
    ]
    for own, other in pairs:
        np.testing.assert_allclose(other.numpy(), own.numpy(), rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(np.array(of_two), np.array(metrics), rtol=1e-5)
    np.testing.assert_allclose(
        two.carried_architecture.read(), one.carried_architecture.read(), atol=1e-6
    )
