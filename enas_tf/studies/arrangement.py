"""What a study does, settled from what it was asked for."""

import dataclasses
from typing import Any

from enas_tf.data.images.dataset import ImageData
from enas_tf.data.texts.dataset import TextData
from enas_tf.errors import ConfigurationError
from enas_tf.records.run import RecordedRun
from enas_tf.searching.final_costs import FinalCosts
from enas_tf.searching.limits import Limits
from enas_tf.settings.costs import COSTS, CostConfig
from enas_tf.settings.search import SearchConfig
from enas_tf.settings.setting import Settings
from enas_tf.settings.training import RetrainConfig, TextRetrainConfig
from enas_tf.spaces.base import SearchSpace
from enas_tf.spaces.registry import get_space
from enas_tf.studies.plan import Plan, SearchJob, StudyConfig, make_plan


@dataclasses.dataclass(frozen=True)
class Arrangement:
    """A study that can begin.

    Attributes:
      space: the search space.
      data: what is searched on.
      final_data: what is trained on from scratch.
      search: the settings of all searches, but for strategy and seed.
      network: the networks that are trained from scratch.
      retrain: how.
      config: how much is done.
      plan: the jobs.
    """

    space: SearchSpace
    data: ImageData | TextData
    final_data: ImageData | TextData
    search: SearchConfig
    network: Settings
    retrain: RetrainConfig | TextRetrainConfig
    config: StudyConfig
    plan: Plan

    def settings(self) -> dict[str, Any]:
        """Returns what decides the results, by section."""
        return {
            "space": self.space,
            "data": self.data.config,
            "final_data": self.final_data.config,
            "search": self.search,
            "network": self.network,
            "retrain": self.retrain,
            "study": self.config,
        }


def arrange(
    space: SearchSpace,
    data: ImageData | TextData,
    final_data: ImageData | TextData | None = None,
    search: SearchConfig | None = None,
    network: Settings | None = None,
    retrain: RetrainConfig | TextRetrainConfig | None = None,
    config: StudyConfig | None = None,
    recorded: RecordedRun | None = None,
) -> Arrangement:
    """Settles what a study does; arguments as of `enas_tf.study`.

    Args:
      space: of a new search.
      data: what is searched on.
      final_data: default: the same.
      search: default: `SearchConfig()`; of a recorded search nothing but the seed is taken.
      network: default: as large as in the search.
      retrain: default: that of the space.
      config: default: `StudyConfig()`.
      recorded: the search that is studied, in place of new ones.

    Raises:
      EnasError: the settings do not fit together, to the data or to the recorded search.
    """
    search, config, final_data = (
        search or SearchConfig(),
        config or StudyConfig(),
        final_data or data,
    )
    seed = search.seed
    if recorded is not None:
        recorded.check_data(data)
        space, search = recorded.space, recorded.settings["search"]
    search = search.resolved()
    _check_limits(search.costs)
    entry = get_space(space.name)
    network = network or space.network_config()
    if type(network) is not entry.network:
        raise ConfigurationError(
            f"`network` must be a {entry.network.__name__}. Received: {type(network).__name__}."
        )
    kept_out: Any = retrain or type(entry.retrain_presets["default"].retrain)()
    if isinstance(kept_out, RetrainConfig):
        kept_out = kept_out.replace(use_validation=True)
    # What a search that is there has searched within is about its own final networks.
    of_limits = network if recorded is None else recorded.final_network
    limits = Limits(search.costs.maxima, FinalCosts(space, of_limits).of)
    plan = make_plan(space, config, seed, limits)
    if recorded is not None:
        plan = Plan((SearchJob(search.strategy, search.seed),), plan.random, plan.seeds)
    if config.time_budget is not None:
        times = plan.times(config.time_budget, is_searched=recorded is None)
        kept_out = kept_out.replace(time_budget=times.training)
        if recorded is None:
            search = search.replace(time_budget=times.search)
    data.check_search(search)
    final_data.check_retraining(kept_out)
    return Arrangement(space, data, final_data, search, network, kept_out, config, plan)


def _check_limits(costs: CostConfig) -> None:
    if COSTS["latency"] in costs.maxima:
        raise ConfigurationError(
            "`max_latency_ms` is a limit of single searches: each measures for itself, so that a "
            "study would compare searches within different limits. Give max_multiply_adds."
        )
