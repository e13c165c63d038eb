"""The settings of a run, beside those of presets."""

import json
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from enas_tf.reporting.page.records import SearchRecord, TrainingRecord
from enas_tf.runs.differences import flatten
from enas_tf.settings.setting import Settings
from enas_tf.spaces.presets import RetrainPreset, SearchPreset

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
    settings: Mapping[str, Settings], presets: Mapping[str, SearchPreset | RetrainPreset]
) -> list[Row]:
    """Returns all settings of a run.

    Args:
      settings: of the run, by section.
      presets: by name; sections are attributes of them.
    """
    values = _flat(settings)
    in_presets = {
        name: _flat({section: getattr(preset, section) for section in settings})
        for name, preset in presets.items()
    }
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


def preset_rows(record: SearchRecord | TrainingRecord) -> list[Row]:
    """Returns the settings of a run beside those of all presets of its space."""
    # Version 0.1.0 did not write down all of a retraining's data.
    shown = {
        name: section
        for name, section in record.settings.items()
        if name != "data" or isinstance(record, SearchRecord)
    }
    return rows_of(shown, record.presets)


def _flat(settings: Mapping[str, Settings]) -> dict[str, Any]:
    return flatten({name: section.resolved().to_json() for name, section in settings.items()})


def _metadata(settings: Any, path: Sequence[str]) -> Mapping[str, Any]:
    """Returns what the field of a setting says of it.

    Args:
      settings: a `Settings` value.
      path: names of the sections in it, and of the setting.
    """
    for name in path[:-1]:
        settings = getattr(settings, name)
    return settings.__dataclass_fields__[path[-1]].metadata


def value_text(value: Any) -> str:
    """Returns the value of a setting as people read it."""
    if value is None:
        return "unset"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return ", ".join(map(str, value))
    return value if isinstance(value, str) else json.dumps(value)
