"""`enas-predict`, in this process and as a user starts it."""

import json
import subprocess
import sys

import keras
import numpy as np
import pytest
from PIL import Image

from enas_tf.cli import predict
from enas_tf.data.images.files import PictureSettings
from enas_tf.models.export import export
from enas_tf.models.remembered import attach_label_names, attach_picture_settings

NAMES = ("dark", "bright")
# Asks the SavedModel of the folder for the encoded files, with TensorFlow alone.
SERVE = """
import json, pathlib, sys
sys.modules["enas_tf"] = sys.modules["keras"] = sys.modules["PIL"] = None
import tensorflow as tf
serve = tf.saved_model.load("out/saved_model/1").signatures["serving_images"]
files = [pathlib.Path(name).read_bytes() for name in sys.argv[1:]]
print(json.dumps(serve(images=tf.constant(files))["probabilities"].numpy().tolist()))
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Has a model that tells dark pictures from bright ones, pictures, and files that are none."""
    folder = tmp_path_factory.mktemp("predict")
    inputs = keras.Input((8, 8, 3))
    pixels = keras.layers.Rescaling(1 / 64, offset=-2.0)(inputs)
    dense = keras.layers.Dense(2, use_bias=False)
    model = keras.Model(inputs, dense(keras.layers.GlobalAveragePooling2D()(pixels)))
    dense.set_weights([np.float32([[-1, 1], [-1, 1], [-1, 1]])])
    attach_label_names(model, NAMES)
    settings = PictureSettings(height=8, width=8, resize="pad", background="black")
    attach_picture_settings(model, settings)
    (folder / "out").mkdir()
    model.save(folder / "out" / "model.keras")
    export(model, folder / "out" / "saved_model")
    pictures = folder / "pictures"
    (pictures / "more").mkdir(parents=True)
    generator = np.random.default_rng(0)
    for name, height, width, level in (
        ("a.jpg", 60, 80, 20),
        ("b.png", 9, 7, 220),
        ("more/c.jpeg", 200, 120, 200),
        ("more/ä [1].png", 8, 8, 10),
    ):
        array = generator.integers(level, level + 30, (height, width, 3)).astype(np.uint8)
        Image.fromarray(array).save(pictures / name)
    (pictures / "notes.txt").write_text("no picture")
    (folder / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    return folder


FILES = ["a.jpg", "b.png", "more/c.jpeg", "more/ä [1].png"]
LABELS = ["dark", "bright", "bright", "dark"]


@pytest.fixture
def run(folder, monkeypatch, capsys):
    monkeypatch.chdir(folder)

    def run(*arguments, code=0):
        assert predict.main(["--model=out", *arguments]) == code
        return capsys.readouterr()

    return run


def test_a_folder_is_a_table(run):
    result = run("pictures")
    header, *rows = [line.split() for line in result.out.splitlines()]
    assert header == ["file", "label", "probability"]
    assert [row[0] for row in rows[:3]] == [f"pictures/{name}" for name in FILES[:3]]
    assert [row[-2] for row in rows] == LABELS
    assert result.err == "enas-predict: left out 1 file that is no picture by its name\n"


def test_files_keep_their_order(run):
    files = [f"pictures/{name}" for name in reversed(FILES)]
    rows = json.loads(run("--format=json", "--top=2", *files).out)
    assert [row["file"] for row in rows] == files
    assert [row["label"] for row in rows] == LABELS[::-1]
    for row in rows:
        assert row["top"][0] == [row["label"], row["probability"]]
        assert sum(probability for _, probability in row["top"]) == pytest.approx(1.0)


def test_a_file_is_written(run, folder):
    assert run("pictures/b.png", "--format=csv", "--output=table.csv").out == "Wrote table.csv\n"
    lines = (folder / "table.csv").read_text().splitlines()
    assert lines[0] == "file,label,probability"
    assert lines[1].startswith("pictures/b.png,bright,0.9")


def test_what_can_be_read_is_told_all_the_same(run):
    result = run("--format=json", "broken.png", "pictures/a.jpg", code=2)
    assert [row["file"] for row in json.loads(result.out)] == ["pictures/a.jpg"]
    assert result.err.startswith("enas-predict: error: broken.png is not a readable picture")
    assert result.err.endswith("(1 of 2 files are left out).\n")


def test_progress_is_shown_of_many(folder, monkeypatch, capfd):
    monkeypatch.chdir(folder)
    monkeypatch.setattr(predict, "_WITH_PROGRESS", 3)
    assert predict.main(["--model=out", "pictures"]) == 0
    assert "pictures  step 1/4" in capfd.readouterr().err


@pytest.mark.long
@pytest.mark.end_to_end
def test_another_process_and_the_served_model_say_the_same(folder):
    """Pixels are the same to the bit; what is left is the order of the network's sums."""
    files = [f"pictures/{name}" for name in FILES]

    def output(*arguments):
        command = [sys.executable, *arguments, *files]
        finished = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True)
        return json.loads(finished.stdout)

    options = ("--model=out", "--format=json", "--top=2")
    rows = output("-m", "enas_tf.cli.predict", *options)
    served = output("-c", SERVE)
    for row, probabilities in zip(rows, served, strict=True):
        expected = [probabilities[NAMES.index(name)] for name, _ in row["top"]]
        np.testing.assert_allclose([share for _, share in row["top"]], expected, atol=1e-6)
