"""Measures what the loop of a search adds to its steps: calls of several steps, and checkpoints.

    python -m tests.loop_speed --space=macro --preset=smoke --steps=20 --repeats=3

On random data at the settings of the preset, which other flags of `enas-benchmark` change. Prints
lines of JSON: for each number of steps a call, in turn, the median of the seconds a step and of the
CPU seconds of the process; and for checkpoints those of TensorFlow's own `write`, of the values
alone as they are saved, of a copy of the values, and the seconds of bringing them to the disk.
"""

import argparse
import json
import pathlib
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from typing import Any

PER_CALL = (1, 5, 20)


def timed(function: Callable[[], Any]) -> tuple[float, float]:
    """Returns the seconds that a function takes, and the CPU seconds of the process."""
    wall, processor = time.perf_counter(), time.process_time()
    function()
    return time.perf_counter() - wall, time.process_time() - processor


def steps_speed(weights: Any, streams: Any, space: Any, steps: int, repeats: int) -> list[Any]:
    """Returns how long steps take, for each number of steps a call.

    Args:
      weights: the shared weights.
      streams: the batches.
      space: the search space.
      steps: that are taken for a measurement; a multiple of all numbers.
      repeats: measurements of each number.
    """
    batches = weights.training_batches(lambda share: streams.training(0, share))
    proposed = [space.random_architecture(seed) for seed in range(steps)]

    def take(per_call: int, count: int = steps) -> None:
        for first in range(0, count, per_call):
            decisions = space.encode(proposed[first : first + per_call])
            metrics = weights.train_several(batches, decisions, first, per_call)
        metrics.loss.numpy()

    first = {per_call: timed(lambda n=per_call: take(n, n))[0] for per_call in PER_CALL}
    times: dict[int, list[Any]] = {per_call: [] for per_call in PER_CALL}
    for _ in range(repeats):
        for per_call, found in times.items():
            found.append(timed(lambda n=per_call: take(n)))
    return [
        {
            "steps_per_call": per_call,
            "step_seconds": statistics.median(wall for wall, _ in found) / steps,
            "step_cpu_seconds": statistics.median(cpu for _, cpu in found) / steps,
            "first_call_seconds": first[per_call],
        }
        for per_call, found in times.items()
    ]


def saves_speed(objects: dict[str, Any], repeats: int) -> dict[str, Any]:
    """Returns how long the parts of a save take, after the first one.

    Args:
      objects: what is saved, by name.
      repeats: saves that are measured.
    """
    import numpy as np

    from enas_tf.files.writing import sync_file
    from enas_tf.training.checkpoints import Checkpoints

    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder)
        checkpoints = Checkpoints(path, **objects)
        prefix = str(path / "here")
        data = path / "here.data-00000-of-00001"
        checkpoints._write(prefix)
        functions = {
            "write": lambda: checkpoints._checkpoint.write(prefix),
            "values": lambda: checkpoints._write(prefix),
            "copy": lambda: [np.array(tensor.numpy()) for tensor in checkpoints.variables],
            "disk": lambda: sync_file(data),
        }
        times: dict[str, list[Any]] = {name: [] for name in functions}
        for _ in range(repeats):
            for name, function in functions.items():
                times[name].append(timed(function))
        row: dict[str, Any] = {"bytes": data.stat().st_size}
    for name, found in times.items():
        row[f"{name}_seconds"] = statistics.median(wall for wall, _ in found)
        row[f"{name}_cpu_seconds"] = statistics.median(cpu for _, cpu in found)
    return row


def main(argv: Sequence[str] | None = None) -> int:
    """Measures, and returns the exit code."""
    from enas_tf.cli.benchmark import settings_of
    from enas_tf.cli.start_up import load_tensorflow

    parser = argparse.ArgumentParser(
        "tests.loop_speed",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--steps", type=int, default=20, help="of a measurement, 20, 40 …; 0: none")
    parser.add_argument("--repeats", type=int, default=3, help="measurements of each kind")
    options, settings = parser.parse_known_args(argv)
    _, space, config = settings_of(settings)
    load_tensorflow()

    from enas_tf.searching.shared_weights import SharedWeights
    from enas_tf.searching.strategies import build_strategy

    batch_size = config.shared_weights.batch_size
    streams = space.random_data(config).search_streams(
        batch_size=batch_size, reward_batch_size=batch_size, seed=config.seed
    )
    weights = SharedWeights(space, config, streams.steps_per_epoch)
    strategy = build_strategy(config.strategy, space, config)
    saved = {**weights.saved_objects(), "strategy": strategy}
    print(json.dumps(saves_speed(saved, options.repeats)), flush=True)
    if options.steps:
        for row in steps_speed(weights, streams, space, options.steps, options.repeats):
            print(json.dumps(row), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
