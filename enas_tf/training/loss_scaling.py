"""Scaling of the loss, so that gradients in float16 neither vanish nor become infinite.

Keras's `LossScaleOptimizer` does not count the steps that it skips, on which rates and the ends of
epochs depend here; it knows only after clipping what it divides by; and of several replicas it asks
the first one alone, before their gradients are added up.
"""

from collections.abc import Sequence
from typing import Any

import keras
import tensorflow as tf

from enas_tf.errors import NumericalError

# Of Keras and PyTorch, too; a scale that is too large is halved within a few steps.
INITIAL_SCALE = 2.0**15
GROWTH_STEPS = 2000


class LossScaling:
    """What an optimiser has that minimises a loss times a scale; goes before its class.

    The scale is halved at each step whose gradient is not finite, which changes nothing but the
    number of steps, and doubled after `GROWTH_STEPS` others. All of it is among the optimiser's
    variables, and so in checkpoints.

    Attributes:
      loss_scale: float32, the factor; a power of two, so that dividing by it is exact.
      good_steps: float32, steps since it changed last.
      skipped_steps: float32, how many changed nothing.
      passes: float32, whether the running step changes anything, 0 or 1.
    """

    def build(self, variables: Sequence[Any]) -> None:
        """Makes the variables of the optimiser."""
        super().build(variables)  # type: ignore[misc]
        self.loss_scale = self._number(INITIAL_SCALE, "loss_scale")
        self.good_steps = self._number(0.0, "good_steps")
        self.skipped_steps = self._number(0.0, "skipped_steps")
        self.passes = self._number(1.0, "passes")

    def _number(self, value: float, name: str) -> Any:
        initializer = keras.initializers.Constant(value)
        return self.add_variable(  # type: ignore[attr-defined]
            (), initializer, "float32", aggregation="only_first_replica", name=name
        )

    def observe(self, norm: tf.Tensor) -> None:
        """Decides whether the step is taken, before `apply`, and what the next scale is.

        Args:
          norm: of the gradient over all replicas, without the scale; float32 scalar.
        """
        passes = tf.cast(tf.math.is_finite(norm), tf.float32)
        good_steps = passes * (self.good_steps.value + 1.0)
        grows = tf.cast(good_steps >= GROWTH_STEPS, tf.float32)
        self.passes.assign(passes)
        self.skipped_steps.assign(self.skipped_steps.value + 1.0 - passes)
        self.loss_scale.assign(self.loss_scale.value * (1.0 + grows - 0.5 * (1.0 - passes)))
        self.good_steps.assign((1.0 - grows) * good_steps)

    def assign(self, variable: Any, value: Any) -> None:
        """Assigns a value, if the step passes."""
        # The value is chosen on the device, where a condition would wait for it.
        super().assign(variable, self._gated(value, tf.convert_to_tensor(variable)))  # type: ignore[misc]

    def assign_add(self, variable: Any, value: Any) -> None:
        """Adds a value, if the step passes."""
        super().assign_add(variable, self._gated(value, 0.0))  # type: ignore[misc]

    def assign_sub(self, variable: Any, value: Any) -> None:
        """Subtracts a value, if the step passes."""
        super().assign_sub(variable, self._gated(value, 0.0))  # type: ignore[misc]

    def _gated(self, value: Any, otherwise: Any) -> Any:
        passes = self.passes.value > 0.0
        if isinstance(value, tf.IndexedSlices):
            values = tf.where(passes, value.values, otherwise)
            return tf.IndexedSlices(values, value.indices, value.dense_shape)
        return tf.where(passes, value, otherwise)


class ScaledSGD(LossScaling, keras.optimizers.SGD):
    """Gradient descent with `LossScaling`."""


class ScaledAdam(LossScaling, keras.optimizers.Adam):
    """Adam with `LossScaling`."""


def scaled_loss(optimizer: Any, loss: tf.Tensor) -> tf.Tensor:
    """Returns a loss times the scale of its optimiser, if that has one."""
    return loss * optimizer.loss_scale.value if isinstance(optimizer, LossScaling) else loss


def unscaled(optimizer: Any, gradients: Sequence[Any]) -> list[Any]:
    """Returns the gradients of a loss from those of `scaled_loss`; None stays None."""
    if not isinstance(optimizer, LossScaling):
        return list(gradients)
    factor = 1.0 / optimizer.loss_scale.value
    return [None if gradient is None else times(gradient, factor) for gradient in gradients]


def times(gradient: Any, factor: tf.Tensor) -> Any:
    """Returns a dense or sparse gradient times a factor."""
    if isinstance(gradient, tf.IndexedSlices):
        return tf.IndexedSlices(gradient.values * factor, gradient.indices, gradient.dense_shape)
    return gradient * factor


def scaling_metrics(optimizer: Any, prefix: str = "") -> dict[str, float]:
    """Returns what is logged of the scale of a loss, by name; nothing if it has none.

    Args:
      optimizer: of the loss.
      prefix: goes before the names.

    Raises:
      NumericalError: gradients are not finite even where the loss is made no larger.
    """
    if not isinstance(optimizer, LossScaling):
        return {}
    scale, skipped = (float(one.numpy()) for one in (optimizer.loss_scale, optimizer.skipped_steps))
    if scale < 1.0:
        raise NumericalError(
            f"Gradients in float16 are not finite, however small the scale of the loss is (now "
            f"{scale:g}, after {skipped:.0f} skipped steps). Lower learning_rate, set clip_norm, "
            "or take precision=bfloat16 or float32."
        )
    return {f"{prefix}loss_scale": scale, f"{prefix}skipped_steps": skipped}
