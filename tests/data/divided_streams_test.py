"""How the streams of a search, of pictures and of text, are divided among devices."""

import dataclasses
import functools
import itertools

import numpy as np
import pytest

from enas_tf.data.images.dataset import ImageData
from enas_tf.data.sharing import ALONE
from enas_tf.data.texts.dataset import TextData
from enas_tf.settings.data import DataConfig, TextDataConfig
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

SHARES = DIVISIONS["2+1"]
SPREAD = {
    "refitting": lambda streams, share: streams.refitting(5, share),
    "minibatch": lambda streams, share: streams.minibatch(share),
    "validation": lambda streams, share: streams.validation(share),
}


def pictures():
    generator = np.random.default_rng(0)
    images = generator.integers(0, 256, (40, 4, 4, 1), np.uint8)
    config = DataConfig(validation_size=12, crop_padding=1, flip=True)
    labels = np.arange(40) % 2
    return ImageData.from_arrays(images, labels, images[:2], labels[:2], config=config)


def text():
    config = TextDataConfig(dataset="random", sequence_length=5)
    return dataclasses.replace(TextData.random(401, rows=1), config=config)


@pytest.fixture(scope="module", params=[pictures, text], ids=["pictures", "text"])
def streams(request):
    return request.param().search_streams(batch_size=4, reward_batch_size=3, seed=3)


@pytest.mark.parametrize("name", SPREAD)
def test_finite_streams_are_spread_whole(streams, name):
    stream = functools.partial(SPREAD[name], streams)
    elements = itertools.chain.from_iterable(blocks(stream, SHARES))
    assert_spread(list(elements), spread_over(take_spread(stream(ALONE)), SHARES[0].total))


def test_rewards_are_spread_update_by_update(streams):
    batches, total = take_spread(streams.rewards(0, 1), 6), SHARES[0].total
    divided = blocks(lambda share: streams.rewards(1, 3, share), SHARES, -(-3 // total))
    assert_spread(list(itertools.chain.from_iterable(divided)), spread_over(batches[3:], total))


def test_all_of_an_update_may_have_one_minibatch(streams):
    batches, total = take_spread(streams.rewards(0, 1), 3), SHARES[0].total
    stream = functools.partial(streams.rewards, 1, 3, same_in_update=True)
    divided = blocks(stream, SHARES, 2 * -(-3 // total))
    updates = [spread_over([batches[update]] * 3, total) for update in (1, 2)]
    expected = list(itertools.chain.from_iterable(updates))
    assert_spread(list(itertools.chain.from_iterable(divided)), expected)


def test_training_batches_are_divided_by_rows(streams):
    divided = blocks(lambda share: streams.training(2, share), SHARES, 2)
    assert_equal_batches(map(whole_batch, divided), take(streams.training(2), 2))


def test_the_minibatch_is_that_of_the_first_reward(streams):
    assert_equal_batches(take_spread(streams.minibatch()), take_spread(streams.rewards(0, 7), 1))


def test_rewards_do_not_depend_on_how_they_are_divided_into_updates(streams):
    assert_equal_batches(
        take_spread(streams.rewards(2, 3), 3), take_spread(streams.rewards(6, 1), 3)
    )
