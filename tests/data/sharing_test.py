import pytest
import tensorflow as tf

from enas_tf.data.sharing import ALONE, Share
from enas_tf.errors import ConfigurationError
from tests.data.divisions import DIVISIONS


def test_alone_has_all_rows():
    assert ALONE.rows(0, 7) == (0, 7)


def test_the_rows_of_a_batch_that_cannot_be_divided_evenly():
    share = Share(0, 3, 3)
    assert [share.rows(replica, 8) for replica in share.replicas] == [(0, 2), (2, 5), (5, 8)]


@pytest.mark.parametrize("total", [1, 2, 3, 4])
@pytest.mark.parametrize("batch_size", [4, 5, 6, 7, 128])
def test_rows_follow_one_another_and_differ_by_at_most_one(total, batch_size):
    rows = [Share(0, 1, total).rows(replica, batch_size) for replica in range(total)]
    ends = [0] + [end for _, end in rows]
    assert [begin for begin, _ in rows] == ends[:-1]
    assert ends[-1] == batch_size
    sizes = [end - begin for begin, end in rows]
    assert min(sizes) >= 1
    assert max(sizes) - min(sizes) <= 1


def test_a_batch_smaller_than_the_number_of_replicas_is_refused():
    share = Share(0, 1, 4)
    share.check_batch_size(4)
    with pytest.raises(ConfigurationError, match=r"number of devices, 4, .*batch_size=3"):
        share.check_batch_size(3)


def test_batches_are_spread_in_turn_and_the_last_is_repeated():
    assert Share(0, 2, 3).spread(4) == ([0, 1, 3, 3], [1, 1, 1, 0])
    assert Share(2, 1, 3).spread(4) == ([2, 3], [1, 0])


@pytest.mark.parametrize("count", [1, 3, 4, 8, 9])
@pytest.mark.parametrize("shares", DIVISIONS.values(), ids=DIVISIONS)
def test_every_batch_counts_once_whoever_makes_it(shares, count):
    spread = [share.spread(count) for share in shares]
    counted = [
        number
        for numbers, weights in spread
        for number, weight in zip(numbers, weights, strict=True)
        if weight
    ]
    assert sorted(counted) == list(range(count))
    blocks = {len(numbers) / share.count for (numbers, _), share in zip(spread, shares)}
    assert blocks == {-(-count // shares[0].total)}


def test_an_input_pipeline_feeds_the_replicas_of_its_machine():
    context = tf.distribute.InputContext(
        num_input_pipelines=2, input_pipeline_id=1, num_replicas_in_sync=6
    )
    assert Share.of_pipeline(context) == Share(3, 3, 6)
