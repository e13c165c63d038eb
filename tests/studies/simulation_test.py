import numpy as np
import pytest

from enas_tf.spaces.macro.space import MacroSpace
from enas_tf.studies.simulation import SIMULATED_SEARCH, Trajectory, simulate, simulated_methods
from tests.studies.truth_test import SPACE, made_up_truth


def test_random_search_of_everything_finds_the_best():
    truth = made_up_truth(SPACE)
    trajectory = simulate(truth, SIMULATED_SEARCH.replace(strategy="random"), 100)
    assert trajectory.regrets[-1] < truth.regrets[-2]


def test_regrets_never_rise_where_rewards_tell_the_truth():
    truth = made_up_truth(SPACE)
    regrets = simulate(truth, SIMULATED_SEARCH.replace(strategy="random"), 20).regrets
    assert len(regrets) == 20
    assert np.all(np.diff(regrets) <= 0)


def test_the_same_seed_gives_the_same_search():
    truth, config = made_up_truth(SPACE), SIMULATED_SEARCH.replace(strategy="evolution", seed=3)
    np.testing.assert_array_equal(
        simulate(truth, config, 30).rows, simulate(truth, config, 30).rows
    )


@pytest.mark.parametrize("strategy", ["reinforce", "evolution"])
def test_a_strategy_learns_where_rewards_tell_the_truth(strategy):
    truth = made_up_truth(MacroSpace(num_layers=3, num_operations=3, input_shape=(8, 8, 1)))
    config = SIMULATED_SEARCH.replace(strategy=strategy)
    rows = simulate(truth, config, 100).rows
    assert truth.rewards[rows[-30:]].mean() > truth.rewards.mean() + 0.08


def test_methods_are_compared_seed_by_seed():
    truth = made_up_truth(SPACE)
    trajectories = {
        "random": [Trajectory(0, np.array([0]), truth.regrets[[0]], 0)] * 2,
        "evolution": [
            Trajectory(0, np.array([7]), truth.regrets[[7]], 7),
            Trajectory(1, np.array([0]), truth.regrets[[0]], 0),
        ],
    }
    found = simulated_methods(truth, trajectories)["evolution"]
    assert found["beats_random_search"] == 0.75
    assert found["probability_beats_random"] == pytest.approx(0.5)
    assert found["regret"] == pytest.approx(truth.regrets[[0, 7]].mean())
