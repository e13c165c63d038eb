"""What a run says of itself that the commands which go on from it need; nothing imports TensorFlow.

The same for searches and retrainings, finished or not, of this version or of 0.1.0, which did not
write down the preset of a run, nor the settings of a retraining's data.
"""

import dataclasses
import os
import pathlib
from collections.abc import Mapping
from typing import Any

from enas_tf.cli.flags import differing_arguments
from enas_tf.errors import ConfigurationError, RunDirectoryError
from enas_tf.runs.directory import CONFIG, RunDirectory
from enas_tf.runs.phases import RETRAIN, SEARCH
from enas_tf.settings.setting import Settings
from enas_tf.spaces.architectures import FILES_OF_A_RUN
from enas_tf.spaces.base import Architecture
from enas_tf.spaces.presets import RetrainPreset
from enas_tf.spaces.registry import SpaceEntry, get_space, space_names

DEFAULT_PRESET = "default"


@dataclasses.dataclass(frozen=True)
class KnownRun:
    """A search or a retraining.

    Attributes:
      path: the run directory.
      entry: the kind of its space.
      command: `search` or `retrain`.
      preset: the preset that its settings come from; if it is not written down, the nearest one.
      data: which data; of a retraining of version 0.1.0 the dataset alone.
      sections: its settings as JSON can hold them, by section.
      has_origin: whether the run itself says where its settings come from; those of version
        0.1.0 do not.
    """

    path: pathlib.Path
    entry: SpaceEntry
    command: str
    preset: str
    data: Any
    sections: Mapping[str, Mapping[str, Any]]
    has_origin: bool

    def setting(self, name: str, default: Any = None) -> Any:
        """Returns a setting of the space or of the network."""
        for section in ("space", "network"):
            if name in self.sections.get(section, {}):
                return self.sections[section][name]
        return default

    def data_for(self, base: Any) -> Any:
        """Returns the data of the run, and what was chosen for them.

        Args:
          base: the data of another preset. What the run has as its own preset has it stays as it
            is there: CutOut, for example, belongs to some final trainings and to no search.
        """
        presets = self.entry.search_presets if self.command == SEARCH else {}
        own = (presets or self.entry.retrain_presets)[self.preset].data
        chosen = {
            name: value
            for name, value in vars(self.data).items()
            if name == "dataset" or value != getattr(own, name)
        }
        return base.replace(**chosen)

    def network_for(self, base: Settings, architecture: Architecture) -> Settings:
        """Returns the settings of a network in the form in which the run has its architectures.

        Args:
          base: the network of a preset.
          architecture: of the run.
        """
        form = {
            name: self.setting(name, default)
            for name, default in self.entry.space().drawing_options().items()
            if hasattr(base, name)
        }
        return self.entry.fit_network(architecture, base.replace(**form))

    def retraining(self, preset: str, architecture: Architecture) -> RetrainPreset:
        """Returns the settings of a retraining as the run has them.

        Args:
          preset: whose values count where the run says nothing.
          architecture: of the run.
        """
        base = self.entry.retrain_presets[preset]
        return dataclasses.replace(
            base,
            data=self.data_for(base.data),
            network=self.network_for(base.network, architecture),
        )


def known_run(path: str | os.PathLike[str]) -> KnownRun | None:
    """Returns what is known of the run in a folder, or around a file with its architecture.

    Args:
      path: whatever the user named; a folder of 0.1.0 too.

    Returns:
      The run; None if there is none that says which data it is of.

    Raises:
      RunDirectoryError: its `config.json` is damaged.
    """
    path = os.path.expanduser(os.fspath(path))
    if os.path.basename(path) in FILES_OF_A_RUN:
        path = os.path.dirname(path) or os.curdir
    # os.path answers no to a text that is too long for a path; pathlib would raise.
    if not os.path.exists(os.path.join(path, CONFIG)):
        return None
    run = RunDirectory(path)
    configuration, origin = run.configuration, run.origin
    command = configuration.get("command")
    if command not in (SEARCH, RETRAIN):
        return None
    sections = {name: value for name, value in configuration.items() if isinstance(value, dict)}
    name = configuration.get("space")
    name = name.get("name") if isinstance(name, dict) else name
    try:
        entry = get_space(name) if name in space_names() else None
        if entry is None or "data" not in sections:
            raise ConfigurationError("it does not say of which space or of which data it is.")
        data = _data(entry, command, sections, origin)
        preset = str(origin.get("preset"))
        if preset not in entry.search_presets:
            preset = _nearest_preset(entry, command, sections, data)
    except ConfigurationError as error:
        raise RunDirectoryError(f"{run.path / CONFIG} is damaged: {error}") from error
    return KnownRun(run.path, entry, command, preset, data, sections, bool(origin))


def _data(
    entry: SpaceEntry,
    command: str,
    sections: Mapping[str, Mapping[str, Any]],
    origin: Mapping[str, Any],
) -> Any:
    if command == SEARCH:
        return entry.data.config.from_json(sections["data"])
    if isinstance(origin.get("data"), dict):
        return entry.data.config.from_json(origin["data"])
    return entry.data.config.from_json({"dataset": sections["data"].get("dataset")})


def _nearest_preset(
    entry: SpaceEntry, command: str, sections: Mapping[str, Mapping[str, Any]], data: Any
) -> str:
    """Returns the preset from which the fewest settings differ."""
    presets: Mapping[str, Any] = (
        entry.search_presets if command == SEARCH else entry.retrain_presets
    )
    names = ("space", "search") if command == SEARCH else ("network", "retrain")
    default = presets[DEFAULT_PRESET]
    settings = {
        name: type(getattr(default, name)).from_json(
            {key: value for key, value in sections.get(name, {}).items() if key != "name"}
        )
        for name in names
    }
    settings["data"] = data

    def distance(preset: str) -> int:
        return sum(
            len(differing_arguments(value, getattr(presets[preset], name)))
            for name, value in settings.items()
        )

    return min(presets, key=distance)
