"""What comes of a study: the searches, what they found, and what was trained from scratch."""

import dataclasses
from collections.abc import Mapping
from typing import Any

from enas_tf.spaces.base import Architecture


@dataclasses.dataclass(frozen=True)
class Retraining:
    """One training from scratch.

    Attributes:
      seed: of the training.
      validation: its result on the validation part, in the study's metric.
      test: likewise on the test part.
      seconds: it took.
    """

    seed: int
    validation: float
    test: float
    seconds: float


@dataclasses.dataclass(frozen=True)
class Trained:
    """An architecture, what it costs, and what came of training it from scratch.

    Attributes:
      architecture: what was trained.
      parameters: weights of the network that was trained.
      multiply_adds: of one picture or one token through it.
      retrainings: with different seeds; at least one.
    """

    architecture: Architecture
    parameters: int
    multiply_adds: int
    retrainings: tuple[Retraining, ...]


@dataclasses.dataclass(frozen=True)
class FoundBySearch:
    """One search of a method.

    Attributes:
      seed: of the search.
      score: by which the search preferred what it found; higher is better.
      search_seconds: the search took, without what follows.
      scoring_seconds: ranking its candidates took.
      trained: what it found.
    """

    seed: int
    score: float
    search_seconds: float
    scoring_seconds: float
    trained: Trained


@dataclasses.dataclass(frozen=True)
class SharedWeightsScores:
    """What the shared weights of one search say of the architectures that a ranking is measured on.

    Attributes:
      method: of the search.
      seed: of the search.
      scores: in the order of `StudyOutcome.ranked`; higher is better.
    """

    method: str
    seed: int
    scores: tuple[float, ...]


@dataclasses.dataclass(frozen=True)
class StudyOutcome:
    """All that a study knows when its last training has ended.

    Attributes:
      space: name of the search space.
      dataset: name of the data.
      budget: the settings that searches and trainings had in common, for people to read.
      lower_is_better: whether results are perplexities; accuracies otherwise.
      score_kind: what the scores of searches are.
      methods: the searches of each method; random sampling is not among them.
      random: architectures drawn uniformly from the space, trained in exactly the same way.
      ranked: on which rankings are measured.
      shared_weights: their scores with the shared weights of searches.
    """

    space: str
    dataset: str
    budget: Mapping[str, Any]
    lower_is_better: bool
    score_kind: str
    methods: Mapping[str, tuple[FoundBySearch, ...]]
    random: tuple[Trained, ...]
    ranked: tuple[Trained, ...]
    shared_weights: tuple[SharedWeightsScores, ...]
