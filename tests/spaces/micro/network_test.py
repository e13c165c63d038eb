import keras
import numpy as np
import pytest
import tensorflow as tf

from enas_tf.errors import ConfigurationError
from enas_tf.layers.drop_path import DropPath
from enas_tf.spaces.micro.architecture import MicroArchitecture
from enas_tf.spaces.micro.config import MicroNetworkConfig
from enas_tf.spaces.micro.network import FORM, build_micro_network

# Three nodes: every operation in both cells. In the reduction cell input 0 is a loose end, and
# every operation but the 5 x 5 convolution reads a cell's input.
ARCHITECTURE = MicroArchitecture.from_release_string(
    "0 0 1 4 | 1 1 2 2 | 0 3 1 4 || 1 0 1 4 | 1 2 2 1 | 1 3 3 4"
)
FORMS = ("final", "supernet", "darts")
# In both cells every operation reads an input and a node.
EVERY_OPERATION = MicroArchitecture.from_release_string(
    " ".join(["0 0 1 1 | 0 2 1 3 | 0 4 1 5 | 0 6 2 0 | 3 1 4 2 | 5 3 2 4 | 3 5 4 6"] * 2)
)
NO_REGULARIZATION = {"dropout_rate": 0.0, "drop_path_rate": 0.0, "auxiliary_weight": 0.0}


def config_of(**settings):
    return MicroNetworkConfig(**{"num_layers": 1, "filters": 4, **NO_REGULARIZATION, **settings})


def build(
    architecture=ARCHITECTURE,
    *,
    input_shape=(8, 8, 3),
    portable=True,
    steps=None,
    epoch_steps=1,
    **settings,
):
    return build_micro_network(
        architecture,
        config_of(**settings),
        input_shape=input_shape,
        num_classes=5,
        portable=portable,
        training_steps=steps,
        epoch_steps=epoch_steps,
    )


def pictures(shape=(8, 8, 3), batch=6):
    return np.random.default_rng(0).normal(size=(batch, *shape)).astype(np.float32)


def layer_names(network):
    return {layer.name for layer in network.layers}


# 13 pixels become 7, then 4.
@pytest.mark.parametrize(
    ("architecture", "shape", "num_layers"),
    [(EVERY_OPERATION, (13, 16, 1), 3), (ARCHITECTURE, (4, 4, 3), 1)],
    ids=["every", "small"],
)
@pytest.mark.parametrize(
    "form", [FORMS[0], *(pytest.param(form, marks=pytest.mark.long) for form in FORMS[1:])]
)
def test_portable_network_equals_the_fast_one(form, architecture, shape, num_layers):
    settings = {
        "form": form,
        "num_layers": num_layers,
        "drop_path_rate": 0.4,
        "auxiliary_weight": 0.4,
    }
    fast = build(architecture, input_shape=shape, portable=False, **settings)
    images = pictures(shape)
    for _ in range(2):  # Gives the moving statistics values of their own.
        fast(images, training=True)
    portable = FORM.to_portable(fast, architecture, config_of(**settings))
    logits, _ = fast(images, training=False)
    np.testing.assert_allclose(portable(images), logits, atol=2e-5)


@pytest.mark.parametrize("form", FORMS)
def test_both_kinds_start_with_the_same_weights(form):
    copied = FORM.to_portable(build(portable=False, form=form), ARCHITECTURE, config_of(form=form))
    for expected, actual in zip(copied.weights, build(form=form).weights):
        np.testing.assert_array_equal(actual, expected)


@pytest.mark.parametrize("form", FORMS)
def test_portable_network_has_only_stock_layers_and_one_output(form):
    network = build(form=form, drop_path_rate=0.4, auxiliary_weight=0.4, dropout_rate=0.2)
    assert all(type(layer).__module__.startswith("keras.") for layer in network.layers)
    assert network.output_shape == (None, 5)


def test_portable_network_survives_saving(tmp_path):
    network = build()
    network.save(tmp_path / "network.keras")
    loaded = keras.models.load_model(tmp_path / "network.keras")
    np.testing.assert_array_equal(loaded(pictures()), network(pictures()))


def test_portable_network_survives_json():
    network = build()
    again = keras.models.model_from_json(network.to_json())
    again.set_weights(network.get_weights())
    np.testing.assert_array_equal(again(pictures()), network(pictures()))


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("text", ["0 0 1 4 0 3 0 3", "1 4 1 4 1 4 1 4"])
@pytest.mark.parametrize("num_layers", [1, 4])
def test_any_number_of_nodes_and_layers(form, text, num_layers):
    # Both operands may be the same tensor, and one of a cell's inputs may be unread.
    network = build(MicroArchitecture.from_release_string(text), form=form, num_layers=num_layers)
    assert np.isfinite(network(pictures())).all()


@pytest.mark.parametrize("form", ["final", "supernet"])
def test_operations_work_at_the_reduced_size(form):
    network = build(form=form, input_shape=(14, 9, 3))
    # One layer: both reduction cells come first.
    sides = [network.get_layer(f"cell_{i}_node_0").output.shape[1:3] for i in range(3)]
    assert sides == [(7, 5), (4, 3), (4, 3)]


def test_final_form_strides_where_an_input_of_a_reduction_cell_is_read():
    network = build()
    strides = {
        part: network.get_layer(f"cell_0_node_{part}").strides
        for part in (
            "0_operand_0_convolution_0",
            "0_operand_0_convolution_1",
            "1_operand_0",
            "1_operand_1_convolution_0",
            "2_operand_0",
        )
    }
    assert strides == {
        "0_operand_0_convolution_0": (2, 2),
        "0_operand_0_convolution_1": (1, 1),
        "1_operand_0": (2, 2),
        "1_operand_1_convolution_0": (1, 1),
        "2_operand_0": (2, 2),
    }


def test_final_form_halves_identities_and_loose_inputs_of_reduction_cells():
    names = layer_names(build(portable=False))
    assert {"cell_0_node_0_operand_1", "cell_0_loose_end_0"} <= names
    # Node 1 is at the reduced size already; so are the inputs of a normal cell.
    assert not {"cell_0_node_2_operand_1", "cell_2_node_0_operand_1"} & names


def test_supernet_s_form_has_no_strides_within_cells():
    network = build(form="supernet")
    strided = {
        layer.name for layer in network.layers if getattr(layer, "strides", (1, 1)) != (1, 1)
    }
    assert strided
    assert all("_reduction_path_" in name or "_input_0_path_" in name for name in strided)


def test_a_cell_s_output_in_the_final_form_is_its_loose_ends():
    network = build(num_layers=3)
    # Nodes 1 and 2 of the normal cell, at 4 filters.
    assert network.get_layer("cell_0_concatenate").output.shape[-1] == 8
    # Input 0 and node 2 of the reduction cell, at 8 filters.
    assert network.get_layer("cell_1_concatenate").output.shape[-1] == 16


@pytest.mark.parametrize("form", FORMS)
def test_every_trained_weight_gets_a_gradient_the_auxiliary_head_s_too(form):
    network = build(
        EVERY_OPERATION, form=form, portable=False, auxiliary_weight=0.4, input_shape=(16, 16, 3)
    )
    with tf.GradientTape() as tape:
        outputs = network(pictures((16, 16, 3)), training=True)
        loss = sum(tf.reduce_sum(logits**2) for logits in outputs)
    gradients = tape.gradient(loss, network.trainable_variables)
    without = [
        variable.path
        for variable, gradient in zip(network.trainable_variables, gradients)
        if gradient is None or not np.any(gradient.numpy())
    ]
    assert without == []


def test_auxiliary_head_reads_the_cell_after_the_second_reduction():
    # Reductions are cells 1 and 3 of 0 to 5.
    network = build(portable=False, num_layers=4, auxiliary_weight=0.4)
    relu = network.get_layer("auxiliary_pooling").input._keras_history.operation
    assert relu.input is network.get_layer("cell_4_concatenate").output


@pytest.mark.parametrize(
    ("side", "kernel"), [(32, (2, 2)), (64, (4, 4)), (16, (1, 1)), (4, (1, 1))]
)
def test_auxiliary_head_fits_every_size_of_pictures(side, kernel):
    architecture = MicroArchitecture.from_release_string("0 4 1 4 0 4 1 4")
    network = build(architecture, portable=False, auxiliary_weight=0.4, input_shape=(side, side, 3))
    assert network.get_layer("auxiliary_features").kernel.shape == (*kernel, 128, 768)


def test_identities_are_not_dropped():
    network = build(portable=False, drop_path_rate=0.4)
    dropped = {layer.name for layer in network.layers if isinstance(layer, DropPath)}
    expected = {
        f"cell_{cell}_node_{node}_operand_{operand}_drop_path"
        for cell in range(3)
        for node, operand in ((0, 0), (1, 0), (1, 1), (2, 0))
    }
    assert dropped == expected


def test_in_darts_s_form_identities_that_halve_are_dropped():
    # Reduction cells are 1 and 2 of 0 to 2.
    network = build(portable=False, drop_path_rate=0.4, form="darts")
    dropped = {layer.name for layer in network.layers if isinstance(layer, DropPath)}
    of_the_reduction = {name for name in dropped if name.startswith("cell_1_")}
    # All but the identity that reads a node.
    assert of_the_reduction == {
        f"cell_1_node_{node}_operand_{operand}_drop_path"
        for node, operand in ((0, 0), (0, 1), (1, 0), (1, 1), (2, 0))
    }
    assert "cell_0_node_0_operand_1_drop_path" not in dropped


def test_in_darts_s_form_drop_path_is_the_same_in_all_cells_and_rises_with_epochs():
    network = build(portable=False, drop_path_rate=0.4, form="darts", steps=6, epoch_steps=2)
    schedule = network.get_layer("drop_path")
    keep = np.array([schedule.keep_probabilities(step) for step in range(6)])
    expected = 1.0 - 0.4 * np.array([0, 0, 1, 1, 2, 2]) / 3
    np.testing.assert_allclose(keep, np.tile(expected[:, None], keep.shape[1]), rtol=1e-6)


def test_in_darts_s_form_a_cell_s_output_is_all_its_nodes():
    network = build(form="darts", num_layers=4)
    assert network.get_layer("cell_0_concatenate").output.shape[-1] == 3 * 4
    names = layer_names(network)
    # Inputs of the right width are convolved, too; the stem has none.
    assert {"cell_0_input_0", "cell_0_input_1", "cell_2_input_1"} <= names
    assert not any("_base" in name or "_loose_end_" in name for name in names)


def test_in_darts_s_form_the_classifiers_have_a_bias():
    network = build(form="darts", portable=False, auxiliary_weight=0.4)
    for name in ("classifier", "auxiliary_classifier"):
        assert network.get_layer(name).use_bias


@pytest.mark.parametrize(("num_layers", "cell"), [(1, 2), (4, 4), (18, 13)])
def test_in_darts_s_form_the_auxiliary_head_reads_the_second_reduction_cell(num_layers, cell):
    settings = {"form": "darts", "auxiliary_weight": 0.4, "num_layers": num_layers}
    network = build(portable=False, **settings)
    relu = network.get_layer("auxiliary_pooling").input._keras_history.operation
    assert relu.input is network.get_layer(f"cell_{cell}_concatenate").output


def test_in_darts_s_form_one_pixel_is_left_in_the_auxiliary_head():
    network = build(form="darts", portable=False, auxiliary_weight=0.4, input_shape=(32, 32, 3))
    features = network.get_layer("auxiliary_features")
    assert features.kernel.shape == (2, 2, 128, 768)
    assert features.output.shape == (None, 1, 1, 768)


def test_in_darts_s_form_identities_that_halve_begin_with_a_relu():
    network = build(form="darts", portable=False)
    reduction = network.get_layer("cell_1_node_0_operand_1")
    assert isinstance(reduction.input._keras_history.operation, keras.layers.ReLU)


def test_drop_path_rises_linearly_with_depth():
    network = build(portable=False, drop_path_rate=0.4, steps=10)
    schedule = network.get_layer("drop_path")
    last = schedule.keep_probabilities(9).numpy()
    # Three cells of four operands that are dropped.
    np.testing.assert_allclose(last, np.repeat(1.0 - 0.4 * np.arange(1, 4) / 3, 4), rtol=1e-6)


def test_training_counts_its_steps_for_drop_path_and_evaluation_does_not():
    network = build(portable=False, drop_path_rate=0.4, steps=10)
    for training in (True, False, True):
        network(pictures(), training=training)
    assert int(network.get_layer("drop_path").num_calls.numpy()) == 2


def test_drop_path_changes_training_only():
    networks = [build(portable=False, drop_path_rate=rate) for rate in (0.0, 0.9)]
    with_training = [network(pictures(), training=True).numpy() for network in networks]
    assert np.abs(with_training[0] - with_training[1]).max() > 1e-3
    networks = [build(portable=False, drop_path_rate=rate) for rate in (0.0, 0.9)]
    logits = [network(pictures(), training=False) for network in networks]
    np.testing.assert_array_equal(*logits)


@pytest.mark.parametrize("rate", ["drop_path_rate", "auxiliary_weight"])
def test_without_regularisation_there_is_no_layer_for_it(rate):
    part = rate.rpartition("_")[0]
    for value, expected in ((0.4, True), (0.0, False)):
        names = layer_names(build(portable=False, **{rate: value}))
        assert any(name.startswith(part) for name in names) is expected


@pytest.mark.parametrize(
    ("sizes", "message"),
    [
        ({"input_shape": (3, 8, 3)}, "at least 4 x 4 pixels"),
        ({"input_shape": (8, 8)}, "`input_shape`"),
        ({"num_classes": 1}, "`num_classes`"),
    ],
)
def test_sizes_that_do_not_fit_are_refused(sizes, message):
    sizes = {"input_shape": (8, 8, 3), "num_classes": 3, **sizes}
    with pytest.raises(ConfigurationError, match=message):
        build_micro_network(ARCHITECTURE, config_of(), **sizes)
