"""The per-channel form: every operation runs, on the channels that the controller chose."""

import numpy as np
import pytest
import tensorflow as tf

from enas_tf.spaces.macro.architecture import (
    ChannelRange,
    MacroChannelArchitecture,
    MacroChannelLayer,
)
from enas_tf.spaces.macro.space import MacroSpace

FILTERS = 6
SPACE = MacroSpace(
    num_layers=2,
    filters=FILTERS,
    input_shape=(4, 4, 2),
    num_classes=3,
    search_whole_channels=False,
)
OPERATIONS = pytest.mark.parametrize("operation", range(6))
RANGES = [ChannelRange(0, 2), ChannelRange(1, 3), ChannelRange(3, 3)] * 2


def architecture_of(ranges):
    """A network whose second layer has the given ranges."""
    first = MacroChannelLayer(tuple(RANGES))
    return MacroChannelArchitecture((first, MacroChannelLayer(tuple(ranges), (0,))), FILTERS)


@pytest.fixture(scope="module")
def supernet():
    supernet = SPACE.build_supernet(seed=1)
    generator = np.random.default_rng(0)
    for bank in supernet.normalization_banks().values():
        bank.scale.assign(generator.uniform(0.5, 1.5, bank.scale.shape))
        # Above zero, so that no ReLU silences a channel.
        bank.offset.assign(generator.uniform(0.2, 0.8, bank.offset.shape))
    return supernet


@pytest.fixture(scope="module")
def images():
    return tf.constant(np.random.default_rng(0).normal(size=(5, 4, 4, 2)).astype(np.float32))


@pytest.fixture(scope="module")
def run(supernet, images):
    """Logits, statistics and gradients of an architecture, traced once."""

    @tf.function(autograph=False)
    def run(decisions):
        variables = [variable.value for variable in supernet.trainable_variables]
        with tf.GradientTape() as tape:
            logits, statistics = supernet.forward(images, decisions, use_batch_statistics=True)
            loss = tf.reduce_mean(tf.nn.log_softmax(logits)[:, 0])
        gradients = tape.gradient(loss, variables)
        return logits, statistics, [tf.convert_to_tensor(gradient) for gradient in gradients]

    def run_architecture(architecture):
        logits, statistics, gradients = run(supernet.decisions_of(architecture))
        by_variable = {id(v): g.numpy() for v, g in zip(supernet.trainable_variables, gradients)}
        return logits.numpy(), statistics, by_variable

    run_architecture.function = run
    return run_architecture


@OPERATIONS
@pytest.mark.parametrize("other", [ChannelRange(2, 2), ChannelRange(1, 1), ChannelRange(1, 4)])
def test_another_range_gives_other_logits(run, operation, other):
    ranges = list(RANGES)
    ranges[operation] = ChannelRange(1, 2)
    before = run(architecture_of(ranges))[0]
    ranges[operation] = other
    assert np.max(np.abs(run(architecture_of(ranges))[0] - before)) > 1e-4


def channels_with_gradient(gradient):
    """Indices on the last axis of a gradient that are not all zero."""
    return np.flatnonzero(np.any(gradient != 0.0, axis=tuple(range(gradient.ndim - 1)))).tolist()


def channels_of(chosen):
    return list(range(chosen.start, chosen.start + chosen.count))


@OPERATIONS
@pytest.mark.parametrize("chosen", [ChannelRange(0, 1), ChannelRange(2, 3), ChannelRange(5, 1)])
def test_gradients_reach_the_chosen_channels_only(supernet, run, operation, chosen):
    ranges = list(RANGES)
    ranges[operation] = chosen
    _, _, gradients = run(architecture_of(ranges))
    layers = supernet.supernet_layers
    if operation < 4:
        kernels = layers.operation_kernels[operation][-1].kernel
        assert channels_with_gradient(gradients[id(kernels)][1]) == channels_of(chosen)
        scale = gradients[id(layers.operation_norm.scale)][4 + operation]
        assert channels_with_gradient(scale) == channels_of(chosen)
    else:
        # Pooling hands on channels of its input convolution.
        kernels = gradients[id(layers.input_kernels.kernel)][6 + operation]
        assert channels_with_gradient(kernels) == channels_of(chosen)
    rows = gradients[id(layers.merge_kernels.kernel)][1]
    own = rows[operation * FILTERS : (operation + 1) * FILTERS]
    assert channels_with_gradient(own.T) == channels_of(chosen)


@pytest.mark.parametrize("operation", range(4))
def test_only_the_chosen_channels_are_counted(run, operation):
    _, statistics, _ = run(architecture_of(RANGES))
    expected = np.zeros(FILTERS)
    expected[channels_of(RANGES[operation])] = 1.0
    for layer in range(2):
        np.testing.assert_array_equal(
            statistics["operation_norm"].count[4 * layer + operation], expected
        )


def test_another_architecture_is_not_traced_again(run):
    for seed in range(5):
        run(SPACE.random_architecture(seed))
    assert run.function.experimental_get_tracing_count() == 1


@pytest.mark.parametrize("num_operations", [1, 3, 5])
def test_fewer_operations_work(num_operations, images):
    space = SPACE.replace(num_operations=num_operations, num_layers=1)
    supernet = space.build_supernet()
    logits = supernet(images, space.random_architecture(seed=0), training=True)
    assert logits.shape == (5, 3)
