"""Measures how long a step of a search by gradient takes, beside a step of the sampled search.

    python -m tests.darts_speed --space=micro --preset=smoke --repeats=5

Each form of the step runs in a process of its own, on random data at the settings of the preset,
which other flags of `enas-benchmark` change. Prints a line of JSON for each: the median of the
seconds a step, that in units of a step of the sampled search, how long the first step took from the
start of the process, and the peak of the memory that was resident.
"""

import argparse
import json
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence
from typing import Any

from tests.memory_growth import status

SAMPLED = "enas"
# Of each form, the changes of its settings.
FORMS: dict[str, dict[str, Any]] = {
    SAMPLED: {},
    "first order": {"order": 1, "sampling": "full"},
    "second order": {"order": 2, "sampling": "full"},
    "partial": {"sampling": "partial"},
    "gumbel": {"sampling": "gumbel"},
}


def measure(space: Any, config: Any, form: str, repeats: int) -> dict[str, Any]:
    """Takes steps of one form and returns how long they took, and the peak of the memory.

    Args:
      space: the search space.
      config: the settings of the search.
      form: a key of `FORMS`.
      repeats: steps after the first one, which builds the graph.
    """
    step = _sampled_step(space, config) if form == SAMPLED else _relaxed_step(space, config, form)
    seconds = []
    for number in range(repeats + 1):
        started = time.perf_counter()
        for total in step(number):
            total.numpy()
        seconds.append(time.perf_counter() - started)
    return {
        "form": form,
        "step_seconds": statistics.median(seconds[1:]),
        "first_step_seconds": seconds[0],
        "peak_memory_bytes": status("VmHWM"),
    }


def _streams(space: Any, config: Any) -> Any:
    batch_size = config.shared_weights.batch_size
    return space.random_data(config).search_streams(
        batch_size=batch_size, reward_batch_size=batch_size, seed=config.seed
    )


def _sampled_step(space: Any, config: Any) -> Any:
    from enas_tf.searching.shared_weights import SharedWeights

    streams = _streams(space, config)
    weights = SharedWeights(space, config, streams.steps_per_epoch)
    batches = weights.training_batches(lambda share: streams.training(0, share))

    def step(number: int) -> Any:
        proposed = [space.random_architecture(number)] * weights.samples_per_step
        return weights.train(next(batches), space.encode(proposed), number)

    return step


def _relaxed_step(space: Any, config: Any, form: str) -> Any:
    from enas_tf.searching.darts.relaxed_weights import RelaxedWeights

    streams = _streams(space, config)
    config = config.replace(darts=config.darts.replace(**FORMS[form]))
    weights = RelaxedWeights(space, config, streams.steps_per_epoch)
    own, other = (
        weights.relaxed_batches(lambda share, first=first: streams.training(first, share))
        for first in (0, 1)
    )
    return lambda number: weights.step(next(own), next(other), number, 0, 0)[0]


def forms_of(space_name: str) -> list[str]:
    """Returns the forms of the step that a space has."""
    # Of channels, which recurrent cells have not.
    return [form for form in FORMS if form != "partial" or space_name != "rnn"]


def main(argv: Sequence[str] | None = None) -> int:
    """Measures the forms, or one of them, and returns the exit code."""
    from enas_tf.cli.benchmark import settings_of
    from enas_tf.cli.start_up import load_tensorflow

    parser = argparse.ArgumentParser(
        "tests.darts_speed",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--form", choices=FORMS, help="only this one, in this process")
    parser.add_argument("--repeats", type=int, default=5, help="steps after the first")
    options, settings = parser.parse_known_args(argv)
    _, space, config = settings_of(settings)
    if options.form is not None:
        load_tensorflow()
        print(json.dumps(measure(space, config, options.form, options.repeats)), flush=True)
        return 0
    unit = None
    for form in forms_of(space.name):
        command = [sys.executable, "-m", "tests.darts_speed", f"--form={form}"]
        command += [f"--repeats={options.repeats}", *settings]
        done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
        row = json.loads(done.stdout.splitlines()[-1])
        unit = unit or row["step_seconds"]
        print(json.dumps({**row, "of_a_sampled_step": row["step_seconds"] / unit}), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
