"""Evaluation of models of either kind."""

import dataclasses
import math

import keras
import numpy as np
import pytest

from enas_tf.data.images.dataset import ImageData
from enas_tf.data.texts.dataset import TextData
from enas_tf.data.texts.vocabulary import Vocabulary
from enas_tf.errors import ConfigurationError, DataError
from enas_tf.models.evaluation import evaluate
from enas_tf.spaces.rnn.architecture import LstmBaseline
from enas_tf.spaces.rnn.config import RnnNetworkConfig
from enas_tf.spaces.rnn.space import RnnSpace


@pytest.fixture(scope="module")
def text():
    return TextData.random(5, rows=1)


@pytest.fixture(scope="module")
def language_model(text):
    """A model that thinks all words equally likely."""
    config = RnnNetworkConfig(hidden_size=2)
    model = RnnSpace().for_data(text).build_network(LstmBaseline(), config)
    for weight in model.weights:
        weight.assign(np.zeros(weight.shape))
    model.vocabulary = text.vocabulary
    return model


@pytest.fixture(scope="module")
def pictures():
    dark_and_bright = np.array([[[[0]]], [[[200]]]], np.uint8)
    labels = np.array([0, 1, 1, 1])
    return ImageData.from_arrays(dark_and_bright[labels], labels, dark_and_bright, [1, 1])


@pytest.fixture(scope="module")
def classifier():
    """A classifier to which bright pictures are surely of class 1, and dark ones of class 0."""
    return keras.Sequential(
        [
            keras.Input([1, 1, 1]),
            keras.layers.Flatten(),
            keras.layers.Dense(
                2,
                kernel_initializer=lambda shape, dtype: keras.ops.array([[-1.0, 1.0]], dtype),
                bias_initializer=lambda shape, dtype: keras.ops.array([100.0, -100.0], dtype),
            ),
        ]
    )


@pytest.mark.parametrize(("part", "accuracy"), [("test", 0.5), ("validation", 1.0)])
def test_a_classifier_is_evaluated_on_a_part(classifier, pictures, part, accuracy):
    assert evaluate(classifier, pictures, part).accuracy == accuracy


def test_a_language_model_is_evaluated_on_a_part(language_model, text):
    answer = evaluate(language_model, text)
    assert answer.perplexity == pytest.approx(5.0)
    assert answer.loss == pytest.approx(math.log(5.0))
    assert answer.tokens == len(text.test) - 1
    assert evaluate(language_model, text, "validation").tokens == len(text.validation) - 1


def test_data_of_the_other_kind_are_refused(classifier, pictures, language_model, text):
    with pytest.raises(DataError, match=r"kind ImageData\. Received: TextData"):
        evaluate(classifier, text)
    with pytest.raises(DataError, match=r"kind TextData\. Received: ImageData"):
        evaluate(language_model, pictures)


@pytest.mark.parametrize("order", [[0, 1], [1, 0]])
def test_classes_are_found_by_their_names(classifier, order):
    """The classifier is right about all pictures, whatever the order of the classes."""
    dark_and_bright = np.array([[[[0]]], [[[200]]]], np.uint8)[order]
    names = [("dark", "bright")[label] for label in order]
    data = ImageData.from_arrays(
        dark_and_bright, [0, 1], dark_and_bright, [0, 1], label_names=names
    )
    named = keras.Sequential([keras.Input([1, 1, 1]), classifier])
    named.label_names = ("dark", "bright")
    answer = evaluate(named, data)
    assert (answer.accuracy, answer.loss) == (1.0, pytest.approx(0.0))
    assert answer.label_names == ("dark", "bright")
    assert answer.labels.tolist() == [("dark", "bright").index(name) for name in names]


def test_words_are_found_by_their_names(language_model, text):
    language_model.embedding.assign(np.arange(10.0).reshape(5, 2))
    order = [3, 0, 4, 2, 1]
    words = [text.vocabulary.words[number] for number in order]
    other = dataclasses.replace(
        text,
        test=np.argsort(order).astype(np.int32)[text.test],
        vocabulary=Vocabulary(tuple(words)),
    )
    assert evaluate(language_model, other) == evaluate(language_model, text)
    language_model.embedding.assign(np.zeros([5, 2]))


def test_another_vocabulary_is_refused(language_model, text):
    other = Vocabulary(("<unk>", "a", "b", "c", "4"))
    message = "only the dataset has 'a', 'b', 'c'; only the model has '1', '2', '3'"
    with pytest.raises(DataError, match=message):
        evaluate(language_model, dataclasses.replace(text, vocabulary=other))


def test_another_part_is_refused(language_model, text):
    with pytest.raises(ConfigurationError, match="train, validation, test"):
        evaluate(language_model, text, "all")
