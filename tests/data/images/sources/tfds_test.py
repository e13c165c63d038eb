import shutil
import socket

import numpy as np
import pytest
import tensorflow as tf
import tensorflow_datasets

from enas_tf.data.images.loading import load_images
from enas_tf.data.images.pictures import Pictures
from enas_tf.data.images.sources import tfds
from enas_tf.errors import DataError
from enas_tf.settings.data import DataConfig


def _store(data_dir, name, shapes, splits=("train", "test"), file_format=None):
    """Prepares a dataset whose pictures have the given shapes, and their number as value."""
    features = tensorflow_datasets.features.FeaturesDict(
        {
            "image": tensorflow_datasets.features.Image(shape=(None, None, 3)),
            "label": tensorflow_datasets.features.ClassLabel(names=["ant", "bee"]),
        }
    )

    def examples():
        for number, shape in enumerate(shapes):
            yield {"image": np.full((*shape, 3), number, np.uint8), "label": number % 2}

    signature = {
        "image": tf.TensorSpec([None, None, 3], tf.uint8),
        "label": tf.TensorSpec([], tf.int64),
    }
    dataset = tf.data.Dataset.from_generator(examples, output_signature=signature)
    tensorflow_datasets.dataset_builders.store_as_tfds_dataset(
        name=name,
        version="1.0.0",
        data_dir=data_dir,
        features=features,
        split_datasets=dict.fromkeys(splits, dataset),
        file_format=file_format,
    )
    return data_dir


@pytest.fixture(scope="module")
def data_dir(tmp_path_factory):
    return _store(tmp_path_factory.mktemp("tfds"), "insects", [(4, 5)] * 6)


@pytest.fixture
def no_network(monkeypatch):
    _only_way(monkeypatch, "http://127.0.0.1:1")


def _only_way(monkeypatch, proxy):
    for scheme in ("http", "https"):
        monkeypatch.setenv(f"{scheme}_proxy", proxy)
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)


def _assert_refused(name, data_dir, message):
    with pytest.raises(DataError, match=message) as caught:
        tfds.load(name, data_dir)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", ["lr=[0.05]", "a*b?", "\udcff"])
@pytest.mark.parametrize("inside", ["", "insects/1.0.0"])
def test_folders_may_have_any_name(data_dir, tmp_path, name, inside):
    shutil.copytree(data_dir, tmp_path / name)
    assert tfds.load("insects", tmp_path / name / inside).x_train.shape == (6, 4, 5, 3)


def test_errors_name_a_folder_as_it_is_called(data_dir, tmp_path):
    shutil.copytree(data_dir, tmp_path / "[a]")
    (shard,) = (tmp_path / "[a]").rglob("insects-train.tfrecord*")
    shard.write_bytes(b"damaged")
    _assert_refused(
        "insects", tmp_path / "[a]", rf"^{tmp_path}/\[a\]/insects/1.0.0 is not a readable prepared"
    )


def test_prepared_data_are_read(data_dir):
    data = load_images(DataConfig(dataset="insects", data_dir=str(data_dir)))
    assert data.input_shape == (4, 5, 3)
    assert data.label_names == ("ant", "bee")
    assert sorted(data.x_train[:, 0, 0, 0]) == list(range(6))
    np.testing.assert_array_equal(data.x_train[:, 0, 0, 0] % 2, data.y_train)


def test_the_data_dir_may_be_the_prepared_dataset(data_dir):
    arrays = tfds.load("insects", data_dir / "insects" / "1.0.0")
    assert len(arrays.y_train) == 6


def test_another_prepared_dataset_is_refused(data_dir):
    _assert_refused("mnist", data_dir / "insects" / "1.0.0", "holds the prepared dataset 'insects'")


def test_a_missing_split_is_named(tmp_path):
    _store(tmp_path, "untrained", [(4, 5)] * 2, splits=("test", "extra"))
    _assert_refused("untrained", tmp_path, "a split 'train', or only one. It has: 'test', 'extra'")


def test_without_a_test_split_there_is_made_one(tmp_path):
    _store(tmp_path, "whole", [(4, 5)] * 20, splits=("everything",))
    data = load_images(DataConfig(dataset="whole", data_dir=str(tmp_path)))
    assert np.bincount(data.y_test).tolist() == [2, 2]
    assert len(data.y_train) == 16


def test_pictures_of_different_sizes_are_brought_to_one(tmp_path, caplog):
    _store(tmp_path, "varying", [(4, 5), (8, 10), (4, 5)])
    arrays = tfds.load("varying", tmp_path)
    assert arrays.x_train.shape == (3, 4, 5, 3)
    assert sorted(arrays.x_train[:, 0, 0, 0]) == [0, 1, 2]
    assert "1 of 3 pictures, of 4 x 5 to 8 x 10 pixels" in caplog.text
    config = DataConfig(dataset="varying", data_dir=str(tmp_path), image_size=(2, 2))
    assert load_images(config).x_test.shape == (3, 2, 2, 3)


def test_what_has_random_access_is_read_when_it_is_needed(tmp_path):
    _store(tmp_path, "records", [(4, 5)] * 10, file_format="array_record")
    held = load_images(DataConfig(dataset="records", data_dir=str(tmp_path)))
    config = DataConfig(dataset="records", data_dir=str(tmp_path), memory_limit=0)
    data = load_images(config)
    assert isinstance(data.x_train, Pictures)
    for part in ("train", "validation", "test"):
        for array, expected in zip(data.part(part), held.part(part)):
            np.testing.assert_array_equal(array, expected)


def test_what_can_only_be_streamed_and_takes_too_much_is_to_be_packed(tmp_path):
    _store(tmp_path, "large", [(4, 5)] * 10)
    data = load_images(DataConfig(dataset="large", data_dir=str(tmp_path), memory_limit=0))
    assert data.input_shape == (4, 5, 3)
    with pytest.raises(DataError, match="enas-pack --dataset=large"):
        data.x_train.fetch(np.array([3]))


def test_a_damaged_file_is_refused(tmp_path):
    _store(tmp_path, "damaged", [(4, 5)] * 4)
    (path,) = (tmp_path / "damaged" / "1.0.0").glob("*train.tfrecord*")
    path.write_bytes(path.read_bytes()[:-10])
    _assert_refused("damaged", tmp_path, "is not a readable prepared dataset .*; prepare or copy")


@pytest.mark.parametrize("name", ["dataset_info.json", "features.json"])
@pytest.mark.parametrize("content", ["", "[]", "{}", "5", '{"featuresDict": 5, "splits": 5}'])
def test_damaged_descriptions_are_refused(tmp_path, data_dir, name, content):
    shutil.copytree(data_dir, tmp_path, dirs_exist_ok=True)
    (tmp_path / "insects/1.0.0" / name).write_text(content)
    _assert_refused("insects", tmp_path, "insects")


def test_names_of_classes_that_cannot_be_written_are_refused(tmp_path, data_dir):
    shutil.copytree(data_dir, tmp_path, dirs_exist_ok=True)
    (tmp_path / "insects/1.0.0/label.labels.txt").write_text("ant\nb\x1bee\n")
    with pytest.raises(DataError, match=r"`label_names\[1\]`"):
        load_images(DataConfig(dataset="insects", data_dir=str(tmp_path)))


def test_a_misspelt_name_gets_close_ones(tmp_path):
    _assert_refused("cifr10", tmp_path, "cifar10, .*embedded: digits")


def test_an_unknown_configuration_is_refused(tmp_path):
    _assert_refused("emnist/nonsense", tmp_path, "nonsense")


def test_a_dataset_of_texts_is_refused(tmp_path):
    _assert_refused("imdb_reviews", tmp_path, "no Image feature")


def test_without_network_cifar10_is_placed_by_hand(tmp_path, no_network):
    _assert_refused("cifar10", tmp_path, r"cannot be reached.*put cifar-10-python\.tar\.gz")


def test_without_network_files_are_placed_by_hand(tmp_path, no_network):
    _assert_refused("emnist/letters", tmp_path, r"cannot be reached.*downloads/manual/gzip\.zip")


def test_an_answer_that_does_not_come_is_not_waited_for(tmp_path, monkeypatch):
    monkeypatch.setattr(tfds, "_TIMEOUT_SECONDS", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        _only_way(monkeypatch, f"http://127.0.0.1:{silent.getsockname()[1]}")
        _assert_refused("cifar10", tmp_path, "cannot be reached")


def test_a_wrong_file_placed_by_hand_is_refused(tmp_path, no_network):
    manual = tmp_path / "downloads" / "manual"
    manual.mkdir(parents=True)
    (manual / "cifar-10-binary.tar.gz").write_text("not the archive")
    _assert_refused("cifar10", tmp_path, "could not be prepared")
