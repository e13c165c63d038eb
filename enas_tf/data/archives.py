"""Archives of other people, read member by member."""

import collections
import gzip
import math
import os
import struct
import tarfile
import warnings
import zipfile
from collections.abc import Collection, Iterator, Sequence
from typing import BinaryIO

import numpy as np
from typing_extensions import Self

from enas_tf.data.foreign import reading
from enas_tf.errors import DataError
from enas_tf.files.reading import open_regular

_ARRAY_SUFFIX = ".npy"
_ARRAY_MAGIC = b"\x93NUMPY"

_LARGEST_MEMBER = 2**28
# Of what precedes a member and tells its long name; tarfile takes quadratic time for it.
_LARGEST_EXTENSION = 2**13
_EXTENSIONS = frozenset(
    {
        tarfile.GNUTYPE_LONGLINK,
        tarfile.GNUTYPE_LONGNAME,
        tarfile.SOLARIS_XHDTYPE,
        tarfile.XGLTYPE,
        tarfile.XHDTYPE,
    }
)
_MOST_PADDING = 2**20
# Where in the header of a member of a zip archive the lengths of its name and extra field stand.
_LENGTHS_IN_HEADER = 26


def read_npz(
    path: str | os.PathLike[str],
    required: Sequence[str],
    optional: Sequence[str] = (),
    *,
    mapped_above: int | None = None,
) -> dict[str, np.ndarray]:
    """Returns arrays of a `.npz` file by name; others in it are not read.

    Args:
      path: of the file.
      required: names of arrays that must be there.
      optional: names of arrays that may be there.
      mapped_above: arrays of bytes that take more are maps of the file, if they are not compressed;
        their checksum is not looked at. Default: none are.

    Raises:
      DataError: the file is missing or damaged, lacks an array or has it twice, or it holds
        Python objects.
    """
    advice = "write it with `numpy.savez`"
    with reading(path, ".npz file of plain arrays", advice), open_regular(path) as file:
        is_array = file.read(len(_ARRAY_MAGIC)) == _ARRAY_MAGIC
        if is_array:
            raise DataError(f"{path} is a single array; {advice}.")
        if not zipfile.is_zipfile(file):
            raise zipfile.BadZipFile("no zip archive, or cut off")
        with zipfile.ZipFile(file) as archive:
            members = archive.infolist()
            counts = collections.Counter(_array_name(member) for member in members)
            missing = [name for name in required if not counts[name]]
            if missing:
                found = ", ".join(map(repr, counts)) or "none"
                raise DataError(
                    f"{path} must hold the arrays {', '.join(required)}. "
                    f"Missing: {', '.join(missing)}; found: {found:.200}."
                )
            wanted = {*required, *optional}
            twice = [name for name in counts if name in wanted and counts[name] > 1]
            if twice:
                raise DataError(f"{path} holds {', '.join(twice)} more than once; {advice}.")
            return {
                name: _read_array(archive, member)
                if mapped_above is None or member.file_size <= mapped_above
                else _map_array(path, file, archive, member)
                for member in members
                if (name := _array_name(member)) in wanted
            }


def _array_name(member: zipfile.ZipInfo) -> str:
    return member.filename.removesuffix(_ARRAY_SUFFIX)


def _read_array(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> np.ndarray:
    with archive.open(member) as file, warnings.catch_warnings():
        # NumPy warns of headers that Python 2 wrote.
        warnings.simplefilter("ignore")
        array = np.lib.format.read_array(file, allow_pickle=False)
        # At its end, too, the checksum is compared.
        if file.read(1):
            raise ValueError(f"{member.filename} is longer than its header says")
    # There may be any number of things that take no room.
    if not array.itemsize:
        raise ValueError(f"the things in {member.filename} are of no size")
    return array


def _map_array(
    path: str | os.PathLike[str], file: BinaryIO, archive: zipfile.ZipFile, member: zipfile.ZipInfo
) -> np.ndarray:
    """Maps an array of bytes that stands in the file as it is; others are read."""
    with archive.open(member) as content:
        version = np.lib.format.read_magic(content)
        header = {
            (1, 0): np.lib.format.read_array_header_1_0,
            (2, 0): np.lib.format.read_array_header_2_0,
        }.get(version)
        if member.compress_type != zipfile.ZIP_STORED or header is None:
            return _read_array(archive, member)
        shape, is_fortran, dtype = header(content)
        begin = content.tell()
    if dtype != np.uint8 or is_fortran or begin + math.prod(shape) != member.file_size:
        return _read_array(archive, member)
    # The name and an extra field precede the content; only here their lengths are told for sure.
    file.seek(member.header_offset + _LENGTHS_IN_HEADER)
    lengths = struct.unpack("<HH", file.read(4))
    start = member.header_offset + _LENGTHS_IN_HEADER + 4 + sum(lengths)
    return np.memmap(path, np.uint8, "r", start + begin, shape)


def read_tar(path: str | os.PathLike[str], wanted: Collection[str]) -> Iterator[tuple[str, bytes]]:
    """Yields the wanted files of a `.tar.gz` archive with their contents, in its order.

    Args:
      path: of the archive.
      wanted: names of files, whatever the folders that they are in.

    Raises:
      DataError: the archive is missing or damaged, has a wanted file twice, or one too large.
    """
    advice = "fetch or copy it again"
    seen = set()
    # As a stream, in which tarfile cannot be sent back to where it was before.
    with (
        reading(path, "archive", advice),
        open_regular(path) as file,
        gzip.GzipFile(fileobj=file) as unpacked,
        tarfile.open(fileobj=unpacked, mode="r|", tarinfo=_Member) as archive,
    ):
        for member in archive:
            name = os.path.basename(member.name)
            if not member.isfile() or name not in wanted:
                continue
            if name in seen:
                raise DataError(f"{path} holds {name} more than once; {advice}.")
            seen.add(name)
            # A sparse file may be larger than what is stored of it.
            _check_size(member.name, member.size, _LARGEST_MEMBER)
            content = archive.extractfile(member)
            if content is not None:
                yield name, content.read()
        # The checksum stands at the end.
        if len(unpacked.read(_MOST_PADDING + 1)) > _MOST_PADDING:
            raise tarfile.ReadError("it goes on after its end")


class _Member(tarfile.TarInfo):
    """What a header tells, of which nothing absurd is believed."""

    @classmethod
    def frombuf(cls, buf: bytes | bytearray, encoding: str, errors: str) -> Self:
        member = super().frombuf(buf, encoding, errors)
        is_extension = member.type in _EXTENSIONS
        _check_size(
            member.name, member.size, _LARGEST_EXTENSION if is_extension else _LARGEST_MEMBER
        )
        return member


def _check_size(name: str, size: int, largest: int) -> None:
    if not 0 <= size <= largest:
        raise tarfile.ReadError(f"{name!r:.60} has {size} bytes by its header")
