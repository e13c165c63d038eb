"""Measures the memory of a search, and that it does not grow.

    python -m tests.memory_growth --space=macro --steps=200

Takes training steps at the release's settings on random data, each with new architectures that the
controller samples, and a few updates of the controller in between, with the rewards that they need.
Prints one line of JSON: memory after some of the steps, the peak, and the growth from the ten steps
before step 50 to the last ten, a share. The exit code is 1 if that is more than `--most_growth`.

What counts is the memory in use: what was allocated and not freed yet. The resident memory has the
gaps between as well, of which there are more after tensors of many sizes; it may rise for some
hundred steps though nothing is left behind. Linux with the GNU C library only.
"""

import argparse
import ctypes
import json
import pathlib
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from typing import Any

STEPS_PER_UPDATE = 20
REPORTED_STEPS = (20, 50, 100, 200)
# The growth is measured from this step on; from the middle if there are fewer than 100 steps.
FIRST_STEP = 50
# Medians over so many steps are compared.
WINDOW = 10
_KIB = 1024


class RunningSearch:
    """The parts of a search that take steps.

    Args:
      space: the search space.
      config: the settings of the search.
    """

    def __init__(self, space: Any, config: Any) -> None:
        from enas_tf.searching.shared_weights import SharedWeights
        from enas_tf.searching.strategies import build_strategy

        self._space = space
        self._samples = config.policy.samples_per_update
        batch_size = config.shared_weights.batch_size
        streams = space.random_data(config).search_streams(
            batch_size=batch_size,
            reward_batch_size=config.reward_batch_size or batch_size,
            seed=config.seed,
        )
        self._weights = SharedWeights(space, config, streams.steps_per_epoch)
        self._strategy = build_strategy(config.strategy, space, config)
        self._batches = self._weights.training_batches(lambda share: streams.training(0, share))
        self._reward_batches = iter(
            self._weights.batches(lambda share: streams.rewards(0, self._samples, share))
        )

    def train(self, step: int) -> None:
        """Takes a training step with new architectures."""
        proposed = self._strategy.propose(self._weights.samples_per_step)
        decisions = self._space.encode(proposed)
        for total in self._weights.train(next(self._batches), decisions, step):
            total.numpy()

    def update(self) -> None:
        """Makes one update of the controller."""
        proposed = self._strategy.propose(self._samples)
        self._strategy.observe(proposed, self._weights.rewards(self._reward_batches, proposed))

    def run(self, steps: int, when_done: Callable[[int], None]) -> None:
        """Takes training steps, and now and then an update.

        Args:
          steps: to take.
          when_done: called with the number of each step, from 1, when it and its update are done.
        """
        for step in range(1, steps + 1):
            self.train(step - 1)
            if step % STEPS_PER_UPDATE == 0:
                self.update()
            when_done(step)


def status(name: str) -> int:
    """Returns a number of bytes from `/proc/self/status`, for example `VmRSS` or `VmHWM`."""
    for line in pathlib.Path("/proc/self/status").read_text().splitlines():
        key, _, value = line.partition(":")
        if key == name:
            return int(value.split()[0]) * _KIB
    raise ValueError(f"/proc/self/status has no {name}.")


class _MallocInfo(ctypes.Structure):
    """What `mallinfo2` of the GNU C library returns, over all its arenas."""

    _fields_ = [
        (name, ctypes.c_size_t)
        for name in (
            "arena",
            "ordblks",
            "smblks",
            "hblks",
            "hblkhd",
            "usmblks",
            "fsmblks",
            "uordblks",
            "fordblks",
            "keepcost",
        )
    ]


def in_use() -> int:
    """Returns the bytes that are allocated and not freed, small blocks and large ones."""
    mallinfo = ctypes.CDLL(None).mallinfo2
    mallinfo.restype = _MallocInfo
    info = mallinfo()
    return info.uordblks + info.hblkhd


def growth(memory: Sequence[int], first_step: int) -> float:
    """Returns by which share memory grew from a step to the end.

    Args:
      memory: bytes after each step.
      first_step: from 1; the steps until it are what the last ones are compared with.
    """
    before = statistics.median(memory[max(0, first_step - WINDOW) : first_step])
    return statistics.median(memory[-WINDOW:]) / before - 1


def measure(space: Any, config: Any, steps: int) -> dict[str, Any]:
    """Runs a search's steps and returns its memory in bytes, and the growth.

    Args:
      space: the search space.
      config: the settings of the search.
      steps: training steps.
    """
    running = RunningSearch(space, config)
    resident: list[int] = []
    used: list[int] = []
    started = time.monotonic()

    def when_done(step: int) -> None:
        resident.append(status("VmRSS"))
        used.append(in_use())
        if step % STEPS_PER_UPDATE == 0:
            seconds = (time.monotonic() - started) / step * (steps - step)
            mib = resident[-1] / 2**20
            line = f"step {step} of {steps}: {mib:.0f} MiB; about {seconds:.0f} s left"
            print(line, file=sys.stderr, flush=True)

    running.run(steps, when_done)
    reported = sorted({step for step in REPORTED_STEPS if step <= steps} | {steps})
    return {
        "used_bytes": {step: used[step - 1] for step in reported},
        "resident_bytes": {step: resident[step - 1] for step in reported},
        "peak_resident_bytes": status("VmHWM"),
        "growth": round(growth(used, min(FIRST_STEP, max(1, steps // 2))), 5),
        "seconds": round(time.monotonic() - started, 1),
    }


def main(argv: Sequence[str] | None = None) -> int:
    """Measures one space and returns the exit code."""
    from enas_tf.cli.start_up import load_tensorflow
    from enas_tf.spaces.registry import get_space, space_names

    parser = argparse.ArgumentParser(
        "tests.memory_growth",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--space", choices=space_names(), default="macro")
    parser.add_argument("--preset", default="release", help="of the search")
    parser.add_argument("--steps", type=int, default=200, help="training steps")
    parser.add_argument(
        "--most_growth", type=float, default=0.03, help="share by which memory may grow"
    )
    options = parser.parse_args(argv)
    preset = get_space(options.space).search_presets[options.preset]
    load_tensorflow()
    result = measure(preset.space, preset.search, options.steps)
    heading = {"space": options.space, "preset": options.preset, "steps": options.steps}
    print(json.dumps({**heading, **result, "most_growth": options.most_growth}))
    return int(result["growth"] > options.most_growth)


if __name__ == "__main__":
    sys.exit(main())
