"""Deriving: choosing the best architecture that a search can propose.

Candidates share the weights of the supernet while they are ranked. Their scores are only good for
ranking; networks that are trained from scratch do far better.
"""

import contextlib
import dataclasses
import functools
import logging
import math
from collections.abc import Iterator, Sequence
from typing import Any

from enas_tf.environment.progress import Progress
from enas_tf.errors import NumericalError
from enas_tf.final_training.api import short_score
from enas_tf.runs.phases import DERIVE
from enas_tf.searching.final_costs import FinalCosts, Objective
from enas_tf.searching.score_errors import (
    parts_of,
    score_error,
    scores_without_one,
    told_apart,
)
from enas_tf.searching.shared_weights import SharedWeights
from enas_tf.searching.strategies.base import Strategy
from enas_tf.searching.strategies.of_chief import ChiefsStrategy
from enas_tf.settings.search import SearchConfig
from enas_tf.spaces.base import Architecture, SearchSpace
from enas_tf.spaces.costs import Costs

logger = logging.getLogger(__name__)

# Enough for moving statistics of decay 0.9 to forget their first batch.
REFITTING_BATCHES = 30


@dataclasses.dataclass(frozen=True, repr=False)
class Candidate:
    """An architecture and its scores.

    Attributes:
      architecture: the architecture.
      score: what it is ranked by; with a target of costs, its quality.
      score_kind: what the score is.
      shared_weights_score: its score while sharing weights.
      standard_error: of the score, see `enas_tf.searching.score_errors`; None: not known.
      tied_with_first: whether the score cannot be told apart from that of the first of the
        ranking; None: not known, another kind of score, or not what decides alone.
      costs: of its final network.
      reward: what it is ranked by if there is a target of costs: the score and the cost in one.
      without_one: the score without each part of the validation examples in turn, see
        `scores_without_one`; empty: not known.
      examples: validation examples (words) of which the score was made; None: the whole part.
    """

    architecture: Architecture
    score: float
    score_kind: str
    shared_weights_score: float
    standard_error: float | None = None
    # Of the ranking, not of the candidate.
    tied_with_first: bool | None = dataclasses.field(default=None, compare=False)
    costs: Costs | None = None
    reward: float | None = None
    without_one: tuple[float, ...] = dataclasses.field(default=(), compare=False)
    examples: float | None = dataclasses.field(default=None, compare=False)

    def __repr__(self) -> str:
        error = "" if self.standard_error is None else f" ± {self.standard_error:.4f}"
        return f"Candidate({self.score:.4f}{error}, {self.architecture!r})"


def derive(
    space: SearchSpace,
    data: Any,
    config: SearchConfig,
    *,
    weights: SharedWeights,
    strategy: Strategy | ChiefsStrategy,
    streams: Any,
    costs: FinalCosts,
    scored: Sequence[Candidate] | None = None,
) -> list[Candidate]:
    """Ranks candidates of a strategy with the shared weights.

    A candidate whose score is not finite is left out. A finalist whose own network cannot be
    trained stands behind those that can, by its score with shared weights. Both give a warning.

    Args:
      space: the search space.
      data: what finalists are retrained on.
      config: `config.derive` says how many candidates there are and how they are scored.
      weights: the shared weights; unchanged afterwards.
      strategy: proposes the candidates; unchanged.
      streams: the batches of the search.
      costs: of the final networks.
      scored: architectures whose scores are known, in place of the strategy's candidates.

    Returns:
      The candidates, best first: finalists by the validation score that a short retraining gave
      them, then the others by their score with shared weights; with a target, by score and cost.

    Raises:
      NumericalError: no candidate has a finite score.
    """
    settings = config.derive
    rated = functools.partial(_rated, Objective(config.costs), costs, weights.machines)
    if scored:
        known = rated(scored)[: settings.num_candidates]
        architectures = []
    else:
        proposed = [strategy.most_likely(), *strategy.candidates(settings.num_candidates)]
        unique = list(dict.fromkeys(a for a in proposed if a is not None))
        known, architectures = [], unique[: settings.num_candidates]
    num_finalists = min(settings.finalists, len(architectures) + len(known))
    progress = Progress(
        {DERIVE: len(architectures), "finalists": num_finalists}, shown=weights.machines.is_chief
    )
    scores = list(known)
    try:
        kind = weights.score_kind
        for architecture, batches in zip(
            architectures, batches_of(config, weights, streams, architectures)
        ):
            score = weights.score_of(batches)
            scores.append(
                Candidate(
                    architecture,
                    score,
                    kind,
                    score,
                    without_one=scores_without_one(weights.score_of, parts_of(batches)),
                    examples=sum(count for *_, count in batches),
                )
            )
            progress.update(DERIVE, score=score, best=_best_score(scores))
        candidates = rated(_finite_candidates(scores, weights))
        trained, untrained = [], []
        for candidate in candidates[:num_finalists]:
            try:
                trained.append(_retrained(space, data, config, candidate, weights.distribution))
            except NumericalError as error:
                logger.warning(
                    "The short retraining of %s failed; its score with shared weights ranks it "
                    "behind the finalists that trained. %s",
                    candidate.architecture.to_release_string(),
                    error,
                )
                untrained.append(candidate)
            progress.update("finalists", score=_best_score(trained))
    finally:
        progress.close()
    ranking = rated(trained) + untrained + candidates[num_finalists:]
    return _judged(data, ranking)


def _rated(
    objective: Objective, costs: FinalCosts, machines: Any, candidates: Sequence[Candidate]
) -> list[Candidate]:
    """Returns the candidates with what their networks cost, best first."""
    found = costs.of_all([one.architecture for one in candidates], machines)
    has_target = objective.has_target
    rated = [
        dataclasses.replace(
            one, costs=cost, reward=objective.reward(one.score, cost) if has_target else None
        )
        for one, cost in zip(candidates, found)
    ]
    return sorted(rated, key=lambda one: -(one.score if one.reward is None else one.reward))


def _judged(data: Any, ranking: Sequence[Candidate]) -> list[Candidate]:
    """Returns the candidates with what their scores are worth."""
    all_examples = getattr(data, "validation_size", None)
    judged: list[Candidate] = []
    for one in ranking:
        examples = one.examples or all_examples
        error = score_error(one.score, one.score_kind, one.without_one, examples)
        first = judged[0] if judged else one
        tied = None
        if not judged:
            tied = True
        elif one.score_kind == first.score_kind and one.reward is None:
            apart = told_apart(
                (first.score, one.score),
                (first.standard_error, error),
                (first.without_one, one.without_one),
            )
            tied = None if apart is None else not apart
        judged.append(dataclasses.replace(one, standard_error=error, tied_with_first=tied))
    return judged


def batches_of(
    config: SearchConfig, weights: SharedWeights, streams: Any, architectures: Sequence[Any]
) -> Iterator[list[Any]]:
    """Yields what the batches say of each architecture with the shared weights.

    Args:
      config: `config.derive` says on which batches, and with which statistics.
      weights: the shared weights; unchanged afterwards.
      streams: the batches of the search.
      architectures: to be scored.

    Yields:
      What `Supernet.score` says of each batch.
    """
    # The same minibatch for all, so that none is merely lucky.
    is_minibatch = config.derive.scoring == "minibatch"
    batches = weights.batches(streams.minibatch if is_minibatch else streams.validation)
    with _kept_statistics(weights):
        for architecture in architectures:
            yield _batches(config, weights, streams, batches, architecture)


def scores_of(
    config: SearchConfig, weights: SharedWeights, streams: Any, architectures: Sequence[Any]
) -> list[float]:
    """Returns the scores of architectures with the shared weights; see `batches_of`."""
    return list(map(weights.score_of, batches_of(config, weights, streams, architectures)))


def _best_score(candidates: Sequence[Candidate]) -> float:
    """Returns the highest finite score, not a number if there is none."""
    scores = (candidate.score for candidate in candidates if math.isfinite(candidate.score))
    return max(scores, default=math.nan)


def _finite_candidates(candidates: Sequence[Candidate], weights: SharedWeights) -> list[Candidate]:
    """Returns the candidates whose score is finite, and warns if others are left out.

    Raises:
      NumericalError: there is none; says whether the shared weights are the cause.
    """
    finite = [candidate for candidate in candidates if math.isfinite(candidate.score)]
    if not finite:
        failure = f"The score of every candidate ({len(candidates)}) is not finite"
        try:
            weights.check_finite()
        except NumericalError as error:
            raise NumericalError(f"{failure}. {error}") from error
        raise NumericalError(
            f"{failure}, though the shared weights are. Search anew with a lower learning_rate, or "
            "set clip_norm."
        )
    left_out = len(candidates) - len(finite)
    if left_out:
        logger.warning(
            "%d of %d candidates left out: their scores are not finite.", left_out, len(candidates)
        )
    return finite


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


def _batches(
    config: SearchConfig, weights: SharedWeights, streams: Any, batches: Any, architecture: Any
) -> list[Any]:
    statistics = config.derive.statistics
    if statistics == "refitted":
        refitting = weights.batches(lambda share: streams.refitting(REFITTING_BATCHES, share))
        weights.refit_statistics(refitting, architecture)
    return weights.validation_scores(
        batches, architecture, use_batch_statistics=statistics == "batch"
    )


def _retrained(
    space: SearchSpace, data: Any, config: SearchConfig, candidate: Candidate, distribution: Any
) -> Candidate:
    """Trains the candidate's own network briefly and scores it on the validation part.

    Raises:
      NumericalError: the training failed, or its score is not finite.
    """
    score, kind = short_score(space, candidate.architecture, data, config, distribution)
    if not math.isfinite(score):
        raise NumericalError(f"The score is not finite: {score}.")
    return dataclasses.replace(
        candidate, score=score, score_kind=kind, without_one=(), examples=None
    )
