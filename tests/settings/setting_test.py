import dataclasses
import json
import math

import pytest

from enas_tf.errors import ConfigurationError
from enas_tf.settings.setting import Settings, section, setting


@dataclasses.dataclass(frozen=True)
class Inner(Settings):
    rate: float = setting(0.5, "A rate.", minimum=0.0, below=1.0)


@dataclasses.dataclass(frozen=True)
class Outer(Settings):
    count: int = setting(3, "A count.", minimum=1, maximum=5)
    scale: float = setting(1.0, "A scale.", above=0.0)
    limit: float | None = setting(None, "A limit.", above=0.0)
    kind: str = setting("first", "A kind.", choices=("first", "second"))
    enabled: bool = setting(True, "A switch.")
    shape: tuple[int, ...] = setting((2, 3), "A shape.")
    inner: Inner = section(Inner())


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("count", 2.0),
        ("count", "3"),
        ("count", None),
        ("count", True),
        ("scale", "1.0"),
        ("scale", False),
        ("limit", "no"),
        ("enabled", 1),
        ("enabled", "yes"),
        ("kind", 3),
        ("shape", 4),
        ("inner", {"rate": 0.5}),
    ],
)
def test_a_wrong_type_is_refused(name, value):
    with pytest.raises(ConfigurationError, match=f"`{name}` must be .* Received: {name}="):
        Outer(**{name: value})


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("count", 0, "at least 1"),
        ("count", 6, "at most 5"),
        ("scale", 0.0, "greater than 0.0"),
        ("limit", -1.0, "greater than 0.0"),
        ("kind", "third", "one of 'first', 'second'"),
    ],
)
def test_a_value_out_of_range_is_refused(name, value, message):
    with pytest.raises(ConfigurationError, match=f"`{name}` must be {message}"):
        Outer(**{name: value})


@pytest.mark.parametrize(("rate", "message"), [(-0.1, "at least 0.0"), (1.0, "less than 1.0")])
def test_the_bounds_of_a_section_hold(rate, message):
    with pytest.raises(ConfigurationError, match=message):
        Inner(rate=rate)


@pytest.mark.parametrize("value", [1, 5])
def test_bounds_are_permitted(value):
    assert Outer(count=value).count == value


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_a_number_must_be_finite(value):
    with pytest.raises(ConfigurationError, match="`scale` must be a finite number"):
        Outer(scale=value)


def test_an_integer_becomes_a_float():
    value = Outer(scale=2, limit=3)
    assert (type(value.scale), type(value.limit)) == (float, float)


def test_a_list_becomes_a_tuple():
    assert Outer(shape=[1, 2]).shape == (1, 2)


def test_none_is_permitted_where_the_type_says_so():
    assert Outer(limit=None).limit is None


def test_settings_are_values():
    assert Outer() == Outer()
    assert Outer(count=4) != Outer()
    assert hash(Outer()) == hash(Outer())
    with pytest.raises(dataclasses.FrozenInstanceError):
        Outer().count = 4


def test_replace_changes_a_copy():
    before = Outer()
    assert before.replace(count=4).count == 4
    assert before.count == 3


def test_replace_checks_the_value():
    with pytest.raises(ConfigurationError, match="`count` must be at most 5"):
        Outer().replace(count=9)


def test_replace_names_an_unknown_setting_and_the_known_ones():
    with pytest.raises(ConfigurationError, match=r"no setting 'cuont'. Known settings: count,"):
        Outer().replace(cuont=4)


def test_json_round_trip():
    value = Outer(count=4, limit=0.25, shape=(5,), inner=Inner(rate=0.1))
    assert Outer.from_json(json.loads(json.dumps(value.to_json()))) == value


def test_settings_that_json_leaves_out_have_their_defaults():
    assert Outer.from_json({"count": 2}) == Outer(count=2)


@pytest.mark.parametrize("values", [{"counts": 1}, {"inner": {"rat": 0.1}}])
def test_an_unknown_key_in_json_is_refused(values):
    with pytest.raises(ConfigurationError, match="has no setting"):
        Outer.from_json(values)


@pytest.mark.parametrize("value", [3, None, [0.5], "0.5"])
def test_a_section_in_json_must_be_an_object(value):
    with pytest.raises(ConfigurationError, match="`inner` must be"):
        Outer.from_json({"inner": value})
