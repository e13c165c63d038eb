"""The short training of a search's finalists."""

import pytest

from enas_tf.final_training import api
from enas_tf.settings.search import DeriveConfig, SearchConfig
from enas_tf.settings.training import TrainingConfig
from enas_tf.spaces.registry import get_space

CONFIG = SearchConfig(
    seed=5,
    shared_weights=TrainingConfig(epochs=70, batch_size=8, restart_epochs=10),
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
        assert network == space.network_config()
        on_event({})
        on_event(measured)

    monkeypatch.setattr(api, "retrain", retrain)
    architecture = space.random_architecture(0)
    result = api.short_score(space, architecture, "data", CONFIG)
    assert result == (score, f"short_retraining_validation_{kind}")
    api.short_score(space, architecture, "data", CONFIG, "both")
    assert calls == [(architecture, "data", None), (architecture, "data", "both")]
