import keras
import numpy as np
import pytest
import tensorflow as tf

from enas_tf.data.images.dataset import ImageData
from enas_tf.data.images.pictures import ArrayPictures, JoinedPictures
from enas_tf.data.images.preprocessing import Normalization
from enas_tf.errors import DataError
from enas_tf.models.classifier import build_classifier, evaluate, evaluate_logits


def network(shape=(4, 4, 2), num_classes=2):
    """Returns a network whose logits are the means of the channels."""
    inputs = keras.Input(shape)
    outputs = keras.layers.GlobalAveragePooling2D()(inputs)
    dense = keras.layers.Dense(num_classes, use_bias=False, kernel_initializer="identity")
    return keras.Model(inputs, dense(outputs))


@pytest.fixture
def data():
    generator = np.random.default_rng(0)
    images = generator.integers(0, 256, (20, 4, 4, 2), np.uint8)
    return ImageData.from_arrays(
        images, generator.integers(0, 2, 20), images[:6], np.arange(6) % 2, name="noise"
    )


def test_classifier_normalises_pixels(data):
    normalization = Normalization(np.float32([100.0, 50.0]), np.float32([2.0, 5.0]))
    images = data.x_test
    logits = build_classifier(network(), normalization)(images)
    expected = ((images - [100.0, 50.0]) / [2.0, 5.0]).mean((1, 2))
    np.testing.assert_allclose(logits, expected, rtol=1e-5)


def test_evaluation_counts_every_example_once(data):
    model = build_classifier(network(), data.normalization())
    logits = model(data.x_test).numpy()
    losses = np.log(np.exp(logits).sum(1)) - logits[np.arange(6), data.y_test]
    evaluation = evaluate(model, data, batch_size=4)
    assert evaluation.accuracy == np.mean(logits.argmax(1) == data.y_test)
    np.testing.assert_allclose(evaluation.loss, losses.mean(), rtol=1e-5)


@pytest.mark.parametrize(
    ("sizes", "message"),
    [({"shape": (5, 4, 2)}, "5 x 4 x 2"), ({"num_classes": 3}, "knows 3 classes")],
)
def test_a_model_for_other_data_is_refused(data, sizes, message):
    with pytest.raises(DataError, match=message):
        evaluate(network(**sizes), data)


def test_pictures_that_are_not_in_memory_are_evaluated_likewise():
    images = np.random.default_rng(0).integers(0, 256, (7, 2, 3, 1), np.uint8)
    labels = np.arange(7) % 2
    network = keras.Sequential([keras.layers.Flatten(), keras.layers.Dense(2)])

    def forward(pictures):
        return network(tf.cast(pictures, tf.float32))

    lazy = JoinedPictures(ArrayPictures(images[:4]), ArrayPictures(images[4:]))
    held, read = (
        evaluate_logits(forward, pictures, labels, ("a", "b"), batch_size=3)
        for pictures in (images, lazy)
    )
    assert read.loss == held.loss
    np.testing.assert_array_equal(read.probabilities, held.probabilities)
