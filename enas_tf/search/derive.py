"""Deriving: choosing the best architecture that a search can propose.

Candidates share the weights of the supernet while they are ranked. Their scores are only good for
ranking; networks that are trained from scratch do far better.
"""

import contextlib
import dataclasses
from collections.abc import Iterator
from typing import Any

from enas_tf.config import SearchConfig
from enas_tf.reporting.progress import Progress
from enas_tf.search.shared_weights import SharedWeights
from enas_tf.search.strategies.base import Strategy
from enas_tf.spaces.base import SearchSpace
from enas_tf.spaces.registry import get_space

# Enough for moving statistics of decay 0.9 to forget their first batch.
REFITTING_BATCHES = 30


@dataclasses.dataclass(frozen=True)
class Candidate:
    """An architecture and its scores.

    Attributes:
      architecture: the architecture.
      score: what it is ranked by.
      score_kind: what the score is.
      shared_weights_score: its score while sharing weights.
    """

    architecture: Any
    score: float
    score_kind: str
    shared_weights_score: float


def derive(
    space: SearchSpace,
    data: Any,
    config: SearchConfig,
    *,
    weights: SharedWeights,
    strategy: Strategy,
    streams: Any,
) -> list[Candidate]:
    """Ranks candidates of a strategy with the shared weights.

    Args:
      space: the search space.
      data: what finalists are retrained on.
      config: `config.derive` says how many candidates there are and how they are scored.
      weights: the shared weights; unchanged afterwards.
      strategy: proposes the candidates; unchanged.
      streams: the batches of the search.

    Returns:
      The candidates, best first: finalists by the validation score that a short retraining gave
      them, then the others by their score with shared weights.
    """
    settings = config.derive
    proposed = [strategy.most_likely(), *strategy.candidates(settings.num_candidates)]
    unique = list(dict.fromkeys(a for a in proposed if a is not None))
    architectures = unique[: settings.num_candidates]
    num_finalists = min(settings.finalists, len(architectures))
    progress = Progress({"derive": len(architectures), "finalists": num_finalists})
    candidates = []
    try:
        with _kept_statistics(weights):
            for architecture in architectures:
                score = _score(config, weights, streams, architecture)
                kind = weights.supernet.score_kind
                candidates.append(Candidate(architecture, score, kind, score))
                progress.update("derive", score=score, best=max(c.score for c in candidates))
        candidates.sort(key=lambda candidate: -candidate.score)
        finalists = []
        for candidate in candidates[:num_finalists]:
            finalists.append(_retrained(space, data, config, candidate))
            progress.update("finalists", score=finalists[-1].score)
    finally:
        progress.close()
    finalists.sort(key=lambda candidate: -candidate.score)
    return finalists + candidates[num_finalists:]


@contextlib.contextmanager
def _kept_statistics(weights: SharedWeights) -> Iterator[None]:
    """Puts the moving statistics back at the end of the block."""
    variables = weights.supernet.non_trainable_variables
    values = [variable.numpy() for variable in variables]
    try:
        yield
    finally:
        for variable, value in zip(variables, values):
            variable.assign(value)


def _score(config: SearchConfig, weights: SharedWeights, streams: Any, architecture: Any) -> float:
    settings = config.derive
    if settings.statistics == "refitted":
        batches = streams.refitting().take(REFITTING_BATCHES)
        weights.refit_statistics(weights.distribute(batches), architecture)
    batches = streams.validation()
    if settings.scoring == "minibatch":
        # The same minibatch for all, so that none is merely lucky.
        batches = streams.rewards(0).take(1)
    return weights.validation_score(
        weights.distribute(batches),
        architecture,
        use_batch_statistics=settings.statistics == "batch",
    )


def _retrained(
    space: SearchSpace, data: Any, config: SearchConfig, candidate: Candidate
) -> Candidate:
    """Trains the candidate's own network briefly and scores it on the validation part."""
    score, kind = get_space(space.name).short_retraining(
        space, candidate.architecture, data, config
    )
    return dataclasses.replace(candidate, score=score, score_kind=kind)
