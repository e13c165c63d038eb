import time

import numpy as np
import pytest
import tensorflow as tf

from enas_tf.spaces.rnn.architecture import RnnArchitecture
from enas_tf.spaces.rnn.cell_wiring import FixedWiring, SampledWiring
from enas_tf.spaces.rnn.recurrence import recurrence

ARCHITECTURE = RnnArchitecture.from_release_string("0 2 0 0 1 3 2 1")
ROWS, HIDDEN = 2, 3


def wiring(kind):
    if kind == "fixed":
        return FixedWiring(ARCHITECTURE, "mean")
    integers = tf.constant(ARCHITECTURE.to_integers())
    return SampledWiring(integers[0::2], integers[1::2], "mean")


def random_inputs(time_steps=5):
    """Projected words, the state before and the kernels."""
    generator = np.random.default_rng(0)
    shapes = [
        (time_steps, ROWS, 2 * HIDDEN),
        (ROWS, HIDDEN),
        (ARCHITECTURE.num_nodes + 1, HIDDEN, 2 * HIDDEN),
    ]
    return [generator.normal(size=shape).astype(np.float32) for shape in shapes]


def states_and_gradients(kind, mask):
    """The states, and the gradients of a sum over them, in a traced function."""

    @tf.function(autograph=False)
    def run(*inputs):
        with tf.GradientTape() as tape:
            tape.watch(inputs)
            states = recurrence(*inputs, wiring(kind), mask)
            total = tf.reduce_sum(states * tf.range(1.0, HIDDEN + 1))
        return states, tape.gradient(total, inputs)

    return run(*map(tf.constant, random_inputs()))


@pytest.mark.parametrize("kind", ["fixed", "sampled"])
def test_the_gradient_is_that_of_the_plain_operations(kind):
    # Without a mask TensorFlow itself differentiates the loop of a fixed wiring.
    expected_states, expected = states_and_gradients("fixed", None)
    states, gradients = states_and_gradients(kind, tf.ones([ROWS, HIDDEN]))
    np.testing.assert_allclose(states, expected_states, atol=1e-6)
    for gradient, plain in zip(gradients, expected, strict=True):
        np.testing.assert_allclose(gradient, plain, atol=1e-5)


@pytest.mark.parametrize("in_graph", [False, True])
def test_inference_is_the_same_with_either_wiring(in_graph):
    projected, *others = map(tf.constant, random_inputs())
    fixed, sampled = (
        (tf.function(recurrence, autograph=False) if in_graph else recurrence)(
            projected, *others, wiring(kind)
        )
        for kind in ("fixed", "sampled")
    )
    np.testing.assert_allclose(sampled, fixed, atol=1e-6)


def test_states_go_on_where_the_ones_before_ended():
    projected, state, kernels = random_inputs(time_steps=6)
    whole = recurrence(projected, state, kernels, wiring("fixed"))
    first = recurrence(projected[:4], state, kernels, wiring("fixed"))
    second = recurrence(projected[4:], first[-1], kernels, wiring("fixed"))
    np.testing.assert_allclose(tf.concat([first, second], axis=0), whole, atol=1e-6)


def test_segments_that_are_padded_alike_are_compiled_once():
    signature = [tf.TensorSpec([None, ROWS, 2 * HIDDEN]), tf.TensorSpec([ROWS, HIDDEN])]
    kernels = tf.constant(random_inputs()[2])

    @tf.function(input_signature=signature, autograph=False)
    def run(projected, state):
        with tf.GradientTape() as tape:
            tape.watch(projected)
            states = recurrence(projected, state, kernels, wiring("sampled"), tf.ones_like(state))
        return tape.gradient(states, projected)

    def seconds(*lengths):
        start = time.perf_counter()
        for length in lengths:
            projected, state, _ = random_inputs(length)
            run(tf.constant(projected), tf.constant(state)).numpy()
        return time.perf_counter() - start

    # Traced here, so that only compiling counts from now on.
    seconds(1)
    assert seconds(2, 17, 20, 33, 40, 48) < 3 * seconds(49)
