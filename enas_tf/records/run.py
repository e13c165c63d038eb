"""What a run says of itself, for all that goes on from it; nothing here imports TensorFlow.

The same for searches and retrainings, finished or not, of this version or of 0.1.0, which did not
write down the preset of a run, nor the settings of a retraining's data.
"""

import dataclasses
import os
import pathlib
from collections.abc import Collection, Mapping
from typing import Any, TypeVar

from enas_tf.errors import ArchitectureError, ConfigurationError, DataError, RunDirectoryError
from enas_tf.runs.contents import CONFIG
from enas_tf.runs.directory import RunDirectory
from enas_tf.runs.phases import RETRAIN, SEARCH
from enas_tf.settings.arguments import differing_arguments
from enas_tf.settings.search import SearchConfig
from enas_tf.settings.setting import Settings
from enas_tf.spaces.architectures import FILES_OF_A_RUN, architecture_from_document
from enas_tf.spaces.base import Architecture, SearchSpace
from enas_tf.spaces.operations import UnknownOperationError
from enas_tf.spaces.presets import RetrainPreset, SearchPreset
from enas_tf.spaces.registry import SpaceEntry, get_space

DEFAULT_PRESET = "default"

SettingsType = TypeVar("SettingsType", bound=Settings)


def written_settings(settings: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Returns settings as a run writes them down, and as they are where it did not know them.

    Args:
      settings: by name, `Settings` and search spaces, which are written down with their name.

    Returns:
      The configuration of the run, and its defaults; see `RunDirectory.open`.
    """
    kinds = {name: type(one).from_json({}) for name, one in settings.items()}
    now, unknown = (
        {
            name: {**({"name": one.name} if isinstance(one, SearchSpace) else {}), **one.to_json()}
            for name, one in values.items()
        }
        for values in (settings, kinds)
    )
    return now, unknown


@dataclasses.dataclass(frozen=True)
class RecordedRun:
    """A search or a retraining.

    Attributes:
      run: its run directory.
      command: `search` or `retrain`.
      entry: the kind of its space.
      settings: of a search the `space`, the `data` and the `search`, of a retraining the `network`,
        the `retrain` and the `data`, of which version 0.1.0 wrote down the dataset alone.
      architecture: what a retraining trains; of a search None.
      origin: what the run says of where its settings come from; those of version 0.1.0 say
        nothing.
      network: of a search, the settings of the final networks that its costs are of, if these
        decide something in it.
    """

    run: RunDirectory
    command: str
    entry: SpaceEntry
    settings: Mapping[str, Any]
    architecture: Architecture | None
    origin: Mapping[str, Any]
    network: Settings | None

    @property
    def path(self) -> pathlib.Path:
        """The run directory, as the user named it."""
        return self.run.path

    @property
    def data(self) -> Any:
        """Which data."""
        return self.settings["data"]

    @property
    def space(self) -> SearchSpace:
        """The space that is searched."""
        return self.settings["space"]

    @property
    def presets(self) -> Mapping[str, SearchPreset] | Mapping[str, RetrainPreset]:
        """Those of its command, by name, as they were when it began."""
        if self.command != SEARCH:
            return self.entry.retrain_presets
        earlier = {} if self.origin else self.entry.earlier_search_presets
        return {**self.entry.search_presets, **earlier}

    @property
    def preset(self) -> str:
        """The preset of its settings; if it is not written down, that with the most of them."""
        named = str(self.origin.get("preset"))
        return named if named in self.presets else nearest_preset(self.presets, self.settings)

    @property
    def final_network(self) -> Settings:
        """Of a search: the settings of the networks that are trained from scratch in the end."""
        return self.network or final_network(self.entry, self.space, self.preset)

    def check_data(self, data: Any) -> None:
        """Raises a `DataError` if the dataset on disk is not the one that was searched on."""
        data.check_search(self.settings["search"])
        if self.space.for_data(data) != self.space:
            raise DataError(
                f"The dataset {self.data.dataset} has changed since the search in {self.path}: "
                "other sizes, or another number of classes or words."
            )

    def data_for(self, base: Any) -> Any:
        """Returns the data of the run, and what was chosen for them.

        Args:
          base: the data of another preset. What the run has as its own preset has it stays as it
            is there: CutOut, for example, belongs to some final trainings and to no search.
        """
        own = self.presets[self.preset].data
        chosen = {
            name: value
            for name, value in vars(self.data).items()
            if name == "dataset" or value != getattr(own, name)
        }
        return base.replace(**chosen)

    def loss_for(self, base: Any) -> Any:
        """Returns the settings of a retraining with the loss that was chosen for the run.

        Args:
          base: those of another preset. Texts have one loss only.
        """
        if not hasattr(base, "loss"):
            return base
        own = getattr(self.presets[self.preset], self.command).loss
        chosen = {
            name: value
            for name, value in vars(self.settings[self.command].loss).items()
            if value != getattr(own, name)
        }
        return base.replace(loss=base.loss.replace(**chosen))

    def as_begun(self, name: str, settings: SettingsType) -> SettingsType:
        """Returns settings in which those that the run began without are as they were before.

        Args:
          name: of the settings in the run, such as `data`.
          settings: of a command that goes on with the run.
        """
        recorded = self.settings[name]
        if not isinstance(recorded, type(settings)):
            return settings
        earlier = {
            field.name: before
            for field in dataclasses.fields(settings)
            if (before := field.metadata.get("before")) is not None
            and getattr(recorded, field.name) == before
        }
        return settings.replace(**earlier)

    def network_for(self, preset: str) -> Settings:
        """Returns the settings of final networks as the run has them.

        Args:
          preset: whose values count where the run says nothing.
        """
        if self.network is not None and preset == self.preset:
            return self.network
        whole = self.settings.get("space") or self.settings["network"]
        return final_network(self.entry, whole, preset)

    def retraining(self, preset: str, architecture: Architecture) -> RetrainPreset:
        """Returns the settings of a retraining as the run has them.

        Args:
          preset: whose values count where the run says nothing.
          architecture: of the run, which also has the form that its network must have.
        """
        base = self.entry.retrain_presets[preset]
        network = self.entry.fit_network(architecture, self.network_for(preset))
        return dataclasses.replace(
            base,
            data=self.data_for(base.data),
            network=network,
            retrain=self.loss_for(base.retrain),
        )


def nearest_preset(presets: Mapping[str, Any], settings: Mapping[str, Any]) -> str:
    """Returns the name of the preset that has the most of some settings.

    Args:
      presets: by name.
      settings: by the names of the presets' attributes.
    """

    def distance(preset: str) -> int:
        there = presets[preset]
        pairs = [
            (value.resolved(), getattr(there, name).resolved()) for name, value in settings.items()
        ]
        return sum(len(differing_arguments(*pair)) for pair in pairs)

    return min(presets, key=distance)


def final_network(entry: SpaceEntry, searched: Settings, preset: str) -> Settings:
    """Returns the settings of the networks that a preset trains from scratch after a search.

    Args:
      entry: the kind of the space.
      searched: the space, or a network, whose form the networks must have.
      preset: of the training.
    """
    network = entry.retrain_presets[preset].network
    form = {
        name: getattr(searched, name)
        for name in entry.space().drawing_options()
        if hasattr(searched, name) and hasattr(network, name)
    }
    return network.replace(**form)


def recorded_run(
    path: str | os.PathLike[str], *, only: str | None = None, lock: bool = False
) -> RecordedRun:
    """Returns the search or the retraining in a folder, finished or not.

    Args:
      path: the run directory.
      only: `search`: not a retraining.
      lock: keeps other processes from writing into it, as `RunDirectory.existing` does.

    Raises:
      RunDirectoryError: the folder holds neither, its `config.json` is damaged, or another process
        is writing into it and `lock` was asked for.
    """
    run = RunDirectory.existing(path, lock=lock)
    configuration, command = run.configuration, run.configuration.get("command")
    if only is not None and command != only:
        raise RunDirectoryError(
            f"{run.path} is not the run of a {only}; expected the output_dir of enas-{only}."
        )
    if command not in (SEARCH, RETRAIN):
        raise RunDirectoryError(
            f"{run.path} holds neither a search nor a retraining; expected the output_dir of "
            "enas-search or enas-retrain."
        )

    def section(name: str) -> dict[str, Any]:
        if not isinstance(configuration.get(name), dict):
            raise ConfigurationError(f"it has no object {name!r}.")
        return dict(configuration[name])

    kinds: dict[str, type[Settings]]
    try:
        if command == SEARCH:
            sections = {name: section(name) for name in ("space", "data", "search")}
            entry = get_space(str(sections["space"].pop("name", None)))
            kinds = {"space": entry.space, "data": entry.data.config, "search": SearchConfig}
        else:
            sections = {name: section(name) for name in ("architecture", "network", "retrain")}
            entry = get_space(str(configuration.get("space")))
            retrain = type(entry.retrain_presets[DEFAULT_PRESET].retrain)
            kinds = {"network": entry.network, "retrain": retrain, "data": entry.data.config}
            written = run.origin.get("data")
            dataset = {"dataset": section("data").get("dataset")}
            sections["data"] = written if isinstance(written, dict) else dataset
        settings = {name: kind.from_json(sections[name]) for name, kind in kinds.items()}
        network = None
        if command == SEARCH and "network" in configuration:
            network = entry.network.from_json(section("network"))
        architecture = None
        if command == RETRAIN:
            document = sections["architecture"]
            architecture = architecture_from_document(document, entry.name, "its architecture")
    except UnknownOperationError as error:
        raise RunDirectoryError(f"{run.path / CONFIG}: {error}") from error
    except (ConfigurationError, ArchitectureError) as error:
        raise RunDirectoryError(f"{run.path / CONFIG} is damaged: {error}") from error
    return RecordedRun(run, command, entry, settings, architecture, run.origin, network)


def recorded_search(path: str | os.PathLike[str]) -> RecordedRun:
    """Returns the search in a folder, finished or not, and keeps others from writing into it.

    Args:
      path: the run directory.

    Raises:
      RunDirectoryError: as for `recorded_run`, or the folder holds no search, or no checkpoint was
        saved yet.
    """
    recorded = recorded_run(path, only=SEARCH, lock=True)
    if not recorded.run.has_checkpoint:
        raise RunDirectoryError(
            f"{recorded.path} has no checkpoint yet; let the search run longer."
        )
    return recorded


def run_named(
    path: str | os.PathLike[str], commands: Collection[str] = (SEARCH, RETRAIN)
) -> RecordedRun | None:
    """Returns the run in a folder, or around a file with its architecture; None if there is none.

    Args:
      path: whatever the user named; a folder of 0.1.0 too.
      commands: those whose runs count.

    Raises:
      RunDirectoryError: its `config.json` is damaged.
    """
    path = os.path.expanduser(os.fspath(path))
    if os.path.basename(path) in FILES_OF_A_RUN:
        path = os.path.dirname(path) or os.curdir
    # os.path answers no to a text that is too long for a path; pathlib would raise.
    if not os.path.exists(os.path.join(path, CONFIG)):
        return None
    command = RunDirectory(path).configuration.get("command")
    return recorded_run(path) if command in commands else None
