"""Layers of supernets with weights of their own, which every architecture has."""

from collections.abc import Callable

import keras
import tensorflow as tf

from enas_tf.layers.banks import BatchNormalizationBank, WeightBank, unstack_entries
from enas_tf.layers.functional import Normalized, normalized_convolution

Seeds = Callable[[], int]


class NormalizedConvolution(keras.layers.Layer):
    """ReLU, convolution, batch normalisation, with weights of its own.

    Args:
      window: height, width and input channels of the kernel.
      filters: channels of the output.
      next_seed: returns a new seed at each call, for the initial weights.
      name: of the layer.
      activation: whether there is a ReLU.
      stride: of the convolution.
    """

    def __init__(
        self,
        window: tuple[int, int, int],
        filters: int,
        next_seed: Seeds,
        name: str,
        activation: bool = True,
        stride: int = 1,
    ) -> None:
        super().__init__(name=name)
        self.activation = activation
        self.stride = stride
        self.kernels = self._kernel_banks(window, filters, next_seed)
        self.norm = BatchNormalizationBank(1, filters, name=f"{name}_norm")
        self.built = True

    def _kernel_banks(
        self, window: tuple[int, int, int], filters: int, next_seed: Seeds
    ) -> list[WeightBank]:
        return [WeightBank(1, (*window, filters), seed=next_seed(), name="kernel")]

    def kernel(self) -> tf.Tensor:
        """Returns the kernel `[height, width, in, out]`."""
        return self.kernels[0].select([0])[0]

    def run(self, inputs: tf.Tensor, use_batch_statistics: bool) -> Normalized:
        """Returns the output and its statistics."""
        return normalized_convolution(
            tf.nn.relu(inputs) if self.activation else inputs,
            self.kernel(),
            unstack_entries(self.norm.select())[0],
            use_batch_statistics,
            stride=self.stride,
        )


def strided_stem(
    channels: int, filters: int, halvings: int, next_seed: Seeds
) -> list[NormalizedConvolution]:
    """Returns the layers of `add_strided_stem` for a supernet."""
    widths = [channels, filters // 2, *([filters] * (halvings - 1))]
    return [
        NormalizedConvolution(
            (3, 3, widths[number]),
            widths[number + 1],
            next_seed,
            name=f"stem_{number}",
            activation=number > 0,
            stride=2,
        )
        for number in range(halvings)
    ]
