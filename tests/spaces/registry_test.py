import importlib

import pytest

from enas_tf.errors import ConfigurationError
from enas_tf.settings.config import DeriveConfig, SearchConfig, TrainingConfig
from enas_tf.spaces.registry import get_space, space_names

CONFIG = SearchConfig(
    seed=5,
    shared_weights=TrainingConfig(epochs=70, batch_size=8, restart_epochs=10),
    derive=DeriveConfig(finalist_epochs=2),
)


@pytest.mark.parametrize(
    ("name", "trainer", "measured", "score", "kind"),
    [
        ("macro", "images", {"validation_accuracy": 0.75}, 0.75, "accuracy"),
        ("micro", "images", {"validation_accuracy": 0.75}, 0.75, "accuracy"),
        ("rnn", "texts", {"validation_perplexity": 160.0}, 0.5, "reward"),
    ],
)
def test_a_short_retraining_is_as_long_as_it_should_be(
    monkeypatch, name, trainer, measured, score, kind
):
    space = get_space(name).space()
    calls = []

    def retrain(architecture, data, config, *, network, distribution, on_event):
        calls.append((architecture, data, distribution))
        assert config.seed == 5
        # Texts always have a validation part.
        assert getattr(config, "use_validation", True)
        assert config.training == CONFIG.shared_weights.replace(epochs=2, restart_epochs=0)
        assert network == space.network_config()
        on_event({})
        on_event(measured)

    module = importlib.import_module(f"enas_tf.retrain.{trainer}")
    monkeypatch.setattr(module, "retrain", retrain)
    architecture = space.random_architecture(0)
    result = get_space(name).short_retraining(space, architecture, "data", CONFIG)
    assert result == (score, f"short_retraining_validation_{kind}")
    get_space(name).short_retraining(space, architecture, "data", CONFIG, distribution="both")
    assert calls == [(architecture, "data", None), (architecture, "data", "both")]


@pytest.mark.parametrize("name", space_names())
def test_an_entry_has_the_name_of_its_space(name):
    assert get_space(name).name == get_space(name).space.name == name


def test_another_name_is_refused():
    with pytest.raises(ConfigurationError, match=r"`space` must be one of .*space='other'"):
        get_space("other")
