"""Gradients of operations on pictures that a CPU computes faster than TensorFlow's, and equal.

How long TensorFlow's take depends on shapes: that of a depthwise kernel five times as long for a
width of 5 as for one of 3, which oneDNN has a kernel for; that of an average four times as long as
averages do. The gradients are of graphs: eager code has TensorFlow's, and so has an operation whose
gradient a `tf.GradientTape` takes that is in no function inside of the tape's graph.
"""

import contextlib

import tensorflow as tf

from enas_tf.layers.compute_type import runs_on_gpu

# The width of kernels whose gradient is put together of those of two kernels of width 3.
WIDE = 5

_GRADIENTS = {
    "AvgPool": "EnasAveragePoolingGradient",
    "DepthwiseConv2dNative": "EnasDepthwiseGradient",
    "MaxPool": "EnasMaxPoolingGradient",
}
_ONES = [1, 1, 1, 1]


def with_fast_gradients() -> contextlib.AbstractContextManager[None]:
    """Gives these gradients to operations that are now added to a graph, unless it is for a GPU.

    Convolutions must have kernels of width `WIDE`, poolings odd windows; strides are 1 and padding
    is SAME.
    """
    if runs_on_gpu():
        return contextlib.nullcontext()
    return tf.compat.v1.get_default_graph().gradient_override_map(_GRADIENTS)


@tf.RegisterGradient(_GRADIENTS["MaxPool"])
def _of_max_pooling(operation: tf.Operation, upstream: tf.Tensor) -> tf.Tensor:
    """Computes the pooling once more, then its gradient.

    oneDNN computes the gradient, four times faster than TensorFlow's own kernel, only in a graph
    that has the pooling too. In a supernet the two are in functions of their own.
    """
    (inputs,) = operation.inputs
    options = {"ksize": operation.get_attr("ksize"), "strides": _ONES, "padding": "SAME"}
    return tf.raw_ops.MaxPoolGrad(
        orig_input=inputs,
        orig_output=tf.raw_ops.MaxPool(input=inputs, **options),
        grad=upstream,
        **options,
    )


@tf.RegisterGradient(_GRADIENTS["AvgPool"])
def _of_average_pooling(operation: tf.Operation, upstream: tf.Tensor) -> tf.Tensor:
    """Adds up, for each pixel, what comes back to the windows that it is in, divided by their size.

    Such a sum is an average again, times the size of the window around the pixel.
    """
    window = operation.get_attr("ksize")
    sizes = [_window_sizes(tf.shape(upstream)[axis], window[axis]) for axis in (1, 2)]
    pixels = tf.cast(sizes[0][:, None] * sizes[1], upstream.dtype)[:, :, None]
    averages = tf.raw_ops.AvgPool(
        value=upstream / pixels, ksize=window, strides=_ONES, padding="SAME"
    )
    return averages * pixels


def _window_sizes(side: tf.Tensor, window: int) -> tf.Tensor:
    """Returns how many pixels of a side the window around each of them has, int32 `[side]`."""
    place, reach = tf.range(side), window // 2
    return tf.minimum(place, reach) + 1 + tf.minimum(side - 1 - place, reach)


@tf.RegisterGradient(_GRADIENTS["DepthwiseConv2dNative"])
def _of_wide_depthwise_convolution(
    operation: tf.Operation, upstream: tf.Tensor
) -> tuple[tf.Tensor, tf.Tensor]:
    """Puts the gradient of the kernel together of two, where the pictures' width is even.

    With two neighbours read as one pixel of twice the channels, the next pixel is at a distance of
    two: a kernel of width 3 then reaches as far as one of width 5. It lacks the columns next to the
    middle one, which a kernel of width 3 on the pictures as they are has.
    """
    inputs, kernel = operation.inputs
    height, channels = kernel.shape[0], kernel.shape[2] or tf.shape(kernel)[2]

    def of_kernel(inputs: tf.Tensor, upstream: tf.Tensor, width: int, depth: int) -> tf.Tensor:
        return tf.raw_ops.DepthwiseConv2dNativeBackpropFilter(
            input=inputs,
            filter_sizes=tf.stack([height, width, depth * channels, 1]),
            out_backprop=upstream,
            strides=_ONES,
            padding="SAME",
        )

    def in_two_parts() -> tf.Tensor:
        inner = of_kernel(inputs, upstream, 3, 1)
        outer = of_kernel(_in_pairs(inputs), _in_pairs(upstream), 3, 2)
        outer = tf.reduce_sum(tf.reshape(outer, tf.stack([height, 3, 2, channels, 1])), axis=2)
        return tf.concat([outer[:, :1], inner, outer[:, 2:]], axis=1)

    def at_once() -> tf.Tensor:
        return of_kernel(inputs, upstream, WIDE, 1)

    width = inputs.shape[2]
    if width is None:
        width = tf.shape(inputs)[2]
        gradient = tf.cond(tf.equal(width // 2 * 2, width), in_two_parts, at_once)
    else:
        gradient = at_once() if width % 2 else in_two_parts()
    of_inputs = tf.raw_ops.DepthwiseConv2dNativeBackpropInput(
        input_sizes=tf.shape(inputs),
        filter=kernel,
        out_backprop=upstream,
        strides=_ONES,
        padding="SAME",
    )
    return of_inputs, tf.ensure_shape(gradient, kernel.shape)


def _in_pairs(pictures: tf.Tensor) -> tf.Tensor:
    """Returns pictures of pairs of pixels, `[batch, height, width / 2, 2 * channels]`."""
    batch, height, width, channels = tf.unstack(tf.shape(pictures))
    return tf.reshape(pictures, tf.stack([batch, height, width // 2, 2 * channels]))
