"""What `--deterministic` needs on a GPU: operations for those that TensorFlow does not have there.

With op determinism, the gradient of a depthwise kernel is an error on a GPU, and a scatter runs on
the CPU. Here both are made of sums whose order is fixed. They are slower, and used where they are
needed alone.
"""

import tensorflow as tf

# Nothing public tells.
from tensorflow.python.framework.config import is_op_determinism_enabled


def is_needed() -> bool:
    """Whether this process has a GPU, and shall give the same bits every time."""
    return is_op_determinism_enabled() and bool(tf.config.list_logical_devices("GPU"))


def depthwise_convolution(
    inputs: tf.Tensor,
    kernel: tf.Tensor,
    stride: int = 1,
    padding: str = "SAME",
    dilation: int = 1,
) -> tf.Tensor:
    """Depthwise convolution whose kernel has a gradient of its own.

    Args:
      inputs: float `[batch, height, width, channels]`.
      kernel: `[size, size, channels, 1]`.
      stride: in both directions.
      padding: `SAME` or `VALID`.
      dilation: in both directions; 1 if there is a stride.
    """

    def convolved(inputs: tf.Tensor, kernel: tf.Tensor) -> tf.Tensor:
        strides, dilations = [1, stride, stride, 1], [dilation, dilation]
        return tf.nn.depthwise_conv2d(inputs, kernel, strides, padding, dilations=dilations)

    @tf.custom_gradient
    def run(inputs: tf.Tensor, kernel: tf.Tensor) -> tuple[tf.Tensor, object]:
        def gradient(upstream: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
            # In a function, what is not read of it, as TensorFlow's gradient of the kernel, is not
            # computed.
            with tf.GradientTape() as tape:
                tape.watch(inputs)
                outputs = convolved(inputs, kernel)
            of_inputs = tape.gradient(outputs, inputs, upstream)
            return of_inputs, _kernel_gradient(
                inputs, upstream, kernel.shape, stride, padding, dilation
            )

        return convolved(inputs, kernel), gradient

    return run(inputs, kernel)


def _kernel_gradient(
    inputs: tf.Tensor,
    upstream: tf.Tensor,
    shape: tf.TensorShape,
    stride: int,
    padding: str,
    dilation: int,
) -> tf.Tensor:
    """Returns for each place of a kernel the sum of products of what it met and what came back."""
    spans, paddings = [], []
    for axis, size in ((1, shape[0]), (2, shape[1])):
        # From the first pixel that a place of the kernel meets to behind its last one.
        span = (tf.shape(upstream)[axis] - 1) * stride + 1
        missing = span + (size - 1) * dilation - tf.shape(inputs)[axis]
        missing = tf.maximum(missing, 0) if padding == "SAME" else tf.zeros_like(missing)
        spans.append(span)
        paddings.append([missing // 2, missing - missing // 2])
    padded = tf.pad(inputs, [[0, 0], *paddings, [0, 0]])
    sums = []
    for row in range(0, shape[0] * dilation, dilation):
        for column in range(0, shape[1] * dilation, dilation):
            met = padded[:, row : row + spans[0] : stride, column : column + spans[1] : stride]
            sums.append(tf.reduce_sum(met * upstream, axis=[0, 1, 2]))
    return tf.reshape(tf.stack(sums), shape)


def subtract_rows(table: tf.Tensor, numbers: tf.Tensor, rows: tf.Tensor) -> tf.Tensor:
    """Returns a table less a row at each of some places, which may stand there several times.

    Args:
      table: float `[table_rows, …]`.
      numbers: int32 `[rows]`.
      rows: float `[rows, …]`.
    """
    if is_needed():
        return table - tf.math.unsorted_segment_sum(rows, numbers, table.shape[0])
    return tf.tensor_scatter_nd_sub(table, numbers[:, None], rows)
