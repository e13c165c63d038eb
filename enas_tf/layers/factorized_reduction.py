"""Factorised reduction: halves a picture without losing every other pixel."""

from typing import Any

import keras
import tensorflow as tf

from enas_tf.errors import ConfigurationError
from enas_tf.layers.batch_normalization import FusedBatchNormalization
from enas_tf.layers.compute_type import with_float32_sums


def reduction_kernel(path_1: tf.Tensor, path_2: tf.Tensor) -> tf.Tensor:
    """Returns one 2 x 2 kernel that holds the two 1 x 1 kernels of a factorised reduction.

    A 2 x 2 convolution of stride 2 with it is the concatenation of the two 1 x 1 convolutions on
    the pixels `[0::2, 0::2]` and `[1::2, 1::2]`, but several times faster than slicing.

    Args:
      path_1: `[..., channels, filters / 2]`, any leading axes.
      path_2: the same shape.

    Returns:
      `[..., 2, 2, channels, filters]`: `path_1` at (0, 0), `path_2` at (1, 1), zeros elsewhere.
    """
    first = tf.concat([path_1, tf.zeros_like(path_1)], axis=-1)
    second = tf.concat([tf.zeros_like(path_2), path_2], axis=-1)
    nothing = tf.zeros_like(first)
    rows = [tf.stack([first, nothing], axis=-3), tf.stack([nothing, second], axis=-3)]
    return tf.stack(rows, axis=-4)


def factorized_reduction(inputs: tf.Tensor, path_1: tf.Tensor, path_2: tf.Tensor) -> tf.Tensor:
    """Halves pictures with two 1 x 1 convolutions on the two diagonal grids of stride 2.

    Sides are rounded up: beyond the right and the lower edge pixels count as zero.

    Args:
      inputs: `[batch, height, width, channels]`.
      path_1: `[channels, filters / 2]`, for the pixels `[0::2, 0::2]`.
      path_2: `[channels, filters / 2]`, for the pixels `[1::2, 1::2]`.

    Returns:
      `[batch, ceil(height / 2), ceil(width / 2), filters]`.
    """
    return with_float32_sums(
        lambda inputs, kernel: tf.nn.conv2d(inputs, kernel, 2, "SAME"),
        inputs,
        reduction_kernel(path_1, path_2),
    )


class FactorizedReduction(keras.layers.Layer):
    """Factorised reduction followed by batch normalisation.

    Source: the release's `_factorized_reduction`; there is no ReLU inside.

    Args:
      filters: channels of the output; even.
      momentum: of the moving statistics.
      epsilon: of the normalisation.
      seed: of the initial weights (He-normal).
      **kwargs: `name` and `dtype`, as for any Keras layer.

    Call arguments:
      inputs: `[batch, height, width, channels]`.
      training: whether batch statistics are used.

    Returns:
      `[batch, ceil(height / 2), ceil(width / 2), filters]`.

    Raises:
      ConfigurationError: `filters` is odd.
    """

    def __init__(
        self,
        filters: int,
        *,
        momentum: float = 0.9,
        epsilon: float = 1e-5,
        seed: int = 0,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        if filters < 2 or filters % 2:
            raise ConfigurationError(
                "`filters` of a factorised reduction must be an even positive number, half of them "
                f"for each grid. Received: filters={filters}."
            )
        self.filters = filters
        self.momentum = momentum
        self.epsilon = epsilon
        self.seed = seed
        self.normalization = FusedBatchNormalization(
            momentum=momentum, epsilon=epsilon, name="normalization"
        )

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Makes the weights for pictures `[batch, height, width, channels]`."""
        shape = (input_shape[-1], self.filters // 2)
        self.path_1, self.path_2 = (
            self.add_weight(
                shape=shape,
                initializer=keras.initializers.HeNormal(seed=self.seed + number),
                name=f"path_{number + 1}",
            )
            for number in range(2)
        )
        self.normalization.build(self.compute_output_shape(input_shape))

    def call(self, inputs: tf.Tensor, training: bool | None = None) -> tf.Tensor:
        """Returns the reduced pictures."""
        path_1, path_2 = (tf.cast(path, inputs.dtype) for path in (self.path_1, self.path_2))
        outputs = factorized_reduction(inputs, path_1, path_2)
        return self.normalization(outputs, training=training)

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """Returns the shape of the output."""
        batch, *sides, _ = input_shape
        halved = (None if side is None else (side + 1) // 2 for side in sides)
        return (batch, *halved, self.filters)

    def get_config(self) -> dict[str, Any]:
        """Returns what `from_config` needs."""
        return {
            **super().get_config(),
            "filters": self.filters,
            "momentum": self.momentum,
            "epsilon": self.epsilon,
            "seed": self.seed,
        }
