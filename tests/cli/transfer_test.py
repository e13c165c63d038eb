"""What was found or trained on one dataset goes over to another one, of another size."""

import json

import keras
import numpy as np
import pytest
from PIL import Image

from enas_tf.cli import retrain

SMALL = ("--epochs=1", "--batch_size=8", "--filters=4")


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """The final training of an architecture on grey digits of 8 x 8 pixels."""
    output = tmp_path_factory.mktemp("digits") / "out"
    flags = ("--space=macro", "--preset=smoke", "--architecture=0 3 1", "--dataset=digits")
    examples = ("--max_train_examples=40", "--max_test_examples=10")
    assert retrain.main([*flags, *examples, *SMALL, f"--output_dir={output}"]) == 0
    return output


@pytest.fixture(scope="module")
def pictures(tmp_path_factory):
    """A folder of class folders with colour pictures of several sizes, without a test part."""
    folder = tmp_path_factory.mktemp("pictures")
    random = np.random.default_rng(0)
    for name in ("ant", "bee"):
        (folder / name).mkdir()
        for number in range(15):
            pixels = random.integers(0, 256, (20 + number % 3, 24, 3), np.uint8)
            Image.fromarray(pixels).save(folder / name / f"{number}.jpg")
    return folder


def _network(output):
    model = keras.models.load_model(output / "model.keras")
    return next(layer for layer in model.layers if isinstance(layer, keras.Model))


def test_another_dataset_of_another_size(trained, pictures, tmp_path, capsys):
    output = tmp_path / "out"
    flags = (f"--architecture={trained}", f"--dataset={pictures}", *SMALL)
    begin = (f"--initial_weights={trained}", "--learning_rate=1e-12", "--final_learning_rate=0")
    assert retrain.main([*flags, *begin, "--weight_decay=0", f"--output_dir={output}"]) == 0
    told = capsys.readouterr().err
    assert "are brought to the median, 21 x 24" in told
    results = json.loads((output / "results.json").read_text())
    assert (results["input_shape"], results["label_names"]) == ([21, 24, 3], ["ant", "bee"])
    assert results["test_examples"] == 6
    own, before = _network(output), _network(trained)
    same = [
        layer.name
        for layer in own.layers
        if isinstance(layer, keras.layers.Conv2D)
        and layer.kernel.shape == before.get_layer(layer.name).kernel.shape
    ]
    assert same
    assert "stem" not in same
    for name in same:
        kernels = (network.get_layer(name).kernel.numpy() for network in (own, before))
        np.testing.assert_allclose(*kernels, atol=1e-6)
    assert "layers begin with the weights of" in told
    assert "anew: stem, " in told


@pytest.mark.parametrize(
    ("path", "message"), [("none.keras", "does not exist"), ("saved_model", "or the .keras file")]
)
def test_initial_weights_are_of_a_model_with_named_layers(trained, path, message, tmp_path, capsys):
    flags = (f"--architecture={trained}", f"--initial_weights={trained / path}")
    assert retrain.main([*flags, f"--output_dir={tmp_path / 'out'}"]) == 2
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1
