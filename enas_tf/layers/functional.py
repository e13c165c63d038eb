"""Operations of image supernets as functions of their weights.

Weights come in as arguments, so that one traced function serves every layer of a resolution.
Kernels have the type of the pictures; normalisation and its statistics are float32.
Pictures are `[batch, height, width, channels]`; TensorFlow's layout optimiser turns them into the
layout that is fastest on the device.
"""

from typing import NamedTuple

import tensorflow as tf

from enas_tf.layers import deterministic
from enas_tf.layers.banks import EPSILON, BatchNormalizationEntry
from enas_tf.layers.compute_type import with_float32_sums

_POOLING_GRADIENT = "EnasMaxPoolingGradient"


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
    return with_float32_sums(
        lambda inputs, kernel: tf.nn.conv2d(inputs, kernel, stride, "SAME"), inputs, kernel
    )


def depthwise_convolution(inputs: tf.Tensor, kernel: tf.Tensor, dilation: int = 1) -> tf.Tensor:
    """Depthwise convolution with SAME padding; kernel `[height, width, channels, 1]`."""
    if deterministic.is_needed():
        return deterministic.depthwise_convolution(inputs, kernel, dilation=dilation)
    dilations = None if dilation == 1 else [dilation, dilation]
    return with_float32_sums(
        lambda inputs, kernel: tf.nn.depthwise_conv2d(
            inputs, kernel, [1, 1, 1, 1], "SAME", dilations=dilations
        ),
        inputs,
        kernel,
    )


def average_pooling(inputs: tf.Tensor) -> tf.Tensor:
    """Average over 3 x 3 pixels, stride 1; padding is not counted."""
    return with_float32_sums(lambda inputs: tf.nn.avg_pool2d(inputs, 3, 1, "SAME"), inputs)


def max_pooling(inputs: tf.Tensor) -> tf.Tensor:
    """Maximum over 3 x 3 pixels, stride 1."""
    # Has no effect outside of graphs.
    graph = tf.compat.v1.get_default_graph()
    with graph.gradient_override_map({"MaxPool": _POOLING_GRADIENT}):
        return with_float32_sums(lambda inputs: tf.nn.max_pool2d(inputs, 3, 1, "SAME"), inputs)


@tf.RegisterGradient(_POOLING_GRADIENT)
def _max_pooling_gradient(operation: tf.Operation, upstream: tf.Tensor) -> tf.Tensor:
    """Computes the pooling once more, then its gradient.

    oneDNN computes the gradient, four times faster than TensorFlow's own kernel, only in a graph
    that has the pooling too. In a supernet the two are in functions of their own, and the pooling
    costs a twentieth of its gradient.
    """
    (inputs,) = operation.inputs
    return tf.raw_ops.MaxPoolGrad(
        orig_input=inputs,
        orig_output=tf.nn.max_pool2d(inputs, 3, 1, "SAME"),
        grad=upstream,
        ksize=[1, 3, 3, 1],
        strides=[1, 1, 1, 1],
        padding="SAME",
    )


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
