import pytest

from enas_tf.spaces.images import latency
from enas_tf.spaces.images.layer_list import CALL, Layer
from enas_tf.spaces.macro.architecture import MacroArchitecture
from enas_tf.spaces.macro.space import MacroSpace


@pytest.fixture(autouse=True)
def few_calls(monkeypatch):
    monkeypatch.setattr(latency, "_CALLS", 4)
    monkeypatch.setattr(latency, "_COPIES", 2)


@pytest.mark.parametrize(
    "layer",
    [
        Layer(CALL, ((4, 4, 1),)),
        Layer("convolution", ((64, 64, 16),), (("filters", 16), ("size", 5))),
        Layer("concatenated", ((64, 64, 16), (64, 64, 16))),
    ],
    ids=lambda layer: layer.kind,
)
def test_a_layer_takes_its_time(layer):
    assert 0.0 < latency.layer_latency(layer) < 1000.0


def test_a_larger_network_takes_longer_and_its_layers_too():
    space = MacroSpace(num_layers=1, input_shape=(32, 32, 3), num_classes=2)
    architecture = MacroArchitecture.from_release_string("2")
    measured, predicted = [], []
    for filters in (2, 128):
        config = space.network_config().replace(filters=filters)
        measured.append(latency.network_latency(space.build_network(architecture, config)))
        layers = space.layers(architecture, config)
        predicted.append(sum(n * space.layer_latency(one) for one, n in layers.items()))
    assert measured[1] > 2 * measured[0]
    assert predicted[1] > 2 * predicted[0]
