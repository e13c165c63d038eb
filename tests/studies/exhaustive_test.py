import numpy as np
import pytest

import enas_tf
from enas_tf.errors import ConfigurationError, RunDirectoryError
from enas_tf.searching.training_alone import TrainingAlone
from enas_tf.settings.costs import CostConfig
from enas_tf.settings.data import DataConfig
from enas_tf.settings.search import SearchConfig, TrainedConfig
from enas_tf.settings.training import TrainingConfig
from enas_tf.spaces.macro.space import MacroSpace
from enas_tf.studies.exhaustive import exhaustive_study
from enas_tf.studies.plan import Part
from enas_tf.studies.truth import read_truth

CONFIG = SearchConfig(
    shared_weights=TrainingConfig(batch_size=64, restart_epochs=0), trained=TrainedConfig(epochs=1)
)


@pytest.fixture(scope="module")
def data():
    config = DataConfig(dataset="digits", max_train_examples=320, max_test_examples=50)
    return enas_tf.load_images(config)


@pytest.fixture(scope="module")
def space(data):
    return MacroSpace(num_layers=2, filters=4, num_operations=2).for_data(data)


@pytest.fixture(scope="module")
def whole(space, data, tmp_path_factory):
    folder = tmp_path_factory.mktemp("exhaustive") / "whole"
    return exhaustive_study(space, data, CONFIG, folder, num_seeds=1), folder


def test_every_architecture_is_in_the_truth(whole, space):
    truth, folder = whole
    assert list(truth.architectures) == space.every_architecture()
    assert np.all((truth.tests >= 0) & (truth.tests <= 1))
    np.testing.assert_allclose(read_truth(folder / "truth.json").tests, truth.tests, atol=1e-5)


@pytest.mark.long
def test_parts_interrupted_and_collected_are_the_whole(whole, space, data, tmp_path, monkeypatch):
    folder, real, trained = tmp_path / "study", TrainingAlone.train, []

    def train(self, *arguments, **keywords):
        trained.append(arguments)
        if len(trained) == 3:
            raise KeyboardInterrupt
        return real(self, *arguments, **keywords)

    monkeypatch.setattr(TrainingAlone, "train", train)

    def run(**others):
        return exhaustive_study(space, data, CONFIG, folder, num_seeds=1, **others)

    with pytest.raises(KeyboardInterrupt):
        run(part=Part(2, 2))
    assert run(part=Part(2, 2)) is None
    with pytest.raises(RunDirectoryError, match="lacks 4 of 8 trainings"):
        run(collect=True)
    run(part=Part(1, 2))
    assert len(trained) == 8 + 1
    truth = run(collect=True)
    np.testing.assert_array_equal(truth.rewards, whole[0].rewards)
    np.testing.assert_array_equal(truth.tests, whole[0].tests)


def test_a_large_space_is_refused(data, tmp_path):
    with pytest.raises(ConfigurationError, match="at most 5,000"):
        exhaustive_study(MacroSpace().for_data(data), data, CONFIG, tmp_path / "study")
    assert not (tmp_path / "study").exists()


def test_limits_leave_those_within_to_be_trained(space, data, tmp_path, monkeypatch):
    trained = []
    monkeypatch.setattr(
        TrainingAlone, "train", lambda self, one, seed: [0.5] if not trained.append(one) else []
    )
    monkeypatch.setattr(TrainingAlone, "score", lambda self, batches, one: 0.5)
    costs = {one: space.costs(one, space.network_config()) for one in space.every_architecture()}
    limit = sorted(one.parameters for one in costs.values())[3]
    config = CONFIG.replace(costs=CostConfig(max_parameters=limit))
    truth = exhaustive_study(space, data, config, tmp_path / "study", num_seeds=1)
    assert list(truth.architectures) == trained
    assert trained == [one for one in costs if costs[one].parameters <= limit] != list(costs)


def test_limits_that_leave_one_are_refused(space, data, tmp_path):
    config = CONFIG.replace(costs=CostConfig(max_parameters=1))
    with pytest.raises(ConfigurationError, match=r"leave 0 of .* Received: --max_parameters=1\."):
        exhaustive_study(space, data, config, tmp_path / "study")
