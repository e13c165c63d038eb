"""The time of a training step by kinds of operations."""

import pathlib
import tempfile
import time
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import tensorflow as tf

from enas_tf.benchmark.running import RunningSearch
from enas_tf.benchmark.trace import KindOfOperation, least_of, read_operations
from enas_tf.environment.keras_settings import under_own_settings

# Cheap operations are recorded too; TensorFlow leaves them out by default.
_ALL_OPERATIONS = 3


class _Time(NamedTuple):
    """How long a step took, on the clock and of all cores."""

    seconds: float
    core: float


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
    """Records training steps of the supernet, all of one architecture.

    Of the times of each kind of operation, as of all others here, the least is told: in a step that
    took longer, it waited for other programs.

    Args:
      space: the search space.
      config: the settings of the search.
      architectures: of which the first is trained; default: the first of those that are measured.
      repeats: how many are recorded, and before them as many that are not.
      report: is called with a line for every stage.
      distribution: over which devices.

    Returns:
      A dictionary with `operations`: for each kind, those that took longest first, its `kind`, its
      `seconds` (without operations inside of it, added up over threads), the `share` of all and its
      `calls`; `operation_seconds`, the sum; of whole steps `recorded_step_seconds` and
      `recorded_core_seconds` (of all cores), and of those that were not recorded `step_seconds` and
      `core_seconds`; `architecture`, `settings` and `device`.
    """
    running = RunningSearch(space, config, distribution, report)
    running.first_step()
    architecture = (architectures or space.benchmark_architectures())[0]
    step = running.step([architecture])
    step()
    plain = [_timed(step) for _ in range(repeats)]
    recorded = [_recorded(step) for _ in range(repeats)]
    kinds = least_of(kinds for _, kinds in recorded)
    total = sum(one.seconds for one in kinds)
    report(f"recorded {sum(one.calls for one in kinds):,} operations")
    return {
        "operations": [{**one._asdict(), "share": one.seconds / total} for one in kinds],
        "operation_seconds": total,
        "recorded_step_seconds": min(whole.seconds for whole, _ in recorded),
        "recorded_core_seconds": min(whole.core for whole, _ in recorded),
        "step_seconds": min(whole.seconds for whole in plain),
        "core_seconds": min(whole.core for whole in plain),
        "architecture": architecture.to_release_string(),
        **running.about(),
    }


def _recorded(step: Callable[[], None]) -> tuple[_Time, list[KindOfOperation]]:
    """Takes a step; returns how long it took, and its kinds of operations."""
    options = tf.profiler.experimental.ProfilerOptions(host_tracer_level=_ALL_OPERATIONS)
    with tempfile.TemporaryDirectory(prefix="enas_benchmark_") as folder:
        with tf.profiler.experimental.Profile(folder, options):
            time_of_step = _timed(step)
        return time_of_step, read_operations(pathlib.Path(folder))


def _timed(step: Callable[[], None]) -> _Time:
    begun, core = time.perf_counter(), time.process_time()
    step()
    return _Time(time.perf_counter() - begun, time.process_time() - core)
