"""Deriving again from the run directory of a search, finished or not."""

import pathlib
from collections.abc import Sequence
from typing import Any, Literal

from enas_tf.records.run import RecordedRun, recorded_search
from enas_tf.searching.procedures import build_task
from enas_tf.searching.result import SearchResult
from enas_tf.settings.search import DeriveConfig
from enas_tf.training.devices import training_strategy

Checkpoint = Literal["latest", "best"]


def derive_run(
    path: str | pathlib.Path,
    config: DeriveConfig | None = None,
    checkpoint: Checkpoint = "latest",
) -> SearchResult:
    """Ranks candidates again from a checkpoint of a search, finished or not.

    Args:
      path: the run directory.
      config: how candidates are chosen; default: as the search was configured.
      checkpoint: the latest one, or the one after the epoch at whose end the proposed architecture
        had the best score.

    Returns:
      As `search`; `best_architecture.json` and its drawing in the run directory are replaced.

    Raises:
      RunDirectoryError: the folder holds no search, or no checkpoint yet.
    """
    recorded = recorded_search(path)
    return derive_recorded(recorded, recorded.entry.data.load(recorded.data), config, checkpoint)


def derive_recorded(
    recorded: RecordedRun,
    data: Any,
    config: DeriveConfig | None = None,
    checkpoint: Checkpoint = "latest",
) -> SearchResult:
    """Does what `derive_run` does for a run whose configuration and data were read before.

    Args:
      recorded: the search.
      data: its data.
      config: as for `derive_run`.
      checkpoint: likewise.
    """
    recorded.check_data(data)
    run, search_config = recorded.run, recorded.settings["search"]
    if config is not None:
        search_config = search_config.replace(derive=config).resolved()
        data.check_search(search_config)
    with (
        training_strategy() as strategy,
        run,
        build_task(
            recorded.space,
            data,
            search_config,
            run,
            network=recorded.final_network,
            distribution=strategy,
            checkpoint=checkpoint,
        ) as restored,
    ):
        return restored.derive()


def score_again(path: str | pathlib.Path, data: Any, architectures: Sequence[Any]) -> list[float]:
    """Scores architectures with the shared weights of a search; changes nothing.

    Args:
      path: the run directory of the search.
      data: what was searched on.
      architectures: of the space.

    Returns:
      Their scores, higher is better, as the search scores its candidates.
    """
    recorded = recorded_search(path)
    recorded.check_data(data)
    with (
        training_strategy() as strategy,
        recorded.run as run,
        build_task(
            recorded.space,
            data,
            recorded.settings["search"],
            run,
            network=recorded.final_network,
            distribution=strategy,
            checkpoint="latest",
        ) as restored,
    ):
        return restored.scores(architectures)
