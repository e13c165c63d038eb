"""The short training of a search's finalists."""

import math

import numpy as np
import pytest

from enas_tf.final_training import api, images
from enas_tf.models.scores import Evaluation
from enas_tf.settings.search import DeriveConfig, SearchConfig
from enas_tf.settings.training import LossConfig, TrainingConfig
from enas_tf.spaces.registry import get_space

LOSS = LossConfig(label_smoothing=0.1)
CONFIG = SearchConfig(
    seed=5,
    shared_weights=TrainingConfig(epochs=70, batch_size=8, restart_epochs=10),
    loss=LOSS,
    derive=DeriveConfig(finalist_epochs=2),
)


@pytest.mark.parametrize(
    ("name", "measured", "score", "kind"),
    [
        ("macro", {"validation_accuracy": 0.75}, 0.75, "accuracy"),
        ("micro", {"validation_accuracy": 0.75}, 0.75, "accuracy"),
        ("rnn", {"validation_perplexity": 160.0}, 0.5, "reward"),
    ],
)
def test_it_is_as_long_as_it_should_be(monkeypatch, name, measured, score, kind):
    space = get_space(name).space()
    calls = []

    def retrain(architecture, data, config, network, *, distribution, on_event):
        calls.append((architecture, data, distribution))
        assert config.seed == 5
        # Texts always have a validation part.
        assert getattr(config, "use_validation", True)
        assert config.training == CONFIG.shared_weights.replace(epochs=2, restart_epochs=0)
        assert getattr(config, "loss", LOSS) == LOSS
        assert network == space.network_config()
        on_event({})
        on_event(measured)

    monkeypatch.setattr(api, "retrain", retrain)
    architecture = space.random_architecture(0)
    result = api.short_score(space, architecture, "data", CONFIG)
    assert result == (score, f"short_retraining_validation_{kind}")
    api.short_score(space, architecture, "data", CONFIG, "both")
    assert calls == [(architecture, "data", None), (architecture, "data", "both")]


@pytest.mark.parametrize(
    ("metric", "score", "kind"),
    [
        ("loss", math.exp(-0.25), "likelihood"),
        ("top_5", 1.0, "top_5_accuracy"),
        ("balanced_accuracy", 0.75, "balanced_accuracy"),
    ],
)
def test_it_is_scored_as_candidates_are(monkeypatch, metric, score, kind):
    labels, predictions = np.array([0, 0, 5]), np.array([0, 1, 5])
    probabilities = np.eye(6, dtype=np.float32)[predictions] + 0.01 * np.arange(6, 0, -1)
    evaluation = Evaluation(2 / 3, 0.25, labels, predictions, probabilities, tuple("abcdef"))
    asked = []
    monkeypatch.setattr(images, "evaluate", lambda *given: asked.append(given) or evaluation)
    config = SearchConfig(reward_metric=metric, derive=DeriveConfig(metric=metric))
    found = images.ImageTraining.short_score({}, "model", "data", config)
    assert found == (pytest.approx(score), f"validation_{kind}")
    assert asked == [("model", "data", "validation")]
