"""Predictions on files and arrays: pixels as Pillow makes them, answers as the model gives them."""

import io
import json
import pathlib

import keras
import numpy as np
import pytest
import tensorflow as tf
from PIL import Image, ImageOps

from enas_tf.data.images.files import PictureSettings
from enas_tf.errors import ConfigurationError, DataError, ExportError
from enas_tf.models import prediction
from enas_tf.models.export import export, load_model
from enas_tf.models.prediction import predict
from enas_tf.models.remembered import attach_label_names, attach_picture_settings
from tests.warm_up_requests import read_warm_up_requests

NAMES = ("cat", "dog", "fox")
SIZES = {"b.png": (30, 40), "a.jpg": (8, 12), "folder/c.jpeg": (100, 9), "folder/d.PNG": (12, 8)}


def build(shape=(12, 8, 3), resize=None):
    """Returns a classifier whose logits depend on every pixel."""
    keras.utils.set_random_seed(0)
    inputs = keras.Input(shape)
    pixels = keras.layers.Rescaling(1 / 255)(inputs)
    model = keras.Model(
        inputs, keras.layers.Dense(3, use_bias=False)(keras.layers.Flatten()(pixels))
    )
    attach_label_names(model, NAMES)
    if resize is not None:
        height, width, channels = shape
        settings = PictureSettings(height=height, width=width, channels=channels, resize=resize)
        attach_picture_settings(model, settings)
    return model


@pytest.fixture(scope="module")
def model():
    return build()


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("pictures")
    (folder / "folder").mkdir()
    (folder / "notes.txt").write_text("no picture")
    (folder / ".hidden.png").write_text("no picture")
    generator = np.random.default_rng(0)
    for name, (height, width) in SIZES.items():
        pixels = generator.integers(0, 256, (height, width, 3), np.uint8)
        Image.fromarray(pixels).save(folder / name, quality=95)
    return folder


def probabilities(model, *images):
    return tf.nn.softmax(model(np.stack(images))).numpy()


def with_pillow(path, resize=ImageOps.fit):
    """Returns what Pillow alone makes of a file, 12 pixels high and 8 wide."""
    with Image.open(path) as image:
        return np.asarray(resize(image.convert("RGB"), (8, 12), Image.Resampling.BILINEAR))


def test_files_are_cropped_as_pillow_crops_them(model, folder):
    answer = predict(model, folder)
    names = ["a.jpg", "b.png", "folder/c.jpeg", "folder/d.PNG"]
    assert answer.files == tuple(str(folder / name) for name in names)
    expected = probabilities(model, *(with_pillow(folder / name) for name in names))
    np.testing.assert_allclose(answer.probabilities, expected, rtol=1e-5)
    assert answer.labels == tuple(NAMES[number] for number in expected.argmax(1))


def test_pictures_are_brought_to_size_as_in_training(folder):
    model = build(resize="pad")

    def pad(image, size, method):
        return ImageOps.pad(image, size, method, color=(255, 255, 255))

    answer = predict(model, [folder / "b.png"])
    expected = probabilities(model, with_pillow(folder / "b.png", pad))
    np.testing.assert_allclose(answer.probabilities, expected, rtol=1e-5)


def test_arrays_of_the_models_size_are_taken_as_they_are(model):
    images = np.random.default_rng(1).integers(0, 256, (5, 12, 8, 3), np.uint8)
    answer = predict(model, images, batch_size=2)
    np.testing.assert_allclose(answer.probabilities, probabilities(model, *images), rtol=1e-5)
    assert answer.files == (None,) * 5


def test_every_form_of_a_picture_gives_the_same(model, folder):
    path = folder / "b.png"
    with Image.open(path) as image:
        array = np.asarray(image)
    forms = [str(path), path, path.read_bytes(), array]
    answer = predict(model, forms)
    assert answer.files == (str(path), str(path), None, None)
    single = [predict(model, form) for form in forms]
    for one in (answer[:1], answer[1:2], answer[2:3], answer[3:], *single):
        np.testing.assert_allclose(one.probabilities, answer.probabilities[:1], rtol=1e-6)


def test_grey_pictures_are_taken_by_a_model_of_rgb(model):
    grey = np.random.default_rng(2).integers(0, 256, (12, 8), np.uint8)
    expected = probabilities(model, np.repeat(grey[..., None], 3, axis=-1))
    for form in (grey, grey[..., None], [grey]):
        np.testing.assert_allclose(predict(model, form).probabilities, expected, rtol=1e-5)


def test_a_model_of_other_channels_takes_arrays_alone(folder):
    model = build((12, 8, 2))
    image = np.zeros((12, 8, 2), np.uint8)
    assert len(predict(model, image)) == 1
    with pytest.raises(DataError, match=r"of 2 channels.*give arrays of the shape \(12, 8, 2\)"):
        predict(model, folder)


def test_a_prediction_tells_the_best_classes(model, folder):
    answer = predict(model, folder, top=2)
    file, label, probability, top = answer[1]
    order = np.argsort(-answer.probabilities[1])
    assert file == str(folder / "b.png")
    assert [name for name, _ in top] == [NAMES[number] for number in order[:2]]
    assert (label, probability) == top[0]
    assert probability == pytest.approx(answer.probabilities[1].max())
    assert len(predict(model, folder, top=9)[0].top) == 3


def test_predictions_are_a_sequence_that_is_shown_in_one_line(model, folder):
    answer = predict(model, folder)
    assert len(answer) == len(list(answer)) == 4
    assert [one.label for one in answer] == list(answer.labels)
    assert repr(answer[:1]) == f"Predictions(1 picture: 1 {answer[0].label})"


def test_a_model_without_names_tells_numbers():
    image = np.zeros((12, 8, 3), np.uint8)
    inputs = keras.Input((12, 8, 3))
    model = keras.Model(inputs, keras.layers.Dense(3)(keras.layers.Flatten()(inputs)))
    assert predict(model, image)[0].label in ("0", "1", "2")


def test_no_more_than_two_batches_are_read_ahead(model, folder, monkeypatch):
    read, answered = [], 0
    read_picture = prediction.read_picture

    def counted(file, settings):
        read.append(file)
        return read_picture(file, settings)

    monkeypatch.setattr(prediction, "read_picture", counted)
    for _ in prediction.Predictor(model, batch_size=3)(30 * [folder / "a.jpg"]):
        assert len(read) <= answered - answered % 3 + 6
        answered += 1
    assert answered == 30


@pytest.mark.parametrize(
    ("pictures", "message"),
    [
        ("none.png", "none.png does not exist"),
        ([b"no picture"], "A picture of 10 bytes is not a readable picture"),
        (np.zeros((12, 8, 3)), "must be uint8, from 0 to 255"),
        (np.zeros((2, 3, 12, 8, 3), np.uint8), "must be uint8, from 0 to 255"),
        (np.zeros((2, 12, 8, 5), np.uint8), "must be uint8, from 0 to 255"),
        (np.zeros((0, 12, 8, 3), np.uint8), "There are no pictures"),
        ([], "There are no pictures"),
        (3, "must be uint8"),
    ],
)
def test_what_is_no_picture_is_refused(model, pictures, message):
    with pytest.raises(DataError, match=message):
        predict(model, pictures)


def test_other_arguments_are_checked(model):
    image = np.zeros((12, 8, 3), np.uint8)
    with pytest.raises(ConfigurationError, match="`top` must be at least 1"):
        predict(model, image, top=0)
    with pytest.raises(ExportError, match="Expected a classifier"):
        predict(keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)]), image)


@pytest.fixture(scope="module")
def padded():
    return build(resize="pad")


@pytest.fixture(scope="module")
def served(padded, tmp_path_factory):
    return export(padded, tmp_path_factory.mktemp("served"))


def assert_same(answer, expected):
    assert answer.labels == expected.labels
    np.testing.assert_allclose(answer.probabilities, expected.probabilities, atol=1e-6)


def test_a_keras_file_that_was_read_back_predicts_the_same(padded, folder, tmp_path):
    path = export(padded, tmp_path / "m.keras", format="keras")
    assert_same(predict(load_model(path), folder), predict(padded, folder))


def test_a_saved_model_that_was_read_back_predicts_the_same(padded, folder, served):
    assert_same(predict(load_model(served), folder), predict(padded, folder))


def test_a_saved_model_gives_the_same_for_encoded_pictures(padded, folder, served):
    serve = tf.saved_model.load(str(served)).signatures["serving_images"]
    answer = predict(padded, folder)
    encoded = tf.constant([pathlib.Path(file).read_bytes() for file in answer.files])
    outputs = serve(images=encoded)
    np.testing.assert_allclose(outputs["probabilities"], answer.probabilities, atol=1e-6)
    assert [NAMES[number] for number in outputs["classes"]] == list(answer.labels)
    assert serve(images=encoded[:0])["probabilities"].shape == (0, 3)
    with pytest.raises(tf.errors.InvalidArgumentError, match="JPEG or PNG"):
        serve(images=tf.constant([b"no picture"]))


def test_a_saved_model_of_an_earlier_version_takes_cropped_pictures(model, folder, tmp_path):
    """It has neither `classifier.json` nor the signature for encoded pictures."""
    module = tf.Module()
    module.model = model

    @tf.function(input_signature=[tf.TensorSpec([None, 12, 8, 3], tf.uint8, name="images")])
    def serve(images):
        logits = model(tf.cast(images, tf.float32), training=False)
        return {"probabilities": tf.nn.softmax(logits), "classes": tf.argmax(logits, axis=-1)}

    (tmp_path / "label_names.txt").write_text("".join(f"{name}\n" for name in NAMES))
    module.label_names = tf.saved_model.Asset(str(tmp_path / "label_names.txt"))
    tf.saved_model.save(module, str(tmp_path / "1"), signatures={"serving_default": serve})
    loaded = load_model(tmp_path)
    assert (loaded.label_names, loaded.versions) == (NAMES, None)
    assert_same(predict(loaded, folder), predict(model, folder))


def test_what_a_saved_model_remembers_is_among_its_assets(served):
    description = json.loads((served / "assets" / "classifier.json").read_text())
    assert description["input_shape"] == [12, 8, 3]
    assert description["label_names"] == list(NAMES)
    assert description["picture_settings"]["resize"] == "pad"
    requests = read_warm_up_requests(served)
    assert {signature for signature, _ in requests} == {"serving_default", "serving_images"}


def test_sixteen_bits_are_refused(model):
    file = io.BytesIO()
    Image.fromarray(np.zeros((12, 8), np.uint16)).save(file, "PNG")
    with pytest.raises(DataError, match="more than 8 bits"):
        predict(model, file.getvalue())
