"""Searches that are rewarded for another metric, or train with another loss."""

import numpy as np
import pytest

from enas_tf.data.texts.dataset import TextData
from enas_tf.errors import ConfigurationError, RunDirectoryError
from enas_tf.searching.api import search
from enas_tf.searching.ranking_again import derive_run
from enas_tf.searching.shared_weights import SharedWeights
from enas_tf.settings.search import DeriveConfig
from enas_tf.settings.training import LossConfig
from enas_tf.spaces.micro.space import MicroSpace
from enas_tf.spaces.rnn.space import RnnSpace
from enas_tf.training import prediction_metrics
from enas_tf.training.prediction_metrics import Predictions, register_metric
from tests.searching.interruptions import interrupting
from tests.searching.made_up_data import CONFIG, SPACE, lines_of

KIND = "shared_weights_validation_"


@pytest.fixture(autouse=True)
def own_metrics(monkeypatch):
    """Lets no other test see what a test registers."""
    monkeypatch.setattr(prediction_metrics, "_METRICS", dict(prediction_metrics._METRICS))


def worst_recall(labels, probabilities):
    right = probabilities.argmax(axis=1) == labels
    return float(min(right[labels == label].mean() for label in np.unique(labels)))


def searching(data, folder, **settings):
    return search(SPACE, data, CONFIG.replace(**settings), folder)


def without_seconds(lines):
    return [{name: value for name, value in line.items() if name != "seconds"} for line in lines]


@pytest.mark.long
def test_a_function_of_ones_own_is_rewarded_ranks_and_is_asked_for_again(
    data, tmp_path, monkeypatch
):
    folder = tmp_path / "run"
    metric = register_metric(worst_recall)
    with monkeypatch.context() as patch:
        patch.setattr(SharedWeights, "rewards", interrupting(SharedWeights.rewards, 3))
        with pytest.raises(KeyboardInterrupt):
            searching(data, folder, reward_metric=metric)
    prediction_metrics._METRICS.pop(metric)
    with pytest.raises(RunDirectoryError, match="reward_metric: worst_recall there, accuracy now"):
        searching(data, folder)
    with pytest.raises(ConfigurationError, match="register_metric"):
        searching(data, folder, reward_metric=metric)
    register_metric(worst_recall)
    result = searching(data, folder, reward_metric=metric)
    whole = searching(data, tmp_path / "whole", reward_metric=metric)
    assert result.candidates == whole.candidates
    assert without_seconds(lines_of(result.run)) == without_seconds(lines_of(whole.run))
    assert {one.score_kind for one in result.candidates} == {KIND + metric}
    assert result.candidates[0].standard_error is not None
    # Another one ranks without it.
    prediction_metrics._METRICS.pop(metric)
    with pytest.raises(ConfigurationError, match="register_metric"):
        derive_run(folder)
    assert derive_run(folder, DeriveConfig(metric="macro_f1")).score_kind == KIND + "macro_f1"


@pytest.mark.long
def test_an_interrupted_search_with_another_loss_ends_like_the_other_one(
    data, tmp_path, monkeypatch
):
    loss = LossConfig(class_weights="balanced", label_smoothing=0.1)
    with monkeypatch.context() as patch:
        patch.setattr(SharedWeights, "train", interrupting(SharedWeights.train, 8))
        with pytest.raises(KeyboardInterrupt):
            searching(data, tmp_path / "run", loss=loss)
    results = [searching(data, tmp_path / name, loss=loss) for name in ("run", "whole")]
    assert results[0].candidates == results[1].candidates
    lines = [without_seconds(lines_of(result.run)) for result in results]
    assert lines[0] == lines[1]


def test_a_score_by_another_metric_has_its_name(data, tmp_path, without_training, monkeypatch):
    labels = np.arange(20) % 3 // 2
    said = Predictions(labels, np.eye(2)[labels * (np.arange(20) > 9)], 20.0)
    monkeypatch.setattr(SharedWeights, "validation_scores", lambda *given, **how: [said])
    # Rewards have more pictures than a training batch.
    settings = {"reward_metric": "balanced_accuracy", "reward_batch_size": 12}
    result = searching(data, tmp_path / "run", **settings)
    kind = KIND + "balanced_accuracy"
    assert result.score_kind == kind
    # Of the frequent class all are found, of the rare one three of six.
    assert result.score == 0.75
    assert 0.05 < result.candidates[0].standard_error < 0.2
    assert kind in {name for line in lines_of(result.run) for name in line}
    written = result.run.configuration["search"]
    assert (written["reward_metric"], written["derive"]["metric"]) == ("balanced_accuracy",) * 2


def test_a_run_writes_down_what_ranks_it(data, tmp_path, without_training):
    result = searching(data, tmp_path / "run", reward_metric="loss")
    assert result.run.configuration["search"]["derive"]["metric"] == "accuracy"
    # Nothing else is asked for then.
    asked = DeriveConfig(num_candidates=4, metric="accuracy")
    assert searching(data, tmp_path / "run", reward_metric="loss", derive=asked).score


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"reward_metric": "accurracy"}, "must be one of accuracy, top_5, .* 'accurracy'"),
        ({"derive": DeriveConfig(metric="own")}, "register_metric. Received: 'own'"),
        ({"reward_metric": "top_5"}, "`reward_metric=top_5` needs more than 5 classes.* has 2"),
    ],
)
def test_metrics_that_there_are_not_are_told_before_anything_is_made(
    data, tmp_path, settings, says
):
    with pytest.raises(ConfigurationError, match=says):
        searching(data, tmp_path / "run", **settings)
    assert not (tmp_path / "run").exists()


def test_a_search_by_gradient_has_no_rewards(data, tmp_path):
    config = CONFIG.replace(strategy="darts", reward_metric="macro_f1")
    space = MicroSpace(num_layers=1, filters=2, num_nodes=2).for_data(data)
    with pytest.raises(ConfigurationError, match="class_weights for rare classes"):
        search(space, data, config, tmp_path / "run")


@pytest.mark.parametrize(
    ("settings", "received"),
    [
        ({"reward_metric": "macro_f1"}, "--reward_metric=macro_f1 --derive_metric=macro_f1"),
        ({"loss": LossConfig(class_weights="balanced")}, "--class_weights=balanced"),
    ],
)
def test_texts_have_no_classes(tmp_path, settings, received):
    text = TextData.from_text(" ".join(f"w{n % 7} w{n % 5}" for n in range(4000)))
    space = RnnSpace(num_nodes=2, hidden_size=4).for_data(text)
    with pytest.raises(ConfigurationError, match=f"are for pictures.*Received: {received}"):
        search(space, text, CONFIG.replace(**settings), tmp_path / "run")


def test_class_weights_are_of_the_training_part(data):
    streams = data.search_streams(batch_size=8, reward_batch_size=8, seed=3)
    counts = np.bincount(data.y_train[:40])
    np.testing.assert_allclose(streams.class_weights("balanced"), 40 / (2 * counts), rtol=1e-6)
    assert streams.class_weights("none") is None
    # Of all of it, also where it is divided.
    for part in streams.divided(0.5):
        np.testing.assert_array_equal(part.class_counts, counts)
