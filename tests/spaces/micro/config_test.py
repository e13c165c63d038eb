import dataclasses

import pytest

from enas_tf.errors import ConfigurationError
from enas_tf.spaces.micro.config import MicroControllerConfig, MicroNetworkConfig


@pytest.mark.parametrize("kind", [MicroControllerConfig, MicroNetworkConfig])
def test_every_setting_has_a_help_sentence(kind):
    for field in dataclasses.fields(kind):
        assert field.metadata["help"].endswith(".")


@pytest.mark.parametrize(
    ("kind", "name", "value"),
    [
        (MicroControllerConfig, "lstm_size", 0),
        (MicroControllerConfig, "temperature", 0.0),
        (MicroControllerConfig, "tanh_constant", 0.0),
        (MicroControllerConfig, "operation_tanh_reduction", 0.0),
        (MicroControllerConfig, "separable_start_bias", -1.0),
        (MicroControllerConfig, "initial_range", 0.0),
        (MicroNetworkConfig, "num_layers", 0),
        (MicroNetworkConfig, "filters", 0),
        (MicroNetworkConfig, "filters", 7),
        (MicroNetworkConfig, "form", "static"),
        (MicroNetworkConfig, "dropout_rate", 1.0),
        (MicroNetworkConfig, "drop_path_rate", 1.0),
        (MicroNetworkConfig, "auxiliary_weight", -0.1),
    ],
)
def test_nonsense_is_refused(kind, name, value):
    with pytest.raises(ConfigurationError, match=f"`{name}`"):
        kind(**{name: value})


@pytest.mark.parametrize("name", ["temperature", "tanh_constant"])
def test_what_shapes_the_logits_can_be_left_out(name):
    assert getattr(MicroControllerConfig(**{name: None}), name) is None
