"""What proposed architectures are worth: their scores with shared weights, or trained alone."""

from typing import Any

from enas_tf.runs.directory import RunDirectory
from enas_tf.searching.evaluators.base import Evaluator
from enas_tf.searching.evaluators.shared import SharedEvaluator
from enas_tf.searching.evaluators.trained import TrainedEvaluator
from enas_tf.settings.search import SearchConfig
from enas_tf.spaces.base import SearchSpace

# By what `SearchConfig.evaluation` admits.
EVALUATORS: dict[str, type[Evaluator]] = {
    "shared_weights": SharedEvaluator,
    "trained": TrainedEvaluator,
}


def build_evaluator(
    space: SearchSpace,
    config: SearchConfig,
    streams: Any,
    run: RunDirectory,
    distribution: Any | None = None,
) -> Evaluator:
    """Returns the evaluator that the settings of a search name.

    Args:
      space: the search space.
      config: the settings.
      streams: the batches of the search.
      run: where results are kept that no checkpoint holds.
      distribution: over which devices.
    """
    return EVALUATORS[config.evaluation](space, config, streams, run, distribution)
