"""Searches against the truth of a small space: a strategy's whole search in seconds."""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from enas_tf.searching.limits import NO_LIMITS, Limits
from enas_tf.searching.strategies import build_strategy
from enas_tf.settings.search import SearchConfig
from enas_tf.settings.strategies import EvolutionConfig, PolicyConfig
from enas_tf.studies.truth import Truth

# A truth has hundreds of architectures, so a search may look at some dozens. A population as in
# small budgets of others' code; the controller learns from few updates, which with the authors'
# epsilon of Adam would be next to nothing in the rnn space, where gradients are smallest.
SIMULATED_SEARCH = SearchConfig(
    policy=PolicyConfig(
        learning_rate=0.03, adam_epsilon=1e-8, samples_per_update=5, advantage="normalized"
    ),
    evolution=EvolutionConfig(population_size=10, tournament_size=3),
)


@dataclasses.dataclass(frozen=True)
class Trajectory:
    """One search against a truth.

    Attributes:
      seed: of the search.
      rows: places in the truth of what was proposed, in this order, `[evaluations]`.
      regrets: of the best so far by reward, after each evaluation, `[evaluations]`; in units of
        the truth's metric.
      found: the place of the best at the end.
    """

    seed: int
    rows: np.ndarray
    regrets: np.ndarray
    found: int


def simulate(
    truth: Truth, config: SearchConfig, num_evaluations: int, limits: Limits = NO_LIMITS
) -> Trajectory:
    """Runs one search against a truth.

    Which of its trainings an architecture shows is drawn once for the search, so that one that is
    proposed again earns the same reward again, as where results are kept.

    Args:
      truth: what rewards come from.
      config: strategy, its settings and the seed.
      num_evaluations: proposals in the search, a multiple of `config.policy.samples_per_update`
        or rounded up to one.
      limits: within which the whole truth is, and proposals shall be.
    """
    strategy = build_strategy(config.strategy, truth.space, config, limits)
    generator = np.random.default_rng((config.seed, 1))
    shown = generator.integers(truth.num_seeds, size=len(truth.architectures))
    seen = truth.rewards[np.arange(len(shown)), shown]
    samples = config.policy.samples_per_update
    proposed: list[np.ndarray] = []
    for _ in range(-(-num_evaluations // samples)):
        architectures = strategy.propose(samples)
        rows = truth.rows(architectures)
        strategy.observe(architectures, seen[rows])
        proposed.append(rows)
    rows = np.concatenate(proposed)
    # The first of those with the highest reward so far.
    rewards = seen[rows]
    best = np.maximum.accumulate(rewards)
    new = np.concatenate([[True], rewards[1:] > best[:-1]])
    best_rows = rows[np.maximum.accumulate(np.where(new, np.arange(len(rows)), 0))]
    return Trajectory(config.seed, rows, truth.regrets[best_rows], int(best_rows[-1]))


def simulated_methods(
    truth: Truth, trajectories: Mapping[str, Sequence[Trajectory]]
) -> dict[str, dict[str, Any]]:
    """Returns what some strategies found, as JSON can hold it.

    Args:
      truth: what they searched.
      trajectories: by the name of the strategy, one a seed.

    Returns:
      By name: `regret` and its standard error, `probability_beats_random` (exact: the share of
      the space that is worse), `beats_random_search` (share of the seeds that end with less regret
      than random search of the same seed, ties half; None without random search), `trajectory`
      (mean regret after each evaluation) and each seed's result in `searches`.
    """
    worth = truth.worth
    final = {
        name: np.array([one.regrets[-1] for one in many]) for name, many in trajectories.items()
    }
    against = final.get("random")

    def beats(regrets: np.ndarray) -> float | None:
        if against is None:
            return None
        return float(np.mean((regrets < against) + (regrets == against) / 2))

    return {
        name: {
            "regret": float(final[name].mean()),
            "regret_error": float(final[name].std(ddof=1) / len(many) ** 0.5)
            if len(many) > 1
            else None,
            "probability_beats_random": float(
                np.mean([truth.probability_beats_random(one.found) for one in many])
            ),
            "beats_random_search": beats(final[name]),
            "trajectory": np.mean([one.regrets for one in many], axis=0).round(6).tolist(),
            "searches": [
                {
                    "seed": one.seed,
                    "release_string": truth.architectures[one.found].to_release_string(),
                    "regret": float(one.regrets[-1]),
                    "worth": float(worth[one.found]),
                    "distinct": len(set(one.rows.tolist())),
                }
                for one in many
            ],
        }
        for name, many in trajectories.items()
    }
