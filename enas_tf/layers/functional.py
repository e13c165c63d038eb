"""Operations of image supernets as functions of their weights.

Weights come in as arguments, so that one traced function serves every layer of a resolution.
Kernels have the type of the pictures; normalisation and its statistics are float32.
Pictures are `[batch, height, width, channels]`; TensorFlow's layout optimiser turns them into the
layout that is fastest on the device.
"""

import contextlib
from typing import NamedTuple

import tensorflow as tf

from enas_tf.layers import deterministic
from enas_tf.layers.banks import EPSILON, BatchNormalizationEntry
from enas_tf.layers.compute_type import runs_on_gpu, with_float32_sums
from enas_tf.layers.cpu_gradients import WIDE, with_fast_gradients


class Normalized(NamedTuple):
    """Normalised pictures and the statistics of the batch they came from.

    Attributes:
      outputs: `[batch, height, width, channels]`.
      mean: `[channels]`.
      variance: `[channels]`, unbiased.
    """

    outputs: tf.Tensor
    mean: tf.Tensor
    variance: tf.Tensor


def convolution(inputs: tf.Tensor, kernel: tf.Tensor, stride: int = 1) -> tf.Tensor:
    """Convolution with SAME padding; a kernel of two axes `[in, out]` is a 1 x 1 convolution."""
    if kernel.shape.rank == 2:
        kernel = kernel[None, None]
    if kernel.shape[:2] == (1, 1) and stride == 1 and not runs_on_gpu():
        return with_float32_sums(_pixelwise_product, inputs, kernel[0, 0])
    return with_float32_sums(
        lambda inputs, kernel: tf.nn.conv2d(inputs, kernel, stride, "SAME"), inputs, kernel
    )


def _pixelwise_product(inputs: tf.Tensor, kernel: tf.Tensor) -> tf.Tensor:
    """A 1 x 1 convolution as a product of matrices, which takes less time on a CPU."""
    shape = tf.shape(inputs)
    outputs = tf.matmul(tf.reshape(inputs, tf.stack([-1, shape[3]])), kernel)
    outputs = tf.reshape(outputs, tf.concat([shape[:3], tf.shape(kernel)[1:]], axis=0))
    return tf.ensure_shape(outputs, [*inputs.shape[:3], kernel.shape[1]])


def depthwise_convolution(inputs: tf.Tensor, kernel: tf.Tensor, dilation: int = 1) -> tf.Tensor:
    """Depthwise convolution with SAME padding; kernel `[height, width, channels, 1]`."""
    if deterministic.is_needed():
        return deterministic.depthwise_convolution(inputs, kernel, dilation=dilation)
    is_wide = kernel.shape[1] == WIDE and dilation == 1
    dilations = None if dilation == 1 else [dilation, dilation]
    with with_fast_gradients() if is_wide else contextlib.nullcontext():
        return with_float32_sums(
            lambda inputs, kernel: tf.nn.depthwise_conv2d(
                inputs, kernel, [1, 1, 1, 1], "SAME", dilations=dilations
            ),
            inputs,
            kernel,
        )


def average_pooling(inputs: tf.Tensor, size: int = 3) -> tf.Tensor:
    """Average over squares of pixels, stride 1; padding is not counted."""
    with with_fast_gradients():
        return with_float32_sums(lambda inputs: tf.nn.avg_pool2d(inputs, size, 1, "SAME"), inputs)


def max_pooling(inputs: tf.Tensor, size: int = 3) -> tf.Tensor:
    """Maximum over squares of pixels, stride 1."""
    with with_fast_gradients():
        return with_float32_sums(lambda inputs: tf.nn.max_pool2d(inputs, size, 1, "SAME"), inputs)


def batch_normalization(
    inputs: tf.Tensor,
    entry: BatchNormalizationEntry,
    use_batch_statistics: bool,
    *,
    epsilon: float = EPSILON,
) -> Normalized:
    """Normalises pictures with gathered scale and offset.

    Args:
      inputs: `[batch, height, width, channels]`.
      entry: scale, offset and moving statistics, `[channels]` each.
      use_batch_statistics: whether the batch's or the moving statistics are used.
      epsilon: added to the variance.
    """
    if use_batch_statistics:
        # The fused kernel; Keras 3's own batch normalisation has no fused path.
        normalize = tf.compat.v1.nn.fused_batch_norm
        return Normalized(*normalize(inputs, entry.scale, entry.offset, epsilon=epsilon))
    factor = entry.scale * tf.math.rsqrt(entry.moving_variance + epsilon)
    outputs = tf.cast(inputs, tf.float32) * factor + (entry.offset - entry.moving_mean * factor)
    outputs = tf.cast(outputs, inputs.dtype)
    return Normalized(outputs, entry.moving_mean, entry.moving_variance)


def normalized_convolution(
    inputs: tf.Tensor,
    kernel: tf.Tensor,
    entry: BatchNormalizationEntry,
    use_batch_statistics: bool,
    *,
    stride: int = 1,
    epsilon: float = EPSILON,
) -> Normalized:
    """Convolution followed by batch normalisation.

    With moving statistics the normalisation is folded into the kernel, which saves a pass over the
    pictures.
    """
    if use_batch_statistics:
        outputs = convolution(inputs, kernel, stride)
        return batch_normalization(outputs, entry, True, epsilon=epsilon)
    factor = entry.scale * tf.math.rsqrt(entry.moving_variance + epsilon)
    outputs = convolution(inputs, kernel * tf.cast(factor, kernel.dtype), stride)
    shift = entry.offset - entry.moving_mean * factor
    outputs = tf.nn.bias_add(outputs, tf.cast(shift, outputs.dtype))
    return Normalized(outputs, entry.moving_mean, entry.moving_variance)
