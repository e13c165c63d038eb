"""The time of a training step by kinds of operations."""

import pathlib
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from typing import Any

import tensorflow as tf

from enas_tf.benchmark.running import RunningSearch
from enas_tf.benchmark.trace import read_operations
from enas_tf.environment.keras_settings import under_own_settings

# Cheap operations are recorded too; TensorFlow leaves them out by default.
_ALL_OPERATIONS = 3


@under_own_settings
def measure_operations(
    space: Any,
    config: Any,
    *,
    architectures: Sequence[Any] | None = None,
    repeats: int = 5,
    report: Callable[[str], None] = lambda line: None,
    distribution: Any | None = None,
) -> dict[str, Any]:
    """Records one training step of the supernet, after some that are not recorded.

    Args:
      space: the search space.
      config: the settings of the search.
      architectures: of which the first is trained; default: the first of those that are measured.
      repeats: steps before it.
      report: is called with a line for every stage.
      distribution: over which devices.

    Returns:
      A dictionary with `operations`: for each kind, those that took longest first, its `kind`, its
      `seconds` (without operations inside of it, added up over threads), the `share` of all and its
      `calls`; `operation_seconds`, the sum; of the recorded step `recorded_step_seconds` and
      `recorded_core_seconds` (of all cores), and of those before it the medians `step_seconds` and
      `core_seconds`; `architecture`, `settings` and `device`.
    """
    running = RunningSearch(space, config, distribution, report)
    running.first_step()
    architecture = (architectures or space.benchmark_architectures())[0]
    step = running.step([architecture])
    step()
    before = [_timed(step) for _ in range(repeats)]
    options = tf.profiler.experimental.ProfilerOptions(host_tracer_level=_ALL_OPERATIONS)
    with tempfile.TemporaryDirectory(prefix="enas_benchmark_") as folder:
        with tf.profiler.experimental.Profile(folder, options):
            recorded = _timed(step)
        kinds = read_operations(pathlib.Path(folder))
    total = sum(one.seconds for one in kinds)
    report(f"recorded {sum(one.calls for one in kinds):,} operations")
    return {
        "operations": [{**one._asdict(), "share": one.seconds / total} for one in kinds],
        "operation_seconds": total,
        "recorded_step_seconds": recorded[0],
        "recorded_core_seconds": recorded[1],
        "step_seconds": statistics.median(seconds for seconds, _ in before),
        "core_seconds": statistics.median(core for _, core in before),
        "architecture": architecture.to_release_string(),
        **running.about(),
    }


def _timed(step: Callable[[], None]) -> tuple[float, float]:
    """Returns the seconds that a step takes, on the clock and of all cores."""
    begun, core = time.perf_counter(), time.process_time()
    step()
    return time.perf_counter() - begun, time.process_time() - core
