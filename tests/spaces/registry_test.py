import pytest

from enas_tf.errors import ConfigurationError
from enas_tf.spaces.registry import get_space, space_names


@pytest.mark.parametrize("name", space_names())
def test_an_entry_has_the_name_of_its_space(name):
    assert get_space(name).name == get_space(name).space.name == name


def test_another_name_is_refused():
    with pytest.raises(ConfigurationError, match=r"`space` must be one of .*space='other'"):
        get_space("other")


def test_names_of_places():
    assert get_space("macro").place_names(3) == ["0", "1", "2"]
    assert get_space("rnn").place_names(2) == ["1", "2"]
    names = ["N0a", "N0b", "N1a", "N1b", "R0a", "R0b", "R1a", "R1b"]
    assert get_space("micro").place_names(8) == names
