"""Exhaustive studies: every architecture of a small space is trained alone, into a truth.

Trainings are independent of each other and kept line by line: a study that is started again does
what is left, and several processes can each do a part.
"""

import os
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from enas_tf.environment.progress import Progress
from enas_tf.errors import ConfigurationError, RunDirectoryError
from enas_tf.files.writing import JsonLines
from enas_tf.records.run import written_settings
from enas_tf.runs.directory import RunDirectory
from enas_tf.searching.final_costs import FinalCosts
from enas_tf.searching.limits import Limits
from enas_tf.searching.training_alone import TrainingAlone
from enas_tf.settings.arguments import differing_arguments
from enas_tf.settings.costs import CostConfig
from enas_tf.settings.search import SearchConfig
from enas_tf.settings.training import LossConfig
from enas_tf.spaces.base import Architecture, SearchSpace
from enas_tf.spaces.costs import Costs
from enas_tf.spaces.registry import get_space
from enas_tf.studies.plan import WHOLE, Part
from enas_tf.studies.truth import Truth, check_known_costs
from enas_tf.training.devices import default_strategy
from enas_tf.training.placement import placed

TRUTH = "truth.json"
_FOLDER = "trainings"


def exhaustive_study(
    space: SearchSpace,
    data: Any,
    config: SearchConfig,
    output_dir: str | os.PathLike[str],
    *,
    num_seeds: int = 2,
    part: Part | None = None,
    collect: bool = False,
    overwrite: bool = False,
    distribution: Any | None = None,
    on_dry_run: Callable[[str], Any] | None = None,
) -> Truth | None:
    """Trains every architecture of a small space alone, and writes `truth.json`.

    Args:
      space: the search space, in the sizes of the data.
      data: what they are trained and tested on.
      config: how: as with `evaluation="trained"`, `shared_weights` for `trained.epochs` epochs.
      output_dir: folder of the study; called again, it goes on where it was interrupted.
      num_seeds: trainings of each architecture, with seeds from `config.seed` on.
      part: does only this part of the trainings; writes no truth.
      collect: does nothing but write the truth of parts that are done.
      overwrite: start anew if another study is in `output_dir`.
      distribution: over which devices each batch is divided; default: see `default_strategy`.
      on_dry_run: is told what would be done; nothing is done then.

    Returns:
      The truth; None if only a part, or nothing, was done.

    Raises:
      ConfigurationError: scores are no accuracies; the space has too many architectures, or fewer
        than two within the limits of `config.costs`, which here are about networks as large as in
        the search; or there is a target, or a limit of latencies.
      RunDirectoryError: `output_dir` holds something else; with `collect`, trainings are missing.
      NumericalError: a training failed.
    """
    architectures = _architectures(space, config)
    training = config.shared_weights.replace(epochs=config.trained.epochs)
    seeds = range(config.seed, config.seed + num_seeds)
    number, of = part or WHOLE
    jobs = [(one, seed) for seed in seeds for one in architectures]
    if on_dry_run is not None:
        on_dry_run(
            f"{len(architectures)} architectures, each trained alone {num_seeds} times for "
            f"{training.epochs} epochs: {len(jobs[number - 1 :: of])} trainings."
        )
        return None
    written, defaults = written_settings({"space": space, "data": data.config, "budget": training})
    budget = {**written["budget"], "seeds": list(seeds)}
    configuration = {
        **written,
        "command": "study",
        "budget": budget,
        "statistics": config.reward_statistics,
        **({"costs": config.costs.maxima} if config.costs.maxima else {}),
        **({"loss": config.loss.to_json()} if config.loss != LossConfig() else {}),
    }
    with RunDirectory.open(
        output_dir,
        configuration,
        overwrite=overwrite,
        with_others=part is not None,
        defaults=defaults,
    ) as run:
        (run.path / _FOLDER).mkdir(exist_ok=True)
        if not collect:
            file = JsonLines(run.path / _FOLDER / f"part-{number}-of-{of}.jsonl")
            left = [job for job in jobs[number - 1 :: of] if job not in _done(run, space)]
            if left:
                config = config.replace(shared_weights=training)
                _train(space, data, config, left, file, distribution)
        if part is not None:
            return None
        truth = _truth(run, space, architectures, seeds, data.config.dataset, budget)
        truth.write(run.path / TRUTH)
        return truth


def _architectures(space: SearchSpace, config: SearchConfig) -> list[Architecture]:
    """Returns all that are within the limits; raises as `exhaustive_study` does."""
    check_known_costs(config.costs)
    if config.ranking_metric != "accuracy":
        raise ConfigurationError(
            "`derive_metric` must be accuracy in an exhaustive study: that is what a truth is of. "
            f"Received: derive_metric={config.ranking_metric}."
        )
    limits = Limits(config.costs.maxima, _costs_of(space))
    architectures = list(filter(limits.allows, space.every_architecture()))
    if len(architectures) < 2:
        raise ConfigurationError(
            f"The limits leave {len(architectures)} of the architectures; a truth needs two. "
            f"Received: {', '.join(differing_arguments(config.costs, CostConfig()))}."
        )
    return architectures


def _costs_of(space: SearchSpace) -> Callable[[Architecture], Costs]:
    return FinalCosts(space, space.network_config()).of


def _truth(
    run: RunDirectory,
    space: SearchSpace,
    architectures: Sequence[Architecture],
    seeds: Sequence[int],
    dataset: str,
    budget: dict[str, Any],
) -> Truth:
    """Returns what all trainings of a study say together; raises if some are missing."""
    done = _done(run, space)
    jobs = [(one, seed) for one in architectures for seed in seeds]
    missing = sum(job not in done for job in jobs)
    if missing:
        raise RunDirectoryError(
            f"{run.path} lacks {missing} of {len(jobs)} trainings. Run the parts that they belong "
            "to."
        )
    rows = np.array([[done[one, seed] for seed in seeds] for one in architectures])
    costs = list(map(_costs_of(space), architectures))
    is_text = get_space(space.name).data.name == "texts"
    return Truth(
        space=space,
        dataset=dataset,
        budget=budget,
        metric="test_perplexity" if is_text else "test_accuracy",
        lower_is_better=is_text,
        architectures=list(architectures),
        rewards=rows[..., 0],
        tests=rows[..., 1],
        parameters=np.array([one.parameters for one in costs]),
        multiply_adds=np.array([one.multiply_adds for one in costs]),
    )


def _train(
    space: SearchSpace,
    data: Any,
    config: SearchConfig,
    jobs: Sequence[tuple[Architecture, int]],
    file: JsonLines,
    distribution: Any | None,
) -> None:
    """Trains architectures alone, and writes a line for each."""
    size = config.shared_weights.batch_size
    sizes = {"batch_size": size, "reward_batch_size": size, "seed": config.seed}
    data = placed(data, distribution or default_strategy())
    alone = TrainingAlone(space, config, data.search_streams(**sizes), distribution)
    tests = alone.weights.batches(data.search_streams(**sizes, scored_part="test").validation)
    progress = Progress({"trainings": len(jobs)})
    try:
        for architecture, seed in jobs:
            validation = alone.train(architecture, seed)[-1]
            test = alone.score(tests, architecture)
            # A perplexity, or the score itself.
            metrics = alone.weights.supernet.score_metrics(test)
            row = {"validation": validation, "test": next(iter(metrics.values()), test)}
            file.append({"release_string": architecture.to_release_string(), "seed": seed, **row})
            progress.update("trainings", 1, validation=row["validation"], test=row["test"])
    finally:
        progress.close()


def _done(run: RunDirectory, space: SearchSpace) -> dict[tuple[Architecture, int], Any]:
    """Returns validation score and test metric of all trainings that were done."""
    parse = space.architecture_from_release_string
    return {
        (parse(row["release_string"]), row["seed"]): (row["validation"], row["test"])
        for path in sorted((run.path / _FOLDER).glob("*.jsonl"))
        for row in JsonLines(path).read()
    }
