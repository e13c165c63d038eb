"""Evaluation by training: every proposed architecture is trained alone, from scratch.

Source: Zoph and Le: *Neural Architecture Search with Reinforcement Learning*, ICLR 2017, arXiv
1611.01578: the reward is the highest validation accuracy of the last epochs, to the third power.
"""

import logging
from collections.abc import Sequence
from typing import Any

from enas_tf.errors import NumericalError
from enas_tf.files.writing import JsonLines
from enas_tf.runs.contents import EVALUATIONS
from enas_tf.searching.evaluators.base import Evaluator
from enas_tf.searching.ranking import Candidate
from enas_tf.searching.training_alone import TrainingAlone
from enas_tf.spaces.base import Architecture

logger = logging.getLogger(__name__)


class TrainedEvaluator(Evaluator):
    """Scores architectures by trainings of their own; see `Evaluator`.

    What came of an architecture is a function of it and the seed, and is kept in the run: none is
    trained twice, and an interrupted search loses at most the training of one.
    """

    kind = "trained"

    def __init__(self, space: Any, config: Any, streams: Any, run: Any, distribution: Any) -> None:
        super().__init__(space, config, streams, run, distribution)
        training = config.shared_weights.replace(epochs=config.trained.epochs)
        self._alone = TrainingAlone(
            space, config.replace(shared_weights=training), streams, distribution
        )
        self.weights = self._alone.weights
        self.training_steps = 0
        self.steps_per_update = config.policy.samples_per_update
        self._file = JsonLines(run.file(EVALUATIONS))
        rows = self.weights.machines.decide(self._file.read)
        parse = space.architecture_from_release_string
        self._kept = {parse(row["release_string"]): row["score"] for row in rows}

    def saved_objects(self) -> dict[str, Any]:
        """Returns nothing: no weights outlive their architecture's training."""
        return {}

    def prepare(self, architecture: Architecture) -> None:
        """Trains an architecture, unless that was done before."""
        self.score(architecture)

    def rewards(self, architectures: Sequence[Architecture], update: int) -> list[float]:
        """Returns the scores to the power of `reward_power`."""
        del update
        power = self._config.trained.reward_power
        return [self.score(architecture) ** power for architecture in architectures]

    def score(self, architecture: Architecture) -> float:
        """Returns the best validation score of the last epochs of an architecture's training.

        One whose training fails has the lowest score there is, 0.
        """
        architecture = architecture.canonical()
        if architecture not in self._kept:
            try:
                scores = self._alone.train(architecture, self._config.seed)
                score = max(scores[-self._config.trained.best_of_epochs :])
            except NumericalError as error:
                logger.warning(
                    "The training of %s failed; its score is 0. %s",
                    architecture.to_release_string(),
                    error,
                )
                scores, score = [], 0.0
            self._file.append(
                {
                    "release_string": architecture.to_release_string(),
                    "score": score,
                    "scores": scores,
                }
            )
            self._kept[architecture] = score
        return self._kept[architecture]

    def scored(self) -> list[Candidate]:
        """Returns all architectures that were trained."""
        return [
            Candidate(architecture, score, self.score_kind, score)
            for architecture, score in self._kept.items()
        ]
