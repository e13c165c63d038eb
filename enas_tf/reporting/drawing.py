"""Drawings of architectures; nothing here imports TensorFlow or starts a system program."""

import pathlib
from typing import Any

from enas_tf.drawing.picture import Picture, to_png, to_svg
from enas_tf.errors import ConfigurationError
from enas_tf.files.places import user_path
from enas_tf.files.writing import write_bytes
from enas_tf.spaces.base import Architecture
from enas_tf.spaces.registry import get_space

FORMATS = (".svg", ".png")


def draw_architecture(architecture: Architecture, **options: Any) -> str:
    """Returns a drawing of an architecture as the text of an SVG file.

    Args:
      architecture: of any space.
      **options: of the space's drawing; for macro `input_shape`, which decides how many reductions
        there are (default: `(32, 32, 3)`), for micro none, for rnn `cell_output`, which nodes the
        new state is the mean of (default: `"mean"`).
    """
    return to_svg(_picture(architecture, options))


def draw_png(architecture: Architecture, *, scale: float = 2.0, **options: Any) -> bytes:
    """Returns a drawing of an architecture as the bytes of a PNG file.

    Args:
      architecture: of any space.
      scale: pixels of the file per pixel of the SVG.
      **options: as for `draw_architecture`.
    """
    return to_png(_picture(architecture, options), scale)


def write_drawing(
    architecture: Architecture, path: str | pathlib.Path, **options: Any
) -> pathlib.Path:
    """Writes a drawing as SVG or PNG, by the ending of the file's name.

    Args:
      architecture: of any space.
      path: of the file; ends in `.svg` or `.png`.
      **options: as for `draw_architecture`.

    Returns:
      The path of the file.

    Raises:
      ConfigurationError: the name has another ending.
      RunDirectoryError: the file cannot be written.
    """
    path = check_drawing_name(path)
    write_picture(_picture(architecture, options), path)
    return path


def check_drawing_name(path: str | pathlib.Path) -> pathlib.Path:
    """Returns the path of a file of a drawing.

    Args:
      path: as a person writes it.

    Raises:
      ConfigurationError: the ending is not among `FORMATS`.
    """
    path = user_path(path)
    if path.suffix.lower() not in FORMATS:
        raise ConfigurationError(
            f"A drawing's file name must end in {' or '.join(FORMATS)}. Received: {path}"
        )
    return path


def write_picture(picture: Picture, path: pathlib.Path) -> None:
    """Writes a picture in the form that the file's name says; see `check_drawing_name`."""
    is_png = path.suffix.lower() == ".png"
    write_bytes(path, to_png(picture) if is_png else to_svg(picture).encode())


def _picture(architecture: Architecture, options: dict[str, Any]) -> Picture:
    return get_space(architecture.space_name).draw(architecture, **options)
