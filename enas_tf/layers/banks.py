"""Banks: the shared weights of all candidates of one kind, selected by `tf.gather`.

A bank is one variable with a leading axis of entries, not one variable per candidate. A supernet
then has a few dozen variables instead of hundreds, all decisions of a network are looked up in one
gather per bank, and starting up takes seconds instead of minutes.
"""

import math
from typing import Any, NamedTuple

import keras
import numpy as np
import tensorflow as tf

# Added to the variance by all normalisations that do not say otherwise.
EPSILON = 1e-5


class WeightBank(keras.layers.Layer):
    """Weights of one shape for every entry of a bank.

    Args:
      num_entries: number of candidates that have such weights.
      shape: shape of one entry.
      fan_in: weights start He-normal with this fan-in; default: the product of all axes but the
        last. An array `[num_entries]` gives every entry one of its own.
      seed: of the initial weights.
      always_float32: whether they are used as they are, whatever a supernet computes in.

    Attributes:
      compute_type: of selected entries; gradients of the weights are float32 all the same.
    """

    compute_type = tf.float32

    def __init__(
        self,
        num_entries: int,
        shape: tuple[int, ...],
        *,
        fan_in: int | np.ndarray | None = None,
        seed: int,
        name: str,
        always_float32: bool = False,
    ) -> None:
        super().__init__(name=name)
        self.always_float32 = always_float32
        self.num_entries = num_entries
        self.entry_shape = tuple(shape)
        # keras.initializers.HeNormal would take the fan-in from the shape of the whole bank.
        if fan_in is None:
            fan_in = math.prod(shape[:-1])
        deviation = np.sqrt(2.0 / np.asarray(fan_in)) / 0.87962566103423978
        scale = np.reshape(deviation, [-1] + [1] * len(shape)).astype(np.float32)
        normal = keras.initializers.TruncatedNormal(stddev=1.0, seed=seed)
        self.kernel = self.add_weight(
            shape=(num_entries, *shape),
            initializer=lambda shape, dtype: scale * normal(shape, dtype),
            name="kernel",
        )
        self.built = True

    def select(self, indices: tf.Tensor | list[int] | None = None) -> tf.Tensor:
        """Returns the entries `indices` (default: all), `[len(indices), *shape]`."""
        return tf.cast(_entries(self.kernel, indices), self.compute_type)


class GivenBank(keras.layers.Layer):
    """Weights of one shape for every entry of a bank, with given initial values.

    Args:
      values: float32 `[num_entries, …]`.
      name: of the bank.
    """

    def __init__(self, values: np.ndarray, name: str) -> None:
        super().__init__(name=name)
        self.num_entries = len(values)
        self.kernel = self.add_weight(
            shape=values.shape, initializer=lambda shape, dtype: values, name="kernel"
        )
        self.built = True

    def select(self, indices: tf.Tensor | list[int] | None = None) -> tf.Tensor:
        """Returns the entries `indices` (default: all), `[len(indices), …]`."""
        return _entries(self.kernel, indices)


class BatchNormalizationEntry(NamedTuple):
    """What normalises one tensor; each `[channels]`, or `[n, channels]` for `n` of them."""

    scale: tf.Tensor
    offset: tf.Tensor
    moving_mean: tf.Tensor
    moving_variance: tf.Tensor


class BatchStatistics(NamedTuple):
    """Batch statistics of a whole bank in one forward pass, to be summed over replicas.

    Attributes:
      count: float32 `[num_entries, 1]` or `[num_entries, channels]`, how often each entry (or each
        of its channels) ran.
      mean: float32 `[num_entries, channels]`, sums of the means; zero where nothing ran.
      variance: likewise, sums of the unbiased variances.
    """

    count: tf.Tensor
    mean: tf.Tensor
    variance: tf.Tensor


class BatchNormalizationBank(keras.layers.Layer):
    """Scale, offset and moving statistics of batch normalisation for every entry of a bank.

    Moving statistics follow `m ← m + rate · (batch − m)` with rate `(1 − decay) / (1 − decay^t)`,
    where `t` counts the updates of the *entry*: after one update they are the batch's, so that a
    rarely chosen entry is never judged by its initial values. With `debias=False` the rate is
    `1 − decay` (the release's rule after k x k operations).

    Args:
      num_entries: number of tensors that can be normalised.
      channels: channels of each.
      epsilon: added to the variance.
      decay: of the moving statistics (release: 0.9).
      debias: whether moving statistics are free of their initial values.
      count_channels: count the updates of each channel instead of each entry, for entries of
        which a pass may run only some channels.
    """

    def __init__(
        self,
        num_entries: int,
        channels: int,
        *,
        epsilon: float = EPSILON,
        decay: float = 0.9,
        debias: bool = True,
        count_channels: bool = False,
        name: str,
    ) -> None:
        super().__init__(name=name)
        self.num_entries = num_entries
        self.channels = channels
        self.epsilon = epsilon
        self.decay = decay
        self.debias = debias
        shape = (num_entries, channels)
        self.scale = self.add_weight(shape=shape, initializer="ones", name="scale")
        self.offset = self.add_weight(shape=shape, initializer="zeros", name="offset")
        self.moving_mean = self._statistic(shape, "zeros", "moving_mean")
        self.moving_variance = self._statistic(shape, "ones", "moving_variance")
        counted = channels if count_channels else 1
        self.num_updates = self._statistic((num_entries, counted), "zeros", "num_updates")
        self.built = True

    def _statistic(self, shape: tuple[int, ...], initializer: str, name: str) -> keras.Variable:
        return self.add_weight(shape=shape, initializer=initializer, trainable=False, name=name)

    def reset_statistics(self) -> None:
        """Forgets all updates of the moving statistics; scale and offset stay."""
        self.moving_mean.assign(tf.zeros_like(self.moving_mean.value))
        self.moving_variance.assign(tf.ones_like(self.moving_variance.value))
        self.num_updates.assign(tf.zeros_like(self.num_updates.value))

    def select(self, indices: tf.Tensor | None = None) -> BatchNormalizationEntry:
        """Returns the entries `indices` (default: all), stacked along the first axis."""
        variables = (self.scale, self.offset, self.moving_mean, self.moving_variance)
        return BatchNormalizationEntry(*(_entries(variable, indices) for variable in variables))

    def collect(
        self,
        mean: tf.Tensor,
        variance: tf.Tensor,
        indices: tf.Tensor | None = None,
        ran: tf.Tensor | None = None,
    ) -> BatchStatistics:
        """Puts the batch statistics of one pass into the shape of the bank.

        Args:
          mean: `[n, channels]`, of the tensors that were normalised.
          variance: likewise, unbiased.
          indices: int32 `[n]`, the entry of each tensor; default: entry `i` for tensor `i`.
          ran: float32 `[n, 1]` (`[n, channels]` with `count_channels`) of 0 and 1, whether it ran
            at all; default: all did.
        """
        if ran is None:
            ran = tf.ones([mean.shape[0], self.num_updates.shape[1]])
        parts = [ran, mean * ran, variance * ran]
        if indices is not None:
            place = tf.one_hot(indices, self.num_entries, axis=0)
            parts = [tf.matmul(place, part) for part in parts]
        return BatchStatistics(*parts)

    def update(self, statistics: BatchStatistics) -> None:
        """Moves the moving statistics of the entries that ran.

        Args:
          statistics: what `collect` returned, summed over replicas: entries that several
            replicas ran get the mean of their statistics.
        """
        ran = tf.cast(statistics.count > 0, tf.float32)
        num_updates = self.num_updates.value + ran
        rate = ran * (1.0 - self.decay)
        if self.debias:
            rate /= 1.0 - self.decay ** tf.maximum(num_updates, 1.0)
        share = tf.math.divide_no_nan(1.0, statistics.count)
        self.moving_mean.assign_add(rate * (statistics.mean * share - self.moving_mean.value))
        self.moving_variance.assign_add(
            rate * (statistics.variance * share - self.moving_variance.value)
        )
        self.num_updates.assign(num_updates)


def _entries(variable: keras.Variable, indices: Any) -> tf.Tensor:
    if indices is None:
        return tf.convert_to_tensor(variable.value)
    return tf.gather(variable.value, indices)


def unstack_entries(tensors: tf.Tensor | tuple, groups: int | None = None) -> list:
    """Takes stacked tensors, or tuples of them, apart along the first axis.

    `BatchNormalizationEntry(scale [n, c], …)` becomes `n` values
    `BatchNormalizationEntry(scale [c], …)`.

    Args:
      tensors: stacked along the first axis.
      groups: into how many stacks of equal size; default: into single entries.
    """
    flat = tf.nest.flatten(tensors)
    flat = [tf.unstack(one) if groups is None else tf.split(one, groups) for one in flat]
    return [tf.nest.pack_sequence_as(tensors, list(parts)) for parts in zip(*flat)]
