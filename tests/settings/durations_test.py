import pytest

from enas_tf.errors import ConfigurationError
from enas_tf.settings.durations import seconds_of
from enas_tf.settings.search import SearchConfig
from enas_tf.settings.training import RetrainConfig, TextRetrainConfig


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("90s", 90), ("10m", 600), ("2h", 7200), ("1h30m", 5400), ("1.5h", 5400), ("1d", 86400)],
)
def test_lengths_of_time_are_read(text, seconds):
    assert seconds_of(text) == seconds


@pytest.mark.parametrize("text", ["", "600", "0s", "m", "10 minutes", "30m1h", "-1m", "1e3s"])
def test_other_texts_are_none(text):
    assert seconds_of(text) is None


@pytest.mark.parametrize("kind", [SearchConfig, RetrainConfig, TextRetrainConfig])
def test_a_budget_that_is_none_is_told(kind):
    with pytest.raises(ConfigurationError, match="time_budget=600"):
        kind(time_budget="600")


@pytest.mark.parametrize("setting", [{"early_stopping": 3}, {"best_weights": True}])
def test_the_best_epoch_needs_a_validation_part(setting):
    with pytest.raises(ConfigurationError, match=f"`{next(iter(setting))}`.*use_validation"):
        RetrainConfig(**setting)
