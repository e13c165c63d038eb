import os
import re

import numpy as np
import pytest

from enas_tf.data.images.dataset import ImageData
from enas_tf.data.images.loading import load_images
from enas_tf.data.images.pictures import Pictures, mapped_file
from enas_tf.errors import ConfigurationError, DataError
from enas_tf.settings.data import DataConfig


def _arrays(num_train=20, num_test=6, shape=(8, 8, 3), num_classes=2):
    random = np.random.RandomState(0)
    return (
        random.randint(0, 256, (num_train, *shape)).astype(np.uint8),
        np.arange(num_train) % num_classes,
        random.randint(0, 256, (num_test, *shape)).astype(np.uint8),
        np.arange(num_test) % num_classes,
    )


def test_defaults_follow_the_size():
    data = ImageData.from_arrays(*_arrays(shape=(32, 24, 3), num_train=40))
    assert data.input_shape == (32, 24, 3)
    assert data.num_classes == 2
    assert data.validation_size == 4
    assert data.crop_padding == 3
    assert data.flip
    assert data.cutout == 0


def test_the_last_training_examples_are_the_validation_part():
    arrays = _arrays()
    data = ImageData.from_arrays(*arrays, config=DataConfig(validation_size=5))
    np.testing.assert_array_equal(data.part("train")[0], arrays[0][:15])
    np.testing.assert_array_equal(data.part("train")[1], arrays[1][:15])
    np.testing.assert_array_equal(data.part("validation")[0], arrays[0][15:])
    np.testing.assert_array_equal(data.part("validation")[1], arrays[1][15:])


def test_a_final_run_takes_the_whole_training_set():
    arrays = _arrays()
    data = ImageData.from_arrays(*arrays)
    np.testing.assert_array_equal(data.part("train_and_validation")[0], arrays[0])
    np.testing.assert_array_equal(data.part("test")[0], arrays[2])


def test_bytes_are_not_copied():
    arrays = _arrays()
    data = ImageData.from_arrays(*arrays)
    assert np.shares_memory(data.part("train")[0], arrays[0])


def test_values_that_are_not_finite_are_refused_in_every_way_in(tmp_path):
    x_train, y_train, _, y_test = _arrays()
    x_train = x_train / 255.0
    x_test = x_train[:6].copy()
    x_test[5, 7, 7, 2] = np.inf
    np.savez(tmp_path / "data.npz", x_train=x_train, y_train=y_train, x_test=x_test, y_test=y_test)
    for load in (
        lambda: ImageData.from_arrays(x_train, y_train, x_test, y_test),
        lambda: ImageData.from_datasets([(x_train, y_train)], [(x_test, y_test)]),
        lambda: load_images(str(tmp_path / "data.npz")),
    ):
        with pytest.raises(DataError, match=r"`x_test` must hold finite numbers. Received: inf"):
            load()


def test_an_unknown_part_is_refused():
    with pytest.raises(ConfigurationError, match="train_and_validation"):
        ImageData.from_arrays(*_arrays()).part("all")


def test_normalization_is_that_of_the_part():
    arrays = _arrays()
    arrays[0][:15] = 10
    arrays[0][15:] = 50
    data = ImageData.from_arrays(*arrays, config=DataConfig(validation_size=5))
    assert data.normalization().mean.tolist() == [10.0] * 3
    assert data.normalization("train_and_validation").mean.tolist() == [20.0] * 3


def test_training_examples_grouped_by_class_are_shuffled_with_their_labels():
    x_train = np.arange(100, dtype=np.uint8).reshape(100, 1, 1, 1)
    y_train = np.repeat([0, 1], 50)
    data = ImageData.from_arrays(x_train, y_train, x_train, y_train)
    assert set(data.part("validation")[1]) == {0, 1}
    np.testing.assert_array_equal(data.x_train[:, 0, 0, 0] >= 50, data.y_train == 1)
    assert sorted(data.x_train.ravel()) == list(range(100))


def test_the_shuffle_is_always_the_same():
    x_train = np.arange(100, dtype=np.uint8).reshape(100, 1, 1, 1)
    y_train = np.repeat([0, 1], 50)
    first, second = (ImageData.from_arrays(x_train, y_train, x_train, y_train) for _ in range(2))
    np.testing.assert_array_equal(first.x_train, second.x_train)


def test_limits_keep_the_first_examples():
    config = DataConfig(max_train_examples=10, max_test_examples=3)
    arrays = _arrays()
    data = ImageData.from_arrays(*arrays, config=config)
    np.testing.assert_array_equal(data.x_train, arrays[0][:10])
    assert len(data.y_test) == 3
    assert data.validation_size == 1


def test_settings_override_the_defaults():
    config = DataConfig(crop_padding=2, flip=False, cutout=4, validation_size=7)
    augmentation = ImageData.from_arrays(*_arrays(), config=config).augmentation
    assert (augmentation.crop_padding, augmentation.flip, augmentation.cutout) == (2, False, 4)


@pytest.mark.parametrize(("cutout", "expected"), [(0.5, 4), (0.25, 2), (1, 1), (8, 8), (0, 0)])
def test_cutout_is_in_pixels_or_a_share_of_the_smaller_side(cutout, expected):
    config = DataConfig(cutout=cutout)
    assert ImageData.from_arrays(*_arrays(), config=config).cutout == expected


def test_digits_are_not_mirrored_unless_asked():
    assert not load_images(DataConfig(dataset="digits")).flip
    assert load_images(DataConfig(dataset="digits", flip=True)).flip


@pytest.mark.parametrize(
    ("config", "error"),
    [
        (DataConfig(validation_size=20), DataError),
        (DataConfig(max_train_examples=1), DataError),
        (DataConfig(crop_padding=8), ConfigurationError),
        (DataConfig(cutout=9), ConfigurationError),
        (DataConfig(cutout=1.5), ConfigurationError),
    ],
)
def test_settings_that_do_not_fit_the_data_are_refused(config, error):
    with pytest.raises(error, match="Received") as caught:
        ImageData.from_arrays(*_arrays(), config=config)
    assert "\n" not in str(caught.value)


def test_data_without_a_name_are_called_by_their_content():
    one, same = ImageData.from_arrays(*_arrays()), ImageData.from_arrays(*_arrays())
    assert re.fullmatch("arrays_[0-9a-f]{8}", one.name)
    assert one.name == same.name == one.config.dataset
    arrays = _arrays()
    arrays[2][0, 0, 0, 0] ^= 1
    assert ImageData.from_arrays(*arrays).name != one.name
    assert ImageData.from_arrays(*_arrays(), label_names=["no", "yes"]).name != one.name


def test_the_settings_name_the_data_and_not_others():
    config = DataConfig(dataset="cifar10", data_dir="somewhere", validation_size=5)
    data = ImageData.from_arrays(*_arrays(), name="mine", config=config)
    expected = config.replace(dataset="mine", data_dir=None, split="last")
    assert (data.name, data.config) == ("mine", expected)


def test_a_validation_set_of_ones_own_validates():
    x_train, y_train, x_test, y_test = _arrays()
    arrays = ImageData.from_arrays(
        x_train[:-3],
        y_train[:-3],
        x_test,
        y_test,
        x_validation=x_train[-3:],
        y_validation=y_train[-3:],
    )
    pairs = [(x_train[:-3], y_train[:-3])], [(x_train[-3:], y_train[-3:])], [(x_test, y_test)]
    for data in (arrays, ImageData.from_datasets(*pairs)):
        assert data.config.split == "own"
        np.testing.assert_array_equal(data.part("validation")[0], x_train[-3:])
        np.testing.assert_array_equal(data.part("train")[1], y_train[:-3])
        np.testing.assert_array_equal(data.part("test")[1], y_test)
    with pytest.raises(ConfigurationError, match="`validation_size` is for data without"):
        ImageData.from_datasets(*pairs, config=DataConfig(validation_size=2))
    with pytest.raises(ConfigurationError, match="takes train, test or train, validation, test"):
        ImageData.from_datasets(*pairs, *pairs)


def test_a_map_of_a_file_is_not_read(tmp_path):
    x_train, y_train, x_test, y_test = _arrays()
    np.save(tmp_path / "x.npy", x_train)
    mapped = np.load(tmp_path / "x.npy", mmap_mode="r")
    config = DataConfig(memory_limit=0)
    data = ImageData.from_arrays(mapped, np.sort(y_train), x_test, y_test, config=config)
    assert mapped_file(data.x_train) or isinstance(data.x_train, Pictures)
    assert sorted(map(bytes, np.asarray(data.x_train))) == sorted(map(bytes, x_train))
    os.utime(tmp_path / "x.npy", (1, 1))
    again = np.load(tmp_path / "x.npy", mmap_mode="r")
    other = ImageData.from_arrays(again, np.sort(y_train), x_test, y_test, config=config)
    assert other.name != data.name


def test_datasets_give_the_same_data_as_arrays():
    x_train, y_train, x_test, y_test = _arrays()
    data = ImageData.from_datasets(zip(x_train, y_train), [(x_test, y_test)])
    expected = ImageData.from_arrays(x_train, y_train, x_test, y_test)
    for part in ("train", "validation", "test"):
        for array, other in zip(data.part(part), expected.part(part)):
            np.testing.assert_array_equal(array, other)
    assert data.name == expected.name.replace("arrays", "datasets")


@pytest.mark.parametrize("asked", [{"image_size": (9,)}, {"channels": 1}])
def test_arrays_keep_their_size_which_is_said(asked, caplog):
    assert ImageData.from_arrays(*_arrays(), config=DataConfig(**asked)).input_shape == (8, 8, 3)
    assert "has pictures of 8 x 8 x 3; --image_size and --channels are for files" in caplog.text


def test_a_name_alone_loads_pictures():
    assert load_images("digits").config == DataConfig(dataset="digits", split="last")


@pytest.mark.parametrize(
    ("dataset", "message"),
    [
        ("missing.npz", "does not exist"),
        ("/nowhere/at/all", "none of them"),
        (" ", "empty"),
    ],
)
def test_a_dataset_that_is_not_there_is_refused(dataset, message):
    with pytest.raises(DataError, match=message) as caught:
        load_images(DataConfig(dataset=dataset))
    assert "\n" not in str(caught.value)


def test_a_folder_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(DataError, match="data_dir"):
        load_images(DataConfig(dataset="cifar10", data_dir=str(tmp_path / "missing")))
