"""How fast the steps of a search are, next to those of a plain network.

The times of `benchmark` are medians over interleaved repeats and several architectures: on a noisy
machine only the ratios of one run are worth quoting.
"""

import statistics
from collections.abc import Callable, Sequence
from typing import Any

from enas_tf.benchmark.machine import peak_memory
from enas_tf.benchmark.running import RunningSearch, interleaved
from enas_tf.environment.keras_settings import under_own_settings


@under_own_settings
def benchmark(
    space: Any,
    config: Any,
    *,
    architectures: Sequence[Any] | None = None,
    repeats: int = 5,
    report: Callable[[str], None] = lambda line: None,
    distribution: Any | None = None,
) -> dict[str, Any]:
    """Measures training steps, rewards and controller updates of a search on random data.

    Args:
      space: the search space, of the size to be measured.
      config: the settings of the search; the batch sizes and the samples per update count.
      architectures: to be measured; default: a few that together use every operation equally.
      repeats: times that each architecture is measured.
      report: is called with a line for every stage.
      distribution: over which devices the search is; plain networks are on one.

    Returns:
      A dictionary with, all in seconds and all medians: `supernet_step_seconds`,
      `static_step_seconds` (the same architectures as plain networks of the same layers),
      `ratio` (of these two, the median over the architectures), `reward_pass_seconds`,
      `controller_update_seconds` (scoring and updating, without the rewards), `sample_seconds`
      (the architectures of one update) and `first_step_seconds` (from the start of the process to
      the end of the first training step); `examples_per_second` (words, if the space works on
      text), `peak_memory_bytes` (until the plain networks are built), `by_architecture`, `settings`
      and `device`.
    """
    running = RunningSearch(space, config, distribution, report)
    first_step_seconds = running.first_step()
    architectures = list(architectures or space.benchmark_architectures())
    stages = running.stages(architectures[0], 2 * repeats)
    peak = peak_memory()
    rows = [running.beside_static(architecture, repeats) for architecture in architectures]

    def median(name: str) -> float:
        return statistics.median(row[name] for row in rows)

    step = median("supernet_step_seconds")
    return {
        "supernet_step_seconds": step,
        "static_step_seconds": median("static_step_seconds"),
        "ratio": median("ratio"),
        **stages,
        "first_step_seconds": first_step_seconds,
        "examples_per_second": running.num_predictions / step,
        "peak_memory_bytes": peak,
        "by_architecture": rows,
        **running.about(),
    }


@under_own_settings
def measure_step(
    space: Any,
    config: Any,
    *,
    architectures: Sequence[Any] | None = None,
    repeats: int = 5,
    report: Callable[[str], None] = lambda line: None,
    distribution: Any | None = None,
) -> dict[str, Any]:
    """Measures the training step alone, its memory and its work; arguments as for `benchmark`.

    Returns:
      A dictionary with `step_seconds` (the mean over the architectures of the fastest step of each;
      in a process of its own there is nothing beside it that would be as disturbed by others),
      `multiply_adds` (of the forward pass of a step, the mean over the same architectures; see
      `Costs`), `peak_memory_bytes`, `first_step_seconds`, `settings` and `device`.
    """
    running = RunningSearch(space, config, distribution, report)
    first_step_seconds = running.first_step()
    chosen = list(architectures or space.benchmark_architectures())
    # Each is the first one of a step; a step of several samples takes the next ones too.
    steps = [running.step(chosen[first:] + chosen[:first]) for first in range(len(chosen))]
    network = space.network_config()
    of_example = [space.costs(one, network).multiply_adds for one in chosen]
    return {
        "step_seconds": statistics.mean(map(min, interleaved(steps, repeats))),
        "multiply_adds": statistics.mean(of_example) * running.num_predictions,
        "peak_memory_bytes": peak_memory(),
        "first_step_seconds": first_step_seconds,
        **running.about(),
    }
