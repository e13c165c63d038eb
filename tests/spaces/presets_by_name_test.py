"""The presets as the Python API gives them."""

import pytest

from enas_tf.errors import ConfigurationError
from enas_tf.spaces.presets_by_name import retrain_presets, search_presets
from enas_tf.spaces.registry import get_space, space_names


@pytest.mark.parametrize("space", space_names())
def test_presets_are_those_of_the_commands(space):
    entry = get_space(space)
    assert dict(search_presets(space)) == dict(entry.search_presets)
    assert dict(retrain_presets(space)) == dict(entry.retrain_presets)


def test_presets_cannot_be_changed_for_others():
    with pytest.raises(TypeError):
        search_presets("macro")["smoke"] = None


def test_another_space_is_refused():
    with pytest.raises(ConfigurationError, match="macro, micro, rnn"):
        search_presets("makro")
