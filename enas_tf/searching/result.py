"""What a search found, as a value and as it is kept in the run directory."""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

from enas_tf.errors import RunDirectoryError
from enas_tf.runs.contents import BEST_ARCHITECTURE
from enas_tf.runs.directory import RunDirectory
from enas_tf.searching.comparison import Comparison
from enas_tf.searching.ranking import Candidate
from enas_tf.spaces.architectures import architecture_from_document
from enas_tf.spaces.base import Architecture
from enas_tf.spaces.costs import Costs


@dataclasses.dataclass(frozen=True, repr=False)
class SearchResult:
    """What a search found.

    Attributes:
      architecture: the best one.
      score: its score while sharing weights, which ranks architectures but is not the performance
        of the network that is trained from scratch.
      score_kind: what the score is, for example `shared_weights_validation_accuracy`.
      candidates: all that were ranked, best first.
      run: the run directory.
      comparison: the candidates against random architectures; None for a strategy that does not
        learn, where architectures are trained alone, and in runs of version 0.1.0.
    """

    architecture: Architecture
    score: float
    score_kind: str
    candidates: tuple[Candidate, ...]
    run: RunDirectory
    comparison: Comparison | None = None

    def __repr__(self) -> str:
        return (
            f"SearchResult({self.score_kind} {self.score:.4f}, the best of "
            f"{len(self.candidates):,} candidates, {self.architecture!r}, {self.run!r})"
        )

    @classmethod
    def of_candidates(
        cls,
        candidates: Sequence[Candidate],
        run: RunDirectory,
        comparison: Comparison | None = None,
    ) -> "SearchResult":
        """Returns the result of a ranking.

        Args:
          candidates: best first.
          run: the run directory.
          comparison: see the attribute.
        """
        best = candidates[0]
        return cls(
            best.architecture, best.score, best.score_kind, tuple(candidates), run, comparison
        )

    @classmethod
    def of_document(
        cls, document: Mapping[str, Any], run: RunDirectory, space_name: str
    ) -> "SearchResult":
        """Returns the result that was written into a run directory.

        Args:
          document: `best_architecture.json`.
          run: the run directory.
          space_name: of the architectures' space.

        Raises:
          RunDirectoryError: the file was changed.
        """
        try:
            candidates = [
                Candidate(
                    architecture_from_document(entry["architecture"], space_name),
                    entry["score"],
                    entry["score_kind"],
                    entry["shared_weights_score"],
                    entry.get("standard_error"),
                    entry.get("tied_with_first"),
                    Costs.from_json(entry),
                    entry.get("reward"),
                )
                for entry in document["ranking"]
            ]
            compared = document.get("comparison")
            comparison = Comparison.of_document(compared) if compared else None
        except (LookupError, TypeError) as error:
            raise RunDirectoryError(
                f"{run.path / BEST_ARCHITECTURE} is damaged: it has no ranking. Delete it, and the "
                "same command derives again."
            ) from error
        return cls.of_candidates(candidates, run, comparison)
