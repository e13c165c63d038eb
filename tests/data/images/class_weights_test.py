import numpy as np
import pytest
from sklearn.utils.class_weight import compute_class_weight

from enas_tf.data.images.class_weights import class_weights

LABELS = np.repeat([0, 1, 2], [70, 7, 23])


def test_balanced_weights_are_those_of_scikit_learn():
    expected = compute_class_weight("balanced", classes=np.unique(LABELS), y=LABELS)
    weights = class_weights("balanced", np.bincount(LABELS))
    np.testing.assert_allclose(weights, expected, rtol=1e-6)
    # So that a learning rate means the same with them.
    assert np.mean(weights[LABELS]) == pytest.approx(1.0)


def test_classes_without_pictures_change_no_other():
    weights = class_weights("balanced", np.bincount(LABELS, minlength=5))
    np.testing.assert_array_equal(weights[:3], class_weights("balanced", np.bincount(LABELS)))
    np.testing.assert_array_equal(weights[3:], [1.0, 1.0])


def test_without_weights_there_are_none():
    assert class_weights("none", np.bincount(LABELS)) is None
