import keras
import numpy as np
import pytest
import tensorflow as tf

from enas_tf.final_training.averaging import WeightAverage, starts_averaging


@pytest.fixture
def weight():
    return keras.Variable(np.float32([1.0, 2.0]))


@pytest.mark.parametrize(
    ("patience", "epochs"),
    [
        # 7.5, 7.9 and 7.1 are all worse than 7.
        (0, [3, 4, 5]),
        # 7.5 is better than 8, the best one that is more than one epoch old.
        (1, [4, 5]),
        # Likewise 7.9, but 7.1 is worse than 7.
        (2, [5]),
        (3, []),
        (9, []),
        (None, []),
    ],
)
def test_averaging_starts_when_worse_than_the_best_of_long_ago(patience, epochs):
    perplexities = [9.0, 8.0, 7.0, 7.5, 7.9, 7.1]
    assert epochs == [
        epoch
        for epoch, perplexity in enumerate(perplexities)
        if starts_averaging(perplexity, perplexities[:epoch], patience)
    ]


def test_average_is_the_mean_of_all_states_since_the_start(weight):
    average = WeightAverage([weight])
    weight.assign([100.0, 100.0])
    average.update()
    average.start()
    states = np.random.default_rng(0).normal(size=(7, 2)).astype(np.float32)
    for state in states:
        weight.assign(state)
        average.update()
    np.testing.assert_allclose(average.averages[0], states.mean(0), rtol=1e-5, atol=1e-6)
    assert int(average.count) == 7


def test_average_of_no_step_is_where_it_started(weight):
    average = WeightAverage([weight])
    weight.assign([5.0, 6.0])
    average.start()
    weight.assign([7.0, 8.0])
    np.testing.assert_array_equal(average.averages[0], [5.0, 6.0])


def test_averages_are_swapped_in_and_out(weight):
    average = WeightAverage([weight])
    average.start()
    weight.assign([3.0, 4.0])
    average.update()
    weight.assign([5.0, 8.0])
    average.update()
    with average.applied():
        np.testing.assert_array_equal(weight, [4.0, 6.0])
    np.testing.assert_array_equal(weight, [5.0, 8.0])


def test_weights_come_back_after_an_error(weight):
    average = WeightAverage([weight])
    weight.assign([3.0, 4.0])
    with pytest.raises(ZeroDivisionError), average.applied():
        raise ZeroDivisionError
    np.testing.assert_array_equal(weight, [3.0, 4.0])


def test_average_is_saved_in_a_checkpoint(weight, tmp_path):
    average = WeightAverage([weight])
    average.start()
    average.update()
    path = tf.train.Checkpoint(average=average).save(str(tmp_path / "checkpoint"))
    other = WeightAverage([keras.Variable(np.zeros(2, np.float32))])
    tf.train.Checkpoint(average=other).restore(path).assert_consumed()
    np.testing.assert_array_equal(other.averages[0], [1.0, 2.0])
    assert int(other.count) == 1
