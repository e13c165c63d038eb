import numpy as np
import pytest
from PIL import Image

from enas_tf.data.images.loading import load_images
from enas_tf.settings.data import DataConfig


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "pictures").mkdir()
    for number in range(12):
        Image.new("L", (4, 3), 10 * number).save(tmp_path / "pictures" / f"{number}.png")
    return tmp_path


def _load(folder, lines, **settings):
    path = folder / "table.csv"
    path.write_text("\n".join(lines) + "\n", "utf-8-sig")
    return load_images(DataConfig(dataset=str(path), **settings))


def test_rows_say_what_is_which_part(folder):
    parts = [*(["train"] * 6), *(["val"] * 2), *(["test"] * 4)]
    rows = [f"pictures/{n}.png,{'ab'[n % 2]},{part}" for n, part in enumerate(parts)]
    data = _load(folder, ["path,label,split", *rows])
    assert data.label_names == ("a", "b")
    assert data.input_shape == (3, 4, 1)
    for part, numbers in {"validation": [6, 7], "test": [8, 9, 10, 11]}.items():
        images, labels = data.part(part)
        assert images[:, 0, 0, 0].tolist() == [10 * number for number in numbers]
        assert labels.tolist() == [number % 2 for number in numbers]


def test_without_a_split_all_are_divided(folder):
    rows = [f"{'ab'[n % 2]},pictures/{n}.png,comment" for n in range(12)]
    data = _load(folder, ["label,path,note", *rows], test_split=0.5)
    assert np.bincount(data.y_test).tolist() == [3, 3]
    np.testing.assert_array_equal(data.x_test[:, 0, 0, 0] // 10 % 2, data.y_test)
