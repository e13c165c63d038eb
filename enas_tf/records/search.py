"""The search that a run directory records; nothing here imports TensorFlow."""

import dataclasses
import os
from typing import Any

from enas_tf.errors import ConfigurationError, DataError, RunDirectoryError
from enas_tf.runs.directory import CONFIG, RunDirectory
from enas_tf.runs.phases import SEARCH
from enas_tf.settings.config import SearchConfig
from enas_tf.spaces.base import SearchSpace
from enas_tf.spaces.registry import SpaceEntry, get_space


@dataclasses.dataclass(frozen=True)
class RecordedSearch:
    """What a search was started with.

    Attributes:
      run: its run directory.
      entry: the kind of its space.
      space: its space.
      data: which data.
      config: its settings.
    """

    run: RunDirectory
    entry: SpaceEntry
    space: SearchSpace
    data: Any
    config: SearchConfig

    def check_data(self, data: Any) -> None:
        """Raises a `DataError` if the dataset on disk is not the one that was searched on."""
        data.check_search(self.config)
        if self.space.for_data(data) != self.space:
            raise DataError(
                f"The dataset {self.data.dataset} has changed since the search in {self.run.path}: "
                "other sizes, or another number of classes or words."
            )


def recorded_search(path: str | os.PathLike[str]) -> RecordedSearch:
    """Returns the search in a folder, whether it is finished or not.

    Args:
      path: the run directory.

    Raises:
      RunDirectoryError: the folder holds no search, its `config.json` is damaged, or no checkpoint
        was saved yet.
    """
    run = RunDirectory.existing(path)
    configuration = run.configuration
    if configuration.get("command") != SEARCH:
        raise RunDirectoryError(
            f"{run.path} is not the run of a search; expected the output_dir of enas-search."
        )
    sections = {}
    for name in ("space", "data", "search"):
        section = configuration.get(name)
        if not isinstance(section, dict):
            raise RunDirectoryError(f"{run.path / CONFIG} is damaged: it has no object {name!r}.")
        sections[name] = dict(section)
    try:
        entry = get_space(str(sections["space"].pop("name", None)))
        recorded = RecordedSearch(
            run,
            entry,
            entry.space.from_json(sections["space"]),
            entry.data.config.from_json(sections["data"]),
            SearchConfig.from_json(sections["search"]),
        )
    except ConfigurationError as error:
        raise RunDirectoryError(f"{run.path / CONFIG} is damaged: {error}") from error
    if not run.has_checkpoint:
        raise RunDirectoryError(f"{run.path} has no checkpoint yet; let the search run longer.")
    return recorded
