"""Searching the best architecture of a space: from the settings to the result."""

import os
import tempfile
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from enas_tf.data.images.dataset import ImageData
from enas_tf.data.texts.dataset import TextData
from enas_tf.environment.progress import progress_shown
from enas_tf.errors import ConfigurationError
from enas_tf.records.run import final_network, nearest_preset, run_named, written_settings
from enas_tf.runs.differences import differences
from enas_tf.runs.directory import FILES
from enas_tf.runs.phases import SEARCH
from enas_tf.searching.final_costs import FinalCosts
from enas_tf.searching.limits import Limits
from enas_tf.searching.procedures import build_task, check_procedure
from enas_tf.searching.result import SearchResult
from enas_tf.searching.task import OnEpochEnd
from enas_tf.settings.costs import COSTS
from enas_tf.settings.search import SearchConfig
from enas_tf.settings.setting import Settings
from enas_tf.spaces.base import SearchSpace
from enas_tf.spaces.registry import get_space
from enas_tf.training.devices import training_strategy
from enas_tf.training.machines.agreement import Machines
from enas_tf.training.machines.run import open_run
from enas_tf.training.placement import placed

if TYPE_CHECKING:
    import tensorflow as tf


def search(
    space: SearchSpace,
    data: ImageData | TextData,
    config: SearchConfig | None = None,
    output_dir: str | os.PathLike[str] | None = None,
    *,
    overwrite: bool = False,
    distribution: "tf.distribute.Strategy | None" = None,
    on_epoch_end: OnEpochEnd | None = None,
    preset: str | None = None,
    network: Settings | None = None,
    verbose: bool = True,
) -> SearchResult:
    """Searches the best architecture of a space.

    Called again with the same arguments, an interrupted search goes on where it stopped, and a
    finished one returns its result.

    ```python
    data = enas_tf.load_images("digits")
    space = enas_tf.MacroSpace(num_layers=6, filters=16).for_data(data)
    config = enas_tf.search_presets("macro")["smoke"].search
    result = enas_tf.search(space, data, config, "runs/digits")
    result.architecture, result.score, result.candidates, result.run.metrics.read()
    ```

    Args:
      space: the space, of the data's sizes; see `SearchSpace.for_data`.
      data: an `ImageData`, or for recurrent cells a `TextData`.
      config: all settings of the search; default: `SearchConfig()`.
      output_dir: the run directory; default: a new temporary folder. In a search on several
        machines only the chief, the first of them, writes into it.
      overwrite: start anew if there is another run in `output_dir`.
      distribution: a `tf.distribute` strategy, whose replicas share every batch; see
        `SearchConfig.samples_per_step` for what each of them trains. Default: all GPUs if there
        are several.
      on_epoch_end: is called after each epoch, when the state is saved, with a dictionary: `epoch`
        (from 1), `architecture` (one that the strategy would propose now) and its scores on the
        whole validation part, `shared_weights_validation_accuracy` (or what else
        `DeriveConfig.metric` says), or of a language model
        `shared_weights_validation_reward` and `shared_weights_validation_perplexity`. When it
        returns True, the search ends there for good and ranks candidates, as it does after the
        last epoch. An error that it raises leaves a search that can be gone on with.
      preset: name of the preset that the settings come from; it is written into the run for the
        commands that go on from it, such as `enas-retrain`. Default: it is guessed there.
      network: settings of the networks that are trained from scratch in the end, which
        `config.costs` and all costs that are shown are of. Default: those with which `enas-retrain`
        goes on from this search.
      verbose: whether progress is shown on stderr; warnings are logged either way.

    Returns:
      The best architecture, its score, and the run directory (which is gone on other machines than
      the chief).

    Raises:
      EnasError: the settings, the data or the run directory do not fit, training diverged, or
        another machine was lost.
      KeyboardInterrupt: after the state was saved.
    """
    config = config or SearchConfig()
    # Before the run directory is touched.
    _check_arguments(space, data, config)
    config = config.resolved()
    with progress_shown(verbose), training_strategy(distribution) as strategy:
        machines = Machines(strategy)
        if output_dir is None:
            # Other machines have no use for it.
            output_dir = tempfile.mkdtemp(prefix="enas_search_") if machines.is_chief else ""
        with machines.together():
            config = _with_samples_per_step(
                config,
                strategy.num_replicas_in_sync,
                None if overwrite else machines.decide(lambda: _recorded_samples(output_dir)),
            )
            data.check_search(config, strategy.num_replicas_in_sync)
            data = placed(data, strategy)
            settings = {"space": space, "data": data.config, "search": config}
            is_stated = network is not None or bool(config.costs.counted)
            network = network or _default_network(
                settings,
                preset,
                None if overwrite else machines.decide(lambda: _recorded_network(output_dir)),
            )
            _check_limits(space, config, network)
            configuration, defaults = written_settings(settings)
            if is_stated:
                # It decides something; other searches need not know it.
                for each in (configuration, defaults):
                    each["network"] = network.to_json()
            origin = {"preset": preset, FILES: data.fingerprint}
            with (
                open_run(
                    output_dir,
                    {"command": SEARCH, **configuration},
                    machines,
                    overwrite=overwrite,
                    origin=origin,
                    defaults=defaults,
                ) as run,
                build_task(
                    space, data, config, run, network=network, distribution=strategy
                ) as running,
            ):
                running.run(on_epoch_end)
                return running.finish()


def _check_arguments(space: Any, data: Any, config: Any) -> None:
    """Finds out whether the arguments of a search are what they should be, and fit together."""
    for name, value, kind in (("space", space, SearchSpace), ("config", config, SearchConfig)):
        if not isinstance(value, kind):
            raise ConfigurationError(
                f"`{name}` must be a {kind.__name__}. Received: {type(value).__name__}."
            )
    check_procedure(space, config)
    fitting = space.for_data(data)
    if fitting != space:
        sizes = differences(
            space.to_json(), fitting.to_json(), words=("in the space", "in the data")
        )
        raise ConfigurationError(
            f"The space does not fit the dataset {data.name} ({sizes}); use space.for_data(data)."
        )


def _recorded_network(output_dir: str | os.PathLike[str]) -> dict[str, Any] | None:
    """Returns the final network that the search in a folder has written down, if it has."""
    recorded = run_named(output_dir, [SEARCH])
    return None if recorded is None or recorded.network is None else recorded.network.to_json()


def _default_network(
    settings: Mapping[str, Any], preset: str | None, recorded: Mapping[str, Any] | None
) -> Settings:
    """Returns the settings of the networks that `enas-retrain` trains after a search.

    Args:
      settings: of the search: its `space`, its `data` and its `search`.
      preset: of the search, if it is known.
      recorded: what a search that goes on has written down.
    """
    entry = get_space(settings["space"].name)
    if recorded is not None:
        return entry.network.from_json(recorded)
    if preset not in entry.retrain_presets:
        preset = nearest_preset(entry.search_presets, settings)
    return final_network(entry, settings["space"], str(preset))


def _check_limits(space: SearchSpace, config: SearchConfig, network: Settings) -> None:
    """Raises `ConfigurationError` if random architectures hardly ever are within the limits.

    Also if the costs of the space's networks are not known.
    """
    if COSTS["latency"] in config.costs.counted:
        # It lists the layers, and measures none: whether they are fast, the search finds out.
        space.layers(space.random_architecture(config.seed), network)
    maxima = {name: one for name, one in config.costs.maxima.items() if name != COSTS["latency"]}
    generator = np.random.default_rng(config.seed)
    Limits(maxima, FinalCosts(space, network).of).draw(
        1, lambda number: [space.random_architecture(generator) for _ in range(number)]
    )


def _recorded_samples(output_dir: str | os.PathLike[str]) -> int | None:
    """Returns `samples_per_step` of the search that is in a folder, None if there is none."""
    recorded = run_named(output_dir, [SEARCH])
    return None if recorded is None else recorded.settings["search"].samples_per_step


def _with_samples_per_step(
    config: SearchConfig, num_devices: int, recorded: int | None
) -> SearchConfig:
    """Returns the configuration with the number of architectures that one step trains.

    Args:
      config: if it says nothing, a search that goes on keeps its number, and a new one trains one
        architecture on each device.
      num_devices: replicas of all machines.
      recorded: the number of the search that goes on.

    Raises:
      ConfigurationError: the devices cannot share the architectures.
    """
    number = config.samples_per_step or recorded or num_devices
    if num_devices % number:
        there = "" if config.samples_per_step else "the search in output_dir began with "
        raise ConfigurationError(
            f"`samples_per_step` must divide the number of devices, {num_devices}, so that each "
            f"device trains one architecture. Received: {there}samples_per_step={number}."
        )
    return config.replace(samples_per_step=number)
