"""Encoded pictures in a graph: what `enas_tf.data.images.files` makes of them with Pillow.

A served model gets the bytes of JPEG and PNG files and must see the pixels that training saw. So
the steps of `read_picture` stand here once more, made of operations of TensorFlow: rotation as EXIF
asks for it, transparency, grey, and Pillow's resizing, which works with whole numbers and rounds
after each of its two passes; TensorFlow's own differs from it by several grey levels.

What is left are the decoders. For PNG and for JPEG in grey and RGB, the pixels are the same, bit
for bit, since TensorFlow and Pillow bring the same two libraries (libpng, libjpeg-turbo), and
libjpeg-turbo's exact transform is asked for. JPEG in CMYK may differ by one grey level before it is
resized, since TensorFlow makes RGB of it with another rounding. An orientation is read from EXIF in
JPEG only.
"""

from collections.abc import Callable

import PIL
import tensorflow as tf

from enas_tf.data.images.files import PictureSettings

_JPEG_BEGINNING = b"\xff\xd8"
_PNG_BEGINNING = b"\x89PNG\r\n\x1a\n"
# Where a PNG says how many bits a channel has.
_PNG_DEPTH = 24

_EXIF = b"Exif\0\0"
_LITTLE_ENDIAN = b"II"
_ORIENTATION_BYTES = tuple((0x0112).to_bytes(2, "big"))
_ENTRY_SIZE = 12
# Markers of JPEG: of the part that may be EXIF, and of that behind which the pixels are.
_APP1 = 0xE1
_START_OF_SCAN = 0xDA

# Pillow's weights are whole numbers of so many bits behind the point.
_PRECISION = 22
# Columns that are resized at a time, so that a large picture needs little more than its own memory.
_COLUMNS = 64
# From this version on, the rows come first where their number shrinks more than twice as much.
_FIRST_PILLOW_WITH_ORDER = 13


def decode_pictures(encoded: tf.Tensor, settings: PictureSettings) -> tf.Tensor:
    """Returns the pictures of encoded files as a network takes them.

    Args:
      encoded: string `[batch]`, each what a JPEG or PNG file holds.
      settings: what they are brought to.

    Returns:
      uint8 `[batch, height, width, channels]`.
    """
    return tf.map_fn(
        lambda one: decode_picture(one, settings),
        encoded,
        fn_output_signature=tf.TensorSpec(settings.shape, tf.uint8),
    )


def decode_picture(encoded: tf.Tensor, settings: PictureSettings) -> tf.Tensor:
    """Returns the picture of one file, uint8 `[height, width, channels]`; see `decode_pictures`."""
    beginning = tf.strings.substr(encoded, 0, len(_PNG_BEGINNING))
    image = tf.cond(
        tf.equal(beginning, _PNG_BEGINNING),
        lambda: _decode_png(encoded, settings),
        lambda: _decode_jpeg(encoded),
    )
    if settings.channels == 1:
        image = _grey(image)
    return tf.ensure_shape(_resized(image, settings), settings.shape)


def _decode_png(encoded: tf.Tensor, settings: PictureSettings) -> tf.Tensor:
    depth = _integer(encoded, _PNG_DEPTH, 1)
    check = tf.debugging.assert_less_equal(
        depth, 8, "A picture has more than 8 bits a channel; convert it to 8 bits."
    )
    with tf.control_dependencies([check]):
        image = tf.cast(tf.io.decode_png(encoded, channels=4), tf.int32)
    colours, alpha = image[..., :3], image[..., 3:]
    # What TensorFlow calls opaque where a pixel has fewer bits, and nothing is transparent.
    opaque = tf.bitwise.left_shift(1, depth) - 1
    alpha = tf.where(tf.reduce_all(tf.equal(alpha, opaque)), 255, alpha)
    # `alpha_composite` on an opaque background: 7 bits behind the point, divisions rounded.
    background = tf.constant(settings.replace(channels=3).colour, tf.int32)
    mixed = (colours * alpha + background * (255 - alpha) + 0x80) * 128
    return tf.cast((mixed // 256 + mixed) // 256 // 128, tf.uint8)


def _decode_jpeg(encoded: tf.Tensor) -> tf.Tensor:
    # The operation takes other formats too, but makes other pixels of them than Pillow.
    is_jpeg = tf.equal(tf.strings.substr(encoded, 0, len(_JPEG_BEGINNING)), _JPEG_BEGINNING)
    check = tf.debugging.Assert(is_jpeg, ["A picture must be what a JPEG or PNG file holds."])
    with tf.control_dependencies([check]):
        image = tf.io.decode_jpeg(encoded, channels=3, dct_method="INTEGER_ACCURATE")
    orientation = _orientation(encoded)

    def where(values: list[int], change: Callable[[], tf.Tensor], image: tf.Tensor) -> tf.Tensor:
        return tf.cond(tf.reduce_any(tf.equal(orientation, values)), change, lambda: image)

    image = where([5, 6, 7, 8], lambda: _turned(image), image)
    turned = where([2, 3, 6, 7], lambda: image[:, ::-1], image)
    return where([3, 4, 7, 8], lambda: turned[::-1], turned)


def _orientation(encoded: tf.Tensor) -> tf.Tensor:
    """Returns the orientation that EXIF tells of a JPEG, an int32; 1 or 0 if it tells none."""

    def is_exif(place: tf.Tensor) -> tf.Tensor:
        name = tf.strings.substr(encoded, place + 4, len(_EXIF))
        return tf.logical_and(
            tf.equal(_integer(encoded, place + 1, 1), _APP1), tf.equal(name, _EXIF)
        )

    def goes_on(place: tf.Tensor) -> tf.Tensor:
        marker = _integer(encoded, place + 1, 1)
        is_part = tf.logical_and(tf.equal(_integer(encoded, place, 1), 0xFF), marker > 0)
        return is_part & tf.not_equal(marker, _START_OF_SCAN) & ~is_exif(place)

    def following(place: tf.Tensor) -> tuple[tf.Tensor]:
        return (place + 2 + _integer(encoded, place + 2, 2),)

    # The parts of the file follow each other, each with a marker and its length.
    (place,) = tf.while_loop(goes_on, following, (tf.constant(2),))
    start = place + 4 + len(_EXIF)
    return tf.cond(is_exif(place), lambda: _orientation_in(encoded, start), lambda: tf.constant(1))


def _orientation_in(encoded: tf.Tensor, start: tf.Tensor) -> tf.Tensor:
    """Returns the orientation in EXIF's table of entries.

    Args:
      encoded: what the file holds.
      start: where the byte order stands, from which places are counted.
    """
    is_little = tf.equal(tf.strings.substr(encoded, start, 2), _LITTLE_ENDIAN)

    def number(place: tf.Tensor, size: int) -> tf.Tensor:
        return _integer(encoded, place, size, is_little)

    length = tf.strings.length(encoded)
    # A table may be said to stand anywhere, and to be of any length.
    table = start + tf.clip_by_value(number(start + 4, 4), 0, length)
    count = tf.clip_by_value((length - table - 2) // _ENTRY_SIZE, 0, number(table, 2))
    text = tf.strings.substr(encoded, tf.minimum(table + 2, length), count * _ENTRY_SIZE)
    entries = tf.reshape(tf.io.decode_raw(text, tf.uint8), [-1, _ENTRY_SIZE])
    orientation = tf.cast(
        tf.where(is_little, _ORIENTATION_BYTES[::-1], _ORIENTATION_BYTES), tf.uint8
    )
    places = tf.where(tf.reduce_all(tf.equal(entries[:, :2], orientation), axis=1))[:, 0]
    # The first one; behind the last there is none.
    place = tf.cast(tf.concat([places, [0]], axis=0)[0], tf.int32)
    value = number(table + 2 + place * _ENTRY_SIZE + 8, 2)
    return tf.where(tf.size(places) > 0, value, 1)


def _integer(
    encoded: tf.Tensor,
    place: tf.Tensor | int,
    size: int,
    is_little: tf.Tensor | bool = False,
) -> tf.Tensor:
    """Returns a whole number in a file as int32; zeros stand behind the file's end."""
    length = tf.strings.length(encoded)
    # A place may be whatever a damaged file says.
    place = tf.clip_by_value(place, 0, length)
    text = tf.strings.substr(encoded, place, size)
    values = tf.io.decode_raw(text, tf.uint8, fixed_length=size)
    values = tf.where(is_little, values[::-1], values)
    powers = [256**power for power in reversed(range(size))]
    return tf.reduce_sum(tf.cast(values, tf.int32) * powers)


def _grey(image: tf.Tensor) -> tf.Tensor:
    """Returns what Pillow makes of RGB in its mode L."""
    weights = tf.constant([19595, 38470, 7471], tf.int32)
    total = tf.reduce_sum(tf.cast(image, tf.int32) * weights, axis=-1, keepdims=True)
    return tf.cast((total + 0x8000) // 0x10000, tf.uint8)


def _resized(image: tf.Tensor, settings: PictureSettings) -> tf.Tensor:
    """Brings a picture to the size of the settings, as `ImageOps.fit` and `pad` and `resize` do."""
    size = tf.shape(image)
    height, width = tf.cast(size[0], tf.float64), tf.cast(size[1], tf.float64)
    new_height, new_width = tf.constant(settings.height), tf.constant(settings.width)
    ratio, new_ratio = width / height, tf.constant(settings.width / settings.height, tf.float64)
    # What is cut out, and what it is resized to.
    cut_height, cut_width = height, width
    if settings.resize == "crop":
        cut_width = tf.where(ratio > new_ratio, new_ratio * height, width)
        cut_height = tf.where(ratio < new_ratio, width / new_ratio, height)
    elif settings.resize == "pad":
        shrunk = tf.cast(tf.round(height / width * settings.width), tf.int32)
        new_height = tf.where(ratio > new_ratio, shrunk, new_height)
        shrunk = tf.cast(tf.round(width / height * settings.height), tf.int32)
        new_width = tf.where(ratio < new_ratio, shrunk, new_width)
    rows = _weights(size[0], (height - cut_height) * 0.5, cut_height, new_height)
    columns = _weights(size[1], (width - cut_width) * 0.5, cut_width, new_width)
    image = _two_passes(image, rows, columns)
    return _padded(image, settings) if settings.resize == "pad" else image


def _two_passes(image: tf.Tensor, rows: tf.SparseTensor, columns: tf.SparseTensor) -> tf.Tensor:
    """Resizes both sides, in the order in which Pillow does it."""

    def vertically(image: tf.Tensor) -> tf.Tensor:
        return _weighted(rows, image)

    def horizontally(image: tf.Tensor) -> tf.Tensor:
        return _turned(_weighted(columns, _turned(image)))

    if int(PIL.__version__.partition(".")[0]) < _FIRST_PILLOW_WITH_ORDER:
        return vertically(horizontally(image))
    fewer_rows, fewer_columns = (
        tf.cast(weights.dense_shape[1] - weights.dense_shape[0], tf.int32)
        for weights in (rows, columns)
    )
    return tf.cond(
        (fewer_rows > 0) & (fewer_rows > 2 * fewer_columns),
        lambda: horizontally(vertically(image)),
        lambda: vertically(horizontally(image)),
    )


def _turned(image: tf.Tensor) -> tf.Tensor:
    return tf.transpose(image, [1, 0, 2])


def _padded(image: tf.Tensor, settings: PictureSettings) -> tf.Tensor:
    missing = [settings.height, settings.width] - tf.shape(image)[:2]
    before = tf.cast(tf.round(tf.cast(missing, tf.float64) * 0.5), tf.int32)
    paddings = tf.stack([before, missing - before], axis=1)
    return tf.stack(
        [
            tf.pad(image[..., channel], paddings, constant_values=value)
            for channel, value in enumerate(settings.colour)
        ],
        axis=-1,
    )


def _weights(
    size: tf.Tensor, start: tf.Tensor, length: tf.Tensor, new_size: tf.Tensor
) -> tf.SparseTensor:
    """Returns the weights of a pass of Pillow's bilinear resizing.

    Args:
      size: pixels of the side.
      start: where on it that begins which is resized, float64.
      length: of that.
      new_size: pixels of the new side.

    Returns:
      Whole numbers of `_PRECISION` bits, float64 `[new_size, size]`.
    """
    # Pillow hands the two ends over in single precision, and goes on in double.
    first, last = tf.cast(start, tf.float32), tf.cast(start + length, tf.float32)
    # Of a picture that is much longer than wide nothing may be left beside the padding.
    scale = tf.cast(last - first, tf.float64) / tf.cast(tf.maximum(new_size, 1), tf.float64)
    support = tf.maximum(scale, 1.0)
    number = tf.cast(tf.math.ceil(support), tf.int32) * 2 + 1
    centers = tf.cast(first, tf.float64) + (tf.range(new_size, dtype=tf.float64) + 0.5) * scale
    lowest = tf.maximum(tf.cast(centers - support + 0.5, tf.int32), 0)[:, None]
    end = tf.minimum(tf.cast(centers + support + 0.5, tf.int32), size)[:, None]
    places = lowest + tf.range(number)
    distances = tf.cast(places, tf.float64) - centers[:, None] + 0.5
    weights = tf.maximum(1.0 - tf.abs(distances * (1.0 / support)), 0.0)
    weights = tf.where(places < end, weights, 0.0)
    weights /= tf.reduce_sum(weights, axis=1, keepdims=True)
    whole = tf.floor(0.5 + weights * 2.0**_PRECISION)
    # Places behind the end have no weight.
    is_there = places < size
    lines = tf.broadcast_to(tf.range(new_size)[:, None], tf.shape(places))
    indices = tf.stack([lines[is_there], places[is_there]], axis=1)
    shape = tf.cast(tf.stack([new_size, size]), tf.int64)
    return tf.SparseTensor(tf.cast(indices, tf.int64), whole[is_there], shape)


def _weighted(weights: tf.SparseTensor, image: tf.Tensor) -> tf.Tensor:
    """Returns sums of rows of a picture, rounded as Pillow does it.

    Args:
      weights: `[new rows, rows]`.
      image: uint8 `[rows, columns, channels]`.
    """
    shape, channels = tf.shape(image), image.shape[-1]
    new_rows = tf.cast(weights.dense_shape[0], tf.int32)
    parts = (shape[1] + _COLUMNS - 1) // _COLUMNS
    image = tf.pad(image, [[0, 0], [0, parts * _COLUMNS - shape[1]], [0, 0]])

    def sums(part: tf.Tensor) -> tf.Tensor:
        columns = image[:, part * _COLUMNS : (part + 1) * _COLUMNS]
        flat = tf.reshape(tf.cast(columns, tf.float64), [shape[0], _COLUMNS * channels])
        # Exact: these are whole numbers of less than 53 bits.
        total = tf.sparse.sparse_dense_matmul(weights, flat) + 2.0 ** (_PRECISION - 1)
        pixels = tf.clip_by_value(tf.floor(total / 2.0**_PRECISION), 0.0, 255.0)
        return tf.reshape(tf.cast(pixels, tf.uint8), [new_rows, _COLUMNS, channels])

    resized = tf.map_fn(
        sums,
        tf.range(parts),
        fn_output_signature=tf.TensorSpec([None, _COLUMNS, channels], tf.uint8),
        parallel_iterations=1,
    )
    side_by_side = tf.transpose(resized, [1, 0, 2, 3])
    return tf.reshape(side_by_side, [new_rows, -1, channels])[:, : shape[1]]
