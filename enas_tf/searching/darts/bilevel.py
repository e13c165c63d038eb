"""The gradient of an architecture whose best weights depend on it, first and second order.

Everything is a function of tensors: whatever has two losses and two sets of variables can use it.
"""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import tensorflow as tf

from enas_tf.training.optimizers import global_norm

Tensors = Sequence[tf.Tensor]
# From weights and architecture to a scalar.
Loss = Callable[[Tensors, Tensors], tf.Tensor]

# The weights are moved by this divided by the norm of the gradient (the authors' choice).
_RADIUS = 0.01


class Unrolling(NamedTuple):
    """How the weights take the step that the second order looks ahead to.

    Attributes:
      rate: ξ, float32 scalar.
      direction: from the gradients of the training loss to what is subtracted, times `rate`, from
        the weights.
    """

    rate: tf.Tensor
    direction: Callable[[Tensors], Tensors] = list


def architecture_gradient(
    training: Loss,
    validation: Loss,
    weights: Tensors,
    architecture: Tensors,
    unrolling: Unrolling | None = None,
    add_up: Callable[[Tensors], Tensors] = list,
) -> list[tf.Tensor]:
    """Returns the gradient of the validation loss with respect to the architecture.

    First order: ∇_α L_val(w, α). Second order, with w′ = w − ξ · direction(∇_w L_train(w, α)) and
    v = ∇_w′ L_val(w′, α): ∇_α L_val(w′, α) − ξ (∇_α L_train(w + ε v, α) − ∇_α L_train(w − ε v, α))
    / 2ε with ε = 0.01 / ‖v‖ (equations 7 and 8 of the paper, and the authors' code).

    Args:
      training: L_train, this replica's share of it.
      validation: L_val, likewise.
      weights: w.
      architecture: α.
      unrolling: of the second order; None: the first order.
      add_up: adds gradients up over all replicas. Default: there is one.

    Returns:
      The gradient, over all replicas.
    """
    weights, architecture = list(weights), list(architecture)
    if unrolling is None:
        return list(add_up(_gradients(validation, weights, architecture)[1]))
    of_training = add_up(_gradients(training, weights, architecture)[0])
    direction = unrolling.direction(of_training)
    moved = [w - unrolling.rate * d for w, d in zip(weights, direction, strict=True)]
    of_weights, of_architecture = _gradients(validation, moved, architecture)
    of_weights = add_up(of_weights)
    # A flat validation loss has nothing to say of the weights.
    epsilon = tf.math.divide_no_nan(_RADIUS, global_norm(of_weights))
    above = _gradients(
        training, [w + epsilon * v for w, v in zip(weights, of_weights)], architecture
    )[1]
    # One pass after the other: at the same time they would need the memory of two.
    with tf.control_dependencies(above):
        lowered = [w - epsilon * v for w, v in zip(weights, of_weights)]
    below = _gradients(training, lowered, architecture)[1]
    return list(
        add_up(
            [
                first - unrolling.rate * tf.math.divide_no_nan(high - low, 2.0 * epsilon)
                for first, high, low in zip(of_architecture, above, below)
            ]
        )
    )


def _gradients(loss: Loss, weights: Tensors, architecture: Tensors) -> tuple[Any, Any]:
    """Returns the gradients of a loss with respect to both."""
    sources = [*weights, *architecture]
    with tf.GradientTape(watch_accessed_variables=False) as tape:
        tape.watch(sources)
        value = loss(weights, architecture)
    gradients = tape.gradient(value, sources, unconnected_gradients=tf.UnconnectedGradients.ZERO)
    gradients = [tf.convert_to_tensor(gradient) for gradient in gradients]
    return gradients[: len(weights)], gradients[len(weights) :]
