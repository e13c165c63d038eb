import numpy as np
import tensorflow as tf

from enas_tf.training.image_metrics import classification_metrics


def test_metrics_are_sums_over_examples():
    logits = tf.constant([[0.0, 0.0], [np.log(3.0), 0.0]], tf.float32)
    metrics = classification_metrics(tf.constant([1, 0]), logits)
    np.testing.assert_allclose(metrics.loss, np.log(2.0) + np.log(4.0 / 3.0), rtol=1e-6)
    assert float(metrics.correct) == 1.0
    assert float(metrics.examples) == 2.0
