import gzip
import struct
import tarfile
import zipfile

import numpy as np
import pytest

from enas_tf.data.archives import read_npz, read_tar
from enas_tf.errors import DataError

PIXELS = np.arange(5000, dtype=np.int32).reshape(50, 100)
LABELS = np.array([1, 2, 3])


def _npy(array=PIXELS, **changes):
    """The bytes of an array, some entries of whose header are others."""
    header = {"descr": array.dtype.str, "fortran_order": False, "shape": array.shape, **changes}
    text = repr(header).encode() + b"\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text + array.tobytes()


def _npz(path, compression=zipfile.ZIP_STORED, **members):
    """Writes members by name; bytes stay as they are."""
    members = {"x": PIXELS, "y": LABELS, **members}
    with zipfile.ZipFile(path, "w", compression) as archive:
        for name, content in members.items():
            data = content if isinstance(content, bytes) else _npy(content)
            archive.writestr(f"{name}.npy", data)
    return path


def _changed(path, old, new, count=1):
    data = path.read_bytes()
    assert old in data
    path.write_bytes(data.replace(old, new, count))


def _with_method(path, number):
    """Says of the first member that it is compressed by another method."""
    data = bytearray(_npz(path).read_bytes())
    for signature, offset in ((b"PK\x03\x04", 8), (b"PK\x01\x02", 10)):
        start = data.find(signature) + offset
        data[start : start + 2] = struct.pack("<H", number)
    path.write_bytes(data)


def _encrypted(path):
    data = bytearray(_npz(path).read_bytes())
    for signature, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        data[data.find(signature) + offset] |= 1
    path.write_bytes(data)


def _damaged(path, compression):
    data = bytearray(_npz(path, compression).read_bytes())
    data[300] ^= 0xFF
    path.write_bytes(data)


def _twice(path):
    _npz(path)
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("x", _npy())


NPZ = {
    "encrypted": (_encrypted, "encrypted"),
    "deflate64": (lambda path: _with_method(path, 9), "compression method"),
    "zstandard": (lambda path: _with_method(path, 93), "not a readable"),
    "no such method": (lambda path: _with_method(path, 999), "compression method"),
    "damaged, stored": (lambda path: _damaged(path, zipfile.ZIP_STORED), "Bad CRC-32"),
    "damaged, deflated": (lambda path: _damaged(path, zipfile.ZIP_DEFLATED), "not a readable"),
    "damaged, bzip2": (lambda path: _damaged(path, zipfile.ZIP_BZIP2), "not a readable"),
    "damaged, lzma": (lambda path: _damaged(path, zipfile.ZIP_LZMA), "not a readable"),
    "1 PB": (lambda path: _npz(path, x=_npy(shape=(10**15,))), "llocate"),
    "10 GB": (lambda path: _npz(path, x=_npy(shape=(2500, 10**6))), "expected"),
    "too many for an index": (lambda path: _npz(path, x=_npy(shape=(2**62, 4))), "not a readable"),
    "less than there is": (lambda path: _npz(path, x=_npy(shape=(49, 100))), "longer than its"),
    "a negative shape": (lambda path: _npz(path, x=_npy(shape=(-1, 100))), "not a readable"),
    "no shape": (lambda path: _npz(path, x=_npy(shape="x")), "shape is not valid"),
    "no dtype": (lambda path: _npz(path, x=_npy(descr="x9")), "descr"),
    "a nested dtype": (
        lambda path: _npz(path, x=_npy(descr=500 * "(" + 500 * ")")),
        "not a readable",
    ),
    "strings without room": (
        lambda path: _npz(path, x=_npy(np.zeros(0), descr="|S0", shape=(10**15,))),
        "are of no size",
    ),
    "objects": (lambda path: _npz(path, x=np.array([None])), "Object arrays"),
    "no array": (lambda path: _npz(path, x=b"hello"), "magic"),
    "an empty member": (lambda path: _npz(path, x=b""), "not a readable"),
    "a header of Python 2": (
        lambda path: _npz(path, x=b"\x93NUMPY\x01\x00\x06\x00{'a': ("),
        "not a readable",
    ),
    "twice": (_twice, "holds x more than once"),
    "missing": (lambda path: _changed(_npz(path), b"y.npy", b"z.npy", -1), "Missing: y; found"),
    "a name in no code": (
        lambda path: _changed(_npz(path, **{"ä": LABELS}), "ä".encode(), b"\xff\xff", -1),
        "not a readable",
    ),
    "a single array": (lambda path: path.write_bytes(_npy()), "is a single array"),
    "a folder": (lambda path: path.mkdir(), "it is a folder"),
    "a text": (lambda path: path.write_text("hello"), "no zip archive, or cut off"),
    "nothing": (lambda path: path.touch(), "no zip archive, or cut off"),
}


@pytest.mark.parametrize("kind", NPZ)
def test_a_bad_npz_file_is_refused_in_one_line(tmp_path, kind, recwarn):
    write, message = NPZ[kind]
    path = tmp_path / "data.npz"
    write(path)
    with pytest.raises(DataError, match=message) as caught:
        read_npz(path, ("x", "y"))
    assert str(caught.value).startswith(f"{path} ")
    assert "\n" not in str(caught.value)
    assert not recwarn.list


@pytest.mark.parametrize(
    "compression",
    [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA],
)
def test_arrays_come_back_whatever_the_compression(tmp_path, compression):
    path = _npz(
        tmp_path / "data.npz",
        compression,
        x=_npy(PIXELS.T, shape=PIXELS.shape, fortran_order=True),
        z=b"no array",
    )
    arrays = read_npz(path, ("x", "y"), ("names",))
    assert sorted(arrays) == ["x", "y"]
    np.testing.assert_array_equal(arrays["x"], PIXELS)
    np.testing.assert_array_equal(arrays["y"], LABELS)


def _member(name, content=b"", size=None, **changes):
    """A header with what follows it."""
    member = tarfile.TarInfo(name)
    member.size = len(content) if size is None else size
    for key, value in changes.items():
        setattr(member, key, value)
    header = member.tobuf(tarfile.GNU_FORMAT)
    return header + content + bytes(-len(content) % 512)


def _pax(**records):
    text = b""
    for key, value in records.items():
        record = f" {key}={value}\n".encode()
        length = len(record) + 1
        length += len(str(length)) - 1
        text += f"{length}".encode() + record
    return _member("pax", text, type=tarfile.XHDTYPE)


GOOD = _member("folder/a", b"content of a") + _member("folder/b", b"content of b")
END = bytes(1024)
TAR = {
    "a negative size": (_member("a", size=-1024) + END, "has -1024 bytes by its header"),
    "a size of 1 PB": (_member("a", size=10**15) + END, "has 1000000000000000 bytes"),
    "a size beyond the end": (_member("a", b"x", size=10**6) + END, "unexpected end of data"),
    "a negative size in an extension": (_pax(size=-1024) + GOOD + END, "not a readable"),
    "an absurd size in an extension": (_pax(size=10**15) + GOOD + END, "not a readable"),
    "a sparse file of 1 PB": (
        _pax(**{"GNU.sparse.size": 10**15, "GNU.sparse.map": "0,1"}) + GOOD + END,
        "bytes by its header",
    ),
    "an extension of many digits": (
        _member("pax", b"1" * 10**6, type=tarfile.XHDTYPE) + GOOD + END,
        "bytes by its header",
    ),
    "a long name without end": (
        _member("././@LongLink", b"a" * 10**6, type=tarfile.GNUTYPE_LONGNAME) + GOOD + END,
        "bytes by its header",
    ),
    "many extensions": (3000 * _pax(comment="x") + GOOD + END, "not a readable"),
    "a wrong checksum": (b"b" + GOOD[1:] + END, "bad checksum"),
    "twice": (GOOD + _member("other/a", b"content") + END, "holds a more than once"),
    "no end to its end": (GOOD + bytes(2**21), "goes on after its end"),
    "nothing": (b"", "empty file"),
}


@pytest.mark.parametrize("kind", TAR)
def test_a_bad_tar_file_is_refused_in_one_line(tmp_path, kind):
    content, message = TAR[kind]
    path = tmp_path / "data.tar.gz"
    path.write_bytes(gzip.compress(content))
    with pytest.raises(DataError, match=message) as caught:
        list(read_tar(path, ("a", "b")))
    assert str(caught.value).startswith(f"{path} ")
    assert "\n" not in str(caught.value)


def test_what_is_not_wanted_is_passed_over(tmp_path):
    path = tmp_path / "data.tar.gz"
    others = (
        _member("a", type=tarfile.DIRTYPE)
        + _member("a", type=tarfile.SYMTYPE, linkname="/etc/passwd")
        + _member("a", type=tarfile.FIFOTYPE)
        + _member("c", b"content of c")
        + _pax(comment="x")
    )
    path.write_bytes(gzip.compress(others + GOOD + END))
    assert list(read_tar(path, ("a", "b"))) == [("a", b"content of a"), ("b", b"content of b")]


def test_contents_that_differ_from_the_checksum_are_refused(tmp_path):
    path = tmp_path / "data.tar.gz"
    packed = bytearray(gzip.compress(GOOD + END, compresslevel=0))
    packed[packed.find(b"content of a")] ^= 1
    path.write_bytes(packed)
    with pytest.raises(DataError, match="CRC check failed"):
        list(read_tar(path, ("a", "b")))
