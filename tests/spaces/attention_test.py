"""Tests of what controllers with attention share."""

import numpy as np
import tensorflow as tf

from enas_tf.spaces.attention import DecisionHead, batch_major, decision_array
from enas_tf.spaces.controller import UniformWeights


def build_head(**settings):
    return DecisionHead(4, 3, UniformWeights(0.5, seed=0), name="head", **settings)


def test_head_without_bias_is_linear():
    head = build_head()
    hidden = np.ones((2, 4), np.float32)
    np.testing.assert_allclose(head(hidden), hidden @ head.kernel.numpy(), rtol=1e-6)
    assert len(head.weights) == 2


def test_head_adds_its_trained_bias():
    head = build_head(bias=np.array([1.0, 2.0, 3.0]))
    np.testing.assert_allclose(head(np.zeros((1, 4), np.float32)), [[1.0, 2.0, 3.0]])
    assert len(head.trainable_weights) == 3


def test_head_embeds_options():
    head = build_head()
    np.testing.assert_array_equal(head.embed([2, 0]), head.embeddings.numpy()[[2, 0]])


def test_decision_array_becomes_batch_major():
    decisions = tf.reshape(tf.range(12), [2, 3, 2])
    array = decision_array(decisions)
    for step in range(3):
        array = array.write(step, decisions[:, step])
    np.testing.assert_array_equal(batch_major(array), decisions)
