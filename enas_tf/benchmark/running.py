"""The parts of a search on random data, and the functions that time them."""

import statistics
import time
from collections.abc import Callable, Sequence
from typing import Any

from enas_tf.benchmark.machine import about, process_start


class RunningSearch:
    """A search on random data, of which single steps are taken.

    Args:
      space: the search space.
      config: the settings of the search.
      distribution: over which devices; default: see `default_strategy`.
      report: is called with a line for every stage.

    Attributes:
      num_predictions: examples (words of text) in a training batch, known after the first step.
    """

    def __init__(
        self,
        space: Any,
        config: Any,
        distribution: Any | None = None,
        report: Callable[[str], None] = lambda line: None,
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

    def step(self, architectures: Sequence[Any]) -> Callable[[], None]:
        """Returns a function that takes a training step, and waits for its end.

        Args:
          architectures: that are trained, in turn if they are fewer than a step has.
        """
        samples = self._weights.samples_per_step
        chosen = [architectures[number % len(architectures)] for number in range(samples)]
        decisions = self._space.encode(chosen)
        return lambda: _wait(self._weights.train(self._batch, decisions, 1))

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
            times[name] = statistics.median(interleaved([function], repeats)[0])
            self._report(f"{name.removesuffix('_seconds').replace('_', ' ')} {times[name]:.4f} s")
        return times

    def beside_static(self, architecture: Any, repeats: int) -> dict[str, Any]:
        """Times training steps of the supernet and of the plain network, in turn."""
        static_step = self._space.build_static_step(
            architecture, self._config.shared_weights, precision=self._config.precision
        )
        # Not one that is divided among devices.
        batch = next(iter(self._streams.training(0)))
        pair = [self.step([architecture]), lambda: _wait(static_step(batch))]
        supernet, static = map(statistics.median, interleaved(pair, repeats))
        ratio = supernet / static
        self._report(f"step {supernet:.3f} s, static {static:.3f} s, ratio {ratio:.3f}")
        return {
            "architecture": architecture.to_release_string(),
            "supernet_step_seconds": supernet,
            "static_step_seconds": static,
            "ratio": ratio,
        }

    def about(self) -> dict[str, Any]:
        """Returns what was measured, and on what: `settings` and `device`."""
        space = {"name": self._space.name, **self._space.to_json()}
        return {
            "settings": {"space": space, "search": self._config.to_json()},
            "device": about(self._weights.num_replicas),
        }


def interleaved(functions: Sequence[Callable[[], Any]], repeats: int) -> list[list[float]]:
    """Returns the times of each function in seconds; the first call of each is not counted.

    Args:
      functions: that are called in turn.
      repeats: times that each is counted.
    """
    times: list[list[float]] = [[] for _ in functions]
    for repeat in range(repeats + 1):
        for function, seconds in zip(functions, times):
            start = time.perf_counter()
            function()
            if repeat:
                seconds.append(time.perf_counter() - start)
    return times


def _wait(tensors: Sequence[Any]) -> None:
    for tensor in tensors:
        tensor.numpy()
