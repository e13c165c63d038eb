import functools
import itertools

import numpy as np
import pytest
import tensorflow as tf

from enas_tf.data.segments import segments_per_epoch
from enas_tf.data.text_batch import TextBatch
from enas_tf.data.text_pipeline import (
    evaluation_batches,
    reward_batches,
    rows_of,
    training_batches,
)
from enas_tf.errors import DataError
from enas_tf.training.distribution import mirrored_cpus

ROWS, LENGTH = 3, 7
TOKENS = np.arange(200, dtype=np.int32)
# 199 words are predicted, 66 in a row.
STEPS = segments_per_epoch(66, LENGTH, True)


@functools.cache
def _training(count, first_step=0, *, seed=5, random_lengths=True):
    dataset = training_batches(
        TOKENS,
        rows=ROWS,
        sequence_length=LENGTH,
        random_lengths=random_lengths,
        seed=seed,
        first_step=first_step,
    )
    return list(itertools.islice(dataset.as_numpy_iterator(), count))


@functools.cache
def _rewards(count, first_sample=0, *, seed=5, rows=4):
    dataset = reward_batches(
        TOKENS, rows=rows, sequence_length=LENGTH, seed=seed, first_sample=first_sample
    )
    return list(itertools.islice(dataset.as_numpy_iterator(), count))


def _assert_equal(first, second):
    for one, other in zip(first, second, strict=True):
        for array, expected in zip(one, other, strict=True):
            np.testing.assert_array_equal(array, expected)


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
        _assert_equal(whole[first_step:], _training(2 * STEPS + 3 - first_step, first_step))


def test_another_seed_gives_other_lengths():
    one, other = (
        [batch.tokens.shape[1] for batch in _training(STEPS, seed=seed)] for seed in (1, 2)
    )
    assert one != other


def test_batches_have_static_rows():
    dataset = training_batches(
        TOKENS, rows=ROWS, sequence_length=LENGTH, random_lengths=True, seed=0
    )
    words, one_a_row = tf.TensorSpec([ROWS, None], tf.int32), tf.TensorSpec([ROWS], tf.float32)
    assert dataset.element_spec == TextBatch(words, words, one_a_row, one_a_row)


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
    _assert_equal(_rewards(17)[5:], _rewards(12, first_sample=5))


def test_a_short_text_has_one_short_reward_segment():
    dataset = reward_batches(TOKENS[:5], rows=1, sequence_length=LENGTH, seed=0)
    batch = next(dataset.as_numpy_iterator())
    assert batch.tokens.tolist() == [[0, 1, 2, 3]]
    assert batch.targets.tolist() == [[1, 2, 3, 4]]
    np.testing.assert_allclose(batch.relative_length, [4 / 7])


@pytest.mark.parametrize("rows", [0, 29])
def test_reward_rows_that_do_not_fit_are_refused(rows):
    with pytest.raises(DataError, match=f"7 words, 28. Received: {rows};"):
        _rewards(1, rows=rows)


def test_evaluation_has_everything_once_in_order():
    batches = list(evaluation_batches(TOKENS, rows=2, length=30).as_numpy_iterator())
    inputs, targets = rows_of(TOKENS, 2)
    assert [batch.tokens.shape for batch in batches] == [(2, 30), (2, 30), (2, 30), (2, 9)]
    np.testing.assert_array_equal(np.hstack([batch.tokens for batch in batches]), inputs)
    np.testing.assert_array_equal(np.hstack([batch.targets for batch in batches]), targets)
    assert [batch.carry.tolist() for batch in batches] == [[0, 0], [1, 1], [1, 1], [1, 1]]
    assert {value for batch in batches for value in batch.relative_length} == {1.0}


def test_evaluation_may_start_every_segment_from_zero():
    dataset = evaluation_batches(TOKENS, rows=2, length=30, carried=False)
    assert not any(np.any(batch.carry) for batch in dataset.as_numpy_iterator())


def test_devices_share_the_rows_of_a_batch(two_devices):
    strategy = mirrored_cpus(two_devices)
    dataset = training_batches(
        TOKENS, rows=4, sequence_length=LENGTH, random_lengths=True, seed=0, first_step=2
    )
    expected = list(itertools.islice(dataset.as_numpy_iterator(), 3))
    distributed = iter(strategy.experimental_distribute_dataset(dataset))
    for batch in expected:
        shares = [strategy.experimental_local_results(field) for field in next(distributed)]
        for field, values in zip(batch, shares, strict=True):
            assert [len(value) for value in values] == [2, 2]
            np.testing.assert_array_equal(np.concatenate(values), field)
