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


def benchmark(
    space: Any,
    config: Any,
    *,
    architectures: Sequence[Any] | None = None,
    repeats: int = 5,
    report: Callable[[str], None] = lambda line: None,
) -> dict[str, Any]:
    """Measures training steps, rewards and controller updates of a search on random data.

    Args:
      space: the search space, of the size to be measured.
      config: the settings of the search; the batch sizes and the samples per update count.
      architectures: to be measured; default: a few that together use every operation equally.
      repeats: times that each architecture is measured.
      report: is called with a line for every stage.

    Returns:
      A dictionary with, all in seconds and all medians: `supernet_step_seconds`,
      `static_step_seconds` (the same architectures as plain networks of the same layers),
      `ratio` (of these two, the median over the architectures), `reward_pass_seconds`,
      `controller_update_seconds` (scoring and updating, without the rewards), `sample_seconds`
      (the architectures of one update) and `first_step_seconds` (from the start of the process to
      the end of the first training step); `examples_per_second`, `peak_memory_bytes` (until the
      plain networks are built), `by_architecture`, `settings` and `device`.
    """
    import tensorflow as tf

    from enas_tf.search.shared_weights import SharedWeights
    from enas_tf.search.strategies import build_strategy

    data = space.random_data(config)
    batch_size = config.shared_weights.batch_size
    streams = data.search_streams(
        batch_size=batch_size,
        reward_batch_size=config.reward_batch_size or batch_size,
        seed=config.seed,
    )
    weights = SharedWeights(space, config, streams.steps_per_epoch)
    strategy = build_strategy(config.strategy, space, config)
    batches = iter(weights.distribute(streams.training(0)))
    batch = next(batches)
    decisions = space.encode(strategy.propose(weights.num_replicas))
    _wait(weights.train(batch, decisions, 0))
    first_step_seconds = time.time() - process_start()
    report(f"first step after {first_step_seconds:.1f} s")

    architectures = list(architectures or space.benchmark_architectures())
    rewards = iter(weights.distribute(streams.rewards(0)))
    reward_batch = next(rewards)
    samples = config.policy.samples_per_update
    proposed = strategy.propose(samples)

    def supernet_step(architecture: Any) -> Callable[[], Any]:
        own = space.encode([architecture] * weights.num_replicas)
        return lambda: _wait(weights.train(batch, own, 1))

    stages = {
        "reward_pass": lambda: weights.rewards(iter([reward_batch]), architectures[:1]),
        "controller_update": lambda: strategy.observe(proposed, [0.1] * samples),
        "sample": lambda: strategy.propose(samples),
    }
    times = {}
    for name, function in stages.items():
        times[name] = statistics.median(_interleaved([function], 2 * repeats)[0])
        report(f"{name.replace('_', ' ')}: {times[name]:.4f} s")
    peak_memory = _peak_memory()

    by_architecture = []
    for architecture in architectures:
        pair = [supernet_step(architecture), _static_step(space, config, architecture, batch)]
        supernet, static = map(statistics.median, _interleaved(pair, repeats))
        by_architecture.append(
            {
                "architecture": architecture.to_release_string(),
                "supernet_step_seconds": supernet,
                "static_step_seconds": static,
                "ratio": supernet / static,
            }
        )
        report(f"step {supernet:.3f} s, static {static:.3f} s, ratio {supernet / static:.3f}")

    def median(name: str) -> float:
        return statistics.median(row[name] for row in by_architecture)

    step = median("supernet_step_seconds")
    return {
        "supernet_step_seconds": step,
        "static_step_seconds": median("static_step_seconds"),
        "ratio": median("ratio"),
        "reward_pass_seconds": times["reward_pass"],
        "controller_update_seconds": times["controller_update"],
        "sample_seconds": times["sample"],
        "first_step_seconds": first_step_seconds,
        "examples_per_second": batch_size / step,
        "peak_memory_bytes": peak_memory,
        "by_architecture": by_architecture,
        "settings": {"space": {"name": space.name, **space.to_json()}, "search": config.to_json()},
        "device": {
            "devices": [device.name for device in tf.config.list_logical_devices()],
            "replicas": weights.num_replicas,
            "cores": os.cpu_count(),
            "machine": platform.machine(),
            "tensorflow": tf.__version__,
            "python": platform.python_version(),
        },
    }


def _static_step(space: Any, config: Any, architecture: Any, batch: Any) -> Callable[[], Any]:
    """Returns a training step of the plain network of an architecture, with all its parts."""
    import tensorflow as tf

    from enas_tf.training.image_step import training_step
    from enas_tf.training.optimizers import build_optimizer

    network = space.build_static_network(architecture)
    optimizer = build_optimizer(config.shared_weights, 1000)
    optimizer.build(network.trainable_variables)

    @tf.function(autograph=False)
    def step(batch: Any) -> Any:
        return training_step(
            lambda images: network(images, training=True),
            batch,
            network.trainable_variables,
            optimizer,
            config.shared_weights,
        )

    return lambda: _wait(step(batch))


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
