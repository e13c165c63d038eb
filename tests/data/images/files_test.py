"""Pictures of every kind, compared with what Pillow makes of them step by step."""

import io
import os

import numpy as np
import pytest
from PIL import Image, ImageOps

from enas_tf.data.images.files import PictureSettings, read_header, read_picture
from enas_tf.errors import ConfigurationError, DataError

AS_IT_IS = PictureSettings(height=8, width=12)
GREY = AS_IT_IS.replace(channels=1)


def _pixels(channels, height=8, width=12):
    shape = (height, width, channels) if channels > 1 else (height, width)
    return np.random.default_rng(channels).integers(0, 256, shape, np.uint8)


def _encoded(image, kind="PNG", **options):
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def test_rgb_of_the_right_size_is_left_as_it_is():
    pixels = _pixels(3)
    read = read_picture(_encoded(Image.fromarray(pixels)), AS_IT_IS)
    assert read.dtype == np.uint8
    np.testing.assert_array_equal(read, pixels)


def test_grey_pictures_are_repeated_in_colour_sets():
    pixels = _pixels(1)
    read = read_picture(_encoded(Image.fromarray(pixels)), AS_IT_IS)
    np.testing.assert_array_equal(read, np.repeat(pixels[..., None], 3, axis=-1))
    np.testing.assert_array_equal(
        read_picture(_encoded(Image.fromarray(pixels)), GREY), pixels[..., None]
    )


@pytest.mark.parametrize(("background", "colour"), [("white", 255), ("black", 0), ("#404040", 64)])
def test_transparent_pixels_show_the_background(background, colour):
    pixels = _pixels(4)
    pixels[:, :6, 3], pixels[:, 6:, 3] = 0, 255
    read = read_picture(_encoded(Image.fromarray(pixels)), AS_IT_IS.replace(background=background))
    assert np.all(read[:, :6] == colour)
    np.testing.assert_array_equal(read[:, 6:], pixels[:, 6:, :3])


def test_a_transparent_colour_of_a_palette_shows_the_background():
    image = Image.fromarray(_pixels(3)).quantize(4)
    read = read_picture(_encoded(image, transparency=2), AS_IT_IS)
    chosen = np.asarray(image) == 2
    expected = np.where(chosen[..., None], 255, np.asarray(image.convert("RGB")))
    np.testing.assert_array_equal(read, expected)


def test_cmyk_becomes_rgb():
    image = Image.fromarray(_pixels(3)).convert("CMYK")
    data = _encoded(image, "JPEG", quality=95)
    decoded = Image.open(io.BytesIO(data))
    assert decoded.mode == "CMYK"
    np.testing.assert_array_equal(read_picture(data, AS_IT_IS), np.asarray(decoded.convert("RGB")))


def test_the_rotation_of_exif_is_done():
    pixels = _pixels(3)
    exif = Image.Exif()
    exif[0x0112] = 6  # Stored lying on its left side.
    data = _encoded(Image.fromarray(pixels), exif=exif)
    read = read_picture(data, PictureSettings(height=12, width=8))
    np.testing.assert_array_equal(read, np.rot90(pixels, -1))


def test_a_cropped_picture_keeps_its_middle():
    pixels = np.zeros((8, 20, 3), np.uint8)
    pixels[:, 4:16] = _pixels(3)
    read = read_picture(_encoded(Image.fromarray(pixels)), AS_IT_IS)
    np.testing.assert_array_equal(read, pixels[:, 4:16])


def test_a_padded_picture_is_surrounded_by_the_background():
    pixels = _pixels(3, height=8, width=4)
    settings = AS_IT_IS.replace(resize="pad", background="#0a141e")
    read = read_picture(_encoded(Image.fromarray(pixels)), settings)
    np.testing.assert_array_equal(read[:, 4:8], pixels)
    assert read[0, 0].tolist() == read[-1, -1].tolist() == [10, 20, 30]


@pytest.mark.parametrize("size", [(6, 4), (50, 31)])
def test_other_sizes_are_resized_as_pillow_does(size):
    image = Image.fromarray(_pixels(3, height=size[1], width=size[0]))
    bilinear = Image.Resampling.BILINEAR
    expected = {
        "stretch": image.resize((12, 8), bilinear),
        "crop": ImageOps.fit(image, (12, 8), bilinear),
        "pad": ImageOps.pad(image, (12, 8), bilinear, color=(255, 255, 255)),
    }
    for resize, picture in expected.items():
        read = read_picture(_encoded(image), AS_IT_IS.replace(resize=resize))
        np.testing.assert_array_equal(read, np.asarray(picture))


def _sixteen_bits_of_colour():
    """Returns a PNG of one black pixel with 16 bits a channel, which Pillow cannot write."""
    import struct
    import zlib

    def chunk(kind, content):
        checksum = zlib.crc32(kind + content)
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", checksum)

    header = struct.pack(">IIBBBBB", 1, 1, 16, 2, 0, 0, 0)
    body = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(bytes(7))) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + body


@pytest.mark.parametrize(
    "data",
    [_encoded(Image.new("I;16", (3, 2), 1000)), _sixteen_bits_of_colour()],
    ids=["grey", "colour"],
)
def test_more_than_eight_bits_are_refused(data):
    with pytest.raises(DataError, match="more than 8 bits a channel"):
        read_picture(data, AS_IT_IS)


def test_what_is_cut_off_is_refused(tmp_path):
    path = tmp_path / "a.png"
    path.write_bytes(_encoded(Image.fromarray(_pixels(3)))[:60])
    with pytest.raises(DataError, match=r"a\.png is not a readable picture"):
        read_picture(path, AS_IT_IS)
    with pytest.raises(DataError, match="A picture of 60 bytes is not a readable picture"):
        read_picture(path.read_bytes(), AS_IT_IS)


def test_a_pipe_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "a.png")
    with pytest.raises(DataError, match="it is a pipe"):
        read_picture(tmp_path / "a.png", AS_IT_IS)


def test_a_header_tells_what_the_eye_sees(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 8
    Image.fromarray(_pixels(3)).save(tmp_path / "turned.jpg", exif=exif)
    Image.fromarray(_pixels(4)).save(tmp_path / "alpha.png")
    Image.fromarray(_pixels(1)).quantize(4).save(tmp_path / "grey.gif")
    Image.fromarray(_pixels(3)).quantize(4).save(tmp_path / "colour.gif")
    turned = read_header(tmp_path / "turned.jpg")
    assert (turned.height, turned.width, turned.is_rotated) == (12, 8, True)
    assert not turned.has_alpha
    assert read_header(tmp_path / "alpha.png").has_alpha
    assert not read_header(tmp_path / "grey.gif").has_colour
    assert read_header(tmp_path / "colour.gif").has_colour


def test_of_several_pictures_the_first_counts(tmp_path):
    images = [Image.fromarray(_pixels(1)), Image.new("L", (12, 8))]
    images[0].save(tmp_path / "a.tif", save_all=True, append_images=images[1:])
    assert read_header(tmp_path / "a.tif").frames == 2
    np.testing.assert_array_equal(read_picture(tmp_path / "a.tif", GREY)[..., 0], _pixels(1))


def test_settings_have_a_json_form():
    settings = PictureSettings(height=5, width=6, channels=1, resize="pad", background="black")
    assert PictureSettings.from_json(settings.to_json()) == settings


def test_a_background_must_be_an_opaque_colour():
    for background in ("whitish", "#00000080"):
        with pytest.raises(ConfigurationError, match="`background` must be a colour"):
            PictureSettings(background=background)
