import types

import numpy as np
import pytest

import enas_tf
from enas_tf.models.scores import Evaluation
from enas_tf.settings.training import LossConfig
from tests.rewards_study import FORMS, NUMBERS, RATIO, data_of, measure, table


def test_one_in_eleven_is_an_eight():
    data = data_of(enas_tf.load_images("digits"))
    assert data.label_names == ("other", "eight")
    for part in ("train", "validation", "test"):
        other, eight = np.bincount(data.part(part)[1])
        assert abs(other - RATIO * eight) <= RATIO, part


def test_the_table_has_means_and_deviations():
    rows = [{"form": "macro F1", **dict.fromkeys(NUMBERS, value)} for value in (0.5, 0.7)]
    header, line = table(rows).splitlines()
    assert [name in header for name in NUMBERS] == [True] * 4
    assert line.split() == ["macro", "F1", *["0.600", "±", "0.141"] * 4]


@pytest.mark.parametrize("form", FORMS)
def test_both_trainings_have_the_loss_of_their_form(form, monkeypatch):
    calls = []

    def search(space, data, config, folder, *, verbose):
        assert space.for_data(data) == space
        data.check_search(config)
        calls.append(config)
        return types.SimpleNamespace(architecture=space.random_architecture(0))

    def retrain(architecture, data, config, network, *, verbose):
        data.check_retraining(config)
        calls.append(config)
        return "model"

    def evaluate(model, data):
        labels = data.y_test
        said = np.eye(2, dtype=np.float32)[np.zeros_like(labels)]
        return Evaluation(0.9, 0.1, labels, np.zeros_like(labels), said, data.label_names)

    for function in (search, retrain, evaluate):
        # Without loading TensorFlow for what is replaced.
        monkeypatch.setitem(vars(enas_tf), function.__name__, function)
    row = measure(form, seed=3, epochs=2)
    search_config, retrain_config = calls
    assert search_config.reward_metric == FORMS[form]["reward_metric"]
    assert search_config.ranking_metric == search_config.reward_metric
    assert search_config.loss == retrain_config.loss == FORMS[form].get("loss", LossConfig())
    assert (search_config.seed, retrain_config.seed) == (3, 3)
    assert (row["recall of eight"], row["recall of other"]) == (0.0, 1.0)
