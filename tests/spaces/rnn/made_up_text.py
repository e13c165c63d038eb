"""Small random batches and cells for the tests of the rnn space."""

import numpy as np

from enas_tf.data.texts.batch import TextBatch
from enas_tf.spaces.rnn.space import RnnSpace

VOCABULARY = 11
HIDDEN = 6
SPACE = RnnSpace(num_nodes=5, hidden_size=HIDDEN, vocabulary_size=VOCABULARY, initial_range=0.5)


def random_batch(rows=3, time=4, seed=0, carry=1.0):
    generator = np.random.default_rng(seed)
    text = generator.integers(0, VOCABULARY, (rows, time + 1)).astype(np.int32)
    ones = np.ones(rows, np.float32)
    return TextBatch(text[:, :-1], text[:, 1:], carry * ones, ones)


def random_state(rows=3, seed=1):
    return np.random.default_rng(seed).normal(size=(rows, HIDDEN)).astype(np.float32)
