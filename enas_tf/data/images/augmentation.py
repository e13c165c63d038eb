"""Random changes of training pictures, as vectorised TensorFlow functions without state.

In three steps: random numbers are drawn (`draw`), it is worked out what they mean for each picture
(`changes_of`), and the pictures are changed (`changed`). The first two are some numbers a picture
and are always made on the host; the last one may run there or on the device that trains, and gives
the same bits on every CPU. Every function works eagerly, inside `tf.data` and in a training step.
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


class Mixing(NamedTuple):
    """How the pictures of a batch are mixed, each with the next one.

    Attributes:
      weight: float32 `[batch]`, of the picture itself outside of the rectangle.
      pasted: the rectangle, which shows the next picture alone.
    """

    weight: tf.Tensor
    pasted: Mask


class Changes(NamedTuple):
    """What happens to the pictures of a batch, worked out so far that only pixels are missing.

    Attributes:
      rows: int64 `[batch, height]`, which row each row shows, counted over all pictures.
      columns: int64 `[batch, width]`, which column each column shows.
      inside: a `Mask`; pixels outside of it become the colour of the mean; (): none do.
      cut: a `Mask`; pixels inside of it do likewise; (): none do.
      color: a `ColorDraws`; (): colours stay.
      layer_seed: int64 `[2]`, of what a layer of the user's does; (): there is none.
      mixing: a `Mixing` of all pictures but the last one, which is only mixed in; (): pictures are
        not mixed.
    """

    rows: tf.Tensor
    columns: tf.Tensor
    inside: Any = ()
    cut: Any = ()
    color: Any = ()
    layer_seed: Any = ()
    mixing: Any = ()


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


def changes_of(
    draws: Draws,
    augmentation: Augmentation,
    height: int,
    width: int,
    seed_of_layer: tf.Tensor | None = None,
) -> Changes:
    """Returns what draws mean for the pictures.

    Args:
      draws: what `draw` returned for the same `augmentation`.
      augmentation: says which changes there are.
      height: of the pictures.
      width: of the pictures.
      seed_of_layer: int64 `[2]`, of what `augmentation.layer` does, if there is one.
    """
    cutout = augmentation.cutout
    return Changes(
        *_pixels(draws, height, width),
        inside=crop_mask(draws, height, width) if augmentation.crop_padding else (),
        cut=cutout_mask(draws, cutout, height, width) if cutout else (),
        color=draws.color if augmentation.color_jitter else (),
        layer_seed=seed_of_layer if augmentation.layer is not None else (),
        mixing=_mixing(draws.mixing, height, width) if augmentation.mixes else (),
    )


def _pixels(draws: Draws, height: int, width: int) -> tuple[tf.Tensor, tf.Tensor]:
    """Returns the rows and the columns of `Changes`; beyond a picture its border is repeated."""
    rows, columns = _source_pixels(draws, height, width)
    rows = tf.clip_by_value(rows, 0, height - 1)
    columns = tf.clip_by_value(columns, 0, width - 1)
    # 64 bits, because a batch may have more than 2³¹ pixels.
    number = tf.range(tf.shape(rows, tf.int64)[0])
    return number[:, tf.newaxis] * height + tf.cast(rows, tf.int64), tf.cast(columns, tf.int64)


def _mixing(draws: MixingDraws, height: int, width: int) -> Mixing:
    rows, columns = (
        (first[:-1, tf.newaxis] <= tf.range(length)) & (tf.range(length) < end[:-1, tf.newaxis])
        for first, end, length in (
            (draws.top, draws.bottom, height),
            (draws.left, draws.right, width),
        )
    )
    return Mixing(draws.weight[:-1], Mask(rows, columns))


def crop_and_flip(images: tf.Tensor, rows: tf.Tensor, columns: tf.Tensor) -> tf.Tensor:
    """Moves pictures by their crops and mirrors them, in one gather.

    Args:
      images: uint8 or float32 `[batch, height, width, channels]`.
      rows: of `Changes`.
      columns: of `Changes`.

    Returns:
      Pictures of the same type and shape. Pixels outside the original picture repeat its border;
      `crop_mask` tells which these are.
    """
    width, channels = images.shape[2:]
    pixels = rows[:, :, tf.newaxis] * width + columns[:, tf.newaxis, :]
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


def mixed_labels(
    labels: tf.Tensor, draws: MixingDraws, num_classes: int, num_pixels: int
) -> tf.Tensor:
    """Mixes the label of every picture with that of the next one, by what is seen of both.

    Args:
      labels: int32 `[batch + 1]`; the last one is only mixed in.
      draws: for as many pictures, of which the last one's do not count.
      num_classes: number of classes.
      num_pixels: of a picture.

    Returns:
      float32 `[batch, num_classes]`: the share of each class.
    """
    draws = tf.nest.map_structure(lambda choices: choices[:-1], draws)
    area = (draws.bottom - draws.top) * (draws.right - draws.left)
    share = draws.weight * (1.0 - tf.cast(area, tf.float32) / float(num_pixels))
    one_hot, share = tf.one_hot(labels, num_classes), share[:, tf.newaxis]
    return share * one_hot[:-1] + (1.0 - share) * one_hot[1:]


def mixed(images: tf.Tensor, mixing: Mixing) -> tf.Tensor:
    """Mixes every picture with the next one.

    Args:
      images: float32 `[batch + 1, height, width, channels]`; the last one is only mixed in.
      mixing: of `Changes`.

    Returns:
      float32 `[batch, height, width, channels]`.
    """
    channels = images.shape[3]
    rows, weight = _as_rows(images), mixing.weight[:, tf.newaxis, tf.newaxis]
    weight = weight * tf.cast(~mixing.pasted.to_rows(channels), tf.float32)
    result = weight * rows[:-1] + (1.0 - weight) * rows[1:]
    return tf.reshape(result, tf.shape(images[:-1]))


def normalize(images: tf.Tensor, normalization: Any) -> tf.Tensor:
    """Returns float32 pictures of mean 0 and variance 1 over the training set.

    Args:
      images: uint8 or float32 `[batch, height, width, channels]`, pixels 0 to 255.
      normalization: a `Normalization`; or its mean and its deviation for each value of a row of
        pixels, as `row_statistics` returns them, perhaps as tensors.
    """
    # Rows of pixels, because a broadcast over three channels is six times slower on a CPU.
    rows = tf.cast(_as_rows(images), tf.float32)
    if isinstance(normalization, Normalization):
        normalization = row_statistics(normalization, images.shape[2])
    mean, deviation = normalization
    return tf.reshape((rows - mean) / deviation, tf.shape(images))


def row_statistics(normalization: Normalization, width: int) -> tuple[np.ndarray, np.ndarray]:
    """Returns mean and deviation of each value of a row of pixels, float32 `[width * channels]`."""
    return (
        np.tile(normalization.mean, width),
        np.tile(normalization.standard_deviation, width),
    )


def changed(images: tf.Tensor, changes: Changes, layer: Any, normalization: Any) -> tf.Tensor:
    """Returns a batch of training pictures: moved, mirrored, coloured, normalised, cut, mixed.

    As in the release, padding and CutOut are 0 after normalisation: the colour of the mean.

    Args:
      images: uint8 or float32 `[batch, height, width, channels]`, pixels 0 to 255.
      changes: what `changes_of` returned for them.
      layer: `Augmentation.layer`.
      normalization: as for `normalize`.

    Returns:
      float32 `[batch, height, width, channels]`; of mixed pictures, one less.
    """
    channels = images.shape[3]
    pixels = crop_and_flip(images, changes.rows, changes.columns)
    if changes.color:
        pixels = change_colors(pixels, changes.color)
    if layer is not None:
        pixels = layer(tf.cast(pixels, tf.float32), changes.layer_seed)
    pictures = normalize(pixels, normalization)
    kept = []
    if changes.inside:
        kept.append(changes.inside.to_rows(channels))
    if changes.cut:
        kept.append(~changes.cut.to_rows(channels))
    if kept:
        rows = _as_rows(pictures) * tf.cast(functools.reduce(tf.logical_and, kept), tf.float32)
        pictures = tf.reshape(rows, tf.shape(pictures))
    return mixed(pictures, changes.mixing) if changes.mixing else pictures


def _source_pixels(draws: Draws, height: int, width: int) -> tuple[tf.Tensor, tf.Tensor]:
    """Returns which original row `[batch, height]` and column `[batch, width]` a pixel shows."""
    rows = draws.top[:, tf.newaxis] + tf.range(height)
    columns = draws.left[:, tf.newaxis] + tf.range(width)
    columns = tf.where(draws.flipped[:, tf.newaxis], tf.reverse(columns, [1]), columns)
    return rows, columns


def _as_rows(images: tf.Tensor) -> tf.Tensor:
    height, width, channels = images.shape[1:]
    return tf.reshape(images, [-1, height, width * channels])
