"""Exhaustive studies: every architecture of a small space is trained alone, into a table.

Trainings are independent of each other and kept line by line: a study that is started again does
what is left, and several processes can each do a part.
"""

import dataclasses
from collections.abc import Callable, Sequence
from typing import Any

from enas_tf.files.writing import JsonLines
from enas_tf.searching.training_alone import TrainingAlone
from enas_tf.settings.config import SearchConfig
from enas_tf.spaces.base import Architecture, SearchSpace


@dataclasses.dataclass(frozen=True)
class AloneResult:
    """What came of one training.

    Attributes:
      architecture: what was trained.
      seed: of the training.
      validation: score on the validation part after the last epoch; higher is better.
      test: likewise on the test part.
    """

    architecture: Architecture
    seed: int
    validation: float
    test: float


def train_all(
    space: SearchSpace,
    data: Any,
    config: SearchConfig,
    jobs: Sequence[tuple[Architecture, int]],
    results: JsonLines,
    on_result: Callable[[AloneResult], None] = lambda result: None,
) -> list[AloneResult]:
    """Trains architectures alone, except those whose results are there.

    Args:
      space: the search space.
      data: what they are trained and tested on.
      config: `shared_weights` says how; see `TrainingAlone`.
      jobs: architectures in their canonical form, and seeds.
      results: where results are kept.
      on_result: called with each new result.

    Returns:
      The results of all jobs in their order.
    """
    done = {
        (row["release_string"], row["seed"]): (row["validation"], row["test"])
        for row in results.read()
    }
    sizes = {
        "batch_size": config.shared_weights.batch_size,
        "reward_batch_size": config.shared_weights.batch_size,
        "seed": config.seed,
    }
    alone: TrainingAlone | None = None
    outcomes = []
    for architecture, seed in jobs:
        key = architecture.to_release_string(), seed
        if key not in done:
            if alone is None:
                alone = TrainingAlone(space, config, data.search_streams(**sizes))
                tests = alone.weights.batches(
                    data.search_streams(**sizes, scored_part="test").validation
                )
            validation = alone.train(architecture, seed)[-1]
            done[key] = validation, alone.score(tests, architecture)
            row = dict(zip(("validation", "test"), done[key]))
            results.append({"release_string": key[0], "seed": seed, **row})
            on_result(AloneResult(architecture, seed, *done[key]))
        outcomes.append(AloneResult(architecture, seed, *done[key]))
    return outcomes
