"""`enas-pack` writes what then is read as the dataset itself was."""

import numpy as np
import pytest
from PIL import Image

from enas_tf.cli import pack
from enas_tf.data.images.files import PictureSettings
from enas_tf.data.images.loading import load_images
from enas_tf.data.images.pictures import is_lazy, mapped_file
from enas_tf.settings.data import DataConfig


@pytest.fixture
def folder(tmp_path):
    random = np.random.default_rng(0)
    for part in ("train", "val", "test"):
        for name in ("ant", "bee"):
            (tmp_path / "pictures" / part / name).mkdir(parents=True)
            for number in range(4):
                pixels = random.integers(0, 256, (5, 6, 3), np.uint8)
                Image.fromarray(pixels).save(tmp_path / "pictures" / part / name / f"{number}.png")
    return tmp_path / "pictures"


def test_a_packed_dataset_is_mapped_and_has_the_same_pictures(folder, tmp_path, capsys):
    packed = tmp_path / "packed.npz"
    assert pack.main([str(folder), str(packed), "--image_size=4,5"]) == 0
    told = capsys.readouterr().out
    assert told == f"Wrote {packed}: 8 train, 8 validation, 8 test pictures of 4 x 5 x 3.\n"
    expected = load_images(DataConfig(dataset=str(folder), image_size=(4, 5)))
    for limit in (0, 1):
        data = load_images(DataConfig(dataset=str(packed), memory_limit=limit))
        assert data.label_names == ("ant", "bee")
        assert is_lazy(data.x_train) == (limit == 0)
        assert (mapped_file(data.x_test) is not None) == (limit == 0)
        for part in ("train", "validation", "test"):
            images, labels = data.part(part)
            pairs = zip(map(bytes, np.asarray(images)), labels)
            others = zip(map(bytes, expected.part(part)[0]), expected.part(part)[1])
            assert sorted(pairs) == sorted(others)


def test_a_packed_dataset_remembers_what_was_done_to_its_pictures(folder, tmp_path):
    packed = tmp_path / "packed.npz"
    assert pack.main([str(folder), str(packed), "--image_size=4", "--resize=pad"]) == 0
    data = load_images(str(packed))
    assert data.picture_settings == PictureSettings(height=4, width=4, resize="pad")


def test_what_is_there_is_not_overwritten(folder, tmp_path, capsys):
    packed = tmp_path / "packed.npz"
    packed.write_bytes(b"mine")
    assert pack.main([str(folder), str(packed)]) == 2
    assert capsys.readouterr().err == (
        f"enas-pack: error: {packed} exists already; give another path, or --overwrite.\n"
    )
    assert packed.read_bytes() == b"mine"
    assert pack.main([str(folder), str(packed), "--overwrite"]) == 0


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        ([], "`--output` is required"),
        (["--output=a.npz"], "`--dataset` is required"),
        (["digits", "a.zip"], "must end in .npz. Received: a.zip"),
        (["digits", "a.npz", "b.npz"], "Unexpected argument 'b.npz'"),
        (["--dataset=digits", "a.npz", "b.npz"], "`--dataset` is given twice"),
    ],
)
def test_wrong_arguments_are_one_line(argv, message, capsys):
    assert pack.main(argv) == 2
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1
