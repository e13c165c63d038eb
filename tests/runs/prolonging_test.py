import json

import pytest

from enas_tf.errors import RunDirectoryError
from enas_tf.runs.directory import RunDirectory
from enas_tf.runs.prolonging import is_longer, obstacle, without_epochs
from enas_tf.settings.search import SearchConfig
from enas_tf.settings.strategies import DartsConfig, PolicyConfig
from enas_tf.settings.training import RetrainConfig, TrainingConfig

PERIODS = TrainingConfig(epochs=10, restart_epochs=5)


def of_search(config, epochs=10):
    training = config.shared_weights.replace(epochs=epochs)
    return {"command": "search", "search": config.replace(shared_weights=training).to_json()}


def of_retraining(training, epochs=10, network=None, **changes):
    config = RetrainConfig(training=training.replace(epochs=epochs), **changes)
    return {"command": "retrain", "network": network or {}, "retrain": config.to_json()}


def test_a_run_is_longer_if_nothing_but_its_epochs_grew():
    there = of_retraining(PERIODS)
    assert is_longer(there, of_retraining(PERIODS, 11))
    assert not is_longer(there, of_retraining(PERIODS, 10))
    assert not is_longer(there, of_retraining(PERIODS, 9))
    assert not is_longer(there, of_retraining(PERIODS, 11, seed=1))
    assert not is_longer(there, of_search(SearchConfig(), 11))


def test_a_configuration_of_something_else_keeps_its_epochs():
    assert without_epochs({"command": "study", "epochs": 3}) == {"command": "study", "epochs": 3}


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({}, None),
        ({"shared_weights": PERIODS.replace(restart_epochs=0)}, "restart_epochs=0"),
        (
            {
                "shared_weights": PERIODS.replace(restart_epochs=0),
                "evaluation": "trained",
            },
            None,
        ),
        (
            {
                "shared_weights": TrainingConfig(
                    restart_epochs=0, learning_rate=0.1, final_learning_rate=0.1
                )
            },
            None,
        ),
        ({"warm_up": 0.25}, "warm_up=0.25"),
        # Half an epoch more or less is none.
        ({"warm_up": 0.05}, None),
        ({"policy": PolicyConfig(final_learning_rate=0.0)}, "the controller's learning rate"),
        ({"policy": PolicyConfig(final_learning_rate=0.0), "strategy": "random"}, None),
        ({"strategy": "darts", "darts": DartsConfig(sampling="gumbel")}, "darts_temperature"),
        ({"strategy": "darts"}, None),
        ({"time_budget": "1h"}, "time_budget"),
    ],
)
def test_a_search_can_be_longer_if_its_past_is_the_same(changes, reason):
    config = SearchConfig(**{"shared_weights": PERIODS, **changes})
    found = obstacle(of_search(config), of_search(config, 14))
    assert found is None if reason is None else reason in found


@pytest.mark.parametrize(
    ("training", "others", "reason"),
    [
        (PERIODS, {}, None),
        (PERIODS.replace(restart_epochs=0), {}, "restart_epochs=0"),
        (PERIODS, {"network": {"drop_path_rate": 0.4}}, "drop_path_rate"),
        (PERIODS, {"network": {"drop_path_rate": 0.0}}, None),
        (PERIODS, {"time_budget": "1h"}, "time_budget"),
    ],
)
def test_a_training_can_be_longer_if_its_past_is_the_same(training, others, reason):
    there, now = (of_retraining(training, epochs, **others) for epochs in (10, 20))
    found = obstacle(there, now)
    assert found is None if reason is None else reason in found


def begun(folder, configuration):
    with RunDirectory.open(folder, configuration, origin={"preset": "smoke"}) as run:
        run.metrics.append({"phase": "retrain", "step": 1})
    return folder


def test_a_run_that_can_be_longer_is_so_from_then_on(tmp_path):
    folder = begun(tmp_path / "run", of_retraining(PERIODS))
    longer = of_retraining(PERIODS, 20)
    RunDirectory.open(folder, longer).close()
    written = json.loads((folder / "config.json").read_text())
    assert written["configuration"] == longer
    assert written["origin"] == {"preset": "smoke"}
    with pytest.raises(RunDirectoryError, match="epochs: 20 there, 10 now"):
        RunDirectory.open(folder, of_retraining(PERIODS))


def test_a_run_that_cannot_be_longer_says_why(tmp_path):
    whole = PERIODS.replace(restart_epochs=0)
    folder = begun(tmp_path / "run", of_retraining(whole))
    with pytest.raises(RunDirectoryError, match=r"10 there, 20 now.*restart_epochs=0.*overwrite"):
        RunDirectory.open(folder, of_retraining(whole, 20))
    assert json.loads((folder / "config.json").read_text())["configuration"] == of_retraining(whole)
