import io
import os
import pickle
import tarfile

import numpy as np
import pytest

from enas_tf.data.images.loading import load_images
from enas_tf.data.images.sources import cifar10
from enas_tf.errors import DataError
from enas_tf.settings.data import DataConfig

_NAMES = [*(f"data_batch_{number}" for number in range(1, 6)), "test_batch"]


def _batch(number, count=2):
    """Pictures whose red, green and blue tell batch, row and column."""
    rows, columns = np.mgrid[:32, :32]
    planes = np.stack([np.full((32, 32), number), rows, columns]).astype(np.uint8)
    return {
        "batch_label": "a batch",
        "data": np.tile(planes.reshape(1, -1), (count, 1)),
        "labels": [number, 9][:count],
        "filenames": ["a.png", "b.png"][:count],
    }


def _write(folder, *, protocol=2, as_bytes=False):
    folder.mkdir(parents=True, exist_ok=True)
    for number, name in enumerate(_NAMES):
        batch = _batch(number)
        if as_bytes:
            batch = {key.encode(): value for key, value in batch.items()}
        (folder / name).write_bytes(pickle.dumps(batch, protocol))
    return folder


@pytest.fixture
def data_dir(tmp_path):
    _write(tmp_path / "cifar-10-batches-py")
    return tmp_path


def _archive(data_dir):
    """Puts the folder into an archive instead."""
    folder = data_dir / "cifar-10-batches-py"
    path = data_dir / "cifar-10-python.tar.gz"
    with tarfile.open(path, "w:gz") as archive:
        archive.add(folder, folder.name)
    for file in folder.iterdir():
        file.unlink()
    folder.rmdir()
    return path


def _assert_first_four_are_right(arrays):
    assert arrays.y_train.tolist() == [0, 9, 1, 9, 2, 9, 3, 9, 4, 9]
    assert arrays.y_test.tolist() == [5, 9]
    assert arrays.x_train[:, 7, 11].tolist() == [
        [number, 7, 11] for number in (0, 0, 1, 1, 2, 2, 3, 3, 4, 4)
    ]
    assert arrays.x_test[0, 31, 0].tolist() == [5, 31, 0]


def _assert_refused(data_dir, message):
    with pytest.raises(DataError, match=message) as caught:
        cifar10.load(data_dir)
    assert "\n" not in str(caught.value)


def test_the_folder_may_lie_in_the_data_dir(data_dir):
    assert cifar10.is_present(data_dir)
    _assert_first_four_are_right(cifar10.load(data_dir))


def test_the_data_dir_may_be_the_folder(data_dir):
    folder = data_dir / "cifar-10-batches-py"
    assert cifar10.is_present(folder)
    _assert_first_four_are_right(cifar10.load(folder))


def test_the_archive_is_read(data_dir):
    _archive(data_dir)
    assert cifar10.is_present(data_dir)
    _assert_first_four_are_right(cifar10.load(data_dir))


@pytest.mark.parametrize("protocol", [0, 2, 5])
@pytest.mark.parametrize("as_bytes", [False, True])
def test_all_flavours_are_read(tmp_path, protocol, as_bytes):
    folder = _write(tmp_path / "batches", protocol=protocol, as_bytes=as_bytes)
    _assert_first_four_are_right(cifar10.load(folder))


def test_load_images_takes_the_pickles(data_dir):
    data = load_images(DataConfig(dataset="cifar10", data_dir=str(data_dir)))
    assert data.input_shape == (32, 32, 3)
    assert data.num_classes == 10
    assert data.label_names[3] == "cat"
    assert data.crop_padding == 4
    assert data.part("validation")[1].tolist() == [9]


def test_an_empty_folder_holds_no_batches(tmp_path):
    assert not cifar10.is_present(tmp_path)


def test_a_missing_batch_is_named(data_dir):
    (data_dir / "cifar-10-batches-py" / "data_batch_4").unlink()
    _assert_refused(data_dir, "lacks data_batch_4")


def test_a_truncated_batch_is_named(data_dir):
    path = data_dir / "cifar-10-batches-py" / "data_batch_4"
    path.write_bytes(path.read_bytes()[:3000])
    _assert_refused(data_dir, "data_batch_4 is not a readable pickle")


def test_a_truncated_archive_is_named(data_dir):
    path = _archive(data_dir)
    path.write_bytes(path.read_bytes()[:-200])
    _assert_refused(data_dir, r"python\.tar\.gz\S* is not a readable")


def test_an_archive_that_is_none_is_named(tmp_path):
    (tmp_path / "cifar-10-python.tar.gz").write_text("<html>")
    _assert_refused(tmp_path, r"python\.tar\.gz is not a readable archive")


def test_a_batch_that_executes_something_is_refused(data_dir):
    class Executes:
        def __reduce__(self):
            return os.mkdir, (str(data_dir / "made"),)

    path = data_dir / "cifar-10-batches-py" / "test_batch"
    path.write_bytes(pickle.dumps({"data": Executes(), "labels": []}))
    _assert_refused(data_dir, "test_batch holds .*mkdir")
    assert not (data_dir / "made").exists()


def test_an_archived_batch_that_executes_something_is_refused(tmp_path):
    data = pickle.dumps({"data": print})
    with tarfile.open(tmp_path / "cifar-10-python.tar.gz", "w:gz") as archive:
        member = tarfile.TarInfo("cifar-10-batches-py/data_batch_1")
        member.size = len(data)
        archive.addfile(member, io.BytesIO(data))
    _assert_refused(tmp_path, "data_batch_1 holds .*print")


@pytest.mark.parametrize(
    "changes",
    [
        {"data": np.zeros((2, 3071), np.uint8)},
        {"data": np.zeros((2, 3072), np.int32)},
        {"data": [1, 2]},
        {"labels": [1]},
        {"labels": [1, 10]},
        {"labels": [1, "cat"]},
        {"labels": None},
    ],
)
def test_another_kind_of_batch_is_refused(data_dir, changes):
    path = data_dir / "cifar-10-batches-py" / "data_batch_2"
    path.write_bytes(pickle.dumps({**_batch(1), **changes}))
    _assert_refused(data_dir, "data_batch_2 must hold `data`")


def test_a_pickled_list_is_no_batch(data_dir):
    (data_dir / "cifar-10-batches-py" / "data_batch_2").write_bytes(pickle.dumps([1]))
    _assert_refused(data_dir, "data_batch_2 must hold `data`")
