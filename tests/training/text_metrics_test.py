import math

import pytest
import tensorflow as tf

from enas_tf.training.text_metrics import TextMetrics, perplexity


def test_means_are_over_the_words():
    means = TextMetrics(tf.constant(6.0), tf.constant(3.0)).means()
    assert means == {"loss": 2.0, "perplexity": pytest.approx(math.exp(2.0))}


def test_the_number_of_predictions_is_that_of_words():
    assert float(TextMetrics(tf.constant(6.0), tf.constant(3.0)).num_predictions) == 3.0


def test_a_huge_loss_has_an_infinite_perplexity():
    assert perplexity(1e6) == math.inf


def test_a_loss_that_is_no_number_has_a_perplexity_that_is_none():
    assert math.isnan(perplexity(math.nan))
