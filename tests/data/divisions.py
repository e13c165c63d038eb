"""Ways of dividing a stream among replicas, and how its elements are put together again."""

import itertools

import numpy as np
import tensorflow as tf

from enas_tf.data.sharing import ALONE, Share

# The shares of all input pipelines, by name: replicas of each pipeline.
DIVISIONS = {
    "1": [ALONE],
    "2": [Share(0, 2, 2)],
    "1+1": [Share(0, 1, 2), Share(1, 1, 2)],
    "2+1": [Share(0, 2, 3), Share(2, 1, 3)],
    "2+2": [Share(0, 2, 4), Share(2, 2, 4)],
}


def blocks(dataset_of, shares, count=None):
    """Returns, for each block, the elements of all replicas in the order of the replicas.

    Fails unless all pipelines have the same number of blocks, none of them half full, and tell
    beforehand how many they have.

    Args:
      dataset_of: returns the dataset of a share.
      shares: of all pipelines.
      count: of blocks, if there is no end. Default: all that there are.
    """

    def blocks_of(share):
        dataset = dataset_of(share)
        limit = None if count is None else count * share.count
        elements = list(itertools.islice(dataset.as_numpy_iterator(), limit))
        known = len(elements) if count is None else tf.data.INFINITE_CARDINALITY
        assert dataset.cardinality() == known
        return zip(*[iter(elements)] * share.count, strict=True)

    return [
        list(itertools.chain.from_iterable(block))
        for block in zip(*map(blocks_of, shares), strict=True)
    ]


def whole_batch(block):
    """Returns the batch whose rows the replicas have."""
    return tuple(np.concatenate(fields) for fields in zip(*block, strict=True))


def spread_over(batches, total):
    """Returns the batches and weights that the replicas must have of a group of batches.

    Args:
      batches: of the group.
      total: number of replicas.
    """
    missing = -len(batches) % total
    return [(batch, 1.0) for batch in batches] + [(batches[-1], 0.0)] * missing


def assert_equal_batches(one, other):
    """Fails unless two lists have the same batches, bit for bit."""
    for batch, expected in zip(one, other, strict=True):
        for array, wanted in zip(batch, expected, strict=True):
            np.testing.assert_array_equal(array, wanted)


def assert_spread(elements, expected):
    """Fails unless the elements have the batches and weights of `spread_over`."""
    assert [float(element.weight) for element in elements] == [weight for _, weight in expected]
    assert_equal_batches([element.batch for element in elements], [batch for batch, _ in expected])


def take(dataset, count=None):
    """The elements of a stream, or the first of them."""
    return list(itertools.islice(dataset.as_numpy_iterator(), count))


def take_spread(dataset, count=None):
    """The batches of a stream whose elements are all of weight 1."""
    elements = take(dataset, count)
    assert {float(element.weight) for element in elements} == {1.0}
    return [element.batch for element in elements]
