import collections

import keras
import pytest

from enas_tf.errors import ConfigurationError
from enas_tf.spaces.images.layer_list import CALL
from enas_tf.spaces.macro.space import MacroSpace
from enas_tf.spaces.micro.architecture import MicroArchitecture
from enas_tf.spaces.micro.space import MicroSpace
from enas_tf.spaces.registry import get_space
from enas_tf.spaces.rnn.space import RnnSpace

MACRO = MacroSpace(num_layers=5, filters=4, input_shape=(9, 14, 3), num_classes=7)
MICRO = MicroSpace(num_layers=3, filters=4, num_nodes=3, input_shape=(13, 18, 3), num_classes=7)
KINDS = {
    "convolution": keras.layers.Conv2D,
    "separable_convolution": keras.layers.SeparableConv2D,
    "normalization": keras.layers.BatchNormalization,
    "relu": keras.layers.ReLU,
    "concatenated": keras.layers.Concatenate,
    "added": keras.layers.Add,
    "global_average": keras.layers.GlobalAveragePooling2D,
    "classifier": keras.layers.Dense,
}


def check(space, architecture, config):
    listed = collections.Counter()
    for layer, number in space.layers(architecture, config).items():
        listed[layer.kind] += number
        if layer.kind == "factorized_reduction":
            parts = {"convolution": 2, "concatenated": 1, "normalization": 1}
            listed.update({kind: number * count for kind, count in parts.items()})
    assert listed[CALL] == 1
    network = space.build_network(architecture, config)
    built = {
        # A separable convolution is one of Keras's convolutions too.
        kind: sum(type(layer) is layer_type for layer in network.layers)
        for kind, layer_type in KINDS.items()
    }
    assert {kind: listed[kind] for kind in KINDS} == built


@pytest.mark.parametrize("form", [{}, {"merge": "add"}, {"separable": False}], ids=str)
def test_a_macro_network_has_the_layers_that_are_listed(form):
    check(MACRO, MACRO.random_architecture(1), get_space("macro").network(filters=8, **form))


@pytest.mark.parametrize("form", ["final", "supernet", "darts"])
def test_a_micro_network_has_the_layers_that_are_listed(form):
    config = get_space("micro").network(num_layers=4, filters=4, form=form)
    check(MICRO, MICRO.random_architecture(1), config)


def test_what_leads_to_no_output_is_not_listed():
    config = get_space("micro").network(num_layers=5, filters=4, form="darts")
    check(MICRO, MicroArchitecture.from_release_string("1 4 1 4 1 4 1 4"), config)


def test_a_layer_is_named_by_all_that_decides_its_time():
    layers = MACRO.layers(
        get_space("macro").from_release_string("5"), get_space("macro").network(filters=2)
    )
    assert [str(layer) for layer in layers][:3] == [
        "call 9x14x3",
        "convolution 9x14x3 filters=2 size=3 padding=same strides=1",
        "normalization 9x14x2 epsilon=1e-05",
    ]
    assert any(str(one).startswith("pooling 9x14x2 operation=max_pooling_3x3") for one in layers)


def test_cells_for_text_have_no_latencies():
    space = RnnSpace(num_nodes=2)
    with pytest.raises(ConfigurationError, match="networks that classify pictures"):
        space.layers(space.random_architecture(0))
