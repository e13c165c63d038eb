"""Deriving again from the run directory of a search, finished or not."""

import pathlib
from typing import Any

from enas_tf.config import DeriveConfig
from enas_tf.search.loop import Search
from enas_tf.search.recorded import RecordedSearch, recorded_search
from enas_tf.search.result import SearchResult


def derive_run(path: str | pathlib.Path, config: DeriveConfig | None = None) -> SearchResult:
    """Ranks candidates again from the newest checkpoint of a search, finished or not.

    Args:
      path: the run directory.
      config: how candidates are chosen; default: as the search was configured.

    Returns:
      As `search`; `best_architecture.json` and its drawing in the run directory are replaced.

    Raises:
      RunDirectoryError: the folder holds no search, or no checkpoint yet.
    """
    recorded = recorded_search(path)
    return derive_recorded(recorded, recorded.entry.load_data(recorded.data), config)


def derive_recorded(
    recorded: RecordedSearch, data: Any, config: DeriveConfig | None = None
) -> SearchResult:
    """Does what `derive_run` does for a run whose configuration and data were read before.

    Args:
      recorded: the search.
      data: its data.
      config: as for `derive_run`.
    """
    recorded.check_data(data)
    run, search_config = recorded.run, recorded.config
    if config is not None:
        search_config = search_config.replace(derive=config)
    with run, Search(recorded.space, data, search_config, run, may_start=False) as restored:
        return restored.derive()
