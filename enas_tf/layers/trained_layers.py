"""Layers of networks that are trained: Keras's own, computed by the functions of supernets.

What they save is what Keras's layers save; only how long they take, and what `--deterministic` asks
for, is other.
"""

import keras
import tensorflow as tf

from enas_tf.layers import deterministic, functional

# In functions of their own, since a tape takes the gradients of `cpu_gradients` only there.
_depthwise_convolution = tf.function(functional.depthwise_convolution, autograph=False)
_average_pooling = tf.function(functional.average_pooling, autograph=False)


class Convolution(keras.layers.Conv2D):
    """Keras's layer without bias or activation."""

    def call(self, inputs: tf.Tensor) -> tf.Tensor:
        """See `keras.layers.Conv2D`."""
        if self.kernel_size != (1, 1) or self.strides != (1, 1):
            return super().call(inputs)
        return functional.convolution(inputs, tf.convert_to_tensor(self.kernel)[0, 0])


class SeparableConvolution(keras.layers.SeparableConv2D):
    """Keras's layer without bias or activation, which trains deterministically on GPUs too."""

    def call(self, inputs: tf.Tensor) -> tf.Tensor:
        """See `keras.layers.SeparableConv2D`."""
        kernel = tf.convert_to_tensor(self.depthwise_kernel)
        (stride, _), (dilation, _) = self.strides, self.dilation_rate
        if stride == 1 and self.padding == "same":
            outputs = _depthwise_convolution(inputs, kernel, dilation)
        elif deterministic.is_needed():
            outputs = deterministic.depthwise_convolution(
                inputs, kernel, stride, self.padding.upper(), dilation
            )
        else:
            return super().call(inputs)
        return functional.convolution(outputs, tf.convert_to_tensor(self.pointwise_kernel)[0, 0])


class AveragePooling(keras.layers.AveragePooling2D):
    """Keras's layer with an odd window."""

    def call(self, inputs: tf.Tensor) -> tf.Tensor:
        """See `keras.layers.AveragePooling2D`."""
        if self.strides != (1, 1) or self.padding != "same":
            return super().call(inputs)
        return _average_pooling(inputs, self.pool_size[0])
