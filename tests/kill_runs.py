"""Kills searches and retrainings again and again and checks that nothing comes of it.

    python -m tests.kill_runs --space=macro --runs=5 --kills=4 --seed=0 [-- --SEARCH_FLAG=VALUE …]

The commands of a small search and of the retraining of what it finds run to their end twice,
undisturbed; the two must not differ. Then they run `--runs` times more, and each time `--kills`
SIGKILLs hit them, each followed by the same command again. At their end everything in the run
directories (see `tests.run_contents`) must be what it is without kills, bit for bit.

There are four kinds of moments, drawn with `--seed`:

- `time`: uniformly in the time that the command has left, so also while it starts;
- `line`: when a new line of `metrics.jsonl` is there, and up to half a second later, so evenly over
  the phases of search and training;
- `checkpoint`: while a checkpoint is being written: as soon as a file of a new one appears, and up
  to 10 ms later;
- `result`: when the best architecture, the model, its results or the exported model are there, and
  up to 50 ms later.

`-- --strategy=darts`, with `--space=micro` or `rnn`, does so with the search by gradient.

The exit code is 0 if all runs end like the undisturbed one, else 1. The folders are deleted unless
`--output_dir` names one.
"""

import argparse
import contextlib
import dataclasses
import pathlib
import random
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from typing import Any

from tests.killed_commands import (
    COMMANDS,
    KINDS,
    RESULT,
    RETRAIN,
    SEARCH,
    TIME,
    Course,
    Fork,
    Kill,
    Run,
    launch_program,
)
from tests.run_contents import first_difference

# Whether the commands are told to choose deterministic operations unless the flag says otherwise.
# On a CPU they need not be.
DETERMINISTIC = False

# Share of the kills that hit the search, which has more phases.
SEARCH_SHARE = 0.6
# Starts of a finished command in order to kill it, if it ends before each of these kills.
MOST_LATE_KILLS = 20

_DIGITS = ("--dataset=digits", "--preset=smoke", "--max_train_examples=400")
_PYDOC = ("--dataset=pydoc", "--preset=smoke", "--max_train_tokens=8000", "--batch_size=8")
_SEARCH = (
    "--epochs=4",
    "--controller_updates_per_epoch=3",
    "--controller_samples_per_update=2",
    "--derive_num_candidates=4",
)
# Of each space: the flags of the search, and those of the retraining.
SIZES: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "macro": (
        (*_DIGITS, *_SEARCH, "--batch_size=32", "--num_layers=3", "--filters=4"),
        (*_DIGITS, "--filters=8", "--epochs=4"),
    ),
    "micro": (
        (
            *_DIGITS,
            *_SEARCH,
            *("--batch_size=32", "--num_layers=1", "--num_nodes=2", "--filters=4"),
        ),
        (*_DIGITS, "--num_layers=1", "--filters=4", "--epochs=3"),
    ),
    # The average of the weights begins after the second epoch.
    "rnn": (
        (*_PYDOC, *_SEARCH, "--num_nodes=3", "--hidden_size=16"),
        (
            *_PYDOC,
            *("--max_test_tokens=2000", "--hidden_size=24", "--epochs=5"),
            *("--averaging_patience=0", "--learning_rate=20", "--final_learning_rate=20"),
        ),
    ),
}


def drawn_kills(count: int, generator: random.Random) -> list[Kill]:
    """Returns kills of all kinds, in the order in which they shall hit."""
    kinds = [KINDS[number % len(KINDS)] for number in range(count)]
    generator.shuffle(kinds)
    of_search = int(SEARCH_SHARE * count + generator.random())
    commands = [SEARCH] * of_search + [RETRAIN] * (count - of_search)
    kills = [
        Kill(command, kind, generator.random(), generator.random())
        for command, kind in zip(commands, kinds)
    ]
    # Results come in the end.
    return sorted(kills, key=lambda kill: (kill.command != SEARCH, kill.kind == RESULT, kill.share))


def run_with_kills(
    run: Run,
    kills: Sequence[Kill],
    courses: dict[str, Course],
    report: Callable[[str], None],
) -> None:
    """Runs a search and a retraining to their end through kills.

    Args:
      run: the run.
      kills: of both; one that comes after the end of its command hits the next command, or the
        retraining started once more.
      courses: how the commands run undisturbed.
      report: called with where each kill hit.
    """
    late: list[Kill] = []
    for command in COMMANDS:
        planned = [dataclasses.replace(kill, command=command) for kill in late]
        planned += [kill for kill in kills if kill.command == command]
        late = []
        for kill in planned:
            place = run.kill(kill, courses[command])
            if place is None:
                late.append(kill)
            else:
                report(place)
        run.finish(command)
    for attempt in range(MOST_LATE_KILLS):
        if not late:
            break
        # A command that has nothing left to do ends soon.
        kill = Kill(RETRAIN, TIME, late[0].share / 2**attempt, 0.0)
        place = run.kill(kill, courses[RETRAIN])
        if place is not None:
            report(f"{place}, run again")
            late.pop(0)
            run.finish(RETRAIN)


class KillTest:
    """All runs of one space.

    Args:
      options: see `_parser`.
      folder: of the runs.
    """

    def __init__(self, options: argparse.Namespace, folder: pathlib.Path) -> None:
        self._options = options
        self._folder = folder
        self._started = time.monotonic()
        self._num_kills = 0
        if options.fork:
            Fork.prepare()

    def _run(self, name: str) -> Run:
        options = self._options
        search, retrain = SIZES[options.space]
        both = [f"--space={options.space}"]
        if options.deterministic:
            both.append("--deterministic")
        arguments = {
            SEARCH: [*both, *search, *options.search_arguments],
            RETRAIN: [*both, *retrain, *options.retrain_argument],
        }
        return Run(self._folder / name, arguments, Fork if options.fork else launch_program)

    def _say(self, text: str) -> None:
        print(f"[{time.monotonic() - self._started:6.0f} s] {text}", flush=True)

    def _undisturbed(self) -> tuple[dict[str, Course], dict[str, Any]]:
        """Returns how the commands run undisturbed, and what comes of it."""
        run = self._run("undisturbed")
        courses = {}
        for command in COMMANDS:
            courses[command] = run.course(command)
            self._say(f"undisturbed {command}: {courses[command].seconds:.1f} s")
        contents = run.contents()
        for number in range(2, self._options.undisturbed + 1):
            again = self._run(f"undisturbed_{number}")
            for command in COMMANDS:
                again.finish(command)
            difference = first_difference(contents, again.contents())
            if difference:
                raise SystemExit(f"Two undisturbed runs differ already: {difference}")
            self._say("undisturbed once more: no difference")
        return courses, contents

    def _kills(self, number: int) -> list[Kill]:
        options = self._options
        generator = random.Random(f"{options.seed} {number}")
        if options.plan is None:
            return drawn_kills(options.kills, generator)
        pairs = [entry.split(":") for entry in options.plan.split(",")]
        return [Kill(*pair, generator.random(), generator.random()) for pair in pairs]

    def run(self) -> bool:
        """Runs everything and returns whether all runs end like the undisturbed one."""
        options = self._options
        courses, contents = self._undisturbed()
        begun, ends = time.monotonic(), []
        for number in range(1, options.runs + 1):
            run, kills = self._run(f"run_{number}"), self._kills(number)

            def report(place: str, number: int = number) -> None:
                self._num_kills += 1
                self._say(f"run {number}  {place}")

            run_with_kills(run, kills, courses, report)
            ends.append(first_difference(contents, run.contents()))
            seconds = (time.monotonic() - begun) / number * (options.runs - number)
            end = "ends like the undisturbed run" if ends[-1] is None else f"DIFFERS: {ends[-1]}"
            left_over = run.left_over()
            if left_over:
                end += f" ({len(left_over)} temporary files are left: {', '.join(left_over):.200})"
            self._say(f"run {number} of {options.runs} {end}; about {seconds / 60:.0f} min left")
        return self._summary(ends)

    def _summary(self, ends: Sequence[str | None]) -> bool:
        same = ends.count(None)
        print(
            f"{self._options.space}: {same} of {len(ends)} runs, hit by {self._num_kills} kills, "
            "end like the undisturbed run."
        )
        for number, difference in enumerate(ends, 1):
            if difference:
                print(f"  run {number}: {difference}")
        return same == len(ends)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        "tests.kill_runs", description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--space", choices=sorted(SIZES), default="macro")
    parser.add_argument("--runs", type=int, default=5, help="runs that are killed")
    parser.add_argument("--kills", type=int, default=4, help="of each run")
    parser.add_argument("--seed", type=int, default=0, help="of the moments")
    parser.add_argument("--undisturbed", type=int, default=2, help="runs without kills")
    parser.add_argument(
        "--plan", help="such as search:time,retrain:checkpoint, instead of drawn kinds of kills"
    )
    parser.add_argument("--output_dir", type=pathlib.Path, help="keep the runs there")
    parser.add_argument(
        "--fork",
        action="store_true",
        help="start the commands as forks of this process, which is faster",
    )
    parser.add_argument(
        "--deterministic", action=argparse.BooleanOptionalAction, default=DETERMINISTIC
    )
    parser.add_argument(
        "--retrain_argument", action="append", default=[], help="for enas-retrain, repeatable"
    )
    parser.add_argument("search_arguments", nargs="*", help="for enas-search, after --")
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the kill test and returns its exit code."""
    options = _parser().parse_args(argv)
    with contextlib.ExitStack() as stack:
        folder = options.output_dir or pathlib.Path(
            stack.enter_context(tempfile.TemporaryDirectory(prefix="kill_runs_"))
        )
        if folder.exists() and any(folder.iterdir()):
            raise SystemExit(f"--output_dir must be an empty folder. Received: {folder}.")
        return 0 if KillTest(options, folder).run() else 1


if __name__ == "__main__":
    sys.exit(main())
