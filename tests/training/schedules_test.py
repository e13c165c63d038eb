import numpy as np
import pytest
import tensorflow as tf

from enas_tf.settings.training import TrainingConfig
from enas_tf.training.schedules import (
    CosineFall,
    CosineRestarts,
    Horizon,
    learning_rate,
    period_starts,
)
from enas_tf.training.time_budget import Course
from tests.golden_fixtures import assert_close, load_golden


@pytest.mark.parity
@pytest.mark.parametrize("run", ["macro_final", "micro_final"])
def test_rate_is_the_release_s_except_on_the_step_of_a_restart(run):
    fixture = load_golden("lr_schedule.npz")
    settings = fixture["config"][run]
    config = TrainingConfig(
        epochs=settings["epochs"] + 1,
        learning_rate=settings["lr_max"],
        final_learning_rate=settings["lr_min"],
        restart_epochs=settings["T_0"],
        restart_multiplier=settings["T_mul"],
    )
    expected = fixture[f"{run}/lr"].reshape(-1)
    steps_per_epoch = fixture["config"]["num_train_batches"]
    rates = learning_rate(config, np.arange(expected.size), steps_per_epoch).numpy()
    restarts = fixture[f"{run}/restart_epochs"] * steps_per_epoch
    np.testing.assert_allclose(rates[restarts], settings["lr_max"], rtol=1e-6)
    kept = np.setdiff1d(np.arange(expected.size), restarts)
    assert_close(rates[kept], expected[kept])


def test_periods_grow_by_the_multiplier():
    config = TrainingConfig(epochs=71, restart_epochs=10, restart_multiplier=2)
    assert period_starts(config) == [0, 10, 30, 70]


def test_periods_of_equal_length():
    assert period_starts(TrainingConfig(epochs=9, restart_epochs=3, restart_multiplier=1)) == [
        0,
        3,
        6,
    ]


def test_no_restarts_means_one_period_over_all_epochs():
    config = TrainingConfig(epochs=4, restart_epochs=0, learning_rate=1.0, final_learning_rate=0.0)
    rates = learning_rate(config, np.arange(5), 1).numpy()
    np.testing.assert_allclose(rates, [1.0, 0.853553, 0.5, 0.146447, 0.0], atol=1e-6)


def test_rate_is_constant_inside_an_epoch():
    rates = learning_rate(TrainingConfig(), np.arange(7, 14), 7).numpy()
    assert len(set(rates.tolist())) == 1


def test_rate_of_a_single_step_is_a_scalar():
    assert learning_rate(TrainingConfig(), 5, 2).shape == []


def test_schedule_survives_serialisation():
    schedule = CosineRestarts(TrainingConfig(epochs=20), steps_per_epoch=3)
    copy = CosineRestarts.from_config(schedule.get_config())
    assert float(copy(40)) == float(schedule(40))


@pytest.fixture
def horizon():
    horizon = Horizon()
    horizon.course = Course(10, 0.25, 40)
    return horizon


def test_a_horizon_tells_what_its_course_does(horizon):
    steps = np.arange(50)
    expected = [horizon.course.share_at(step) for step in steps]
    np.testing.assert_allclose(horizon.share(steps), expected, rtol=1e-6)


def test_a_traced_function_follows_a_horizon(horizon):
    share = tf.function(horizon.share, autograph=False)
    step = tf.constant(25)
    assert float(share(step)) == pytest.approx(0.625)
    horizon.course = Course(10, 0.25, 25)
    assert float(share(step)) == 1.0


@pytest.mark.parametrize("restarts", [{"restart_epochs": 0}, {"restart_epochs": 2}])
def test_the_last_step_of_a_course_has_the_final_rate(horizon, restarts):
    # The second period, of 4 epochs, is not over after 5, but ends with the course.
    config = TrainingConfig(epochs=5, final_learning_rate=0.001, **restarts)
    before, last = learning_rate(config, np.array([39, 40]), 7, horizon).numpy()
    assert last == pytest.approx(0.001, rel=1e-6)
    assert before > 0.00105


def test_periods_share_a_course_in_proportion():
    config = TrainingConfig(epochs=6, restart_epochs=2, learning_rate=1, final_learning_rate=0)
    horizon = Horizon()
    horizon.course = Course(0, 0.0, 60)
    rates = learning_rate(config, np.array([0, 10, 19, 20, 40, 60]), 1, horizon).numpy()
    np.testing.assert_allclose(rates, [1.0, 0.5, 0.006156, 1.0, 0.5, 0.0], atol=1e-5)


def test_a_cosine_falls_over_a_course(horizon):
    fall = CosineFall(3.0, 1.0, horizon)
    np.testing.assert_allclose(fall(np.array([20, 40])), [2.0, 1.0], atol=1e-6)
