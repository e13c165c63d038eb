"""How fast a search runs on this machine, next to a plain network.

All times are medians over interleaved repeats and several architectures: on a noisy machine only
the ratios of one run are worth quoting.
"""

import os
import pathlib
import platform
import resource
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from typing import Any

from enas_tf.environment.keras_settings import under_own_settings

# Taken when the module is loaded, for systems that do not tell when the process began.
_LOADED = time.time()


def process_start() -> float:
    """Returns when this process began, in seconds since the epoch."""
    stat = pathlib.Path("/proc/self/stat")
    if not stat.exists():
        return _LOADED
    # Field 22, counted behind the command's name, which may hold blanks.
    ticks = int(stat.read_text().rpartition(")")[2].split()[19])
    uptime = float(pathlib.Path("/proc/uptime").read_text().split()[0])
    return time.time() - uptime + ticks / os.sysconf("SC_CLK_TCK")


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
      distribution: which devices take the steps of the search; a plain network's always takes the
        first one, on the whole batch. Default: see `default_strategy`.

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
    measured = _Measurement(space, config, report, distribution)
    first_step_seconds = measured.first_step()
    architectures = list(architectures or space.benchmark_architectures())
    stages = measured.stages(architectures[0], 2 * repeats)
    peak_memory = _peak_memory()
    rows = [measured.steps(architecture, repeats) for architecture in architectures]

    def median(name: str) -> float:
        return statistics.median(row[name] for row in rows)

    step = median("supernet_step_seconds")
    return {
        "supernet_step_seconds": step,
        "static_step_seconds": median("static_step_seconds"),
        "ratio": median("ratio"),
        **stages,
        "first_step_seconds": first_step_seconds,
        "examples_per_second": measured.num_predictions / step,
        "peak_memory_bytes": peak_memory,
        "by_architecture": rows,
        "settings": {"space": {"name": space.name, **space.to_json()}, "search": config.to_json()},
        "device": measured.device(),
    }


class _Measurement:
    """The parts of a search on random data, and the functions that time them.

    Attributes:
      num_predictions: examples (words of text) in a training batch, known after the first step.
    """

    def __init__(
        self, space: Any, config: Any, report: Callable[[str], None], distribution: Any | None
    ) -> None:
        from enas_tf.searching.shared_weights import SharedWeights
        from enas_tf.searching.strategies import build_strategy

        self._space = space
        self._config = config
        self._report = report
        batch_size = config.shared_weights.batch_size
        self._streams = space.random_data(config).search_streams(
            batch_size=batch_size,
            reward_batch_size=config.reward_batch_size or batch_size,
            seed=config.seed,
        )
        self._weights = SharedWeights(
            space,
            config,
            self._streams.steps_per_epoch,
            distribution,
            class_weights=self._streams.class_weights(config.loss.class_weights),
        )
        self._strategy = build_strategy(config.strategy, space, config)
        self._batch: Any = None
        self.num_predictions = 0.0

    def first_step(self) -> float:
        """Takes the first training step as a search does; returns the age of the process."""
        self._batch = next(
            self._weights.training_batches(lambda share: self._streams.training(0, share))
        )
        proposed = self._strategy.propose(self._weights.samples_per_step)
        metrics = self._weights.train(self._batch, self._space.encode(proposed), 0)
        self.num_predictions = float(metrics.num_predictions)
        seconds = time.time() - process_start()
        self._report(f"first step after {seconds:.1f} s")
        return seconds

    def stages(self, architecture: Any, repeats: int) -> dict[str, float]:
        """Times everything but the training step."""
        weights, strategy = self._weights, self._strategy
        reward_batch = next(iter(weights.batches(lambda share: self._streams.rewards(0, 1, share))))
        samples = self._config.policy.samples_per_update
        proposed = strategy.propose(samples)
        functions = {
            "reward_pass_seconds": lambda: weights.rewards(iter([reward_batch]), [architecture]),
            "controller_update_seconds": lambda: strategy.observe(proposed, [0.1] * samples),
            "sample_seconds": lambda: strategy.propose(samples),
        }
        times = {}
        for name, function in functions.items():
            times[name] = statistics.median(_interleaved([function], repeats)[0])
            self._report(f"{name.removesuffix('_seconds').replace('_', ' ')} {times[name]:.4f} s")
        return times

    def steps(self, architecture: Any, repeats: int) -> dict[str, Any]:
        """Times training steps of the supernet and of the plain network, in turn."""
        decisions = self._space.encode([architecture] * self._weights.samples_per_step)
        static_step = self._space.build_static_step(architecture, self._config.shared_weights)
        # Not one that is divided among devices.
        batch = next(iter(self._streams.training(0)))
        pair = [
            lambda: _wait(self._weights.train(self._batch, decisions, 1)),
            lambda: _wait(static_step(batch)),
        ]
        supernet, static = map(statistics.median, _interleaved(pair, repeats))
        ratio = supernet / static
        self._report(f"step {supernet:.3f} s, static {static:.3f} s, ratio {ratio:.3f}")
        return {
            "architecture": architecture.to_release_string(),
            "supernet_step_seconds": supernet,
            "static_step_seconds": static,
            "ratio": ratio,
        }

    def device(self) -> dict[str, Any]:
        """Returns what the times were measured on."""
        import tensorflow as tf

        return {
            "devices": [device.name for device in tf.config.list_logical_devices()],
            "replicas": self._weights.num_replicas,
            "cores": os.cpu_count(),
            "machine": platform.machine(),
            "tensorflow": tf.__version__,
            "python": platform.python_version(),
        }


def _wait(tensors: Sequence[Any]) -> None:
    for tensor in tensors:
        tensor.numpy()


def _interleaved(functions: Sequence[Callable[[], Any]], repeats: int) -> list[list[float]]:
    """Returns the times of each function; the first call of each is not counted."""
    times: list[list[float]] = [[] for _ in functions]
    for repeat in range(repeats + 1):
        for function, seconds in zip(functions, times):
            start = time.perf_counter()
            function()
            if repeat:
                seconds.append(time.perf_counter() - start)
    return times


def _peak_memory() -> int:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024
