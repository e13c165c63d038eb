"""Chosen and own operations in supernets: they compute what the networks do."""

import itertools

import numpy as np
import pytest
import tensorflow as tf

from enas_tf.layers.graph_options import without_graph_optimization
from enas_tf.reporting.drawing import draw_architecture
from enas_tf.spaces.macro.config import MacroNetworkConfig
from enas_tf.spaces.macro.space import MacroSpace
from enas_tf.spaces.micro.decisions import MicroMixture, MicroPaths
from enas_tf.spaces.micro.layout import CellPlace
from enas_tf.spaces.micro.relaxed_cells import RelaxedCells, partial_mixture
from enas_tf.spaces.micro.space import MicroSpace
from enas_tf.spaces.micro.supernet_cells import StageCells
from enas_tf.spaces.rnn.space import RnnSpace
from tests.golden_fixtures import assert_close
from tests.spaces.built_costs import built_costs
from tests.spaces.macro import inheritance as macro_inheritance
from tests.spaces.micro import inheritance as micro_inheritance
from tests.spaces.own_operations import bias_convolution, blur, registered

SIZES = {"filters": 4, "input_shape": (8, 7, 2), "num_classes": 3, "dropout_rate": 0.0}
OWN = ("own_convolution", "blur")
BATCH = 5


@pytest.fixture(scope="module", autouse=True)
def own():
    with registered(own_convolution=bias_convolution, blur=blur) as operations:
        yield operations


@pytest.fixture(scope="module")
def images():
    return np.random.default_rng(0).normal(size=(BATCH, 8, 7, 2)).astype(np.float32)


def randomize(supernet):
    generator = np.random.default_rng(0)
    for variable in supernet.weights:
        if variable.dtype == "float32" and variable.name != "kernel":
            variable.assign(generator.uniform(0.5, 1.5, variable.shape))
    return supernet


@pytest.fixture(scope="module")
def macro():
    return MacroSpace(num_layers=3, operations=("separable_3x3", "max", "identity", *OWN), **SIZES)


@pytest.fixture(scope="module")
def micro():
    operations = ("separable_3x3", "dilated_3x3", "identity", *OWN)
    return MicroSpace(
        num_layers=1, num_nodes=2, operations=operations, auxiliary_weight=0.0, **SIZES
    )


def check_logits(supernet, architectures, network_of, images):
    @tf.function(autograph=False)
    def logits(decisions):
        return [
            supernet.forward(images, decisions, use_batch_statistics=use_batch)[0]
            for use_batch in (False, True)
        ]

    for number, architecture in enumerate(architectures):
        network = network_of(supernet, architecture, portable=bool(number % 2))
        with without_graph_optimization():
            both = logits(supernet.decisions_of(architecture))
        for training, expected in zip((False, True), both):
            assert_close(network(images, training=training), expected)
    assert logits.experimental_get_tracing_count() == 1


def test_macro_networks_compute_the_supernet_s_logits(macro, images):
    supernet = randomize(macro.build_supernet(seed=1))
    architectures = macro.benchmark_architectures()[2:]
    check_logits(supernet, architectures, macro_inheritance.network_of_supernet, images)


@pytest.fixture(scope="module")
def micro_supernet(micro):
    return randomize(micro.build_supernet(seed=1))


@pytest.mark.long
def test_micro_networks_compute_the_supernet_s_logits(micro, micro_supernet, images):
    architectures = micro.benchmark_architectures()[2:4]
    check_logits(micro_supernet, architectures, micro_inheritance.network_of_supernet, images)


@pytest.fixture(scope="module")
def pass_of(micro_supernet, images):
    labels = tf.constant([0, 1, 2, 0, 1])
    supernet = micro_supernet

    @tf.function(autograph=False)
    def run(decisions):
        with tf.GradientTape() as tape:
            outcome = supernet.training_pass((images, labels), decisions, (), np.int32([1, 2]))
        variables = [variable.value for variable in supernet.trainable_variables]
        gradients = tape.gradient(outcome.objective, variables, unconnected_gradients="zero")
        return outcome, [tf.convert_to_tensor(gradient) for gradient in gradients]

    def of(decisions):
        with without_graph_optimization():
            return run(decisions)

    return of


def as_tensors(values):
    return type(values)(*(tf.constant(value[0]) for value in values))


def test_a_cell_of_one_hot_mixtures_of_them_is_the_discrete_cell(micro):
    stage = StageCells(micro, [CellPlace(0, 0, False, 4)], itertools.count().__next__)
    relaxed = RelaxedCells(stage)
    older, newer = tf.random.stateless_normal([2, 5, 4, 4, 4], [1, 2])
    # Every operation with weights, then both without.
    for number in (0, 3):
        architecture = micro.benchmark_architectures()[number]
        decisions = as_tensors(micro.encode([architecture]))
        mixture = as_tensors(micro.relax([architecture]))
        (weights,) = stage.select(decisions)
        expected, moments = stage.run(older, newer, weights, True)
        collected = stage.collect(decisions, [moments])
        (weights,) = relaxed.select(mixture)
        outputs, moments = relaxed.run(older, newer, weights, True)
        np.testing.assert_allclose(outputs, expected, rtol=1e-4, atol=1e-5)
        for name, statistics in relaxed.collect(mixture, [moments]).items():
            for own, other in zip(statistics, collected[name]):
                np.testing.assert_allclose(own, other, rtol=1e-4, atol=1e-5)
    partial = partial_mixture(mixture, [4], 1, tf.constant([3, 4]))
    (weights,) = relaxed.select(partial)
    np.testing.assert_allclose(
        relaxed.run(older, newer, weights, True)[0], expected, rtol=1e-4, atol=1e-5
    )


@pytest.mark.long
def test_one_hot_mixtures_of_them_are_the_discrete_pass(micro, pass_of):
    architectures = [micro.benchmark_architectures()[3]]
    discrete, expected = pass_of(as_tensors(micro.encode(architectures)))
    relaxed, gradients = pass_of(as_tensors(micro.relax(architectures)))
    np.testing.assert_allclose(relaxed.objective, discrete.objective, rtol=1e-5)
    for own, other in zip(gradients, expected):
        np.testing.assert_allclose(own, other, rtol=1e-4, atol=1e-5)
    for name, statistics in discrete.statistics.items():
        for own, other in zip(relaxed.statistics[name], statistics):
            np.testing.assert_allclose(own, other, rtol=1e-4, atol=1e-5)


@pytest.mark.long
def test_paths_take_them(micro, pass_of):
    decisions = as_tensors(micro.encode([micro.benchmark_architectures()[3]]))
    whole, _ = pass_of(MicroPaths(*decisions, tf.ones([2, 2, 2])))
    discrete, _ = pass_of(decisions)
    np.testing.assert_allclose(whole.objective, discrete.objective, rtol=1e-5)


@pytest.mark.long
def test_with_all_channels_chosen_a_partial_mixture_is_the_whole_one(
    micro, micro_supernet, pass_of
):
    weights = as_tensors(micro.relax([micro.benchmark_architectures()[3]])).weights
    weights = 0.5 * weights + 0.5 * as_tensors(micro.relax([micro.random_architecture(0)])).weights
    partial = micro_supernet.partial_mixture(MicroMixture(weights), 1, np.int32([3, 4]))
    one, _ = pass_of(partial)
    other, _ = pass_of(MicroMixture(weights))
    np.testing.assert_allclose(one.objective, other.objective, rtol=1e-4)


@pytest.mark.parametrize("kind", ["macro", "micro"])
def test_costs_are_those_of_built_networks(kind, request):
    space = request.getfixturevalue(kind)
    config = space.network_config()
    architecture = space.benchmark_architectures()[3]
    network = space.build_network(architecture, config)
    assert space.costs(architecture, config) == built_costs(network)


def test_layers_of_them_are_listed_by_their_names(macro):
    architecture = macro.architecture_from_release_string("own_convolution 6 0 blur 1 0")
    layers = macro.layers(architecture, MacroNetworkConfig(filters=6))
    own = {str(layer): number for layer, number in layers.items() if layer.kind == "own_layer"}
    # Doubled by the reduction after the first layer.
    assert own == {
        "own_layer 8x7x6 operation=own_convolution filters=6 strides=1": 1,
        "own_layer 4x4x12 operation=blur filters=12 strides=1": 1,
    }


@pytest.mark.parametrize("kind", ["macro", "micro"])
def test_drawings_have_their_names(kind, request):
    space = request.getfixturevalue(kind)
    drawings = [draw_architecture(one) for one in space.benchmark_architectures()]
    assert any("own convolution" in drawing for drawing in drawings)


def test_without_weights_a_supernet_has_no_weights_of_operations(images):
    space = MacroSpace(num_layers=2, operations=("identity", "max"), **SIZES)
    supernet = randomize(space.build_supernet(seed=1))
    architecture = space.architecture_from_release_string("6 5 1")
    network = macro_inheritance.network_of_supernet(supernet, architecture)
    assert_close(network(images), supernet(images, architecture, training=False))


def test_recurrent_cells_have_the_chosen_functions():
    sizes = {"num_nodes": 3, "hidden_size": 4, "vocabulary_size": 9, "initial_range": 0.5}
    space = RnnSpace(operations=("relu", "identity"), **sizes)
    supernet = space.build_supernet(seed=1)
    architecture = space.architecture_from_release_string("0 1 1 3 0 1")
    whole = RnnSpace(**sizes).build_supernet(seed=2)
    for own, other in zip(supernet.weights, whole.weights):
        if own.shape == other.shape:
            other.assign(own)
    for bank, all_functions in zip(supernet.banks, whole.banks):
        values = all_functions.numpy()
        values[[1, 3]] = bank.numpy()
        all_functions.assign(values)
    tokens = np.int32([[1, 2, 3, 4]])
    expected = whole(tokens, architecture)
    np.testing.assert_allclose(supernet(tokens, architecture), expected, rtol=1e-5, atol=1e-6)
    mixture = as_tensors(space.relax([architecture]))
    np.testing.assert_allclose(supernet(tokens, mixture), expected, rtol=1e-5, atol=1e-6)
