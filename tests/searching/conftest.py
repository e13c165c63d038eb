"""Fixtures of the tests of the search."""

import numpy as np
import pytest
import tensorflow as tf

from enas_tf.searching.shared_weights import SharedWeights
from enas_tf.training.image_metrics import ImageMetrics
from tests.searching.made_up_data import load_without_test_set, write_npz


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """Made-up pictures without a test part."""
    path = tmp_path_factory.mktemp("data") / "halves.npz"
    write_npz(path)
    return load_without_test_set(path)


@pytest.fixture
def without_training(monkeypatch):
    """Replaces everything slow: the loss is 1, the reward the share of the first operation."""

    def share(architecture):
        return float(np.mean([layer.operation == 0 for layer in architecture.layers]))

    metrics = ImageMetrics(tf.constant(8.0), tf.constant(4.0), tf.constant(8.0))
    monkeypatch.setattr(SharedWeights, "train", lambda *args: metrics)
    monkeypatch.setattr(
        SharedWeights, "rewards", lambda self, batches, proposed: list(map(share, proposed))
    )
    monkeypatch.setattr(
        SharedWeights, "validation_scores", lambda self, batches, one, **how: [(share(one), 1.0)]
    )
