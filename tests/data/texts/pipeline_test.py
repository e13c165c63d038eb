import functools
import itertools

import numpy as np
import pytest
import tensorflow as tf

from enas_tf.data.sharing import ALONE, Share, SpreadBatch
from enas_tf.data.texts.batch import TextBatch
from enas_tf.data.texts.pipeline import (
    evaluation_batches,
    first_batches,
    reward_batches,
    rows_of,
    training_batches,
    validation_batches,
)
from enas_tf.data.texts.segments import segments_per_epoch
from enas_tf.errors import ConfigurationError, DataError
from enas_tf.training.devices import mirrored_cpus
from tests.data.divisions import (
    DIVISIONS,
    assert_equal_batches,
    assert_spread,
    blocks,
    spread_over,
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


def _first(count, share=ALONE):
    return first_batches(TOKENS, rows=ROWS, sequence_length=LENGTH, count=count, share=share)


def _reward_dataset(samples_per_update, share=ALONE, *, first_update=0, rows=4):
    return reward_batches(
        TOKENS,
        rows=rows,
        sequence_length=LENGTH,
        seed=5,
        samples_per_update=samples_per_update,
        first_update=first_update,
        share=share,
    )


@functools.cache
def _rewards(count, first_sample=0):
    dataset = _reward_dataset(1, first_update=first_sample)
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


def test_rewards_go_on_where_they_are_told():
    assert_equal_batches(_rewards(17)[5:], _rewards(12, first_sample=5))


def test_a_short_text_has_one_short_reward_segment():
    dataset = reward_batches(
        TOKENS[:5], rows=1, sequence_length=LENGTH, seed=0, samples_per_update=1
    )
    batch = next(dataset.as_numpy_iterator()).batch
    assert batch.tokens.tolist() == [[0, 1, 2, 3]]
    assert batch.targets.tolist() == [[1, 2, 3, 4]]
    np.testing.assert_allclose(batch.relative_length, [4 / 7])


@pytest.mark.parametrize("rows", [0, 29])
def test_reward_rows_that_do_not_fit_are_refused(rows):
    with pytest.raises(DataError, match=f"7 words, 28. Received: {rows};"):
        _reward_dataset(1, rows=rows)


def test_evaluation_has_everything_once_in_order():
    batches = list(evaluation_batches(TOKENS, rows=2, length=30).as_numpy_iterator())
    inputs, targets = rows_of(TOKENS, 2)
    assert [batch.tokens.shape for batch in batches] == [(2, 30), (2, 30), (2, 30), (2, 9)]
    np.testing.assert_array_equal(np.hstack([batch.tokens for batch in batches]), inputs)
    np.testing.assert_array_equal(np.hstack([batch.targets for batch in batches]), targets)
    assert [batch.carry.tolist() for batch in batches] == [[0, 0], [1, 1], [1, 1], [1, 1]]
    assert {value for batch in batches for value in batch.relative_length} == {1.0}


def test_validation_starts_every_segment_from_zero():
    evaluation = evaluation_batches(TOKENS, rows=2, length=30).as_numpy_iterator()
    from_zero = [batch._replace(carry=np.zeros_like(batch.carry)) for batch in evaluation]
    elements = validation_batches(TOKENS, rows=2, length=30).as_numpy_iterator()
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
    elements = itertools.chain.from_iterable(blocks(lambda share: _first(5, share), shares))
    expected = spread_over(_training(5, random_lengths=False), shares[0].total)
    assert_spread(list(elements), expected)


@pytest.mark.parametrize("shares", DIVISIONS.values(), ids=DIVISIONS)
def test_rewards_fill_up_the_blocks_of_every_update(shares):
    # The second update is in two passes over the text.
    total, samples = shares[0].total, 5
    updates = [_rewards(15)[start : start + samples] for start in (5, 10)]
    elements = blocks(
        lambda share: _reward_dataset(samples, share, first_update=1),
        shares,
        2 * -(-samples // total),
    )
    expected = [element for update in updates for element in spread_over(update, total)]
    assert_spread(list(itertools.chain.from_iterable(elements)), expected)


@pytest.mark.parametrize("shares", DIVISIONS.values(), ids=DIVISIONS)
def test_validation_is_spread_whole(shares):
    def validation(share):
        return validation_batches(TOKENS, rows=2, length=30, share=share)

    (batches,) = zip(*(element[:1] for element in validation(ALONE).as_numpy_iterator()))
    elements = itertools.chain.from_iterable(blocks(validation, shares))
    assert_spread(list(elements), spread_over(list(batches), shares[0].total))


def test_spread_batches_have_static_rows():
    expected = SpreadBatch(_spec(ROWS), tf.TensorSpec([], tf.float32))
    assert _first(3, Share(0, 2, 4)).element_spec == expected


def test_a_strategy_hands_the_elements_to_its_replicas_in_order(two_devices):
    strategy = mirrored_cpus(two_devices)
    distributed = strategy.distribute_datasets_from_function(
        lambda context: _training_dataset(Share.of_pipeline(context), rows=5)
    )
    for expected, batch in zip(_training(3, rows=5), distributed):
        rows = [strategy.experimental_local_results(field) for field in batch]
        assert [len(own) for own in rows[0]] == [2, 3]
        assert_equal_batches([map(np.concatenate, rows)], [expected])
