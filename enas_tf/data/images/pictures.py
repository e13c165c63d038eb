"""Pictures of one size with random access, wherever they are; nothing here imports TensorFlow."""

import abc
import os
import pathlib
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from enas_tf.data.images.files import PictureSettings, read_picture
from enas_tf.data.parallel import read_ahead
from enas_tf.errors import DataError
from enas_tf.files.reading import open_regular

_PIECE_BYTES = 2**24


class Pictures(abc.ABC):
    """Pictures that are read when they are needed.

    `len`, `shape` and `dtype` are as of an array `[examples, height, width, channels]`. A part, as
    `pictures[10:20]` or `pictures[[3, 1]]`, is again `Pictures`, of which nothing is read yet.

    Args:
      length: number of pictures.
      picture_shape: height, width and channels.
    """

    dtype = np.dtype(np.uint8)

    def __init__(self, length: int, picture_shape: Sequence[int]) -> None:
        height, width, channels = picture_shape
        self.shape = (length, height, width, channels)

    @abc.abstractmethod
    def fetch(self, indices: np.ndarray) -> np.ndarray:
        """Returns some of the pictures; several threads may ask at the same time.

        Args:
          indices: int64 `[pictures]`.

        Returns:
          uint8 `[pictures, height, width, channels]`.

        Raises:
          DataError: one of them cannot be read.
        """

    def pieces(self) -> Iterator[np.ndarray]:
        """Yields all pictures in their order, some megabytes at a time."""
        size = max(1, _PIECE_BYTES // max(1, self.nbytes // max(1, len(self))))
        for start in range(0, len(self), size):
            yield self.fetch(np.arange(start, min(start + size, len(self))))

    def identity(self) -> list[tuple[Any, ...]]:
        """Returns what tells the pictures from others, without reading them."""
        return [self.shape]

    def paths(self) -> list[pathlib.Path] | None:
        """Returns the file of each picture; None: the pictures are no files."""
        return None

    @property
    def nbytes(self) -> int:
        """Bytes of all pictures in memory."""
        return int(np.prod(self.shape))

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, key: Any) -> "Pictures":
        return ChosenPictures(self, np.arange(len(self))[key])

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        return self.fetch(np.arange(len(self))).astype(dtype or self.dtype, copy=False)

    def __repr__(self) -> str:
        return f"{type(self).__name__}(shape={self.shape})"


class ArrayPictures(Pictures):
    """Pictures of an array, which may be a map of a file.

    Args:
      array: uint8 `[examples, height, width, channels]`; is not copied.
    """

    def __init__(self, array: np.ndarray) -> None:
        super().__init__(len(array), array.shape[1:])
        self.array = array

    def fetch(self, indices: np.ndarray) -> np.ndarray:
        """Returns some of the pictures; see `Pictures.fetch`."""
        return self.array[indices]

    def identity(self) -> list[tuple[Any, ...]]:
        """Returns shape and place of the array, and of a map name, size and time of its file."""
        file = mapped_file(self.array)
        return [(*self.shape, *([] if file is None else _stamp(file)))]


class MappedPictures(ArrayPictures):
    """Pictures of an array that is a map of a file, from which only those asked for are read.

    Through the map itself, every picture that was ever touched would count as memory in use.

    Args:
      array: for which `is_readable_map` holds.
    """

    def __init__(self, array: np.ndarray) -> None:
        super().__init__(array)
        root = _root(array)
        address, start = (a.__array_interface__["data"][0] for a in (array, root))
        self._offset = root.offset + address - start
        self._name = str(root.filename)
        self._file = open_regular(self._name)
        self._size = int(np.prod(array.shape[1:]))

    def fetch(self, indices: np.ndarray) -> np.ndarray:
        """Returns some of the pictures; see `Pictures.fetch`."""
        result = np.empty((len(indices), *self.shape[1:]), np.uint8)
        descriptor = self._file.fileno()
        for row, index in zip(result.reshape(len(indices), -1), indices.tolist(), strict=True):
            read = os.preadv(descriptor, [row.data], self._offset + index * self._size)
            if read != self._size:
                raise DataError(f"{self._name} has become shorter; restore it.")
        return result


class FilePictures(Pictures):
    """Pictures that are files.

    Args:
      files: their paths.
      settings: what each is brought to.
    """

    def __init__(self, files: Sequence[pathlib.Path], settings: PictureSettings) -> None:
        super().__init__(len(files), settings.shape)
        self.files = files
        self.settings = settings

    def fetch(self, indices: np.ndarray) -> np.ndarray:
        """Returns some of the pictures; see `Pictures.fetch`."""
        result = np.empty((len(indices), *self.shape[1:]), np.uint8)
        for place, index in enumerate(indices):
            result[place] = read_picture(self.files[index], self.settings)
        return result

    def identity(self) -> list[tuple[Any, ...]]:
        """Returns names, sizes and times of the files."""
        return [(*self.settings.to_json().values(),), *map(_stamp, self.files)]

    def paths(self) -> list[pathlib.Path]:
        """Returns the files."""
        return list(self.files)


class StreamedPictures(Pictures):
    """Pictures that can only be read one after the other, from the first to the last.

    Args:
      length: number of pictures.
      picture_shape: height, width and channels.
      stream: returns an iterator over pieces, pairs of uint8 pictures and of their labels.
      advice: is told to whoever wants single ones.
    """

    def __init__(
        self,
        length: int,
        picture_shape: Sequence[int],
        stream: Callable[[], Iterator[tuple[np.ndarray, np.ndarray]]],
        advice: str,
    ) -> None:
        super().__init__(length, picture_shape)
        self._stream = stream
        self._advice = advice

    def fetch(self, indices: np.ndarray) -> np.ndarray:
        """Refuses to; see `pieces`."""
        raise DataError(f"{self._advice}.")

    def pieces(self) -> Iterator[np.ndarray]:
        """Yields all pictures in their order."""
        return (images for images, _ in self._stream())


class ChosenPictures(Pictures):
    """Some pictures of others, in an order of their own.

    Args:
      pictures: the others.
      indices: which of them, int64.
    """

    def __init__(self, pictures: Pictures, indices: np.ndarray) -> None:
        super().__init__(len(indices), pictures.shape[1:])
        self._pictures = pictures
        self._indices = indices

    def fetch(self, indices: np.ndarray) -> np.ndarray:
        """Returns some of the pictures; see `Pictures.fetch`."""
        return self._pictures.fetch(self._indices[indices])

    def identity(self) -> list[tuple[Any, ...]]:
        """Returns what tells the others, and which of them."""
        return [(self._indices.tobytes(),), *self._pictures.identity()]

    def paths(self) -> list[pathlib.Path] | None:
        """Returns the files of those chosen, if they are files."""
        paths = self._pictures.paths()
        return None if paths is None else [paths[index] for index in self._indices]

    def __getitem__(self, key: Any) -> Pictures:
        return ChosenPictures(self._pictures, self._indices[key])


class JoinedPictures(Pictures):
    """Pictures of one source followed by those of another one."""

    def __init__(self, first: Pictures, second: Pictures) -> None:
        super().__init__(len(first) + len(second), first.shape[1:])
        self._first = first
        self._second = second

    def fetch(self, indices: np.ndarray) -> np.ndarray:
        """Returns some of the pictures; see `Pictures.fetch`."""
        boundary = len(self._first)
        result = np.empty((len(indices), *self.shape[1:]), np.uint8)
        is_first = indices < boundary
        for chosen, pictures, start in (
            (is_first, self._first, 0),
            (~is_first, self._second, boundary),
        ):
            if chosen.any():
                result[chosen] = pictures.fetch(indices[chosen] - start)
        return result

    def identity(self) -> list[tuple[Any, ...]]:
        """Returns what tells both."""
        return [*self._first.identity(), *self._second.identity()]

    def paths(self) -> list[pathlib.Path] | None:
        """Returns the files of both, if both are files."""
        first, second = self._first.paths(), self._second.paths()
        return None if first is None or second is None else first + second


def as_pictures(images: Any) -> Pictures:
    """Returns pictures with random access.

    Args:
      images: `Pictures`, or an array uint8 `[examples, height, width, channels]`.
    """
    if isinstance(images, Pictures):
        return images
    return MappedPictures(images) if is_readable_map(images) else ArrayPictures(np.asarray(images))


def mapped_file(array: np.ndarray) -> str | None:
    """Returns the name of the file that an array is a map of, None if it is in memory."""
    root = _root(array)
    return None if root is None else str(root.filename)


def is_readable_map(array: Any) -> bool:
    """Whether an array is a part of a file without gaps, and the file as it stands."""
    if not isinstance(array, np.ndarray) or mapped_file(array) is None:
        return False
    # Changes of a private map are not in the file.
    return array.flags.c_contiguous and _root(array).mode != "c" and hasattr(os, "preadv")


def _root(array: np.ndarray) -> Any:
    """Returns the map that an array is a part of."""
    found: Any = None
    base: Any = array
    while base is not None:
        if isinstance(base, np.memmap) and base.filename is not None:
            found = base
        base = getattr(base, "base", None)
    return found


def is_lazy(images: Any) -> bool:
    """Whether pictures are not in memory."""
    return isinstance(images, Pictures) or mapped_file(images) is not None


def take(images: Any, indices: np.ndarray) -> Any:
    """Returns some pictures in an order: an array of an array, without reading others.

    Args:
      images: an array or `Pictures`.
      indices: int64, which ones.
    """
    if np.array_equal(indices, np.arange(len(images))):
        return images
    return as_pictures(images)[indices] if is_lazy(images) else images[indices]


def batches(images: Any, size: int) -> Iterator[np.ndarray]:
    """Yields all pictures in their order; what is not in memory is read ahead, in parallel.

    Args:
      images: an array or `Pictures`.
      size: pictures in all batches but the last one.
    """
    if not is_lazy(images):
        for start in range(0, len(images), size):
            yield images[start : start + size]
        return
    pictures = as_pictures(images)
    numbers = np.arange(len(pictures))[:, np.newaxis]
    for pieces in read_ahead(numbers, pictures.fetch, size):
        yield np.concatenate(pieces)


def joined(first: Any, second: Any) -> Any:
    """Returns pictures followed by others: an array of arrays in memory."""
    if is_lazy(first) or is_lazy(second):
        return JoinedPictures(as_pictures(first), as_pictures(second))
    return np.concatenate([first, second])


def _stamp(file: str | os.PathLike[str]) -> tuple[str, int, int]:
    status = os.stat(file)
    return os.path.abspath(file), status.st_size, status.st_mtime_ns
