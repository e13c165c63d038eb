"""Shared weights in float16: infinite gradients, and checkpoints."""

import numpy as np
import pytest
import tensorflow as tf

from enas_tf.errors import NumericalError
from enas_tf.searching.shared_weights import SharedWeights
from enas_tf.settings.search import SearchConfig
from enas_tf.settings.training import TrainingConfig
from enas_tf.spaces.macro.architecture import MacroArchitecture
from enas_tf.spaces.macro.decisions import MacroDecisions
from enas_tf.spaces.macro.space import MacroSpace
from enas_tf.training.checkpoints import Checkpoints

SPACE = MacroSpace(
    num_layers=1,
    filters=2,
    input_shape=(4, 4, 1),
    num_classes=2,
    dropout_rate=0.0,
    operations=("separable_3x3",),
)
CONFIG = SearchConfig(
    precision="float16", shared_weights=TrainingConfig(batch_size=8, learning_rate=0.1)
)
ARCHITECTURE = MacroArchitecture.from_release_string("1")
# Times such a scale every gradient is infinite.
TOO_LARGE = 2.0**60


def begun():
    return SharedWeights(SPACE, CONFIG, steps_per_epoch=100)


def train(weights, step):
    generator = np.random.default_rng(step)
    labels = np.arange(8, dtype=np.int32) % 2
    images = generator.normal(size=(8, 4, 4, 1)) + labels[:, None, None, None]
    decisions = MacroDecisions(*map(tf.constant, SPACE.encode([ARCHITECTURE])))
    batch = tf.constant(images.astype(np.float32)), tf.constant(labels)
    return weights.train(batch, decisions, step).means()["loss"]


def values_of(weights):
    return [variable.numpy() for variable in weights.supernet.trainable_variables]


def everything(weights):
    variables = [*weights.supernet.variables, *weights.optimizer.variables]
    return [variable.numpy().tolist() for variable in variables]


@pytest.fixture(scope="module")
def traced():
    weights = begun()
    start = [v.numpy() for v in (*weights.supernet.variables, *weights.optimizer.variables)]
    return weights, start


@pytest.fixture
def weights(traced):
    """Shared weights in their initial state."""
    weights, start = traced
    variables = [*weights.supernet.variables, *weights.optimizer.variables]
    for variable, value in zip(variables, start, strict=True):
        variable.assign(value)
    return weights


def test_it_recovers_from_infinite_gradients(weights):
    weights.optimizer.loss_scale.assign(TOO_LARGE)
    before = values_of(weights)
    first = train(weights, 0)
    for now, then in zip(values_of(weights), before, strict=True):
        np.testing.assert_array_equal(now, then)
    metrics = weights.step_metrics()
    assert (metrics["loss_scale"], metrics["skipped_steps"]) == (TOO_LARGE / 2, 1.0)
    # Infinity cannot be written down.
    assert "gradient_norm" not in metrics
    losses = [train(weights, step) for step in range(1, 80)]
    # A forward pass knows nothing of the scale.
    assert np.all(np.isfinite(losses))
    metrics = weights.step_metrics()
    assert 1.0 < metrics["loss_scale"] < TOO_LARGE
    assert metrics["skipped_steps"] == np.log2(TOO_LARGE / metrics["loss_scale"])
    assert np.isfinite(metrics["gradient_norm"])
    assert np.mean(losses[-5:]) < first - 0.1


def test_what_no_scale_helps_is_an_error(weights):
    weights.optimizer.loss_scale.assign(0.5)
    with pytest.raises(NumericalError, match="Gradients in float16 are not finite"):
        weights.step_metrics()


def test_a_checkpoint_goes_on_to_the_same_bits(weights, tmp_path):
    weights.optimizer.loss_scale.assign(TOO_LARGE)
    train(weights, 0)
    weights.optimizer.loss_scale.assign(2.0**10)
    train(weights, 1)
    saved = Checkpoints(tmp_path, None, **weights.saved_objects())
    saved.save(1)
    train(weights, 2)
    expected = everything(weights)
    train(weights, 3)
    saved.restore()
    train(weights, 2)
    assert everything(weights) == expected
    scale, steps, skipped, _ = expected[-4:]
    assert (scale, steps, skipped) == (2.0**10, 2.0, 1.0)
