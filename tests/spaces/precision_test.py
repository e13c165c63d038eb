"""Supernets in bfloat16 and float16 beside float32: all spaces, and what keeps float32.

Tolerances. A number is rounded by at most a share `ROUNDING` of it: 2^-9 in bfloat16 and 2^-12 in
float16. The longest way through the networks below has about fifty roundings (of kernels,
products, normalised pictures, sums), which are as often up as down, so that they add up like a
random walk: by a share of sqrt(50), about 7, roundings. Batch normalisation keeps activations near
1, and the loss of a picture moves by at most twice as much as its largest logit. The mean over
pictures is allowed twice that: 32 roundings, 6 % in bfloat16 and 0.8 % in float16.
"""

import numpy as np
import pytest
import tensorflow as tf

from enas_tf.data.texts.batch import TextBatch
from enas_tf.errors import ConfigurationError
from enas_tf.settings.search import SearchConfig
from enas_tf.settings.strategies import DartsConfig
from enas_tf.settings.training import TrainingConfig
from enas_tf.spaces.macro.space import MacroSpace
from enas_tf.spaces.micro.space import MicroSpace
from enas_tf.spaces.rnn.config import RnnRegularization
from enas_tf.spaces.rnn.space import RnnSpace
from enas_tf.training.optimizers import build_optimizer
from enas_tf.training.step import gradient_step
from tests.conformance.chain.space import ChainSpace

ROUNDING = {"bfloat16": 2.0**-9, "float16": 2.0**-12}
TOLERANCE = {precision: 32 * rounding for precision, rounding in ROUNDING.items()}
HALF = pytest.mark.parametrize("precision", list(ROUNDING))
BATCH = 16
SEEDS = range(4)
PICTURES = {"filters": 4, "input_shape": (6, 6, 3), "num_classes": 3}
NO_DROPOUT = RnnRegularization(
    word_dropout=0.0,
    embedding_dropout=0.0,
    input_dropout=0.0,
    node_dropout=0.0,
    output_dropout=0.0,
)
SPACES = {
    "whole channels": MacroSpace(num_layers=3, dropout_rate=0.0, **PICTURES),
    "ranges of channels": MacroSpace(
        num_layers=2, dropout_rate=0.0, search_whole_channels=False, **PICTURES
    ),
    "cells": MicroSpace(num_layers=1, num_nodes=1, dropout_rate=0.0, **PICTURES),
    "recurrent cells": RnnSpace(
        num_nodes=3,
        hidden_size=8,
        vocabulary_size=12,
        initial_range=0.5,
        regularization=NO_DROPOUT,
    ),
}
# Others take long to trace.
SHORT = ("whole channels", "recurrent cells")
EVERY = [name if name in SHORT else pytest.param(name, marks=pytest.mark.long) for name in SPACES]
SPACE = pytest.mark.parametrize("name", EVERY)
LONG = pytest.mark.long


def batch_of(space, seed):
    generator = np.random.default_rng(seed)
    if isinstance(space, RnnSpace):
        words = generator.integers(0, space.vocabulary_size, (BATCH, 6)).astype(np.int32)
        ones = tf.ones([BATCH])
        return TextBatch(tf.constant(words[:, :-1]), tf.constant(words[:, 1:]), ones, ones)
    labels = generator.integers(0, space.num_classes, BATCH).astype(np.int32)
    images = generator.normal(size=(BATCH, *space.input_shape)) + labels[:, None, None, None]
    return tf.constant(images.astype(np.float32)), tf.constant(labels)


def decisions_of(space, kind, seed):
    """Returns an architecture, a path with its gains, or a mixture, as random ones."""
    generator = np.random.default_rng(seed)
    encoded = space.encode([space.random_architecture(seed)])
    if kind == "path":
        encoded = space.path_type(*encoded, np.ones(encoded[0].shape, np.float32))
    if kind == "mixture":
        weights = space.permitted() * generator.uniform(0.1, 1.0, space.permitted().shape)
        weights /= weights.sum((-1, -2), keepdims=True)
        encoded = space.mixture_type(weights[None].astype(np.float32))
    return type(encoded)(*(tf.constant(array[0]) for array in encoded))


def passing(space, precision):
    """Returns a function of a seed: loss, gradients and statistics of a training pass."""
    supernet = space.build_supernet(seed=1)
    supernet.set_precision(precision)
    variables = supernet.trainable_variables

    @tf.function(autograph=False, reduce_retracing=True)
    def run(batch, decisions):
        with tf.GradientTape() as tape:
            outcome = supernet.training_pass(
                batch, decisions, supernet.initial_state(BATCH), tf.constant([0, 0])
            )
            loss = outcome.objective / BATCH
        gradients = tape.gradient(loss, variables)
        return loss, [one for one in gradients if one is not None], outcome

    def of_seed(seed, kind="decisions"):
        return run(batch_of(space, seed), decisions_of(space, kind, seed))

    return of_seed


def assert_losses_agree(name, kind):
    runs = {precision: passing(SPACES[name], precision) for precision in ("float32", *ROUNDING)}
    exact = [runs["float32"](seed, kind)[0] for seed in SEEDS]
    for precision, tolerance in TOLERANCE.items():
        losses = []
        for seed in SEEDS:
            loss, gradients, outcome = runs[precision](seed, kind)
            losses.append(loss)
            kept = [loss, *gradients, outcome.metrics, outcome.statistics, outcome.state]
            assert {one.dtype for one in tf.nest.flatten(kept)} == {tf.float32}, precision
        np.testing.assert_allclose(losses, exact, rtol=tolerance, err_msg=precision)
        # They are computed in another type at all; a single one may be the same by chance.
        assert np.any(np.not_equal(losses, exact)), precision


@SPACE
def test_losses_agree_and_what_is_kept_is_float32(name):
    assert_losses_agree(name, "decisions")


@pytest.mark.long
@pytest.mark.parametrize("kind", ["mixture", "path"])
@pytest.mark.parametrize("name", ["cells", "recurrent cells"])
def test_losses_of_mixtures_and_paths_agree(name, kind):
    assert_losses_agree(name, kind)


@HALF
@SPACE
def test_scores_agree(name, precision):
    space, batch = SPACES[name], batch_of(SPACES[name], 0)
    decisions = decisions_of(space, "decisions", 0)
    exact, half = space.build_supernet(seed=1), space.build_supernet(seed=1)
    half.set_precision(precision)
    for use_batch_statistics in (True, False):
        totals = [
            supernet.score(
                batch, decisions, use_batch_statistics=use_batch_statistics, metric="loss"
            ).total
            for supernet in (exact, half)
        ]
        assert [total.dtype for total in totals] == [tf.float32] * 2
        np.testing.assert_allclose(totals[1], totals[0], rtol=TOLERANCE[precision])


@pytest.mark.parametrize("name", EVERY[:1] + [pytest.param(n, marks=LONG) for n in [*SPACES][1:]])
def test_training_lowers_the_loss_alike(name):
    space, steps = SPACES[name], 12
    rate = 2.0 if isinstance(space, RnnSpace) else 0.1
    config = TrainingConfig(
        batch_size=BATCH, learning_rate=rate, weight_decay=0.0, restart_epochs=0
    )
    batch, decisions = batch_of(space, 0), decisions_of(space, "decisions", 0)
    lowered = {}
    for precision in ("float32", *ROUNDING):
        supernet = space.build_supernet(seed=1)
        supernet.set_precision(precision)
        optimizer = build_optimizer(config, steps_per_epoch=steps, precision=precision)
        optimizer.build(supernet.trainable_variables)

        @tf.function(autograph=False)
        def step(supernet=supernet, optimizer=optimizer):
            outcome, _ = gradient_step(
                lambda: supernet.training_pass(
                    batch, decisions, supernet.initial_state(BATCH), tf.constant([0, 0])
                ),
                supernet.trainable_variables,
                optimizer,
                config,
            )
            return outcome.objective / BATCH

        losses = [float(step()) for _ in range(steps)]
        assert losses[-1] < losses[0] - 0.1, precision
        lowered[precision] = losses[0] - losses[-1]
    for precision in ROUNDING:
        assert lowered[precision] == pytest.approx(lowered["float32"], rel=0.25), precision


def test_a_supernet_that_knows_no_half_types_says_so():
    supernet = ChainSpace().build_supernet()
    supernet.set_precision("float32")
    with pytest.raises(ConfigurationError, match=r"must be one of float32\. Received.*bfloat16"):
        supernet.set_precision("bfloat16")


def test_banks_of_classifiers_stay_float32():
    supernet = SPACES["whole channels"].build_supernet()
    supernet.set_precision("bfloat16")
    assert supernet.classifier.select().dtype == tf.float32
    assert supernet.stem.select([0]).dtype == tf.bfloat16


def test_the_second_order_needs_float32():
    with pytest.raises(ConfigurationError, match="take darts_order=1"):
        SearchConfig(strategy="darts", precision="bfloat16", darts=DartsConfig(order=2))
