"""Computing in a half type (bfloat16 or float16) what is kept in float32.

Weights are cast where they are looked up, once for a bank; functions of pictures and texts follow
the type of what they are given. Whatever adds up many numbers (products, poolings, their gradients)
goes through `with_float32_sums` or `product`, so that sums are float32 on every device.
"""

from collections.abc import Callable
from typing import Any

import tensorflow as tf


def runs_on_gpu() -> bool:
    """Whether what is traced here will run on a GPU."""
    if tf.distribute.has_strategy():
        devices = tf.distribute.get_strategy().extended.worker_devices
        return any("GPU" in device for device in devices)
    return bool(tf.config.list_logical_devices("GPU"))


def with_float32_sums(function: Callable[..., tf.Tensor], *tensors: tf.Tensor) -> tf.Tensor:
    """Returns a function of tensors of one type, in that type, whose sums are float32.

    Kernels for GPUs have such sums themselves. On a CPU without instructions for half types
    TensorFlow has kernels too, but those of convolutions add up in the half type, which puts a
    kernel's gradient off by a tenth and more, and take up to a hundred times as long. There the
    tensors, which are rounded already, are widened, and what comes of them, gradients too, is
    rounded again: the numbers are those of a GPU but for the order of sums.

    Args:
      function: takes the tensors.
      *tensors: its arguments.
    """
    dtype = tf.as_dtype(tensors[0].dtype)
    if not _is_half(dtype) or runs_on_gpu():
        return function(*tensors)
    return tf.cast(function(*(tf.cast(tensor, tf.float32) for tensor in tensors)), dtype)


def product(
    first: tf.Tensor,
    second: tf.Tensor,
    multiply: Callable[..., tf.Tensor] = tf.matmul,
    **options: Any,
) -> tf.Tensor:
    """Returns a product whose factors are multiplied in the type of the second one.

    It is float32 where that is a half type.

    Args:
      first: of any type; it is cast.
      second: of the type to compute in, for example a kernel.
      multiply: takes both.
      **options: of `multiply`.
    """
    outcome = with_float32_sums(
        lambda *factors: multiply(*factors, **options), tf.cast(first, second.dtype), second
    )
    return tf.cast(outcome, tf.float32) if _is_half(second.dtype) else outcome


def _is_half(dtype: tf.DType) -> bool:
    return tf.as_dtype(dtype).size < 4
