import subprocess
import sys
import time

import keras
import pytest

from enas_tf.spaces.costs import Costs
from enas_tf.spaces.macro.space import MacroSpace
from enas_tf.spaces.micro.architecture import MicroArchitecture
from enas_tf.spaces.micro.space import MicroSpace
from enas_tf.spaces.registry import get_space
from enas_tf.spaces.rnn.architecture import LstmBaseline, RnnArchitecture
from enas_tf.spaces.rnn.space import RnnSpace
from tests.spaces.built_costs import built_costs

# Odd sides, so that reductions round up.
MACRO = MacroSpace(num_layers=5, filters=4, input_shape=(9, 14, 3), num_classes=7)
CHANNELS = MACRO.replace(num_layers=3, search_whole_channels=False)
MICRO = MicroSpace(num_layers=3, filters=4, num_nodes=3, input_shape=(13, 18, 3), num_classes=7)
RNN = RnnSpace(num_nodes=4, hidden_size=6, vocabulary_size=11)

# Of each space the settings of networks in all their forms.
FORMS = {
    "macro": (MACRO, {"filters": 8}),
    "macro, same width": (MACRO, {"filters": 8, "widen": False}),
    "macro, added": (MACRO, {"filters": 8, "merge": "add"}),
    "macro, plain convolutions": (MACRO, {"filters": 8, "separable": False}),
    "macro, channels": (CHANNELS, {"filters": 8}),
    "macro, channels added": (CHANNELS, {"filters": 8, "merge": "add", "widen": False}),
    "macro, channels plain": (CHANNELS, {"filters": 8, "separable": False}),
    "micro": (MICRO, {"num_layers": 3, "filters": 4}),
    "micro, deep": (MICRO, {"num_layers": 7, "filters": 2}),
    "micro, one cell": (MICRO, {"num_layers": 1, "filters": 4}),
    "micro, supernet's form": (MICRO, {"num_layers": 4, "filters": 4, "form": "supernet"}),
    "micro, form of DARTS": (MICRO, {"num_layers": 4, "filters": 4, "form": "darts"}),
    "micro, no auxiliary head": (MICRO, {"num_layers": 3, "filters": 4, "auxiliary_weight": 0.0}),
    "rnn": (RNN, {"hidden_size": 6}),
    "rnn, loose ends": (RNN, {"hidden_size": 5, "cell_output": "loose_ends"}),
}


def check(form, seed):
    space, settings = FORMS[form]
    config = get_space(space.name).network(**settings)
    architecture = space.random_architecture(seed)
    for portable in (True, False):
        keras.backend.clear_session()
        network = space.build_network(architecture, config, portable=portable)
        costs = space.costs(architecture, config, portable=portable)
        assert costs == built_costs(network)
        if portable:
            assert costs.all_parameters == network.count_params()


@pytest.mark.parametrize("form", FORMS)
def test_costs_are_those_of_the_built_network(form):
    check(form, seed=0)


@pytest.mark.long
@pytest.mark.parametrize("form", FORMS)
def test_costs_are_those_of_many_built_networks(form):
    for seed in range(1, 67):
        check(form, seed)


# Inputs that no node reads in one cell or in both; in some networks half the cells lead nowhere.
@pytest.mark.parametrize("text", ["1 4 1 4 1 4 1 4", "0 4 0 0 0 4 0 3", "1 4 1 0 0 4 0 1"])
@pytest.mark.parametrize("num_layers", [1, 2, 5])
@pytest.mark.parametrize("portable", [True, False])
def test_what_leads_to_no_output_is_not_counted_in_the_form_of_darts(text, num_layers, portable):
    config = get_space("micro").network(num_layers=num_layers, filters=4, form="darts")
    architecture = MicroArchitecture.from_release_string(text)
    network = MICRO.build_network(architecture, config, portable=portable)
    assert MICRO.costs(architecture, config, portable=portable) == built_costs(network)


def test_costs_of_the_lstm():
    costs = RNN.costs(LstmBaseline(), get_space("rnn").network(hidden_size=6))
    network = RNN.build_network(LstmBaseline(), get_space("rnn").network(hidden_size=6))
    assert costs == built_costs(network)


def test_language_model_by_hand():
    # Embedding 11 x 6; node 0: 12 x 12; one computed node: 6 x 12.
    costs = RNN.costs(RnnArchitecture.from_release_string("0 1"), RNN.network_config())
    assert costs == Costs(282, 282, 66 + 144 + 72)


def test_macro_network_by_hand():
    space = MacroSpace(num_layers=1, input_shape=(4, 4, 3), num_classes=2)
    config = get_space("macro").network(filters=2)
    architecture = get_space("macro").from_release_string("1")  # Separable, 3 x 3.
    kernels = [3 * 3 * 3 * 2, 2 * 2, 3 * 3 * 2 + 2 * 2]
    costs = space.costs(architecture, config)
    assert costs.multiply_adds == 16 * sum(kernels) + 2 * 2
    assert costs.parameters == sum(kernels) + 2 * 2 + 3 * 2 * 2
    assert costs.all_parameters == costs.parameters + 3 * 2 * 2


def test_auxiliary_head_counts_in_training_only():
    config = get_space("micro").network(num_layers=3, filters=4)
    architecture = MICRO.random_architecture(0)
    used, trained = (MICRO.costs(architecture, config, portable=p) for p in (True, False))
    assert trained.parameters - used.parameters > 128 * 768


@pytest.mark.parametrize("space", [MacroSpace(), MicroSpace(), RnnSpace()], ids=lambda s: s.name)
def test_a_thousand_in_a_second(space):
    architectures = [space.random_architecture(seed) for seed in range(50)]
    start = time.process_time()
    for architecture in architectures:
        space.costs(architecture)
    # A fifth of the speed that is promised, for machines that are busy.
    assert time.process_time() - start < 0.25


def test_without_tensorflow():
    code = (
        "import sys; from enas_tf.spaces.registry import get_space\n"
        "for name in ('macro', 'micro', 'rnn'):\n"
        "  space = get_space(name).space(); space.costs(space.random_architecture(0))\n"
        "sys.exit('tensorflow' in sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
