"""Reading one file of a picture: the same pixels in data sets, final training and prediction."""

import contextlib
import dataclasses
import functools
import io
import os
import re
from collections.abc import Callable, Iterator
from typing import Any, BinaryIO

import numpy as np
from PIL import Image, ImageColor, ImageOps

from enas_tf.data.foreign import reading
from enas_tf.errors import ConfigurationError, DataError
from enas_tf.files.reading import open_regular
from enas_tf.settings.data import RESIZE
from enas_tf.settings.setting import Settings, setting

# By its name a file is a picture if it ends so.
SUFFIXES = frozenset(
    {".bmp", ".gif", ".jpeg", ".jpg", ".pgm", ".png", ".ppm", ".tif", ".tiff", ".webp"}
)
# What the libraries say of a picture besides the error, or of one that they can read all the same.
COMMENTS = re.compile(
    rb"(_?TIFF|tempfile\.tif|MissingRequired|JPEGLib|\w*(Decode|Setup|Fixup))\w*: "
    rb"|More samples per pixel|.*/PIL/\w+\.py:\d+: UserWarning: |  warnings\.warn\("
)
_GREY_MODES = frozenset({"1", "L", "LA", "La"})
# EXIF's orientations that exchange height and width.
_ORIENTATION = 0x0112
_TURNED = frozenset({5, 6, 7, 8})
# Beyond it a picture may be there to fill the memory.
_MOST_PIXELS = Image.MAX_IMAGE_PIXELS


@dataclasses.dataclass(frozen=True)
class PictureSettings(Settings):
    """What every picture is brought to; kept with the run and with the trained model."""

    height: int = setting(32, "Rows of a picture.", minimum=1)
    width: int = setting(32, "Columns of a picture.", minimum=1)
    channels: int = setting(3, "Channels of a picture: 1 is grey, 3 is RGB.", choices=(1, 3))
    resize: str = setting(
        "crop",
        "How a picture of another shape becomes one of this size: its middle is cut out, it is "
        "surrounded by the background, or it is stretched.",
        choices=RESIZE,
    )
    background: str = setting(
        "white", "Colour behind transparent pixels and around padded pictures."
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        check_colour(self.background)

    @property
    def shape(self) -> tuple[int, int, int]:
        """Height, width and channels."""
        return self.height, self.width, self.channels

    @property
    def colour(self) -> tuple[int, ...]:
        """The background in as many channels as the pictures have."""
        colour = ImageColor.getcolor(self.background, "RGB" if self.channels == 3 else "L")
        return colour if isinstance(colour, tuple) else (colour,)


@dataclasses.dataclass(frozen=True)
class PictureHeader:
    """What a file tells of its picture before it is decoded.

    Attributes:
      height: of the picture as it is looked at, after the rotation that EXIF asks for.
      width: likewise.
      has_colour: whether it has more than greys, by its kind; pixels are not looked at.
      has_alpha: whether it may have transparent pixels.
      is_rotated: whether EXIF asks for a rotation or a reflection.
      frames: how many pictures the file has; the first one counts.
    """

    height: int
    width: int
    has_colour: bool
    has_alpha: bool
    is_rotated: bool
    frames: int


def check_colour(background: str) -> None:
    """Raises `ConfigurationError` unless a text is an opaque colour that Pillow knows."""
    try:
        if len(ImageColor.getrgb(background)) == 3:
            return
    except (ValueError, AttributeError):
        pass
    raise ConfigurationError(
        "`background` must be a colour like white, black or #40a0ff. "
        f"Received: background={background!r:.40}."
    )


def read_header(file: str | os.PathLike[str] | bytes) -> PictureHeader:
    """Returns what a file tells of its picture, without decoding it.

    Args:
      file: path of the picture, or what such a file holds.

    Raises:
      DataError: it is missing, damaged, no picture, or has more than 8 bits a channel.
    """
    with _opened(file) as image:
        # Of a PNG, `image.getexif()` would decode the picture.
        orientation = Image.Image.getexif(image).get(_ORIENTATION, 1)
        width, height = image.size
        if orientation in _TURNED:
            width, height = height, width
        return PictureHeader(
            height=height,
            width=width,
            has_colour=_has_colour(image),
            has_alpha=image.has_transparency_data,
            is_rotated=orientation in range(2, 9),
            frames=getattr(image, "n_frames", 1),
        )


def read_picture(file: str | os.PathLike[str] | bytes, settings: PictureSettings) -> np.ndarray:
    """Returns the picture of a file as a network takes it.

    In this order: EXIF's rotation is done; transparent pixels are mixed with the background; grey
    or RGB is made of whatever colours it has (palettes, CMYK); it is brought to the size,
    bilinearly and smoothed where it becomes smaller. A picture that is of the size already is not
    resized.

    ```python
    settings = PictureSettings(height=64, width=64, resize="pad")
    pixels = read_picture("cat.jpg", settings)
    ```

    Args:
      file: path of a picture, or what such a file holds, encoded: PNG, JPEG, GIF, BMP, WebP, TIFF,
        PGM or PPM. Of several pictures the first counts.
      settings: size, channels, and how it is brought to them.

    Returns:
      uint8 `[height, width, channels]`.

    Raises:
      DataError: it is missing, damaged, no picture, or has more than 8 bits a channel.
    """
    with _opened(file) as image:
        return to_settings(image, settings)


def to_settings(image: Image.Image, settings: PictureSettings) -> np.ndarray:
    """Does what `read_picture` does to a picture that is open already."""
    image = ImageOps.exif_transpose(image)
    mode = "L" if settings.channels == 1 else "RGB"
    if image.has_transparency_data:
        # Mixed before the colours go, so that grey is that of the mixture.
        image = image.convert("RGBA")
        opaque = Image.new("RGBA", image.size, (*ImageColor.getrgb(settings.background), 255))
        image = Image.alpha_composite(opaque, image)
    image = _resized(image.convert(mode), settings)
    return np.asarray(image).reshape(settings.shape)


def _resized(image: Image.Image, settings: PictureSettings) -> Image.Image:
    size = (settings.width, settings.height)
    if image.size == size:
        return image
    method = Image.Resampling.BILINEAR
    if settings.resize == "stretch":
        return image.resize(size, method)
    if settings.resize == "crop":
        return ImageOps.fit(image, size, method)
    colour = settings.colour
    return ImageOps.pad(image, size, method, color=colour if len(colour) > 1 else colour[0])


def _has_colour(image: Image.Image) -> bool:
    if image.mode not in ("P", "PA"):
        return image.mode not in _GREY_MODES
    entries = np.asarray(image.getpalette("RGB")).reshape(-1, 3)
    return bool(np.ptp(entries, axis=1).any())


def _check_depth(image: Image.Image, name: str) -> None:
    """Raises `DataError` for more than 8 bits, which Pillow would cut off without a word."""
    raw = [mode for tile in getattr(image, "tile", ()) for mode in _texts(tile[3])]
    if image.mode[0] in "IF" or any(";16" in mode for mode in raw):
        kind = next((mode for mode in raw if ";16" in mode), image.mode)
        raise DataError(
            f"{name} has more than 8 bits a channel (mode {kind}); convert the pictures to 8 bits."
        )


def _texts(arguments: Any) -> list[str]:
    """Returns the texts among the arguments of a decoder, which tell how pixels are stored."""
    values = arguments if isinstance(arguments, tuple) else (arguments,)
    return [value for value in values if isinstance(value, str)]


@contextlib.contextmanager
def _opened(file: str | os.PathLike[str] | bytes) -> Iterator[Image.Image]:
    """Opens a picture; what goes wrong until it is closed becomes a `DataError`."""
    if isinstance(file, bytes):
        name = f"A picture of {len(file):,} bytes"
        opened: Callable[[], BinaryIO] = functools.partial(io.BytesIO, file)
    else:
        name = str(file)
        opened = functools.partial(open_regular, file)
    with (
        reading(name, "picture", "repair or remove it"),
        opened() as stream,
        Image.open(stream) as image,
    ):
        if image.width * image.height > _MOST_PIXELS:
            raise DataError(
                f"{name} has {image.width:,} x {image.height:,} pixels, more than "
                f"{_MOST_PIXELS:,}; make it smaller or remove it."
            )
        _check_depth(image, name)
        yield image
