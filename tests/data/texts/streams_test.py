import dataclasses

import numpy as np
import pytest

from enas_tf.data.texts.dataset import TextData
from enas_tf.errors import DataError
from enas_tf.settings.config import TextDataConfig
from tests.data.divisions import assert_equal_batches, take, take_spread

BATCH, REWARD_BATCH, LENGTH = 4, 3, 5


@pytest.fixture(scope="module")
def data():
    """300 numbered words to train on, and the next 101 to validate."""
    data = TextData.random(401, rows=1)
    config = TextDataConfig(dataset="numbers", sequence_length=LENGTH)
    numbers = np.arange(401, dtype=np.int32)
    # Reading the test part would fail.
    return dataclasses.replace(
        data, train=numbers[:300], validation=numbers[300:], test=None, config=config
    )


@pytest.fixture
def streams(data):
    return data.search_streams(batch_size=BATCH, reward_batch_size=REWARD_BATCH, seed=3)


def test_an_epoch_reads_the_training_part_once(data, streams):
    batches = take(streams.training(0), streams.steps_per_epoch)
    tokens = np.hstack([batch.tokens for batch in batches])
    np.testing.assert_array_equal(tokens.ravel(), data.train[:296])


def test_training_goes_on_where_it_is_told(streams):
    assert_equal_batches(take(streams.training(0), 30)[17:], take(streams.training(17), 13))


def test_rewards_go_on_where_they_are_told(streams):
    assert_equal_batches(
        take_spread(streams.rewards(0, 1), 30)[17:], take_spread(streams.rewards(17, 1), 13)
    )


def test_refitting_sees_the_same_segments_of_one_length_every_time(streams):
    batches = take_spread(streams.refitting(4))
    assert {batch.tokens.shape for batch in batches} == {(BATCH, LENGTH)}
    assert_equal_batches(batches, take_spread(streams.refitting(4)))


def test_lengths_may_be_fixed(data):
    config = data.config.replace(random_lengths=False)
    streams = dataclasses.replace(data, config=config).search_streams(
        batch_size=BATCH, reward_batch_size=1, seed=0
    )
    # 74 positions.
    assert streams.steps_per_epoch == 15
    assert [batch.tokens.shape[1] for batch in take(streams.training(0), 15)] == [5] * 14 + [4]


def test_rewards_come_from_the_validation_part(streams):
    for batch in take_spread(streams.rewards(0, 1), 10):
        assert batch.tokens.shape == (REWARD_BATCH, LENGTH)
        assert batch.tokens.min() >= 300
        assert not np.any(batch.carry)


def test_a_reward_has_no_more_segments_than_there_are(data):
    streams = data.search_streams(batch_size=BATCH, reward_batch_size=500, seed=0)
    (batch,) = take_spread(streams.rewards(0, 1), 1)
    assert sorted(batch.tokens.ravel()) == list(range(300, 400))


def test_validation_reads_its_part_once_in_longer_segments_from_zero(streams):
    batches = take_spread(streams.validation())
    assert [batch.tokens.shape for batch in batches] == [(4, 20), (4, 5)]
    assert sorted(np.hstack([batch.tokens for batch in batches]).ravel()) == list(range(300, 400))
    assert not any(np.any(batch.carry) for batch in batches)


def test_a_short_validation_part_has_fewer_rows(data):
    short = dataclasses.replace(data, validation=data.validation[:50])
    streams = short.search_streams(batch_size=BATCH, reward_batch_size=1, seed=0)
    batches = take_spread(streams.validation())
    assert [batch.tokens.shape for batch in batches] == [(2, 20), (2, 4)]


def test_a_batch_larger_than_the_training_part_is_refused(data):
    with pytest.raises(DataError, match="Received: 300"):
        data.search_streams(batch_size=300, reward_batch_size=1, seed=0)
