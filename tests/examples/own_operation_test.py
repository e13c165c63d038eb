"""The worked example of an operation of one's own, whole and in its parts."""

import keras
import numpy as np
import pytest
import tensorflow as tf

import enas_tf
from tests.spaces.own_operations import registered

ARCHITECTURE = "atrous_3x3 | 6 1"


@pytest.fixture(scope="module")
def example():
    """The module, whose operation is forgotten after its tests."""
    with registered():
        from enas_tf.examples import own_operation

        enas_tf.register_operation("atrous_3x3", own_operation.DilatedConvolution)
        yield own_operation


@pytest.mark.parametrize("strides", [1, 2])
def test_the_layer_is_a_dilated_convolution(example, strides):
    images = np.random.default_rng(0).normal(size=(2, 7, 6, 3)).astype(np.float32)
    layer = example.DilatedConvolution(4, strides)
    outputs = layer(images)
    expected = tf.nn.conv2d(images, layer.kernel.value, 1, "SAME", dilations=2)
    np.testing.assert_allclose(outputs, expected[:, ::strides, ::strides], rtol=1e-4, atol=1e-5)


@pytest.fixture(scope="module")
def model(example):
    from enas_tf.data.images.preprocessing import Normalization
    from enas_tf.models.classifier import build_classifier

    space = enas_tf.MacroSpace(num_layers=2, input_shape=(8, 8, 1), num_classes=3)
    architecture = enas_tf.MacroArchitecture.from_release_string(ARCHITECTURE)
    network = space.build_network(architecture, enas_tf.MacroNetworkConfig(filters=4))
    return build_classifier(network, Normalization(np.float32([100.0]), np.float32([50.0])))


@pytest.fixture(scope="module")
def pictures():
    return np.random.default_rng(0).integers(0, 256, (3, 8, 8, 1), np.uint8)


def test_keras_reads_the_file_by_the_registered_class(model, pictures, tmp_path):
    path = enas_tf.export(model, tmp_path / "model.keras", format="keras")
    logits = model(pictures)
    for read in (keras.models.load_model, enas_tf.load_model):
        np.testing.assert_allclose(read(path)(pictures), logits, rtol=1e-5, atol=1e-6)


def test_a_class_that_is_not_registered_is_told_with_what_to_do(model, tmp_path, monkeypatch):
    path = enas_tf.export(model, tmp_path / "model.keras", format="keras")
    monkeypatch.delitem(
        keras.saving.get_custom_objects(), "own_operation>DilatedConvolution", raising=True
    )
    monkeypatch.setattr(
        "enas_tf.examples.own_operation.DilatedConvolution", None
    )  # Nor can Keras import it.
    with pytest.raises(enas_tf.EnasError, match=r"'DilatedConvolution'; if it is.*_module=FILE"):
        enas_tf.load_model(path)


def test_tflite_answers_like_the_model(example, model, pictures, tmp_path):
    path = enas_tf.export(model, tmp_path / "model.tflite", format="tflite")
    expected = tf.nn.softmax(model(pictures)).numpy()
    np.testing.assert_allclose(example._run_tflite(path, pictures), expected, rtol=1e-4, atol=1e-5)


@pytest.mark.long
@pytest.mark.parametrize("space", ["macro", "micro"])
@pytest.mark.parametrize("strategy", ["reinforce", "random", "evolution", "surrogate", "frozen"])
def test_every_strategy_searches_with_it(example, space, strategy, tmp_path):
    data = enas_tf.load_images(enas_tf.DataConfig(dataset="digits", max_train_examples=300))
    sizes = {"filters": 4, "operations": ["separable_3x3", "identity", example.ATROUS]}
    kinds = {
        "macro": enas_tf.MacroSpace(num_layers=2, **sizes),
        "micro": enas_tf.MicroSpace(num_layers=1, num_nodes=1, auxiliary_weight=0.0, **sizes),
    }
    smoke = enas_tf.search_presets(space)["smoke"].search
    config = smoke.replace(
        strategy=strategy,
        warm_up=0.0,
        shared_weights=smoke.shared_weights.replace(epochs=1),
        policy=smoke.policy.replace(updates_per_epoch=1, samples_per_update=4),
        derive=smoke.derive.replace(num_candidates=2),
    )
    result = enas_tf.search(kinds[space].for_data(data), data, config, tmp_path / "run")
    assert len(result.candidates) == 2


@pytest.mark.long
@pytest.mark.parametrize("sampling", ["full", "partial", "gumbel"])
def test_mixtures_search_with_it(example, sampling, tmp_path):
    data = enas_tf.load_images(enas_tf.DataConfig(dataset="digits", max_train_examples=300))
    operations = ["separable_3x3", "dilated_3x3", "identity", example.ATROUS]
    space = enas_tf.MicroSpace(
        num_layers=1, num_nodes=1, filters=4, auxiliary_weight=0.0, operations=operations
    )
    smoke = enas_tf.search_presets("micro")["smoke"].search
    config = smoke.replace(
        strategy="darts",
        shared_weights=smoke.shared_weights.replace(epochs=1),
        derive=smoke.derive.replace(num_candidates=2),
        darts=smoke.darts.replace(sampling=sampling),
    )
    result = enas_tf.search(space.for_data(data), data, config, tmp_path / "run")
    assert result.architecture.num_nodes == 1


@pytest.mark.long
def test_the_whole_example_runs_and_all_formats_agree(example, tmp_path):
    answers = example.main(tmp_path, num_layers=2, epochs=1)
    expected = answers.pop("model")
    assert set(answers) == {"keras", "saved_model", "tflite"}
    for name, probabilities in answers.items():
        np.testing.assert_allclose(probabilities, expected, rtol=1e-3, atol=1e-4, err_msg=name)
    architecture = enas_tf.load_architecture(tmp_path / "final", "macro")
    assert architecture.layers[0].operation == example.ATROUS
    assert "atrous 3x3" in (tmp_path / "final.svg").read_text()
