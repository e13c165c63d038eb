"""The settings of a run, beside those of presets."""

import json
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from enas_tf.reporting.page.markup import Html, element, joined, table
from enas_tf.runs.differences import flatten
from enas_tf.settings.setting import Settings

DEFAULT = "default"
# What a search fills in where nothing was given says nothing of what was chosen.
_FILLED_IN = ("search.samples_per_step",)


class Row(NamedTuple):
    """One setting.

    Attributes:
      name: with its sections, for example `search.policy.learning_rate`.
      value: of the run.
      in_presets: its value in each preset, by the preset's name.
      meaning: the sentence of `--help`.
      is_chosen: whether it is a setting that users choose; others follow from the data.
    """

    name: str
    value: Any
    in_presets: Mapping[str, Any]
    meaning: str
    is_chosen: bool

    def differs_from(self, preset: str) -> bool:
        """Whether a user chose another value than the preset has."""
        return self.is_chosen and self.value != self.in_presets.get(preset)


def rows_of(
    settings: Mapping[str, Settings], presets: Mapping[str, Mapping[str, Settings]]
) -> list[Row]:
    """Returns all settings of a run.

    Args:
      settings: of the run, by section.
      presets: for each preset, its settings likewise.
    """
    values = _flat(settings)
    in_presets = {name: _flat(sections) for name, sections in presets.items()}
    rows = []
    for name, value in values.items():
        section, *path = name.split(".")
        metadata = _metadata(settings[section], path)
        chosen = metadata.get("flag", True) and not (
            name in _FILLED_IN and in_presets[DEFAULT].get(name) is None
        )
        of_presets = {preset: flat.get(name) for preset, flat in in_presets.items()}
        rows.append(Row(name, value, of_presets, metadata.get("help", ""), chosen))
    return rows


def nearest_preset(rows: Sequence[Row]) -> tuple[str, int]:
    """Returns the preset from which the fewest settings differ, and how many do."""
    counts = {
        preset: sum(row.differs_from(preset) for row in rows) for preset in rows[0].in_presets
    }
    name = min(counts, key=counts.__getitem__)
    return name, counts[name]


def settings_table(rows: Sequence[Row]) -> Html:
    """Returns a table of all settings in which those that differ from the defaults are marked.

    Args:
      rows: the settings; their presets have the one called `default`.
    """
    nearest, _ = nearest_preset(rows)
    presets = list(dict.fromkeys((DEFAULT, nearest)))
    lines = []
    for row in rows:
        mark = row.differs_from(DEFAULT)
        value = element("strong", _show(row.value)) if mark else _show(row.value)
        cells = [
            element("td", element("code", row.name), title=row.meaning or None),
            element("td", "● " if mark else None, value, class_="changed" if mark else None),
            *(_of_preset(row, preset) for preset in presets),
            element("td", row.meaning, class_="meaning"),
        ]
        lines.append(cells)
    head = ["Setting", "This run", *(f"Preset {name}" for name in presets), "Meaning"]
    return table(head, lines, "settings")


def plain_table(values: Mapping[str, Any]) -> Html:
    """Returns a table of values without defaults.

    Args:
      values: as JSON can hold them; objects may be nested.
    """
    rows = [(element("code", name), _show(value)) for name, value in flatten(values).items()]
    return table(["Name", "Value"], rows)


def _of_preset(row: Row, preset: str) -> Html:
    if not row.is_chosen:
        return element("td", "follows from the data or the devices", class_="faint")
    same = not row.differs_from(preset)
    return element("td", _show(row.in_presets.get(preset)), class_="faint" if same else None)


def _flat(settings: Mapping[str, Settings]) -> dict[str, Any]:
    return flatten({name: section.to_json() for name, section in settings.items()})


def _metadata(settings: Any, path: Sequence[str]) -> Mapping[str, Any]:
    """Returns what the field of a setting says of it.

    Args:
      settings: a `Settings` value.
      path: names of the sections in it, and of the setting.
    """
    for name in path[:-1]:
        settings = getattr(settings, name)
    return settings.__dataclass_fields__[path[-1]].metadata


def _show(value: Any) -> Html:
    if value is None:
        return element("span", "unset", class_="faint")
    if isinstance(value, bool):
        return joined(["yes" if value else "no"])
    if isinstance(value, list):
        return joined([", ".join(map(str, value))])
    return joined([value if isinstance(value, str) else json.dumps(value)])
