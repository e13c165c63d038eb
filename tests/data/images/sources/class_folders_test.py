import numpy as np
import pytest
from PIL import Image

from enas_tf.data.images.dataset import load_images
from enas_tf.data.images.sources import class_folders
from enas_tf.errors import DataError
from enas_tf.settings.config import DataConfig


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


def test_a_picture_of_another_size_is_named(folder):
    _save(folder / "test" / "bee" / "odd.png", (0, 0, 0), size=(7, 5))
    _assert_refused(folder, r"odd\.png is 7 pixels wide and 5 high")


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


def test_pictures_further_inside_are_counted_in_one_warning(folder, caplog):
    for name in ("train/ant/x/a.png", "train/ant/x/y/b.JPG", "test/bee/z/c.png"):
        _save(folder / name, (0, 0, 0))
    _save(folder / "train/ant/.hidden/d.png", (0, 0, 0))
    (folder / "train/ant/x/notes.txt").touch()
    (folder / "train/bee/nothing").mkdir()
    assert len(class_folders.load(folder).y_train) == 6
    (record,) = caplog.records
    assert record.levelname == "WARNING"
    assert f"{folder}: 3 pictures in folders inside" in record.message
    assert "left out, like " + str(folder / "train/ant/x/a.png") in record.message


def test_without_pictures_further_inside_there_is_no_warning(folder, caplog):
    (folder / "train/ant/x").mkdir()
    class_folders.load(folder)
    assert not caplog.records


def test_a_class_of_nothing_but_folders_is_told_what_to_do(folder):
    for part in ("train", "test"):
        _save(folder / part / "cat/x/0.png", (0, 0, 0))
    _assert_refused(folder, r"cat holds no pictures .*; move up the 1 in folders inside it")


def test_a_class_whose_name_cannot_be_written_is_refused(folder):
    for part in ("train", "test"):
        _save(folder / part / "a\nb/0.png", (0, 0, 0))
    _assert_refused(folder, r"class folder in .*train must be .*Received: 'a\\nb'")


def test_classes_of_only_one_part_are_named(folder):
    _save(folder / "test" / "cat" / "0.png", (0, 0, 0))
    _assert_refused(folder, "same class folders.*cat")


def test_a_missing_part_is_named(folder):
    (folder / "test").rename(folder / "validation")
    _assert_refused(folder, "no folder 'test'")


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
