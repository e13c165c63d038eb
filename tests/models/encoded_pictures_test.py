"""Pictures decoded in a graph have the pixels of those that Pillow reads."""

import io

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from enas_tf.data.images.files import PictureSettings, read_picture
from enas_tf.models.encoded_pictures import decode_picture, decode_pictures

SIZES = ((40, 60), (97, 33), (300, 201), (32, 32), (8, 8), (1, 50), (500, 6), (90, 40))
SETTINGS = {
    "crop": PictureSettings(height=32, width=32),
    "pad": PictureSettings(height=24, width=40, resize="pad", background="#4080c0"),
    "stretch": PictureSettings(height=24, width=41, resize="stretch", background="black"),
    "grey crop": PictureSettings(height=31, width=17, channels=1),
    "grey pad": PictureSettings(height=31, width=17, channels=1, resize="pad"),
}


def pixels(height, width, channels=3):
    """Returns pixels that vary smoothly, with some noise, as photographs do."""
    generator = np.random.default_rng(height * width)
    coarse = generator.integers(0, 256, (height // 8 + 2, width // 8 + 2, channels), np.uint8)
    smooth = [
        np.asarray(Image.fromarray(coarse[..., channel]).resize((width, height), Image.BICUBIC))
        for channel in range(channels)
    ]
    noise = generator.integers(-8, 8, (height, width, channels))
    return np.clip(np.stack(smooth, axis=-1) + noise.astype(np.int32), 0, 255).astype(np.uint8)


def encoded(image, kind="PNG", **options):
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def rotated(image, orientation, endian):
    exif = Image.Exif()
    exif.endian = endian
    exif[0x010E] = "an entry before the orientation"
    exif[0x0112] = orientation
    return encoded(image, "JPEG", exif=exif)


def of_every_kind():
    image = Image.fromarray(pixels(80, 121))
    grey, first = image.convert("L"), tuple(image.getpixel((0, 0)))
    rgba = Image.fromarray(pixels(60, 70, 4))
    kinds = {
        "progressive": encoded(image, "JPEG", progressive=True),
        "grey JPEG": encoded(grey, "JPEG"),
        "grey PNG": encoded(grey),
        "one bit": encoded(image.convert("1")),
        "four bits": encoded(grey, bits=4),
        "palette": encoded(image.quantize(16)),
        "two colours": encoded(image.quantize(2)),
        "transparent entry of a palette": encoded(image.quantize(16), transparency=3),
        "transparent colour": encoded(image, transparency=first),
        "transparent grey": encoded(grey, transparency=100),
        "RGBA": encoded(rgba),
        "grey with alpha": encoded(rgba.convert("LA")),
    }
    for endian in "<>":
        for orientation in range(1, 9):
            kinds[f"orientation {orientation} {endian}"] = rotated(image, orientation, endian)
    for number, (height, width) in enumerate(SIZES):
        image = Image.fromarray(pixels(height, width))
        kinds[f"PNG {height} x {width}"] = encoded(image)
        options = {"subsampling": number % 3, "quality": (95, 75, 50)[number % 3]}
        kinds[f"JPEG {height} x {width}"] = encoded(image, "JPEG", **options)
    return kinds


@pytest.fixture(scope="module")
def kinds():
    return of_every_kind()


@pytest.fixture(scope="module", params=SETTINGS)
def decode(request):
    """Returns the settings, and what decodes one picture in a graph."""
    settings = SETTINGS[request.param]
    text = tf.TensorSpec([], tf.string)
    return settings, tf.function(lambda one: decode_picture(one, settings), input_signature=[text])


def assert_same_pixels(decode, kinds):
    settings, function = decode
    for name, file in kinds.items():
        expected = read_picture(file, settings)
        np.testing.assert_array_equal(function(tf.constant(file)), expected, name)


@pytest.mark.parametrize("decode", ["crop", "grey pad"], indirect=True)
def test_every_kind_of_file_has_the_pixels_of_pillow(decode, kinds):
    assert_same_pixels(decode, kinds)


def test_every_size_has_the_pixels_of_pillow(decode, kinds):
    of_sizes = [f"{kind} {height} x {width}" for kind in ("PNG", "JPEG") for height, width in SIZES]
    assert_same_pixels(decode, {name: kinds[name] for name in of_sizes})


def test_cmyk_differs_by_one_level_at_most(decode):
    settings, function = decode
    file = encoded(Image.fromarray(pixels(80, 121)).convert("CMYK"), "JPEG", quality=95)
    expected = read_picture(file, settings)
    assert np.abs(function(tf.constant(file)).numpy().astype(int) - expected).max() <= 1


def test_pictures_of_many_sizes_are_one_batch(kinds):
    settings = SETTINGS["pad"]
    files = list(kinds.values())[:6]
    expected = [read_picture(file, settings) for file in files]
    np.testing.assert_array_equal(decode_pictures(tf.constant(files), settings), expected)


@pytest.mark.parametrize(
    ("file", "message"),
    [
        (encoded(Image.fromarray(np.zeros((4, 4), np.uint16))), "more than 8 bits a channel"),
        (b"GIF89a", "must be what a JPEG or PNG file holds"),
        (b"", "must be what a JPEG or PNG file holds"),
        (encoded(Image.fromarray(pixels(40, 60)), "JPEG")[:900], "."),
        (encoded(Image.fromarray(pixels(40, 60)))[:900], "."),
    ],
)
def test_what_cannot_be_read_is_an_error(file, message):
    with pytest.raises(tf.errors.InvalidArgumentError, match=message):
        decode_picture(tf.constant(file), SETTINGS["crop"])


def test_exif_that_leads_nowhere_is_none():
    """The table is said to stand behind the end of the file."""
    file = rotated(Image.fromarray(pixels(40, 60)), 6, "<")
    place = file.index(b"II*\0") + 4
    damaged = file[:place] + b"\xff\xff\xff\x7f" + file[place + 4 :]
    picture = decode_picture(tf.constant(damaged), SETTINGS["crop"])
    np.testing.assert_array_equal(picture, read_picture(damaged, SETTINGS["crop"]))


def test_beside_a_very_long_picture_there_is_padding_alone():
    file = encoded(Image.fromarray(pixels(2, 500)))
    picture = decode_picture(tf.constant(file), SETTINGS["pad"])
    np.testing.assert_array_equal(picture, read_picture(file, SETTINGS["pad"]))
