import pytest

from enas_tf.reporting.page.settings_table import nearest_preset, rows_of, value_text
from enas_tf.spaces.registry import get_space

PRESETS = get_space("macro").search_presets


def settings_of(name):
    preset = PRESETS[name]
    return {"space": preset.space, "data": preset.data, "search": preset.search}


def rows(preset="default", **changes):
    settings = settings_of(preset)
    settings["search"] = settings["search"].replace(**changes)
    return rows_of(settings, PRESETS)


def test_what_differs_from_a_preset():
    differing = [row.name for row in rows(seed=3) if row.differs_from("default")]
    assert differing == ["search.seed"]


def test_the_nearest_preset():
    assert nearest_preset(rows("smoke")) == ("smoke", 0)
    assert nearest_preset(rows("release", seed=3)) == ("release", 1)


def test_what_a_search_fills_in_was_not_chosen():
    assert nearest_preset(rows("smoke", samples_per_step=1)) == ("smoke", 0)


def test_what_follows_from_the_data_was_not_chosen():
    settings = settings_of("smoke")
    settings["space"] = settings["space"].replace(input_shape=(8, 8, 1), num_classes=3)
    assert nearest_preset(rows_of(settings, PRESETS)) == ("smoke", 0)


@pytest.mark.parametrize(
    ("value", "text"),
    [(None, "unset"), (True, "yes"), ([8, 8, 1], "8, 8, 1"), ("digits", "digits"), (0.05, "0.05")],
)
def test_values_as_people_read_them(value, text):
    assert value_text(value) == text


def test_settings_are_explained():
    (seed,) = [row for row in rows() if row.name == "search.seed"]
    assert seed.meaning == "Seed of every random choice."
