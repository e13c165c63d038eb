"""Random changes of training pictures, as vectorised TensorFlow functions without state.

Whoever calls them draws the random numbers; the same numbers give the same pictures. Every
function works eagerly and inside `tf.data`.
"""

import functools
from typing import NamedTuple

import numpy as np
import tensorflow as tf

from enas_tf.data.images.preprocessing import Augmentation, Normalization


class Draws(NamedTuple):
    """The random choices for the pictures of a batch; each is `[batch]`.

    Attributes:
      top: int32, row of the padded picture's crop relative to the original, in ±crop_padding.
      left: int32, likewise for the column.
      flipped: bool, whether the picture is mirrored left to right.
      center_row: int32, row of the centre of CutOut's square.
      center_column: int32, its column.
    """

    top: tf.Tensor
    left: tf.Tensor
    flipped: tf.Tensor
    center_row: tf.Tensor
    center_column: tf.Tensor


class Mask(NamedTuple):
    """A set of pixels in each picture of a batch: some rows crossed with some columns.

    Attributes:
      rows: bool `[batch, height]`.
      columns: bool `[batch, width]`.
    """

    rows: tf.Tensor
    columns: tf.Tensor

    def to_rows(self, channels: int) -> tf.Tensor:
        """Returns whether a value lies inside, as bool `[batch, height, width * channels]`."""
        columns = tf.repeat(self.columns, channels, axis=1)
        return self.rows[:, :, tf.newaxis] & columns[:, tf.newaxis, :]


def draw(
    augmentation: Augmentation, batch_size: int, height: int, width: int, seed: tf.Tensor
) -> Draws:
    """Draws what happens to each picture of a batch.

    Each choice has a stream of its own: switching CutOut on does not change the crops.

    Args:
      augmentation: the ranges of the choices.
      batch_size: number of pictures.
      height: of a picture, in pixels.
      width: of a picture, in pixels.
      seed: int64 `[2]`, for example the run's seed and the step.
    """
    # Named, because the default differs from device to device.
    algorithm = "philox"
    seeds = tf.random.experimental.stateless_split(seed, num=5, alg=algorithm)

    def integers(stream: int, low: int, high: int) -> tf.Tensor:
        return tf.random.stateless_uniform(
            [batch_size], seeds[stream], low, high, tf.int32, alg=algorithm
        )

    padding = augmentation.crop_padding
    if augmentation.flip:
        flipped = tf.equal(integers(2, 0, 2), 1)
    else:
        flipped = tf.zeros([batch_size], tf.bool)
    return Draws(
        top=integers(0, -padding, padding + 1),
        left=integers(1, -padding, padding + 1),
        flipped=flipped,
        center_row=integers(3, 0, height),
        center_column=integers(4, 0, width),
    )


def crop_and_flip(images: tf.Tensor, draws: Draws) -> tf.Tensor:
    """Moves pictures by their crops and mirrors them, in one gather.

    Args:
      images: uint8 `[batch, height, width, channels]`.
      draws: top, left and flipped are used.

    Returns:
      uint8 of the same shape. Pixels outside the original picture repeat its border; `crop_mask`
      tells which these are.
    """
    height, width, channels = images.shape[1:]
    rows, columns = _source_pixels(draws, height, width)
    rows = tf.clip_by_value(rows, 0, height - 1)
    columns = tf.clip_by_value(columns, 0, width - 1)
    # 64 bits, because a batch may have more than 2³¹ pixels.
    number = tf.range(tf.shape(rows, tf.int64)[0])
    first = number[:, tf.newaxis] * height + tf.cast(rows, tf.int64)
    pixels = first[:, :, tf.newaxis] * width + tf.cast(columns, tf.int64)[:, tf.newaxis, :]
    return tf.gather(tf.reshape(images, [-1, channels]), pixels)


def crop_mask(draws: Draws, height: int, width: int) -> Mask:
    """Returns which pixels of the crops lie inside the original pictures.

    Args:
      draws: top, left and flipped are used.
      height: of the pictures.
      width: of the pictures.
    """
    rows, columns = _source_pixels(draws, height, width)
    return Mask((rows >= 0) & (rows < height), (columns >= 0) & (columns < width))


def cutout_mask(draws: Draws, side: int, height: int, width: int) -> Mask:
    """Returns which pixels lie inside CutOut's squares.

    Args:
      draws: center_row and center_column are used.
      side: of the square in pixels; an even square reaches one pixel further up and left.
      height: of the pictures.
      width: of the pictures.
    """
    rows = tf.range(height) - draws.center_row[:, tf.newaxis] + side // 2
    columns = tf.range(width) - draws.center_column[:, tf.newaxis] + side // 2
    return Mask((rows >= 0) & (rows < side), (columns >= 0) & (columns < side))


def normalize(images: tf.Tensor, normalization: Normalization) -> tf.Tensor:
    """Returns float32 pictures of mean 0 and variance 1 over the training set.

    Args:
      images: uint8 `[batch, height, width, channels]`.
      normalization: statistics of the training set, in pixel units.
    """
    width = images.shape[2]
    # Rows of pixels, because a broadcast over three channels is six times slower on a CPU.
    rows = tf.cast(_as_rows(images), tf.float32)
    mean = np.tile(normalization.mean, width)
    deviation = np.tile(normalization.standard_deviation, width)
    return tf.reshape((rows - mean) / deviation, tf.shape(images))


def augment(
    images: tf.Tensor,
    draws: Draws,
    augmentation: Augmentation,
    normalization: Normalization,
) -> tf.Tensor:
    """Returns a batch of training pictures: cropped, mirrored, normalised, and cut out.

    As in the release, padding and CutOut are 0 after normalisation: the colour of the mean.

    Args:
      images: uint8 `[batch, height, width, channels]`.
      draws: what `draw` returned for the same `augmentation`.
      augmentation: says which changes there are.
      normalization: statistics of the training set.

    Returns:
      float32 `[batch, height, width, channels]`.
    """
    height, width, channels = images.shape[1:]
    pictures = normalize(crop_and_flip(images, draws), normalization)
    kept = []
    if augmentation.crop_padding:
        kept.append(crop_mask(draws, height, width).to_rows(channels))
    if augmentation.cutout:
        kept.append(~cutout_mask(draws, augmentation.cutout, height, width).to_rows(channels))
    if not kept:
        return pictures
    rows = _as_rows(pictures) * tf.cast(functools.reduce(tf.logical_and, kept), tf.float32)
    return tf.reshape(rows, tf.shape(pictures))


def _source_pixels(draws: Draws, height: int, width: int) -> tuple[tf.Tensor, tf.Tensor]:
    """Returns which original row `[batch, height]` and column `[batch, width]` a pixel shows."""
    rows = draws.top[:, tf.newaxis] + tf.range(height)
    columns = draws.left[:, tf.newaxis] + tf.range(width)
    columns = tf.where(draws.flipped[:, tf.newaxis], tf.reverse(columns, [1]), columns)
    return rows, columns


def _as_rows(images: tf.Tensor) -> tf.Tensor:
    height, width, channels = images.shape[1:]
    return tf.reshape(images, [-1, height, width * channels])
