"""ENAS's own evaluation: architectures are scored with the weights that all of them share."""

from collections.abc import Iterator, Sequence
from typing import Any

from enas_tf.searching.evaluators.base import Evaluator
from enas_tf.searching.shared_weights import SharedWeights
from enas_tf.spaces.base import Architecture
from enas_tf.training.pace import DATA, each


class SharedEvaluator(Evaluator):
    """Scores architectures with the shared weights as they are; see `Evaluator`."""

    # Which kind of shared weights there are.
    weights_type: type[SharedWeights] = SharedWeights

    def __init__(self, space: Any, config: Any, streams: Any, run: Any, distribution: Any) -> None:
        super().__init__(space, config, streams, run, distribution)
        weights = streams.class_weights(config.loss.class_weights)
        self.weights = self.weights_type(
            space, config, streams.steps_per_epoch, distribution, weights, streams.reader()
        )
        self.training_steps = streams.steps_per_epoch
        self._batches: Iterator[Any] | None = None

    def saved_objects(self) -> dict[str, Any]:
        """Returns the shared weights and their optimiser."""
        return self.weights.saved_objects()

    def check(self) -> None:
        """Raises `NumericalError` if a weight is not finite."""
        self.weights.check_finite()

    def rewind(self) -> None:
        """Lets the batches begin anew; see `Evaluator.rewind`."""
        self._batches = None

    def rewards(self, architectures: Sequence[Architecture], update: int) -> list[float]:
        """Scores each architecture on a validation minibatch."""
        if self._batches is None:
            count = len(architectures)
            same = self._config.reward_minibatches == "one"
            self._batches = each(
                DATA,
                self.weights.batches(
                    lambda share: self._streams.rewards(update, count, share, same_in_update=same)
                ),
            )
        return self.weights.rewards(self._batches, architectures)

    def score(self, architecture: Architecture) -> float:
        """Scores an architecture on the whole validation part."""
        return self.weights.validation_score(
            self.weights.batches(self._streams.validation),
            architecture,
            use_batch_statistics=self._config.reward_statistics == "batch",
        )
