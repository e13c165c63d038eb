"""The public names of the package."""

import pathlib
import subprocess
import sys

import pytest

import enas_tf


@pytest.mark.parametrize("name", sorted(set(enas_tf.__all__) - {"__version__"}))
def test_every_public_name_can_be_loaded(name):
    assert getattr(enas_tf, name).__name__ == name


def test_no_module_or_room_has_the_name_of_a_public_function():
    # Importing it would hide the function.
    root = pathlib.Path(enas_tf.__file__).parent
    assert {path.stem for path in root.iterdir()}.isdisjoint(enas_tf.__all__)


def test_an_unknown_name_is_an_attribute_error():
    name = "Macrospace"
    with pytest.raises(AttributeError, match=f"has no attribute '{name}'"):
        getattr(enas_tf, name)


def test_values_settings_and_data_need_no_tensorflow():
    with_tensorflow = {"evaluate", "export", "generate", "load_model"}
    with_tensorflow |= {"predict", "retrain", "search", "study", "use_hardware"}
    script = (
        "import sys, enas_tf; "
        f"[getattr(enas_tf, name) for name in set(enas_tf.__all__) - {with_tensorflow}]; "
        "enas_tf.load_images('digits'); enas_tf.search_presets('rnn')['smoke']; "
        "print({'tensorflow', 'keras'} & set(sys.modules))"
    )
    command = [sys.executable, "-c", script]
    output = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert output.strip() == "set()"
