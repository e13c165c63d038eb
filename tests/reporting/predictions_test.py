"""How predictions are told."""

import csv
import io
import json

import numpy as np
import pytest

from enas_tf.models.prediction import Predictions
from enas_tf.reporting.predictions import FORMATS


@pytest.fixture
def predictions():
    probabilities = np.float32([[0.25, 0.75, 0.0], [0.5, 0.125, 0.375]])
    return Predictions(probabilities, ("cat", "a dog", "fox"), ("a.png", "b, c.png"), num_top=2)


def test_a_table_has_columns(predictions):
    assert FORMATS["table"](predictions).splitlines() == [
        "file      label  probability  label_2  probability_2",
        "a.png     a dog       0.7500  cat             0.2500",
        "b, c.png  cat         0.5000  fox             0.3750",
    ]


def test_csv(predictions):
    assert list(csv.reader(io.StringIO(FORMATS["csv"](predictions)))) == [
        ["file", "label", "probability", "label_2", "probability_2"],
        ["a.png", "a dog", "0.750000", "cat", "0.250000"],
        ["b, c.png", "cat", "0.500000", "fox", "0.375000"],
    ]


def test_json(predictions):
    assert json.loads(FORMATS["json"](predictions)) == [
        {
            "file": "a.png",
            "label": "a dog",
            "probability": 0.75,
            "top": [["a dog", 0.75], ["cat", 0.25]],
        },
        {
            "file": "b, c.png",
            "label": "cat",
            "probability": 0.5,
            "top": [["cat", 0.5], ["fox", 0.375]],
        },
    ]


def test_one_class_has_no_number(predictions):
    one = Predictions(predictions.probabilities, predictions.label_names, predictions.files)
    assert FORMATS["csv"](one).splitlines()[0] == "file,label,probability"
