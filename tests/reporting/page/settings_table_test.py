from enas_tf.reporting.page.settings_table import nearest_preset, rows_of, settings_table
from enas_tf.spaces.registry import get_space

PRESETS = {
    name: {"space": preset.space, "data": preset.data, "search": preset.search}
    for name, preset in get_space("macro").search_presets.items()
}


def rows(preset="default", **changes):
    settings = dict(PRESETS[preset])
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
    settings = dict(PRESETS["smoke"])
    settings["space"] = settings["space"].replace(input_shape=(8, 8, 1), num_classes=3)
    assert nearest_preset(rows_of(settings, PRESETS)) == ("smoke", 0)


def test_the_table_marks_differences_and_explains_settings():
    table = settings_table(rows(seed=31))
    assert "● <strong>31</strong>" in table
    assert table.count("●") == 1
    assert "Seed of every random choice." in table


def test_the_nearest_preset_has_a_column():
    assert "Preset smoke" in settings_table(rows("smoke"))
    assert "Preset smoke" not in settings_table(rows())
