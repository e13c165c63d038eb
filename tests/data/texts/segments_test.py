import numpy as np
import pytest

from enas_tf.data.texts.segments import max_length, segment_bounds, segments_per_epoch


def _lengths(positions, sequence_length=35, *, seed=0, epoch=0):
    bounds = segment_bounds(positions, sequence_length, random_lengths=True, seed=seed, epoch=epoch)
    return bounds[:, 1] - bounds[:, 0]


def test_fixed_lengths_leave_a_shorter_last_segment():
    bounds = segment_bounds(10, 4, random_lengths=False, seed=0, epoch=0)
    assert bounds.tolist() == [[0, 4], [4, 8], [8, 10]]
    assert segments_per_epoch(10, 4, False) == 3


@pytest.mark.parametrize("sequence_length", [1, 2, 3, 10, 35, 100])
@pytest.mark.parametrize("positions", [1, 2, 7, 50, 1001])
def test_random_segments_cover_everything_once(positions, sequence_length):
    number = segments_per_epoch(positions, sequence_length, True)
    for epoch in range(5):
        bounds = segment_bounds(
            positions, sequence_length, random_lengths=True, seed=1, epoch=epoch
        )
        assert bounds.shape == (number, 2)
        assert bounds[0, 0] == 0
        assert bounds[-1, 1] == positions
        np.testing.assert_array_equal(bounds[1:, 0], bounds[:-1, 1])
        lengths = bounds[:, 1] - bounds[:, 0]
        assert lengths.min() >= 1
        assert lengths.max() <= max_length(sequence_length)


def test_the_greatest_length_is_two_deviations_longer():
    assert [max_length(length) for length in (1, 2, 7, 35)] == [1, 2, 9, 45]


def test_lengths_are_distributed_as_in_the_release():
    lengths = _lengths(200_000)
    # 0.95 * 35 + 0.05 * 17.5 - 0.5
    assert np.mean(lengths) == pytest.approx(33.625, abs=0.01)
    assert np.mean(lengths < 25) == pytest.approx(0.05 * 0.946, abs=0.01)
    full = lengths[lengths >= 25]
    # A normal distribution cut off at two deviations has 0.88 of the deviation.
    assert np.std(full) == pytest.approx(0.88 * 5, abs=0.2)


def test_every_epoch_has_lengths_of_its_own():
    assert len({tuple(_lengths(1000, epoch=epoch)) for epoch in range(4)}) == 4


def test_every_seed_has_lengths_of_its_own():
    assert _lengths(1000, seed=1).tolist() != _lengths(1000, seed=2).tolist()


def test_a_text_that_is_shorter_than_a_segment_is_one_segment():
    bounds = segment_bounds(20, 10**9, random_lengths=True, seed=0, epoch=0)
    assert bounds.tolist() == [[0, 20]]


def test_the_same_epoch_has_the_same_lengths():
    assert _lengths(1000, epoch=3).tolist() == _lengths(1000, epoch=3).tolist()
