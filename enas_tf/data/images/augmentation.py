"""Random changes of training pictures, as vectorised TensorFlow functions without state.

Whoever calls them draws the random numbers; the same numbers give the same pictures. Every
function works eagerly and inside `tf.data`.
"""

import functools
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf

from enas_tf.data.images.preprocessing import Augmentation, Normalization

# Named, because the default differs from device to device.
_ALGORITHM = "philox"
# Streams of random numbers beside the first five, which are split off.
_BRIGHTNESS, _CONTRAST, _SATURATION, _MIXUP, _CUTMIX, _EITHER, _ROW, _COLUMN, _LAYER = range(9)
# The smallest number of which there is a logarithm.
_TINY = np.finfo(np.float32).tiny
# What red, green and blue count in grey (ITU-R BT.601).
_GREY = (0.299, 0.587, 0.114)


class Draws(NamedTuple):
    """The random choices for the pictures of a batch; each tensor is `[batch]`.

    Attributes:
      top: int32, row of the padded picture's crop relative to the original, in ±crop_padding.
      left: int32, likewise for the column.
      flipped: bool, whether the picture is mirrored left to right.
      center_row: int32, row of the centre of CutOut's square.
      center_column: int32, its column.
      color: a `ColorDraws`; (): colours stay.
      mixing: a `MixingDraws`; (): pictures are not mixed.
    """

    top: tf.Tensor
    left: tf.Tensor
    flipped: tf.Tensor
    center_row: tf.Tensor
    center_column: tf.Tensor
    color: Any = ()
    mixing: Any = ()


class ColorDraws(NamedTuple):
    """How colours change; each is float32 `[batch]`, a factor around 1.

    Attributes:
      brightness: of all values.
      contrast: of their distances from the picture's mean grey.
      saturation: of their distances from the pixel's grey.
    """

    brightness: tf.Tensor
    contrast: tf.Tensor
    saturation: tf.Tensor


class MixingDraws(NamedTuple):
    """How a picture is mixed with another one; each is `[batch]`.

    Attributes:
      weight: float32, of the picture itself outside of the rectangle.
      top: int32, first row of the rectangle that shows the other picture alone.
      left: int32, its first column.
      bottom: int32, the row after its last one.
      right: int32, the column after its last one.
    """

    weight: tf.Tensor
    top: tf.Tensor
    left: tf.Tensor
    bottom: tf.Tensor
    right: tf.Tensor


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
    seeds = tf.random.experimental.stateless_split(seed, num=5, alg=_ALGORITHM)

    def integers(stream: int, low: int, high: int) -> tf.Tensor:
        return _uniform(batch_size, seeds[stream], low, high, tf.int32)

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
        color=_draw_color(augmentation, batch_size, seed) if augmentation.color_jitter else (),
        mixing=_draw_mixing(augmentation, batch_size, height, width, seed)
        if augmentation.mixes
        else (),
    )


def _draw_color(augmentation: Augmentation, batch_size: int, seed: tf.Tensor) -> ColorDraws:
    most = augmentation.color_jitter

    def factor(stream: int) -> tf.Tensor:
        return _uniform(batch_size, fold_in(seed, stream), 1.0 - most, 1.0 + most, tf.float32)

    return ColorDraws(factor(_BRIGHTNESS), factor(_CONTRAST), factor(_SATURATION))


def _draw_mixing(
    augmentation: Augmentation, batch_size: int, height: int, width: int, seed: tf.Tensor
) -> MixingDraws:
    def beta(stream: int, parameter: float) -> tf.Tensor:
        """Returns ones for a parameter of 0."""
        if not parameter:
            return tf.ones([batch_size])
        own = fold_in(seed, stream)

        def log_gamma(number: int) -> tf.Tensor:
            # Gamma(a) is Gamma(a + 1) times U^(1/a), which is too small a number for a small a.
            gamma = tf.random.stateless_gamma([batch_size], fold_in(own, number), parameter + 1.0)
            uniform = _uniform(batch_size, fold_in(own, number + 1), _TINY, 1.0, tf.float32)
            return tf.math.log(gamma) + tf.math.log(uniform) / parameter

        return tf.sigmoid(log_gamma(0) - log_gamma(2))

    weight, kept = beta(_MIXUP, augmentation.mixup), beta(_CUTMIX, augmentation.cutmix)
    if augmentation.mixup and augmentation.cutmix:
        is_cut = tf.equal(_uniform(batch_size, fold_in(seed, _EITHER), 0, 2, tf.int32), 1)
        weight, kept = tf.where(is_cut, 1.0, weight), tf.where(is_cut, kept, 1.0)

    def span(stream: int, length: int) -> tuple[tf.Tensor, tf.Tensor]:
        side = tf.cast(tf.round(tf.sqrt(1.0 - kept) * length), tf.int32)
        first = _uniform(batch_size, fold_in(seed, stream), 0, length, tf.int32) - side // 2
        return tf.maximum(first, 0), tf.minimum(first + side, length)

    (top, bottom), (left, right) = span(_ROW, height), span(_COLUMN, width)
    return MixingDraws(weight, top, left, bottom, right)


def layer_seed(seed: tf.Tensor, first_row: Any) -> tf.Tensor:
    """Returns what a layer draws from for rows of a batch.

    Args:
      seed: as for `draw`.
      first_row: of those that it gets, in the batch.
    """
    return fold_in(fold_in(seed, _LAYER), first_row)


def fold_in(seed: tf.Tensor, number: Any) -> tf.Tensor:
    """Returns another seed, int64 `[2]`, for each number."""
    return tf.random.experimental.stateless_fold_in(seed, number, alg=_ALGORITHM)


def _uniform(count: int, seed: tf.Tensor, low: Any, high: Any, dtype: Any) -> tf.Tensor:
    return tf.random.stateless_uniform([count], seed, low, high, dtype, alg=_ALGORITHM)


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


def change_colors(images: tf.Tensor, draws: ColorDraws) -> tf.Tensor:
    """Changes brightness, contrast and saturation, in this order, within 0 to 255.

    Args:
      images: uint8 or float32 `[batch, height, width, channels]`, pixels 0 to 255. Unless there are
        three channels, red, green and blue, there is no saturation, and grey is their mean.
      draws: the factors.

    Returns:
      float32 of the same shape.
    """
    height, width, channels = images.shape[1:]
    pixels = tf.reshape(tf.cast(images, tf.float32), [-1, height * width, channels])
    grey = np.array(_GREY if channels == 3 else [1.0 / channels] * channels, np.float32)
    brightness, contrast, saturation = (factor[:, tf.newaxis, tf.newaxis] for factor in draws)
    mean = tf.linalg.matvec(tf.reduce_mean(pixels, axis=1), grey)
    if channels == 3:
        # Each channel moves towards the grey of its pixel, or away from it.
        same = np.eye(channels, dtype=np.float32)
        towards = np.tile(grey[:, np.newaxis], [1, channels])
        pixels = tf.matmul(pixels, saturation * same + (1.0 - saturation) * towards)
    mean = brightness * tf.reshape(mean, [-1, 1, 1])
    changed = brightness * contrast * pixels + (1.0 - contrast) * mean
    return tf.reshape(tf.clip_by_value(changed, 0.0, 255.0), tf.shape(images))


def mix(
    images: tf.Tensor, labels: tf.Tensor, draws: MixingDraws, num_classes: int
) -> tuple[tf.Tensor, tf.Tensor]:
    """Mixes every picture with the next one, and their labels by what is seen of both.

    Args:
      images: float32 `[batch + 1, height, width, channels]`; the last one is only mixed in.
      labels: int32 `[batch + 1]`.
      draws: for `batch` pictures.
      num_classes: number of classes.

    Returns:
      float32 `[batch, height, width, channels]`, and float32 `[batch, num_classes]`: the share of
      each class.
    """
    height, width, channels = images.shape[1:]
    inside = Mask(
        *(
            (first[:, tf.newaxis] <= tf.range(length)) & (tf.range(length) < end[:, tf.newaxis])
            for first, end, length in (
                (draws.top, draws.bottom, height),
                (draws.left, draws.right, width),
            )
        )
    )
    rows, weight = _as_rows(images), draws.weight[:, tf.newaxis, tf.newaxis]
    weight = weight * tf.cast(~inside.to_rows(channels), tf.float32)
    mixed = weight * rows[:-1] + (1.0 - weight) * rows[1:]
    area = (draws.bottom - draws.top) * (draws.right - draws.left)
    share = draws.weight * (1.0 - tf.cast(area, tf.float32) / float(height * width))
    one_hot, share = tf.one_hot(labels, num_classes), share[:, tf.newaxis]
    return (
        tf.reshape(mixed, tf.shape(images[:-1])),
        share * one_hot[:-1] + (1.0 - share) * one_hot[1:],
    )


def normalize(images: tf.Tensor, normalization: Normalization) -> tf.Tensor:
    """Returns float32 pictures of mean 0 and variance 1 over the training set.

    Args:
      images: uint8 or float32 `[batch, height, width, channels]`, pixels 0 to 255.
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
    seed_of_layer: tf.Tensor | None = None,
) -> tf.Tensor:
    """Returns a batch of training pictures: moved, mirrored, coloured, normalised, and cut out.

    As in the release, padding and CutOut are 0 after normalisation: the colour of the mean.

    Args:
      images: uint8 `[batch, height, width, channels]`.
      draws: what `draw` returned for the same `augmentation`.
      augmentation: says which changes there are.
      normalization: statistics of the training set.
      seed_of_layer: int64 `[2]`, of what `augmentation.layer` does, if there is one.

    Returns:
      float32 `[batch, height, width, channels]`.
    """
    height, width, channels = images.shape[1:]
    pixels = crop_and_flip(images, draws)
    if augmentation.color_jitter:
        pixels = change_colors(pixels, draws.color)
    if augmentation.layer is not None:
        pixels = augmentation.layer(tf.cast(pixels, tf.float32), seed_of_layer)
    pictures = normalize(pixels, normalization)
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
