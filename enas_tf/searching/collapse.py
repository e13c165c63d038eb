"""Noticing that a search has stopped exploring.

Two numbers are watched, both 1 if every choice is equally likely and 0 if there is only one left:
the controller's entropy as a share of the largest possible, and the spread of the operations of the
architectures that are proposed for training. The latter exists for every strategy.
"""

import logging
import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from enas_tf.reporting.search_report import SearchReport
from enas_tf.runs.phases import CONTROLLER, SHARED_WEIGHTS
from enas_tf.settings.search import SearchConfig
from enas_tf.spaces.base import SearchSpace

logger = logging.getLogger(__name__)

# Fewer architectures may have the same operations by chance.
MIN_ARCHITECTURES = 10

_ENTROPY_SHARE = "controller/entropy_share"
_SPREAD = "sampled/spread"
_MEANINGS = {
    _ENTROPY_SHARE: (
        "the controller's entropy, as a share of the largest possible,",
        "it proposes nearly the same architecture every time.",
    ),
    _SPREAD: (
        "the spread of the sampled operations, 1 if all are equally frequent,",
        "nearly all architectures have the same operations.",
    ),
}


class CollapseMonitor:
    """Warns in the log and on TensorBoard when a search explores hardly anything any more.

    A value that falls under `config.collapse_level` is reported once, and again only after it has
    risen above it. Nothing here draws random numbers or needs to be saved: of an epoch that was
    interrupted among its updates, the entropy is not judged.

    Args:
      space: the search space.
      config: the settings of the search.
      report: where the values and the warnings are written, besides the log.
    """

    def __init__(self, space: SearchSpace, config: SearchConfig, report: SearchReport) -> None:
        self._space = space
        self._config = config
        self._report = report
        self._collapsed: set[str] = set()
        self._epoch = 0
        self._shares: list[float] = []

    def sampled(self, architectures: Sequence[Any], epoch: int, step: int) -> None:
        """Takes note of what was proposed for training.

        Args:
          architectures: what was proposed; fewer than `MIN_ARCHITECTURES` give no warning.
          epoch: the running epoch, from 1.
          step: training steps that are done.
        """
        spread = operation_spread(self._space.operation_counts(architectures))
        if spread is None:
            return
        enough = len(architectures) >= MIN_ARCHITECTURES
        warning = self._warning(_SPREAD, spread, epoch) if enough else None
        self._report.explored(SHARED_WEIGHTS, _SPREAD, spread, step + 1, warning)

    def updated(self, metrics: Mapping[str, float], epoch: int, update: int) -> None:
        """Takes note of an update of the strategy.

        Args:
          metrics: of the update; without `entropy` (nats) there is nothing to watch.
          epoch: the running epoch, from 1.
          update: number of the update, from 1.
        """
        largest = self._space.largest_entropy
        if "entropy" not in metrics or not largest:
            return
        if epoch != self._epoch:
            self._epoch, self._shares = epoch, []
        share = metrics["entropy"] / largest
        self._shares.append(share)
        warning = None
        if len(self._shares) == self._config.policy.updates_per_epoch:
            warning = self._warning(_ENTROPY_SHARE, float(np.mean(self._shares)), epoch)
        self._report.explored(CONTROLLER, _ENTROPY_SHARE, share, update, warning)

    def _warning(self, name: str, value: float, epoch: int) -> str | None:
        """Logs and returns a warning if a value has fallen under the level just now."""
        level = self._config.collapse_level
        if value >= level:
            self._collapsed.discard(name)
            return None
        if name in self._collapsed:
            return None
        self._collapsed.add(name)
        value_means, low_means = _MEANINGS[name]
        warning = (
            f"Epoch {epoch}: {value_means} is {value:.3f}, under collapse_level={level}: "
            f"{low_means} {_advice(self._config)}"
        )
        logger.warning("%s", warning)
        return warning


def operation_spread(counts: Mapping[str, Sequence[int]]) -> float | None:
    """Returns how evenly operations are used, averaged over the places they can have.

    Args:
      counts: for each operation's name a count for each place, as `SearchSpace.operation_counts`
        returns them.

    Returns:
      The mean over the places of the entropy of the operations' shares, divided by the logarithm of
      the number of operations: 0 to 1. None if there is only one operation.
    """
    numbers = np.array(list(counts.values()), np.float64)
    if len(numbers) < 2:
        return None
    shares = numbers / np.sum(numbers, axis=0)
    logarithms = np.log(shares, out=np.zeros_like(shares), where=shares > 0)
    entropies = np.sum(-shares * logarithms, axis=0)
    return max(0.0, float(np.mean(entropies)) / math.log(len(numbers)))


def _advice(config: SearchConfig) -> str:
    """Returns what to do about a collapse; the strategies have different remedies."""
    if config.strategy == "reinforce":
        return (
            "Search anew with a higher --controller_entropy_weight "
            f"(now {config.policy.entropy_weight:g}), a lower --controller_learning_rate "
            f"(now {config.policy.learning_rate:g}), a small --controller_tanh_constant or "
            "another --seed."
        )
    if config.strategy == "evolution":
        return (
            "Late in an evolution this is natural, since its members have common ancestors; if it "
            "is too early, search anew with a larger --evolution_population_size "
            f"(now {config.evolution.population_size}), a smaller --evolution_tournament_size "
            f"(now {config.evolution.tournament_size}) or another --seed."
        )
    return "Search anew with another --seed or another --strategy."
