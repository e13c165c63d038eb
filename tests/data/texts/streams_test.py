import dataclasses
import functools
import itertools

import numpy as np
import pytest
import tensorflow as tf

from enas_tf.data.sharing import ALONE, Share, SpreadBatch
from enas_tf.data.texts.batch import TextBatch
from enas_tf.data.texts.dataset import TextData
from enas_tf.data.texts.segments import segments_per_epoch
from enas_tf.data.texts.streams import (
    TextSearchStreams,
    evaluation_batches,
    rows_of,
    training_batches,
)
from enas_tf.errors import ConfigurationError, DataError
from enas_tf.settings.data import TextDataConfig
from enas_tf.training.devices import mirrored_cpus
from tests.data.divisions import (
    DIVISIONS,
    assert_equal_batches,
    assert_spread,
    blocks,
    spread_over,
    take,
    take_spread,
    whole_batch,
)

ROWS, LENGTH = 3, 7
TOKENS = np.arange(200, dtype=np.int32)
# 199 words are predicted, 66 in a row.
STEPS = segments_per_epoch(66, LENGTH, True)


def _training_dataset(share=ALONE, *, rows=ROWS, first_step=0, seed=5, random_lengths=True):
    return training_batches(
        TOKENS,
        rows=rows,
        sequence_length=LENGTH,
        random_lengths=random_lengths,
        seed=seed,
        first_step=first_step,
        share=share,
    )


@functools.cache
def _training(count, first_step=0, **settings):
    dataset = _training_dataset(first_step=first_step, **settings)
    return list(itertools.islice(dataset.as_numpy_iterator(), count))


def _streams(tokens=TOKENS, *, rows=ROWS, reward_rows=4):
    return TextSearchStreams(
        train=tokens,
        held_out=tokens,
        beginning="",
        sequence_length=LENGTH,
        random_lengths=True,
        batch_size=rows,
        reward_batch_size=reward_rows,
        seed=5,
        steps_per_epoch=STEPS,
    )


@functools.cache
def _rewards(count, first_sample=0):
    dataset = _streams().rewards(first_sample, 1)
    return [element.batch for element in itertools.islice(dataset.as_numpy_iterator(), count)]


def _spec(rows):
    words, one_a_row = tf.TensorSpec([rows, None], tf.int32), tf.TensorSpec([rows], tf.float32)
    return TextBatch(words, words, one_a_row, one_a_row)


def test_rows_are_contiguous_and_targets_follow():
    inputs, targets = rows_of(np.arange(12), 3)
    assert inputs.tolist() == [[0, 1, 2], [3, 4, 5], [6, 7, 8]]
    assert targets.tolist() == [[1, 2, 3], [4, 5, 6], [7, 8, 9]]


def test_one_row_predicts_all_words_but_the_first():
    inputs, targets = rows_of(TOKENS, 1)
    np.testing.assert_array_equal(inputs[0], TOKENS[:-1])
    np.testing.assert_array_equal(targets[0], TOKENS[1:])


@pytest.mark.parametrize("rows", [0, 5, 6])
def test_rows_that_do_not_fit_are_refused(rows):
    with pytest.raises(DataError, match=f"Received: {rows};"):
        rows_of(np.arange(5), rows)


@pytest.mark.parametrize("random_lengths", [True, False])
def test_an_epoch_has_every_token_once(random_lengths):
    steps = segments_per_epoch(66, LENGTH, random_lengths)
    batches = _training(2 * steps, random_lengths=random_lengths)
    inputs, targets = rows_of(TOKENS, ROWS)
    for epoch in (batches[:steps], batches[steps:]):
        np.testing.assert_array_equal(np.hstack([batch.tokens for batch in epoch]), inputs)
        np.testing.assert_array_equal(np.hstack([batch.targets for batch in epoch]), targets)


def test_only_the_first_batch_of_an_epoch_starts_from_zero():
    carries = [batch.carry.tolist() for batch in _training(2 * STEPS)]
    epoch = [[0.0] * ROWS] + [[1.0] * ROWS] * (STEPS - 1)
    assert carries == 2 * epoch


def test_every_epoch_has_lengths_of_its_own():
    lengths = [batch.tokens.shape[1] for batch in _training(2 * STEPS)]
    assert lengths[:STEPS] != lengths[STEPS:]
    assert len(set(lengths)) > 2


def test_the_relative_length_is_that_of_the_batch():
    for batch in _training(STEPS):
        expected = np.full(ROWS, batch.tokens.shape[1] / LENGTH, np.float32)
        np.testing.assert_array_equal(batch.relative_length, expected)


def test_a_later_start_goes_on_exactly():
    whole = _training(2 * STEPS + 3)
    for first_step in (4, STEPS, 2 * STEPS - 1):
        assert_equal_batches(whole[first_step:], _training(2 * STEPS + 3 - first_step, first_step))


def test_another_seed_gives_other_lengths():
    one, other = (
        [batch.tokens.shape[1] for batch in _training(STEPS, seed=seed)] for seed in (1, 2)
    )
    assert one != other


def test_batches_have_static_rows():
    assert _training_dataset().element_spec == _spec(ROWS)


def test_reward_segments_are_parts_of_the_text():
    for batch in _rewards(10):
        assert batch.tokens.shape == (4, LENGTH)
        np.testing.assert_array_equal(batch.tokens, batch.tokens[:, :1] + np.arange(LENGTH))
        np.testing.assert_array_equal(batch.targets, batch.tokens + 1)
        assert batch.carry.tolist() == [0.0] * 4
        assert batch.relative_length.tolist() == [1.0] * 4


def test_a_pass_of_rewards_has_no_segment_twice():
    # 28 segments of 7 words, 7 batches of 4.
    tokens = np.concatenate([batch.tokens.ravel() for batch in _rewards(7)])
    assert len(set(tokens.tolist())) == 7 * 4 * LENGTH


def test_every_pass_of_rewards_has_an_order_of_its_own():
    first, second = (_rewards(1, first_sample=sample)[0].tokens for sample in (0, 7))
    assert first.tolist() != second.tolist()


def test_a_short_text_has_one_short_reward_segment():
    dataset = _streams(TOKENS[:5], reward_rows=1).rewards(0, 1)
    batch = next(dataset.as_numpy_iterator()).batch
    assert batch.tokens.tolist() == [[0, 1, 2, 3]]
    assert batch.targets.tolist() == [[1, 2, 3, 4]]
    np.testing.assert_allclose(batch.relative_length, [4 / 7])


@pytest.mark.parametrize("rows", [0, 29])
def test_reward_rows_that_do_not_fit_are_refused(rows):
    with pytest.raises(DataError, match=f"7 words, 28. Received: {rows};"):
        _streams(reward_rows=rows).rewards(0, 1)


def test_evaluation_has_everything_once_in_order():
    batches = list(evaluation_batches(TOKENS, rows=2, length=30).as_numpy_iterator())
    inputs, targets = rows_of(TOKENS, 2)
    assert [batch.tokens.shape for batch in batches] == [(2, 30), (2, 30), (2, 30), (2, 9)]
    np.testing.assert_array_equal(np.hstack([batch.tokens for batch in batches]), inputs)
    np.testing.assert_array_equal(np.hstack([batch.targets for batch in batches]), targets)
    assert [batch.carry.tolist() for batch in batches] == [[0, 0], [1, 1], [1, 1], [1, 1]]
    assert {value for batch in batches for value in batch.relative_length} == {1.0}


def test_validation_starts_every_segment_from_zero():
    evaluation = evaluation_batches(TOKENS, rows=2, length=4 * LENGTH).as_numpy_iterator()
    from_zero = [batch._replace(carry=np.zeros_like(batch.carry)) for batch in evaluation]
    elements = _streams(rows=2).validation().as_numpy_iterator()
    assert_spread(list(elements), spread_over(from_zero, 1))


@pytest.mark.parametrize("shares", DIVISIONS.values(), ids=DIVISIONS)
def test_replicas_have_the_rows_of_the_undivided_batches(shares):
    # From the middle of an epoch over the border of the next. Three replicas have not as many rows
    # each.
    divided = blocks(lambda share: _training_dataset(share, rows=4, first_step=4), shares, STEPS)
    assert_equal_batches(map(whole_batch, divided), _training(STEPS, 4, rows=4))


@pytest.mark.parametrize(("rows", "own_rows"), [(6, 2), (7, None)])
def test_rows_have_a_static_number_if_all_replicas_have_as_many(rows, own_rows):
    assert _training_dataset(Share(1, 2, 3), rows=rows).element_spec == _spec(own_rows)


def test_more_replicas_than_rows_are_refused():
    with pytest.raises(ConfigurationError, match="batch_size=3"):
        _training_dataset(Share(0, 2, 4), rows=3)


@pytest.mark.parametrize("shares", DIVISIONS.values(), ids=DIVISIONS)
def test_first_batches_are_spread_whole(shares):
    elements = itertools.chain.from_iterable(
        blocks(lambda share: _streams().refitting(5, share), shares)
    )
    expected = spread_over(_training(5, random_lengths=False), shares[0].total)
    assert_spread(list(elements), expected)


@pytest.mark.parametrize("shares", DIVISIONS.values(), ids=DIVISIONS)
def test_rewards_fill_up_the_blocks_of_every_update(shares):
    # The second update is in two passes over the text.
    total, samples = shares[0].total, 5
    updates = [_rewards(15)[start : start + samples] for start in (5, 10)]
    elements = blocks(
        lambda share: _streams().rewards(1, samples, share),
        shares,
        2 * -(-samples // total),
    )
    expected = [element for update in updates for element in spread_over(update, total)]
    assert_spread(list(itertools.chain.from_iterable(elements)), expected)


@pytest.mark.parametrize("shares", DIVISIONS.values(), ids=DIVISIONS)
def test_validation_is_spread_whole(shares):
    validation = _streams(rows=2).validation
    (batches,) = zip(*(element[:1] for element in validation(ALONE).as_numpy_iterator()))
    elements = itertools.chain.from_iterable(blocks(validation, shares))
    assert_spread(list(elements), spread_over(list(batches), shares[0].total))


def test_spread_batches_have_static_rows():
    expected = SpreadBatch(_spec(ROWS), tf.TensorSpec([], tf.float32))
    assert _streams().refitting(3, Share(0, 2, 4)).element_spec == expected


def test_a_strategy_hands_the_elements_to_its_replicas_in_order(two_devices):
    strategy = mirrored_cpus(two_devices)
    distributed = strategy.distribute_datasets_from_function(
        lambda context: _training_dataset(Share.of_pipeline(context), rows=5)
    )
    for expected, batch in zip(_training(3, rows=5), distributed):
        rows = [strategy.experimental_local_results(field) for field in batch]
        assert [len(own) for own in rows[0]] == [2, 3]
        assert_equal_batches([map(np.concatenate, rows)], [expected])


BATCH, REWARD_BATCH, WORDS = 4, 3, 5


@pytest.fixture(scope="module")
def data():
    """300 numbered words to train on, and the next 101 to validate."""
    data = TextData.random(401, rows=1)
    config = TextDataConfig(dataset="numbers", sequence_length=WORDS)
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
    assert {batch.tokens.shape for batch in batches} == {(BATCH, WORDS)}
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
        assert batch.tokens.shape == (REWARD_BATCH, WORDS)
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
