"""Models of other people: every one that is no model is refused in one line."""

import json
import os
import shutil
import zipfile

import keras
import numpy as np
import pytest
import tensorflow as tf

from enas_tf.errors import ExportError
from enas_tf.models.export import export, load_model

NEWER = json.dumps({"keras_version": "99.1.0"})
PICTURES = tf.TensorSpec([None, 4, 4, 1], tf.uint8, name="images")


@pytest.fixture(scope="module")
def model():
    inputs = keras.Input((4, 4, 1))
    features = keras.layers.Flatten(name="features")(inputs)
    return keras.Model(inputs, keras.layers.Dense(2, use_bias=False)(features))


@pytest.fixture(scope="module")
def keras_files(model, tmp_path_factory):
    path = export(model, tmp_path_factory.mktemp("keras") / "model.keras", format="keras")
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


@pytest.fixture(scope="module")
def saved_model(model, tmp_path_factory):
    return export(model, tmp_path_factory.mktemp("served"), label_names=["a", "b"])


def message_of(path):
    with pytest.raises(ExportError) as caught:
        load_model(path)
    message = str(caught.value)
    assert "\n" not in message
    return message


def with_layer(**changes):
    """Returns a change of a model's configuration: its second layer is another one."""

    def change(files):
        config = json.loads(files["config.json"])
        config["config"]["layers"][1].update(changes)
        files["config.json"] = json.dumps(config)

    return change


LAYER = {"module": "keras.layers", "class_name": "ReLU", "config": {}}
SYSTEM = {"module": "os", "class_name": "system", "config": {"command": "touch run"}}
KERAS_FILES = [
    ("no weights", lambda files: files.pop("model.weights.h5"), "Expected a model.weights.h5"),
    ("no configuration", lambda files: files.pop("config.json"), "is not a Keras model file"),
    ("a list", lambda files: files.update({"config.json": "[]"}), "is not a Keras model file"),
    ("deep", lambda files: files.update({"config.json": "[" * 100_000}), "is not a Keras model"),
    ("other weights", lambda files: files.update({"model.weights.h5": b"x"}), "is not a Keras"),
    ("unknown layer", with_layer(class_name="Futurist"), "Could not deserialize 'keras.layers.Fu"),
    ("a function", with_layer(**SYSTEM), "Could not locate class 'system'"),
    (
        "another object",
        lambda files: files.update(
            {
                "config.json": json.dumps(
                    {"module": "keras.layers", "class_name": "ReLU", "config": {}}
                )
            }
        ),
        "it holds a ReLU",
    ),
]


@pytest.mark.parametrize(
    ("change", "message"), [pytest.param(*case[1:], id=case[0]) for case in KERAS_FILES]
)
def test_keras_files_that_are_refused(keras_files, change, message, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    files = dict(keras_files)
    change(files)
    write(files)
    assert message in message_of("model.keras")
    assert os.listdir() == ["model.keras"]


def test_a_newer_keras_is_named_with_the_one_that_is_here(keras_files, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    files = {**keras_files, "metadata.json": NEWER}
    write(files)
    assert load_model("model.keras").output_shape == (None, 2)
    with_layer(class_name="Futurist")(files)
    write(files)
    expected = f"written by Keras 99.1.0, and Keras {keras.__version__}, which is installed"
    assert expected in message_of("model.keras")


def test_an_encrypted_file_is_refused(keras_files, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write(keras_files)
    content = (tmp_path / "model.keras").read_bytes()
    # The flags of a file, in its own header and in the list of all files.
    for header, place in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        parts = content.split(header)
        flagged = [part[: place - 4] + b"\x01" + part[place - 3 :] for part in parts[1:]]
        content = header.join([parts[0], *flagged])
    (tmp_path / "model.keras").write_bytes(content)
    assert "encrypted" in message_of("model.keras")


def write(files):
    with zipfile.ZipFile("model.keras", "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)


@pytest.mark.parametrize(
    ("asset", "message"),
    [
        (None, "No such file or directory"),
        (b"", "it has 0 names for 2 classes"),
        (b"a\nb\nc\n", "it has 3 names for 2 classes"),
        (b"\xff\nb\n", "can't decode byte 0xff"),
    ],
)
def test_names_that_are_damaged(saved_model, asset, message, tmp_path):
    folder = shutil.copytree(saved_model, tmp_path / "1")
    path = folder / "assets" / "label_names.txt"
    path.unlink() if asset is None else path.write_bytes(asset)
    assert message in message_of(folder)


def test_names_end_at_line_feeds_alone(saved_model, tmp_path):
    folder = shutil.copytree(saved_model, tmp_path / "1")
    names = ("a\rx", "b\u2028y\x0b\x85")
    text = "".join(f"{name}\n" for name in names)
    (folder / "assets" / "label_names.txt").write_bytes(text.encode())
    assert load_model(folder).label_names == names


def sized(axis):
    return lambda images: {"probabilities": tf.zeros([tf.shape(images)[0], axis])}


SIGNATURES = [
    ("unknown rank", [tf.TensorSpec(None, tf.uint8, name="images")], sized(2)),
    ("unknown channels", [tf.TensorSpec([None, 4, 4, None], tf.uint8, name="images")], sized(2)),
    ("floats", [tf.TensorSpec([None, 4, 4, 1], tf.float32, name="images")], sized(2)),
    ("one picture", [tf.TensorSpec([1, 4, 4, 1], tf.uint8, name="images")], sized(2)),
    ("another name", [tf.TensorSpec([None, 4, 4, 1], tf.uint8, name="x")], sized(2)),
    ("two inputs", [PICTURES, tf.TensorSpec([], name="y")], lambda images, y: sized(2)(images)),
    ("another output", [PICTURES], lambda images: {"p": tf.zeros([1, 2])}),
    ("integers", [PICTURES], lambda images: {"probabilities": tf.zeros([1, 2], tf.int32)}),
]


@pytest.mark.parametrize(
    ("inputs", "function"), [pytest.param(*case[1:], id=case[0]) for case in SIGNATURES]
)
def test_other_signatures_are_refused(inputs, function, tmp_path):
    function = tf.function(function, input_signature=inputs)
    tf.saved_model.save(tf.Module(), str(tmp_path / "1"), {"serving_default": function})
    assert "is not a SavedModel of a classifier" in message_of(tmp_path)


@pytest.mark.parametrize(
    "name", ["saved_model.pb", "variables/variables.index", "assets/label_names.txt"]
)
def test_pipes_in_a_saved_model_are_not_waited_for(saved_model, name, tmp_path):
    folder = shutil.copytree(saved_model, tmp_path / "1")
    (folder / name).unlink()
    os.mkfifo(folder / name)
    assert "it is a pipe, not a regular file" in message_of(folder)


@pytest.mark.parametrize("path", ["model.keras", ""])
def test_a_pipe_is_not_waited_for(path, tmp_path):
    os.mkfifo(tmp_path / "model.keras")
    assert "model.keras: it is a pipe, not a regular file" in message_of(tmp_path / path)


def test_a_saved_classifier_is_saved_again(saved_model, model, tmp_path):
    images = np.arange(32, dtype=np.uint8).reshape(2, 4, 4, 1)
    loaded = load_model(saved_model)
    again = load_model(export(loaded, tmp_path))
    # What is saved are probabilities: their logarithms end where a probability is 0.
    probabilities = tf.exp(again(images))
    np.testing.assert_allclose(probabilities, tf.nn.softmax(model(images)), atol=1e-5)
    assert again.label_names == ("a", "b")
    assert export(loaded, tmp_path / "model.tflite", format="tflite").is_file()
    with pytest.raises(ExportError, match="cannot become a Keras file again"):
        export(loaded, tmp_path / "model.keras", format="keras")


def test_what_a_converter_cannot_convert_is_said_in_one_line(model, tmp_path, monkeypatch):
    class Converter:
        def convert(self):
            raise ValueError("no such\noperation")

    monkeypatch.setattr(
        tf.lite.TFLiteConverter, "from_saved_model", lambda *args, **options: Converter()
    )
    with pytest.raises(ExportError, match=r"converted to TFLite \(no such operation\)"):
        export(model, tmp_path / "model.tflite", format="tflite")
    assert not list(tmp_path.iterdir())
