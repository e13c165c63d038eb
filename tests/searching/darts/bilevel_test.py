"""The gradient of an architecture, on a problem whose answer can be worked out by hand.

L_train = (w − α)², L_val = (w + α − 1)². With w' = w − 2ξ(w − α):
dL_val(w', α)/dα = 2 (w' + α − 1) (1 + 2ξ), of which the first order, ξ = 0, keeps 2 (w + α − 1).
"""

import numpy as np
import pytest
import tensorflow as tf

from enas_tf.searching.darts.bilevel import Unrolling, architecture_gradient


def training(weights, architecture):
    return tf.reduce_sum(tf.square(weights[0] - architecture[0]))


def validation(weights, architecture):
    return tf.reduce_sum(tf.square(weights[0] + architecture[0] - 1.0))


W, ALPHA, XI = 0.3, -0.7, 0.1


def gradient(unrolling=None):
    (value,) = architecture_gradient(
        training, validation, [tf.constant([W])], [tf.constant([ALPHA])], unrolling
    )
    return float(value[0])


def test_first_order_takes_the_weights_as_they_are():
    assert gradient() == pytest.approx(2 * (W + ALPHA - 1), rel=1e-6)


def test_second_order_is_the_derivative_by_hand():
    moved = W - XI * 2 * (W - ALPHA)
    expected = 2 * (moved + ALPHA - 1) * (1 + 2 * XI)
    assert gradient(Unrolling(tf.constant(XI))) == pytest.approx(expected, rel=1e-3)


def test_a_vanishing_rate_is_the_first_order():
    assert gradient(Unrolling(tf.constant(0.0))) == pytest.approx(gradient(), rel=1e-6)


def test_the_direction_may_have_more_than_the_gradient():
    def with_decay(gradients):
        return [one + 0.5 * W for one in gradients]

    moved = W - XI * (2 * (W - ALPHA) + 0.5 * W)
    expected = 2 * (moved + ALPHA - 1) * (1 + 2 * XI)
    found = gradient(Unrolling(tf.constant(XI), with_decay))
    assert found == pytest.approx(expected, rel=1e-3)


def test_a_flat_validation_loss_gives_a_finite_gradient():
    (value,) = architecture_gradient(
        training,
        lambda weights, architecture: 0.0 * validation(weights, architecture),
        [tf.constant([W])],
        [tf.constant([ALPHA])],
        Unrolling(tf.constant(XI)),
    )
    np.testing.assert_array_equal(value, [0.0])


def test_descending_reaches_the_solution():
    # At w = α the validation loss is least at α = 1/2.
    weights, alpha = 0.0, 0.0
    for _ in range(200):
        (step,) = architecture_gradient(
            training,
            validation,
            [tf.constant([weights])],
            [tf.constant([alpha])],
            Unrolling(tf.constant(XI)),
        )
        alpha -= 0.1 * float(step[0])
        weights -= XI * 2 * (weights - alpha)
    assert (weights, alpha) == pytest.approx((0.5, 0.5), abs=1e-3)
