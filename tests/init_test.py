"""The public names of the package."""

import importlib

import pytest

import enas_tf


@pytest.mark.parametrize("name", sorted(set(enas_tf.__all__) - {"__version__"}))
def test_every_public_name_can_be_loaded(name):
    assert getattr(enas_tf, name).__name__ == name


@pytest.mark.parametrize(
    ("name", "module"),
    [
        ("search", "search.state"),
        ("retrain", "retrain.classifier"),
        ("export", "export"),
        ("generate", "generate"),
    ],
)
def test_a_submodule_of_the_same_name_does_not_hide_a_function(name, module):
    importlib.import_module(f"enas_tf.{module}")
    assert callable(getattr(enas_tf, name))


def test_an_unknown_name_is_an_attribute_error():
    name = "Macrospace"
    with pytest.raises(AttributeError, match=f"has no attribute '{name}'"):
        getattr(enas_tf, name)
