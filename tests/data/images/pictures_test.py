import pathlib

import numpy as np
import pytest
from PIL import Image

from enas_tf.data.images.files import PictureSettings
from enas_tf.data.images.pictures import (
    ArrayPictures,
    FilePictures,
    JoinedPictures,
    MappedPictures,
    StreamedPictures,
    as_pictures,
    batches,
    take,
)
from enas_tf.errors import DataError

ARRAY = np.random.default_rng(0).integers(0, 256, (9, 4, 5, 3), np.uint8)


@pytest.fixture(params=["array", "map", "files", "joined"])
def pictures(request, tmp_path):
    """The same pictures, wherever they are."""
    if request.param == "array":
        return ArrayPictures(ARRAY)
    if request.param == "joined":
        return JoinedPictures(ArrayPictures(ARRAY[:4]), ArrayPictures(ARRAY[4:]))
    if request.param == "map":
        np.save(tmp_path / "x.npy", ARRAY)
        return as_pictures(np.load(tmp_path / "x.npy", mmap_mode="r"))
    files = [tmp_path / f"{number}.png" for number in range(len(ARRAY))]
    for file, pixels in zip(files, ARRAY, strict=True):
        Image.fromarray(pixels).save(file)
    return FilePictures(files, PictureSettings(height=4, width=5))


def test_any_can_be_fetched_in_any_order(pictures):
    assert (len(pictures), pictures.shape, pictures.dtype) == (9, ARRAY.shape, np.uint8)
    chosen = np.array([7, 0, 7, 4])
    np.testing.assert_array_equal(pictures.fetch(chosen), ARRAY[chosen])


def test_a_part_of_a_map_is_read_from_the_file(tmp_path):
    np.save(tmp_path / "x.npy", ARRAY)
    mapped = np.load(tmp_path / "x.npy", mmap_mode="r")
    part = as_pictures(mapped[3:])
    assert isinstance(part, MappedPictures)
    np.testing.assert_array_equal(part.fetch(np.array([4, 0])), ARRAY[[7, 3]])
    (tmp_path / "x.npy").write_bytes((tmp_path / "x.npy").read_bytes()[:-1])
    with pytest.raises(DataError, match="has become shorter"):
        part.fetch(np.array([5]))
    assert not isinstance(as_pictures(mapped[:, ::2]), MappedPictures)
    np.save(tmp_path / "y.npy", ARRAY)
    private = np.load(tmp_path / "y.npy", mmap_mode="c")
    private[0] = 7
    np.testing.assert_array_equal(as_pictures(private).fetch(np.array([0])), private[:1])


def test_parts_of_parts_are_as_of_an_array(pictures):
    np.testing.assert_array_equal(pictures[2:8][[3, 1]][:1], ARRAY[2:8][[3, 1]][:1])


def test_pieces_are_all_pictures(pictures, monkeypatch):
    monkeypatch.setattr("enas_tf.data.images.pictures._PIECE_BYTES", 250)
    pieces = list(pictures.pieces())
    assert [len(piece) for piece in pieces] == [4, 4, 1]
    np.testing.assert_array_equal(np.concatenate(pieces), ARRAY)


def test_taking_all_of_an_array_in_its_order_copies_nothing():
    assert take(ARRAY, np.arange(9)) is ARRAY


def test_a_stream_has_no_single_pictures():
    stream = StreamedPictures(9, (4, 5, 3), lambda: iter([(ARRAY, None)]), "pack it")
    np.testing.assert_array_equal(next(stream.pieces()), ARRAY)
    with pytest.raises(DataError, match=r"pack it\."):
        stream[3:5].fetch(np.array([0]))


def test_batches_are_all_pictures_in_their_order(pictures):
    for images in (pictures, ARRAY):
        found = list(batches(images, 4))
        assert [len(batch) for batch in found] == [4, 4, 1]
        np.testing.assert_array_equal(np.concatenate(found), ARRAY)


def test_a_part_of_files_knows_which_they_are():
    settings = PictureSettings()
    a, b, c = map(pathlib.Path, "abc")
    files, others = FilePictures([a, b], settings), FilePictures([c], settings)
    assert JoinedPictures(files[[1, 0]], others).paths() == [b, a, c]
    assert JoinedPictures(files, ArrayPictures(np.zeros((1, 32, 32, 3), np.uint8))).paths() is None
