import os
import subprocess
import sys

import keras
import numpy as np
import pytest

from enas_tf.environment.keras_settings import check_backend, own_settings, under_own_settings
from enas_tf.errors import ConfigurationError
from enas_tf.spaces.macro.space import MacroSpace
from enas_tf.spaces.micro.space import MicroSpace
from enas_tf.spaces.rnn.space import RnnSpace
from enas_tf.training.devices import training_strategy

OWN = {
    "floatx": "float32",
    "dtype_policy": "float32",
    "image_data_format": "channels_last",
    "epsilon": 1e-7,
}
FOREIGN = {
    "floatx": "float16",
    "dtype_policy": "mixed_float16",
    "image_data_format": "channels_first",
    "epsilon": 0.01,
}
SPACES = {
    "macro": MacroSpace(num_layers=3, filters=4, input_shape=(8, 8, 3), num_classes=4),
    "micro": MicroSpace(num_layers=1, num_nodes=2, filters=4, input_shape=(8, 8, 3), num_classes=4),
    "rnn": RnnSpace(num_nodes=2, hidden_size=4, vocabulary_size=5),
}


def settings():
    values = {name: getattr(keras.config, name)() for name in OWN}
    return {name: getattr(value, "name", value) for name, value in values.items()}


def set_all(values):
    for name, value in values.items():
        getattr(keras.config, f"set_{name}")(value)


@pytest.fixture
def foreign():
    """Sets what somebody else may have set, for the length of a test."""
    set_all(FOREIGN)
    yield
    set_all(OWN)


@pytest.mark.usefixtures("foreign")
def test_the_package_has_its_settings_and_others_theirs():
    with own_settings():
        assert settings() == OWN
    assert settings() == FOREIGN


@pytest.mark.usefixtures("foreign")
def test_settings_come_back_after_an_error():
    @under_own_settings
    def work():
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        work()
    assert settings() == FOREIGN


@pytest.mark.usefixtures("foreign")
def test_a_training_has_the_settings_of_the_package():
    with training_strategy():
        assert settings() == OWN


def networks(space):
    architecture = space.random_architecture(seed=0)
    return [
        space.build_network(architecture),
        space.build_network(architecture, portable=False),
        space.build_supernet(),
        space.build_controller(),
    ]


@pytest.mark.usefixtures("foreign")
@pytest.mark.parametrize("name", SPACES)
def test_networks_are_built_under_them(name):
    for network in networks(SPACES[name]):
        layers = network._flatten_layers()
        assert {layer.dtype_policy.name for layer in layers} == {"float32"}
        assert {variable.dtype for variable in network.trainable_variables} == {"float32"}


@pytest.mark.usefixtures("foreign")
def test_layouts_are_those_of_the_package():
    pictures = np.random.default_rng(0).normal(size=(2, 8, 8, 3)).astype(np.float32)
    space = SPACES["micro"]
    network = space.build_network(space.random_architecture(seed=0))
    answers = network(pictures)
    set_all(OWN)
    again = space.build_network(space.random_architecture(seed=0))
    np.testing.assert_array_equal(answers, again(pictures))


def test_another_backend_is_refused(monkeypatch):
    monkeypatch.setattr(keras.config, "backend", lambda: "jax")
    with pytest.raises(ConfigurationError, match=r"runs on jax.*KERAS_BACKEND=tensorflow"):
        check_backend()


@pytest.mark.parametrize("variable", ["KERAS_BACKEND=torch", "KERAS_MAX_EPOCHS=many"])
def test_keras_that_cannot_be_loaded_is_an_error_in_python(variable):
    name, _, value = variable.partition("=")
    script = (
        "import enas_tf\n"
        "try:\n    enas_tf.search\n"
        "except enas_tf.EnasError as error:\n    print(error)\n"
    )
    environment = {**os.environ, name: value}
    result = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, env=environment
    )
    assert "KERAS_" in result.stdout


def load_in_a_command(folder, config):
    (folder / "keras.json").write_text(config)
    script = (
        "import sys\nfrom enas_tf.cli.app import run_command\n"
        "from enas_tf.cli.start_up import load_tensorflow\n"
        "sys.exit(run_command('enas-x', lambda argv: load_tensorflow(), []))"
    )
    environment = {**os.environ, "KERAS_HOME": str(folder), "KERAS_BACKEND": "torch"}
    return subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, env=environment
    )


def test_a_command_has_its_own_backend(tmp_path):
    result = load_in_a_command(tmp_path, '{"backend": "jax"}')
    assert (result.returncode, result.stderr) == (0, "")


@pytest.mark.parametrize("config", ['{"floatx": "half"}', '{"epsilon": 1}', "[]"])
def test_a_keras_json_that_keras_refuses_is_one_line(config, tmp_path):
    result = load_in_a_command(tmp_path, config)
    assert result.returncode == 2
    assert result.stderr.startswith("enas-x: error: Keras cannot be loaded (")
    assert result.stderr.count("\n") == 1
