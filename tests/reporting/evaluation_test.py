"""How an evaluation is told."""

import csv
import io
import pathlib

import numpy as np
import pytest

from enas_tf.files.writing import to_json_text
from enas_tf.models.scores import Evaluation
from enas_tf.reporting.evaluation import evaluation_document, evaluation_text, predictions_csv


def evaluation(labels, predictions, names):
    labels, predictions = np.array(labels, np.int32), np.array(predictions, np.int32)
    probabilities = np.full((len(labels), len(names)), 0.1, np.float32)
    probabilities[np.arange(len(labels)), predictions] = 0.8
    accuracy = float(np.mean(labels == predictions))
    return Evaluation(accuracy, 0.25, labels, predictions, probabilities, names)


@pytest.fixture
def animals():
    return evaluation([0, 0, 0, 0, 1, 1], [0, 0, 0, 1, 1, 1], ("cat", "a dog", "fox"))


def test_the_text(animals):
    assert evaluation_text(animals, "test", "pets").splitlines() == [
        "Test accuracy: 0.8333 (loss 0.2500, 6 examples of pets)",
        "Balanced accuracy: 0.8750",
        "Macro F1: 0.8286",
        "",
        "class  precision  recall      F1  examples",
        "cat       1.0000  0.7500  0.8571         4",
        "a dog     0.6667  1.0000  0.8000         2",
        "fox            -       -       -         0",
        "",
        "Confusion matrix (a row for each class, a column for what it is taken for):",
        "       cat  a dog  fox",
        "cat      3      1    0",
        "a dog    0      2    0",
        "fox      0      0    0",
    ]


def test_top_5_of_more_than_five_classes():
    text = evaluation_text(evaluation([0, 5], [0, 5], tuple("abcdef")), "validation", "x")
    assert text.splitlines()[0].startswith("Validation accuracy: 1.0000")
    assert text.splitlines()[3] == "Top-5 accuracy: 1.0000"


def test_of_many_classes_the_most_frequent_confusions_are_told():
    names = tuple(f"class {number}" for number in range(21))
    lines = evaluation_text(evaluation([3, 3, 4, 5], [9, 9, 3, 5], names), "test", "x").splitlines()
    assert lines[-3].startswith("Taken for another class most often")
    assert lines[-2:] == ["2 of class 3 for class 9", "1 of class 4 for class 3"]


def test_what_is_undefined_is_null_in_json(animals):
    document = evaluation_document(animals, "test")
    assert document["test_top_5_accuracy"] is None
    assert document["confusion_matrix"] == [[3, 1, 0], [0, 2, 0], [0, 0, 0]]
    assert '"name": "fox", "precision": null' in to_json_text(document)


def test_predictions_are_in_the_order_of_the_data():
    table = predictions_csv(evaluation([0, 1], [1, 1], ('a "b", c', "d")))
    assert list(csv.reader(io.StringIO(table))) == [
        ["example", "label", "predicted", "probability", "label_probability"],
        ["0", 'a "b", c', "d", "0.800000", "0.100000"],
        ["1", "d", "d", "0.800000", "0.800000"],
    ]


def test_predictions_on_files_name_them():
    table = predictions_csv(evaluation([0, 1], [1, 1], ("c", "d")), [pathlib.Path("a/b.png"), "e"])
    assert [row["file"] for row in csv.DictReader(io.StringIO(table))] == ["a/b.png", "e"]
