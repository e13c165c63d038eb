"""The time of a training step by kinds of operations."""

import pathlib
import tempfile
import time
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import tensorflow as tf

from enas_tf.benchmark.running import RunningSearch
from enas_tf.benchmark.trace import KindOfOperation, read_operations
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
    """Records training steps of the supernet, and tells the one that took least.

    The others waited for other programs, if for nothing else.

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
      `calls`; `operation_seconds`, the sum; of the same step `recorded_step_seconds` and
      `recorded_core_seconds` (of all cores), and of the least one that was not recorded
      `step_seconds` and `core_seconds`; `architecture`, `settings` and `device`.
    """
    running = RunningSearch(space, config, distribution, report)
    running.first_step()
    architecture = (architectures or space.benchmark_architectures())[0]
    step = running.step([architecture])
    step()
    plain = min(_timed(step) for _ in range(repeats))
    recorded, kinds = min(_recorded(step) for _ in range(repeats))
    total = sum(one.seconds for one in kinds)
    report(f"recorded {sum(one.calls for one in kinds):,} operations")
    return {
        "operations": [{**one._asdict(), "share": one.seconds / total} for one in kinds],
        "operation_seconds": total,
        "recorded_step_seconds": recorded.seconds,
        "recorded_core_seconds": recorded.core,
        "step_seconds": plain.seconds,
        "core_seconds": plain.core,
        "architecture": architecture.to_release_string(),
        **running.about(),
    }


def _recorded(step: Callable[[], None]) -> tuple[_Time, list[KindOfOperation]]:
    """Returns how long a step took, and its kinds of operations."""
    options = tf.profiler.experimental.ProfilerOptions(host_tracer_level=_ALL_OPERATIONS)
    with tempfile.TemporaryDirectory(prefix="enas_benchmark_") as folder:
        with tf.profiler.experimental.Profile(folder, options):
            time_of_step = _timed(step)
        return time_of_step, read_operations(pathlib.Path(folder))


def _timed(step: Callable[[], None]) -> _Time:
    begun, core = time.perf_counter(), time.process_time()
    step()
    return _Time(time.perf_counter() - begun, time.process_time() - core)
