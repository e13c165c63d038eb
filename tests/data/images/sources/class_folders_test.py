import os
import shutil

import numpy as np
import pytest
from PIL import Image

from enas_tf.data.images.loading import load_images
from enas_tf.data.images.pictures import Pictures
from enas_tf.data.images.sources import class_folders, listing
from enas_tf.errors import ConfigurationError, DataError
from enas_tf.settings.data import DataConfig


def _save(path, value, *, mode="RGB", size=(6, 5)):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new(mode, size, value).save(path)


@pytest.fixture
def folder(tmp_path):
    """Five pixels high, six wide; the value tells the pictures apart."""
    for part in ("train", "test"):
        for label, name in enumerate(("ant", "bee")):
            for number in range(3):
                value = 100 * label + number
                _save(tmp_path / part / name / f"{number}.png", (value, 0, 255 - value))
    return tmp_path


def _assert_refused(folder, message):
    with pytest.raises(DataError, match=message) as caught:
        class_folders.load(folder)
    assert "\n" not in str(caught.value)


def test_classes_are_folders_sorted_by_name(folder):
    arrays = class_folders.load(folder)
    assert arrays.label_names == ("ant", "bee")
    assert arrays.y_train.tolist() == [0, 0, 0, 1, 1, 1]
    assert arrays.x_train.shape == (6, 5, 6, 3)
    assert arrays.x_train[:, 0, 0].tolist() == [
        [value, 0, 255 - value] for value in (0, 1, 2, 100, 101, 102)
    ]


def test_grey_pictures_have_one_channel(tmp_path):
    for part in ("train", "test"):
        for name in ("ant", "bee"):
            _save(tmp_path / part / name / "a.png", 9, mode="L")
    data = load_images(DataConfig(dataset=str(tmp_path)))
    assert data.input_shape == (5, 6, 1)
    assert np.all(data.x_train == 9)


def test_other_files_are_left_out(folder):
    (folder / "train" / "ant" / "notes.txt").write_text("hello")
    (folder / "train" / "ant" / ".hidden.png").write_text("hello")
    (folder / "train" / ".cache").mkdir()
    assert len(class_folders.load(folder).y_train) == 6


def test_endings_may_be_upper_case(folder):
    _save(folder / "train" / "ant" / "4.JPG", (0, 0, 0))
    assert len(class_folders.load(folder).y_train) == 7


def test_a_folder_is_loaded_by_its_path(folder):
    data = load_images(DataConfig(dataset=str(folder)))
    assert data.label_names == ("ant", "bee")
    np.testing.assert_array_equal(data.x_train[:, 0, 0, 0] >= 100, data.y_train == 1)


def test_pictures_of_other_sizes_are_brought_to_the_median_which_is_said(folder, caplog):
    _save(folder / "test" / "bee" / "odd.png", (7, 8, 9), size=(12, 10))
    arrays = class_folders.load(folder)
    assert arrays.x_test.shape == (7, 5, 6, 3)
    assert np.all(arrays.x_test[-1] == (7, 8, 9))
    (record,) = caplog.records
    assert "1 of 13 pictures, of 5 x 6 to 10 x 12 pixels, are brought to the median, 5 x 6" in (
        record.message
    )


def test_a_size_that_was_asked_for_needs_no_words(folder, caplog):
    config = DataConfig(image_size=(4, 3), resize="stretch")
    assert class_folders.load(folder, config).x_train.shape == (6, 4, 3, 3)
    assert not caplog.records


def test_one_grey_picture_takes_no_colour_from_the_others(folder):
    _save(folder / "train" / "ant" / "0.png", 9, mode="L")
    arrays = class_folders.load(folder)
    assert arrays.x_train[0, 0, 0].tolist() == [9, 9, 9]
    assert arrays.x_train[1, 0, 0].tolist() == [1, 0, 254]


def test_a_number_of_channels_may_be_asked_for(folder):
    data = load_images(DataConfig(dataset=str(folder), channels=1))
    assert data.input_shape == (5, 6, 1)
    assert data.picture_settings.channels == 1


def test_transparent_pictures_and_films_are_told(folder, caplog):
    _save(folder / "train/ant/0.png", (0, 0, 0, 0), mode="RGBA")
    first, second = Image.new("RGB", (6, 5)), Image.new("RGB", (6, 5), "white")
    first.save(folder / "train/ant/film.gif", save_all=True, append_images=[second])
    arrays = class_folders.load(folder)
    assert np.all(arrays.x_train[0] == 255)
    assert np.all(arrays.x_train[3] == 0)
    (record,) = caplog.records
    assert "1 may have transparent pixels, which show white (--background)" in record.message
    assert "1 files hold several pictures, of which the first counts" in record.message


@pytest.mark.parametrize("name", ["val", "valid", "validation"])
def test_a_validation_part_of_its_own_validates(folder, name):
    (folder / "test").rename(folder / name)
    _save(folder / "test" / "ant" / "0.png", (0, 0, 0))
    _save(folder / "test" / "bee" / "0.png", (0, 0, 0))
    data = load_images(DataConfig(dataset=str(folder)))
    assert data.validation_size == 6
    assert sorted(data.part("validation")[0][:, 0, 0, 0]) == [0, 1, 2, 100, 101, 102]
    assert len(data.part("train")[1]) == 6
    as_before = load_images(DataConfig(dataset=str(folder), split="last", validation_size=2))
    assert (len(as_before.y_train), as_before.validation_size) == (6, 2)


def test_two_validation_parts_are_refused(folder):
    for name in ("val", "valid"):
        _save(folder / name / "ant" / "0.png", (0, 0, 0))
    _assert_refused(folder, "more than one folder of a validation part: valid, val")


def test_a_test_part_is_made_of_an_even_share_of_each_class(tmp_path, caplog):
    for name, count in (("ant", 10), ("bee", 20)):
        for number in range(count):
            _save(tmp_path / "all" / name / f"{number}.png", (number, 0, len(name)))
    folder = tmp_path / "all"
    data = load_images(DataConfig(dataset=str(folder)))
    assert data.label_names == ("ant", "bee")
    assert np.bincount(data.y_test).tolist() == [2, 4]
    assert np.bincount(data.part("validation")[1]).tolist() == [1, 1]
    assert "has no test part: 6 of its 30 examples" in caplog.text
    asked = load_images(DataConfig(dataset=str(folder), test_split=0.5))
    assert np.bincount(asked.y_test).tolist() == [5, 10]


def test_what_has_a_test_part_is_not_split(folder):
    with pytest.raises(ConfigurationError, match="`test_split` is for data without a test part"):
        load_images(DataConfig(dataset=str(folder), test_split=0.5))


def test_beyond_the_limit_pictures_are_read_when_they_are_needed(folder):
    held = load_images(DataConfig(dataset=str(folder)))
    data = load_images(DataConfig(dataset=str(folder), memory_limit=0))
    assert isinstance(data.x_train, Pictures)
    np.testing.assert_array_equal(data.x_train, held.x_train)
    np.testing.assert_array_equal(data.part("validation")[0], held.part("validation")[0])
    assert data.normalization().mean.tolist() == held.normalization().mean.tolist()


def test_a_damaged_picture_is_named(folder):
    path = folder / "train" / "bee" / "1.png"
    path.write_bytes(path.read_bytes()[:50])
    _assert_refused(folder, r"1\.png is not a readable picture")


def test_a_first_picture_that_is_none_is_named(folder):
    (folder / "train" / "ant" / "0.png").write_text("hello")
    _assert_refused(folder, r"0\.png is not a readable picture")


def test_sixteen_bits_are_refused(folder):
    _save(folder / "train" / "ant" / "0.png", 1000, mode="I;16")
    _assert_refused(folder, "8 bits")


def test_a_class_without_pictures_is_named(folder):
    (folder / "train" / "cat").mkdir()
    (folder / "test" / "cat").mkdir()
    _assert_refused(folder, "cat holds no pictures")


def test_pictures_further_inside_belong_to_the_class(folder):
    for name in ("train/ant/x/a.png", "train/ant/x/y/b.JPG", "test/bee/z/c.png"):
        _save(folder / name, (0, 0, 0))
    _save(folder / "train/ant/.hidden/d.png", (0, 0, 0))
    (folder / "train/ant/x/notes.txt").touch()
    (folder / "train/bee/nothing").mkdir()
    arrays = class_folders.load(folder)
    assert np.bincount(arrays.y_train).tolist() == [5, 3]
    assert np.bincount(arrays.y_test).tolist() == [3, 4]


def test_pictures_beside_the_classes_are_told(folder, caplog):
    _save(folder / "train" / "lost.png", (0, 0, 0))
    assert len(class_folders.load(folder).y_train) == 6
    (record,) = caplog.records
    assert "1 pictures beside the classes' folders are left out, like lost.png" in record.message


def test_a_class_whose_name_cannot_be_written_is_refused(folder):
    for part in ("train", "test"):
        _save(folder / part / "a\nb/0.png", (0, 0, 0))
    _assert_refused(folder, r"class folder in .*train must be .*Received: 'a\\nb'")


def test_classes_of_only_one_part_are_named(folder):
    _save(folder / "test" / "cat" / "0.png", (0, 0, 0))
    _assert_refused(folder, "same class folders.*cat")


def test_a_missing_part_is_named(folder):
    (folder / "train").rename(folder / "training")
    _assert_refused(folder, "no folder 'train', but test")


def test_pictures_without_class_folders_are_refused(tmp_path):
    for part in ("train", "test"):
        _save(tmp_path / part / "0.png", (0, 0, 0))
    _assert_refused(tmp_path, "no class folders")


def test_one_class_is_refused(tmp_path):
    for part in ("train", "test"):
        _save(tmp_path / part / "ant" / "0.png", (0, 0, 0))
    with pytest.raises(DataError, match="two classes"):
        load_images(DataConfig(dataset=str(tmp_path)))


def test_libraries_add_nothing_to_the_error_of_a_damaged_picture(folder, capfd):
    path = folder / "train" / "ant" / "damaged.tif"
    Image.new("RGB", (6, 5)).save(path, compression="tiff_adobe_deflate")
    content = bytearray(path.read_bytes())
    # The checksum of the compressed pixels is wrong.
    content[content.index(b"\x78") + 2] ^= 0xFF
    path.write_bytes(content)
    _assert_refused(folder, "damaged.tif is not a readable picture")
    assert capfd.readouterr().err == ""


def test_files_are_told_from_others_by_names_sizes_and_times(folder, tmp_path_factory):
    def fingerprint(path):
        return load_images(str(path)).fingerprint

    moved = tmp_path_factory.mktemp("moved") / "elsewhere"
    shutil.copytree(folder, moved)
    assert fingerprint(moved) == fingerprint(folder)
    picture = moved / "test" / "bee" / "1.png"
    os.utime(picture, (0, 0))
    assert fingerprint(moved) != fingerprint(folder)
    shutil.copy2(folder / "test" / "bee" / "1.png", picture)
    picture.rename(picture.with_name("1a.png"))
    assert fingerprint(moved) != fingerprint(folder)


def test_how_far_the_reading_of_many_files_is_is_shown(folder, monkeypatch, capfd):
    monkeypatch.setattr(listing, "_WITH_PROGRESS", 12)
    class_folders.load(folder)
    lines = capfd.readouterr().err.splitlines()
    assert [line.split("  ")[:2] for line in lines] == [
        ["headers read", "step 12/12"],
    ]
    monkeypatch.setattr(listing, "_WITH_PROGRESS", 6)
    class_folders.load(folder)
    phases = [line.split("  ")[0] for line in capfd.readouterr().err.splitlines()]
    assert phases == ["headers read", "pictures read", "pictures read"]
