import builtins
import json
import re
import subprocess
import sys
import textwrap

import keras
import numpy as np
import pytest
import tensorflow as tf

from enas_tf.data.images.preprocessing import Normalization
from enas_tf.errors import ExportError
from enas_tf.models import classifier_export as export_classifier
from enas_tf.models.classifier import build_classifier
from enas_tf.models.export import export, load_model
from enas_tf.spaces.macro.architecture import MacroArchitecture
from enas_tf.spaces.macro.config import MacroNetworkConfig
from enas_tf.spaces.macro.network import build_macro_network
from tests.warm_up_requests import read_warm_up_requests

NAMELESS = "the model brings none; `enas_tf.export` takes some as `label_names`"


@pytest.fixture(scope="module")
def model():
    # Odd sides, so that reductions need their padding; every operation but one occurs.
    network = build_macro_network(
        MacroArchitecture.from_release_string("1 | 3 1 | 4 0 1 | 5 0 0 0"),
        MacroNetworkConfig(filters=4),
        input_shape=(9, 8, 2),
        num_classes=3,
    )
    normalization = Normalization(np.float32([100.0, 120.0]), np.float32([50.0, 60.0]))
    return build_classifier(network, normalization)


@pytest.fixture(scope="module")
def images():
    return np.random.default_rng(0).integers(0, 256, (5, 9, 8, 2), np.uint8)


@pytest.fixture(scope="module")
def probabilities(model, images):
    return tf.nn.softmax(model(images)).numpy()


@pytest.fixture(scope="module")
def folder(model, tmp_path_factory):
    return export(model, tmp_path_factory.mktemp("served"))


@pytest.fixture(scope="module")
def serve(folder):
    return tf.saved_model.load(str(folder)).signatures["serving_default"]


def run_alone(script, *arguments, folder):
    """Runs a script in a process that cannot import enas_tf, and returns what it prints."""
    preamble = "import sys; sys.modules['enas_tf'] = None\n"
    finished = subprocess.run(
        [sys.executable, "-c", preamble + textwrap.dedent(script), *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
        cwd=folder,
    )
    assert finished.returncode == 0, finished.stderr
    return json.loads(finished.stdout.splitlines()[-1])


@pytest.mark.end_to_end
def test_saved_model_answers_with_tensorflow_alone(model, images, probabilities, tmp_path):
    names = ["ä", "b", "c d"]
    export(model, tmp_path / "served", label_names=names)
    np.save(tmp_path / "images.npy", images)
    script = """
        import json
        sys.modules["keras"] = None
        import numpy, tensorflow as tf
        loaded = tf.saved_model.load("served/1")
        serve = loaded.signatures["serving_default"]
        outputs = serve(images=tf.constant(numpy.load("images.npy")))
        with open(loaded.label_names.asset_path.numpy(), encoding="utf-8") as file:
            names = file.read().splitlines()
        print(json.dumps({
            "names": names,
            "types": {name: tensor.dtype.name for name, tensor in outputs.items()},
            **{name: tensor.numpy().tolist() for name, tensor in outputs.items()},
        }))
    """
    answer = run_alone(script, folder=tmp_path)
    assert answer["names"] == names
    assert answer["types"] == {"probabilities": "float32", "classes": "int64"}
    assert answer["classes"] == probabilities.argmax(1).tolist()
    np.testing.assert_allclose(answer["probabilities"], probabilities, atol=1e-5)


@pytest.mark.end_to_end
def test_keras_file_answers_without_this_package(model, images, tmp_path):
    export(model, tmp_path / "model.keras", format="keras")
    np.save(tmp_path / "images.npy", images)
    script = """
        import json, numpy, keras
        model = keras.models.load_model("model.keras")
        print(json.dumps(model.predict(numpy.load("images.npy"), verbose=0).tolist()))
    """
    answer = run_alone(script, folder=tmp_path)
    np.testing.assert_allclose(answer, model(images), atol=1e-5)


def test_the_first_version_is_written(folder):
    assert folder.name == "1"
    assert (folder / "saved_model.pb").is_file()


def test_warm_up_requests_are_answered(folder, serve):
    requests = read_warm_up_requests(folder)
    assert [signature for signature, _ in requests] == ["serving_default"] * 2
    answers = [serve(**inputs)["probabilities"].shape for _, inputs in requests]
    assert answers == [(1, 3), (8, 3)]


def test_signature_has_the_names_and_types_of_the_contract(serve):
    assert serve.structured_input_signature[1] == {
        "images": tf.TensorSpec([None, 9, 8, 2], tf.uint8, name="images")
    }
    outputs = {name: (spec.dtype, spec.shape) for name, spec in serve.structured_outputs.items()}
    assert outputs == {
        "probabilities": (tf.float32, tf.TensorShape([None, 3])),
        "classes": (tf.int64, tf.TensorShape([None])),
    }


@pytest.mark.parametrize("part", ["", "1"])
def test_saved_model_is_read_back(model, images, probabilities, tmp_path, part):
    export(model, tmp_path / "served", label_names=["a", "b", "c"])
    loaded = load_model(tmp_path / "served" / part)
    np.testing.assert_allclose(np.exp(loaded(images)), probabilities, atol=1e-5)
    assert loaded.label_names == ("a", "b", "c")
    assert loaded.input_shape == model.input_shape
    assert loaded.output_shape == model.output_shape


def test_output_folder_of_a_retraining_is_read_back(model, images, tmp_path):
    model.save(tmp_path / "model.keras")
    (tmp_path / "results.json").write_text('{"label_names": ["a", "b", "c"]}')
    for path in (tmp_path, tmp_path / "model.keras"):
        loaded = load_model(path)
        np.testing.assert_array_equal(loaded(images), model(images))
        assert loaded.label_names == ("a", "b", "c")


def test_names_attached_to_the_model_are_exported(model, tmp_path):
    named = keras.models.clone_model(model)
    named.label_names = ("x", "y", "z")
    path = export(named, tmp_path)
    assert (path / "assets" / "label_names.txt").read_text() == "x\ny\nz\n"


def test_no_pictures_are_answered_with_no_rows(serve):
    outputs = serve(images=tf.zeros([0, 9, 8, 2], tf.uint8))
    assert outputs["probabilities"].shape == (0, 3)
    assert outputs["classes"].shape == (0,)


@pytest.mark.parametrize(
    ("format_", "names", "message"),
    [
        ("saved_model", None, NAMELESS),
        ("keras", None, NAMELESS),
        ("tflite", ("a", "b", "c"), "the format tflite has no place for them"),
        ("saved_model", ("a", "b", "c"), None),
        ("keras", ("a", "b", "c"), None),
    ],
)
def test_it_is_said_if_no_names_are_written(
    model, tmp_path, format_, names, message, caplog, monkeypatch
):
    monkeypatch.setitem(export_classifier.WRITERS, format_, lambda model, path, names: path.touch())
    export(model, tmp_path / "m.keras", format=format_, label_names=names)
    messages = [
        record.getMessage() for record in caplog.records if record.name.startswith("enas_tf")
    ]
    assert messages == (
        [] if message is None else [f"No names of classes were written: {message}."]
    )


def test_names_that_are_given_go_into_a_keras_file_and_not_into_the_model(model, tmp_path):
    path = export(model, tmp_path / "m.keras", format="keras", label_names=["x", "y", "z"])
    assert load_model(path).label_names == ("x", "y", "z")


@pytest.mark.parametrize("shape", [(2, 8, 8, 2), (2, 18, 16, 2), (2, 9, 8, 1), (9, 8, 2)])
def test_pictures_of_another_shape_are_an_error(serve, shape):
    actual = ",".join(map(str, shape))
    message = f"images [{actual}] is not compatible with expected shape [?,9,8,2]"
    with pytest.raises(tf.errors.InvalidArgumentError, match=re.escape(message)):
        serve(images=tf.zeros(shape, tf.uint8))


def test_pictures_of_another_type_are_an_error(serve):
    with pytest.raises(tf.errors.InvalidArgumentError, match="expected to be a uint8 tensor"):
        serve(images=tf.zeros([2, 9, 8, 2]))


def test_a_missing_package_is_named(model, tmp_path, monkeypatch):
    original = builtins.__import__

    def without_tf2onnx(name, *arguments, **options):
        if name == "tf2onnx":
            raise ImportError("No module named 'tf2onnx'")
        return original(name, *arguments, **options)

    monkeypatch.setattr(builtins, "__import__", without_tf2onnx)
    with pytest.raises(ExportError, match=r"pip install '\.\[onnx\]'"):
        export(model, tmp_path / "model.onnx", format="onnx")
    assert not list(tmp_path.iterdir())


def test_nothing_is_replaced_unless_asked(model, tmp_path):
    path = tmp_path / "model.keras"
    path.write_text("precious")
    with pytest.raises(ExportError, match="exists already"):
        export(model, path, format="keras")
    assert path.read_text() == "precious"
    export(model, path, format="keras", overwrite=True)
    assert load_model(path).output_shape == (None, 3)


def test_a_version_is_replaced_when_asked(model, tmp_path):
    export(model, tmp_path, label_names=["a", "b", "c"])
    export(model, tmp_path, label_names=["d", "e", "f"], overwrite=True)
    assert load_model(tmp_path).label_names == ("d", "e", "f")
    assert [entry.name for entry in tmp_path.iterdir()] == ["1"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"format": "pickle"}, "`format` must be one of saved_model, keras, tflite, onnx"),
        ({"label_names": ["a"]}, "must have 3 names"),
        ({"label_names": "abc"}, r"must have 3 names.*Received: one text"),
        ({"label_names": ["a", "b\n", "c"]}, r"of one line that UTF-8 can write.*'b\\n'"),
        ({"label_names": ["a", "\udc80", "c"]}, "of one line that UTF-8 can write"),
        ({"label_names": ["a", "b", "a"]}, "must differ from each other"),
        ({"format": "keras"}, r"must end in \.keras"),
    ],
)
def test_wrong_options_are_refused(model, tmp_path, options, message):
    with pytest.raises(ExportError, match=message):
        export(model, tmp_path / "model", **options)


def test_a_model_that_is_no_classifier_is_refused(tmp_path):
    inputs = keras.Input((4,))
    with pytest.raises(ExportError, match="Expected a classifier"):
        export(keras.Model(inputs, keras.layers.Dense(2)(inputs)), tmp_path)


def test_a_path_that_cannot_be_written_is_named(model, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(ExportError, match="Cannot write"):
        export(model, tmp_path / "file" / "folder")


@pytest.mark.parametrize(
    ("name", "message"),
    [("nothing", "does not exist"), ("empty", "holds neither"), ("text.keras", "not a Keras")],
)
def test_what_is_no_model_is_refused(tmp_path, name, message):
    (tmp_path / "empty").mkdir()
    (tmp_path / "text.keras").write_text("text")
    with pytest.raises(ExportError, match=message):
        load_model(tmp_path / name)


def test_a_damaged_saved_model_is_refused(tmp_path):
    (tmp_path / "1").mkdir()
    (tmp_path / "1" / "saved_model.pb").write_text("text")
    with pytest.raises(ExportError, match="not a SavedModel"):
        load_model(tmp_path)


@pytest.mark.parametrize("name", ["lr=[0.05]", "a*b?", "two words", "ü", "\udcff"])
@pytest.mark.parametrize("kind", ["saved_model", "keras"])
def test_models_may_have_any_name(model, images, probabilities, tmp_path, name, kind):
    path = tmp_path / name / ("model.keras" if kind == "keras" else name)
    export(model, path, format=kind, label_names=["a", "b", "c"])
    loaded = load_model(path)
    np.testing.assert_allclose(tf.nn.softmax(loaded(images)), probabilities, atol=1e-5)
    if kind == "saved_model":
        assert loaded.label_names == ("a", "b", "c")


def test_the_path_of_a_model_may_begin_with_the_home_folder(model, tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    assert export(model, "~/model.keras", format="keras") == tmp_path / "model.keras"
    assert load_model("~/model.keras").output_shape == (None, 3)


def test_an_export_that_fails_leaves_the_old_one(model, tmp_path, monkeypatch):
    folder = export(model, tmp_path)
    before = sorted(path.stat().st_ino for path in folder.rglob("*"))

    def fail(*args, **options):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(tf.saved_model, "save", fail)
    with pytest.raises(ExportError, match=f"Cannot write {folder}: no space left on device"):
        export(model, tmp_path, overwrite=True)
    assert sorted(path.stat().st_ino for path in folder.rglob("*")) == before
