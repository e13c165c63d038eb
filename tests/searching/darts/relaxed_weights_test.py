"""A step of a search by gradient on a tiny recurrent cell, against plain derivatives."""

import dataclasses

import numpy as np
import pytest
import tensorflow as tf

from enas_tf.data.texts.dataset import TextData
from enas_tf.searching.darts.relaxed_weights import RelaxedWeights
from enas_tf.settings.config import DartsConfig, SearchConfig, TrainingConfig
from enas_tf.spaces.rnn.config import RnnRegularization
from enas_tf.spaces.rnn.space import RnnSpace

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
    num_nodes=2, hidden_size=4, vocabulary_size=7, initial_range=0.8, regularization=NO_DROPOUT
)
TRAINING = TrainingConfig(
    epochs=1, batch_size=3, learning_rate=0.3, momentum=0.0, weight_decay=0.0, restart_epochs=0
)
CONFIG = SearchConfig(
    strategy="darts",
    shared_weights=TRAINING,
    darts=DartsConfig(order=2, xi=XI, initial_deviation=1.0, weight_decay=0.0),
)


@pytest.fixture(scope="module")
def batches():
    data = TextData.random(vocabulary_size=7, rows=3, seed=0)
    streams = data.search_streams(batch_size=3, reward_batch_size=3, seed=0)
    streams = dataclasses.replace(streams, sequence_length=5, random_lengths=False)
    return [next(iter(streams.training(step))) for step in (0, 3)]


def weights_of(**darts):
    config = CONFIG.replace(darts=CONFIG.darts.replace(**darts))
    return RelaxedWeights(SPACE, config, steps_per_epoch=4)


def learned_gradient(weights, batches, monkeypatch):
    """The gradient that one step gives the architecture."""
    found = []
    monkeypatch.setattr(weights.architecture, "apply", found.append)
    seed, state = tf.constant([0, 0]), weights.carried.read()
    inputs = [(batch, state, seed) for batch in batches]
    weights._learn_architecture(*inputs, seed, tf.constant(1.0))
    return found[0].numpy()


def loss(weights, batch, logits):
    mixture = weights.architecture.mixture(tf.constant(logits, tf.float32))
    seed, state = tf.constant([0, 0]), weights.carried.read()
    outcome = weights.supernet.training_pass(batch, mixture, state, seed)
    return outcome.objective / TRAINING.batch_size


def differences(function, logits, directions, step):
    """Central differences along some directions."""
    return [
        (function(logits + step * d) - function(logits - step * d)) / (2 * step) for d in directions
    ]


@pytest.fixture(scope="module")
def directions():
    generator = np.random.default_rng(0)
    shape = SPACE.permitted().shape
    raw = np.where(SPACE.permitted(), generator.normal(size=(4, *shape)), 0.0)
    return [(one / np.linalg.norm(one)).astype(np.float32) for one in raw]


def test_first_order_is_the_derivative_of_the_validation_loss(batches, directions, monkeypatch):
    weights = weights_of(order=1)
    logits = weights.architecture.logits.numpy()
    gradient = learned_gradient(weights, batches, monkeypatch)
    numeric = differences(
        lambda own: float(loss(weights, batches[1], own)), logits, directions, 3e-2
    )
    exact = [float(np.sum(gradient * one)) for one in directions]
    np.testing.assert_allclose(exact, numeric, rtol=2e-2, atol=2e-4)


def test_second_order_is_the_derivative_after_the_step_of_the_weights(
    batches, directions, monkeypatch
):
    weights = weights_of()
    variables = weights.supernet.trainable_variables
    logits = weights.architecture.logits.numpy()
    gradient = learned_gradient(weights, batches, monkeypatch)
    before = [variable.numpy() for variable in variables]

    def unrolled(own):
        """L_val(w − ξ ∇L_train(w, α), α)."""
        with tf.GradientTape() as tape:
            value = loss(weights, batches[0], own)
        steps = tape.gradient(value, [variable.value for variable in variables])
        for variable, start, step in zip(variables, before, steps):
            variable.assign(start - XI * tf.convert_to_tensor(step))
        value = float(loss(weights, batches[1], own))
        for variable, start in zip(variables, before):
            variable.assign(start)
        return value

    numeric = differences(unrolled, logits, directions, 3e-2)
    exact = [float(np.sum(gradient * one)) for one in directions]
    np.testing.assert_allclose(exact, numeric, rtol=3e-2, atol=3e-4)
    # It is not the first order that agrees.
    first = learned_gradient(weights_of(order=1), batches, monkeypatch)
    assert not np.allclose(
        [float(np.sum(first * one)) for one in directions], numeric, rtol=3e-2, atol=3e-4
    )


def test_learning_the_architecture_leaves_the_weights_as_they_are(batches, monkeypatch):
    weights = weights_of()
    before = [variable.numpy() for variable in weights.supernet.variables]
    learned_gradient(weights, batches, monkeypatch)
    for variable, value in zip(weights.supernet.variables, before):
        np.testing.assert_array_equal(variable.numpy(), value)
