"""What a strategy has learned: its candidates against random ones, with the same weights."""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

# Enough for a standard error of a fifth of the spread; scoring them takes seconds.
NUM_RANDOM = 20


@dataclasses.dataclass(frozen=True)
class MeanScore:
    """A mean of scores.

    Attributes:
      mean: of them.
      standard_error: of the mean; 0 if there is only one score.
      count: of scores.
    """

    mean: float
    standard_error: float
    count: int

    @classmethod
    def of(cls, scores: Sequence[float]) -> "MeanScore":
        """Returns the mean of at least one score."""
        values = np.asarray(scores, np.float64)
        error = np.std(values, ddof=1) / np.sqrt(len(values)) if len(values) > 1 else 0.0
        return cls(float(np.mean(values)), float(error), len(values))

    def __str__(self) -> str:
        return f"{self.mean:.3f} ± {self.standard_error:.3f}"


@dataclasses.dataclass(frozen=True)
class Comparison:
    """Candidates of a strategy and random architectures, scored alike with the shared weights.

    Attributes:
      strategy: what proposed the candidates.
      proposed: of the candidates.
      random: of uniformly random ones.
    """

    strategy: str
    proposed: MeanScore
    random: MeanScore

    @classmethod
    def of_document(cls, document: Mapping[str, Any]) -> "Comparison":
        """Returns what `dataclasses.asdict` made a dictionary of."""
        scores = (MeanScore(**document[whose]) for whose in ("proposed", "random"))
        return cls(document["strategy"], *scores)

    def __str__(self) -> str:
        is_controller = self.strategy == "reinforce"
        whose = "The controller's" if is_controller else f"The {self.strategy} strategy's"
        return (
            f"{whose} proposals score {self.proposed}, random ones {self.random} with the same "
            "weights"
        )
