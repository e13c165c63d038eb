"""Pictures that are files: what they have in common is found out, and they are read or kept."""

import contextlib
import dataclasses
import hashlib
import logging
import os
import pathlib
from collections.abc import Iterable, Iterator, Mapping, Sequence, Sized
from typing import Any, TextIO, TypeVar

import numpy as np

from enas_tf.data.images.arrays import ImageArrays
from enas_tf.data.images.files import (
    COMMENTS,
    PictureHeader,
    PictureSettings,
    read_header,
)
from enas_tf.data.images.pictures import FilePictures, Pictures, batches
from enas_tf.data.parallel import read_ahead
from enas_tf.environment.console import native_lines_aside
from enas_tf.environment.progress import Progress
from enas_tf.settings.data import DataConfig

MEGABYTE = 2**20
_AT_ONCE = 64
# Fewer are read before anybody asks how far it is.
_WITH_PROGRESS = 2000

Batch = TypeVar("Batch", bound=Sized)

_log = logging.getLogger(__name__)


@dataclasses.dataclass(frozen=True)
class Part:
    """Some files and their labels."""

    files: Sequence[pathlib.Path]
    labels: Sequence[int]


def read(
    name: str, parts: Mapping[str, Part], label_names: Sequence[str], config: DataConfig
) -> ImageArrays:
    """Reads the files of all parts, or keeps their names if they are too many for the memory.

    Args:
      name: of the dataset, for what is said aloud.
      parts: by `train`, `validation`, `test`.
      label_names: the name of each class.
      config: size, how pictures are brought to it, and the limit of the memory.

    Raises:
      DataError: a file is missing, damaged, or no picture of 8 bits a channel.
    """
    files = [file for part in parts.values() for file in part.files]
    with native_lines_aside(COMMENTS) as stderr:
        read = read_ahead(files, read_header, _AT_ONCE)
        told = _with_progress("headers_read", read, len(files), stderr)
        headers = [header for batch in told for header in batch]
        settings = choose_settings(name, headers, config)
        size = len(files) * int(np.prod(settings.shape))
        images: dict[str, Any] = {
            part: FilePictures(value.files, settings) for part, value in parts.items()
        }
        if size <= config.memory_limit * MEGABYTE:
            images = {part: decoded(pictures, stderr) for part, pictures in images.items()}
    values = {}
    for part, value in parts.items():
        values[f"x_{part}"], values[f"y_{part}"] = images[part], np.asarray(value.labels, np.int32)
    return ImageArrays(
        **values,
        label_names=tuple(label_names),
        is_ordered=False,
        settings=settings,
        fingerprint=fingerprint(files),
    )


def fingerprint(files: Sequence[pathlib.Path]) -> str:
    """Returns what tells files from others: by their order, names, sizes and times of change.

    It stays the same if the folder that holds all is moved, or copied with its times.

    Args:
      files: at least one.
    """
    folder = os.path.commonpath([os.path.abspath(file.parent) for file in files])
    checksum = hashlib.sha256()
    for file in files:
        status = os.stat(file)
        name = os.path.relpath(file, folder)
        checksum.update(repr((name, status.st_size, int(status.st_mtime))).encode())
    return checksum.hexdigest()[:16]


def decoded(pictures: Pictures, stderr: TextIO | None = None) -> np.ndarray:
    """Reads all pictures into memory, several at a time, and shows the progress if they are many.

    Args:
      pictures: are read.
      stderr: where progress is shown; default: stderr.
    """
    result = np.empty(pictures.shape, np.uint8)
    start = 0
    read = batches(pictures, _AT_ONCE)
    for batch in _with_progress("pictures_read", read, len(pictures), stderr):
        result[start : start + len(batch)] = batch
        start += len(batch)
    return result


def _with_progress(
    phase: str, batches: Iterable[Batch], total: int, stderr: TextIO | None
) -> Iterator[Batch]:
    """Yields batches, and shows how far they are if there are many."""
    is_long = total >= _WITH_PROGRESS
    with contextlib.closing(Progress({phase: total}, shown=is_long, stream=stderr)) as progress:
        for batch in batches:
            yield batch
            progress.update(phase, len(batch))


def choose_settings(
    name: str, headers: Sequence[PictureHeader], config: DataConfig
) -> PictureSettings:
    """Returns what the pictures of a dataset are brought to, and says what is odd about them.

    Args:
      name: of the dataset.
      headers: of the pictures.
      config: what was asked for.
    """
    sizes = np.array([(header.height, header.width) for header in headers])
    height, width = config.picture_size or np.median(sizes, axis=0).astype(int).tolist()
    settings = PictureSettings(
        height=height,
        width=width,
        # Colour if any picture has colour, lest one grey picture take it from all.
        channels=config.channels or (3 if any(header.has_colour for header in headers) else 1),
        resize=config.resize,
        background=config.background,
    )
    notes = []
    others = int(np.any(sizes != (height, width), axis=1).sum())
    if others and config.image_size is None:
        least, most = sizes.min(axis=0), sizes.max(axis=0)
        notes.append(
            f"{others:,} of {len(sizes):,} pictures, of {least[0]} x {least[1]} to {most[0]} x "
            f"{most[1]} pixels, are brought to the median, {height} x {width}, by {config.resize} "
            "(--image_size, --resize)"
        )
    transparent = sum(header.has_alpha for header in headers)
    if transparent:
        notes.append(
            f"{transparent:,} may have transparent pixels, which show {config.background} "
            "(--background)"
        )
    several = sum(header.frames > 1 for header in headers)
    if several:
        notes.append(f"{several:,} files hold several pictures, of which the first counts")
    if notes:
        _log.warning("%s: %s.", name, "; ".join(notes))
    return settings
