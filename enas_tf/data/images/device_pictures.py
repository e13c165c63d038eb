"""Pictures in the memory of the devices that train, as the bytes that they are.

A batch then needs little from the host: which pictures it has, and what happens to them.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from enas_tf.data.images.pictures import ArrayPictures, Pictures

# Of these TensorFlow has a gather for GPUs, of single bytes not in every version.
_WORD = np.dtype(np.int64)


class OnDevices:
    """An array of which each device has a copy.

    Args:
      array: is copied.
      devices: names of this machine's devices, in the order of its replicas.
    """

    def __init__(self, array: np.ndarray, devices: Sequence[str]) -> None:
        self._copies = []
        for device in devices:
            with tf.device(device):
                self._copies.append(tf.identity(array))

    def here(self) -> tf.Tensor:
        """Returns the copy of the replica that asks; outside of replicas, of the first one."""
        context = tf.distribute.get_replica_context()
        if context is None:
            return self._copies[0]
        # Every machine has as many replicas.
        replica = int(tf.get_static_value(context.replica_id_in_sync_group))
        return self._copies[replica % len(self._copies)]


class DevicePictures:
    """Pictures of which each device has a copy.

    Args:
      images: uint8 `[examples, height, width, channels]`.
      devices: see `OnDevices`.

    Attributes:
      devices: as given.
    """

    def __init__(self, images: np.ndarray, devices: Sequence[str]) -> None:
        self.devices = tuple(devices)
        count, *self._picture_shape = images.shape
        self._size = int(np.prod(self._picture_shape))
        padded = -(-self._size // _WORD.itemsize) * _WORD.itemsize
        content = np.zeros([count, padded], np.uint8)
        content[:, : self._size] = images.reshape(count, self._size)
        self._words = OnDevices(content.view(_WORD), devices)

    def read(self, numbers: tf.Tensor) -> tf.Tensor:
        """Returns some pictures, on the device that asks.

        Args:
          numbers: int64 `[pictures]`.

        Returns:
          float32 `[pictures, height, width, channels]`, pixels 0 to 255.
        """
        words = tf.gather(self._words.here(), numbers)
        # Not of bytes, as most operations on these run on the host.
        values = tf.cast(tf.bitcast(words, tf.uint8), tf.float32)
        values = tf.reshape(values, [-1, words.shape[1] * _WORD.itemsize])[:, : self._size]
        values = tf.reshape(values, [-1, *self._picture_shape])
        return tf.ensure_shape(values, [numbers.shape[0], *self._picture_shape])


class HeldPictures(ArrayPictures):
    """Pictures of an array that are in the memory of devices too.

    Args:
      array: uint8 `[examples, height, width, channels]`; is not copied.
      memory: has them, among others.
      first: where in it they begin.
    """

    def __init__(self, array: np.ndarray, memory: DevicePictures, first: int) -> None:
        super().__init__(array)
        self.memory = memory
        self.first = first

    def __getitem__(self, key: Any) -> Pictures:
        if not isinstance(key, slice) or key.step not in (None, 1):
            return super().__getitem__(key)
        start, _, _ = key.indices(len(self))
        return HeldPictures(self.array[key], self.memory, self.first + start)
