"""The public names of the package."""

import pytest

import enas_tf


@pytest.mark.parametrize("name", sorted(set(enas_tf.__all__) - {"__version__"}))
def test_every_public_name_can_be_loaded(name):
    assert getattr(enas_tf, name).__name__ == name


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="has no attribute 'Macrospace'"):
        enas_tf.Macrospace  # noqa: B018
