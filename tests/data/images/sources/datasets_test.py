import numpy as np
import pytest
import tensorflow as tf

from enas_tf.data.images.sources import datasets
from enas_tf.errors import DataError

PICTURES = np.arange(5 * 4 * 3, dtype=np.uint8).reshape(5, 4, 3, 1)
LABELS = np.array([0, 1, 2, 0, 1])
FORMS = {
    "pairs": lambda: tf.data.Dataset.from_tensor_slices((PICTURES, LABELS)),
    "batches": lambda: tf.data.Dataset.from_tensor_slices((PICTURES, LABELS)).batch(2),
    "dictionaries": lambda: tf.data.Dataset.from_tensor_slices(
        {"image": PICTURES, "label": LABELS, "id": LABELS}
    ),
    "columns": lambda: tf.data.Dataset.from_tensors((PICTURES, LABELS[:, None])),
    "tensors": lambda: list(tf.data.Dataset.from_tensor_slices((PICTURES, LABELS))),
}


@pytest.mark.parametrize("form", FORMS)
def test_all_examples_are_read_in_their_order(form):
    arrays = datasets.load(FORMS[form](), FORMS[form]()).checked()
    for images, labels in (arrays[:2], arrays[2:4]):
        np.testing.assert_array_equal(images, PICTURES)
        np.testing.assert_array_equal(labels, LABELS)


def test_a_label_may_be_a_one_among_zeros():
    # As many classes as the pictures have rows, so that it might be a batch by its shape.
    labels = np.arange(4) % 2
    pictures = np.random.default_rng(0).integers(0, 256, (4, 5, 6, 3), np.uint8)
    single = [(pictures[i], np.eye(5)[labels[i]]) for i in range(4)]
    for dataset in (single, [(pictures, np.eye(5)[labels])]):
        arrays = datasets.load(dataset, dataset).checked()
        np.testing.assert_array_equal(arrays.x_train, pictures)
        assert arrays.y_train.tolist() == [0, 1, 0, 1]
        assert arrays.label_names == ("0", "1", "2", "3", "4")


def test_names_of_classes_come_with_the_dataset():
    class Named(list):
        class_names = ("a", "b")

    train = Named([(PICTURES, LABELS)])
    assert datasets.load(train, train).label_names == ("a", "b")
    assert datasets.load(train, train, ["x", "y"]).label_names == ("x", "y")


@pytest.mark.parametrize(
    ("train", "message"),
    [
        (lambda: FORMS["pairs"]().repeat(), "`train` has no end.*repeat"),
        (lambda: FORMS["pairs"]().take(0), "`train` yields nothing"),
        (lambda: [(PICTURES[0], 0), (PICTURES[0, :2], 1)], "of one size; resize them"),
        (lambda: [(PICTURES[0], [0.5, 0.5])], r"integer label.*labels of shape \(2,\)"),
        (lambda: [{"picture": PICTURES[0]}], "'image' and 'label'. Received: a dictionary of 'pic"),
        (lambda: [(PICTURES, LABELS, LABELS)], "Received: 3 things"),
        (lambda: PICTURES, "Received: ndarray"),
        (lambda: 3, "`train` must be a tf.data.Dataset.*Received: int"),
    ],
)
def test_what_is_no_dataset_of_labelled_pictures_is_refused(train, message):
    with pytest.raises(DataError, match=message) as caught:
        datasets.load(train(), FORMS["pairs"]())
    assert "\n" not in str(caught.value)
