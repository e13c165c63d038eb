"""Finds out on a machine with GPUs whether all works there, and how fast; prints a table to paste.

    bin/gpu_check [--quick] [--pytorch=DIR] [--output=FILE.md]

Everything runs in processes of its own, so that none holds the memory of another one. What cannot
be found out on this machine is said to be skipped, and why. Without a GPU the same checks run on
the CPU and on two logical devices of it: that shows that they work, and nothing about GPUs.

`--pytorch` names a folder with scripts torch_macro.py, torch_micro.py and torch_rnn.py, which do
the work of a training step at the settings of the release, and print its seconds as the last word
of their first line.
"""

import argparse
import dataclasses
import datetime
import importlib.util
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

ROOT = pathlib.Path(__file__).parents[1]
SPACES = ("macro", "micro", "rnn")
DATA = {"macro": "digits", "micro": "digits", "rnn": "pydoc"}
# As small as they can be, for `--quick`.
_ALL = ("--epochs=1", "--controller_updates_per_epoch=1", "--derive_num_candidates=2")
_PICTURES = ("--max_train_examples=256", "--max_test_examples=64", "--filters=4")
SMALL = {
    "macro": (*_ALL, *_PICTURES, "--num_layers=2"),
    "micro": (*_ALL, *_PICTURES, "--num_layers=2", "--num_nodes=1"),
    "rnn": (
        *_ALL,
        *("--num_nodes=2", "--hidden_size=8", "--batch_size=4", "--vocabulary_size=50"),
        *("--max_train_tokens=2000", "--max_test_tokens=1000"),
    ),
}
SMALL_BENCHMARK = {
    "macro": ("--num_layers=2", "--filters=4", "--batch_size=8", "--repeats=1"),
    "micro": ("--num_layers=2", "--filters=4", "--num_nodes=1", "--batch_size=8", "--repeats=1"),
    "rnn": ("--num_nodes=2", "--hidden_size=8", "--vocabulary_size=50", "--repeats=1"),
}
QUICK_PARITY = ("tests/training/schedules_test.py", "tests/layers/drop_path_test.py")
PRECISIONS = ("bfloat16", "float16")
PASSED, FAILED, SKIPPED = "passed", "**failed**", "skipped"

# What the parity tests compare is float32 to the last digits.
_EXACT = {"NVIDIA_TF32_OVERRIDE": "0"}
_FACTS = """
import json, platform
from enas_tf.cli.start_up import load_tensorflow
load_tensorflow()
import tensorflow as tf
gpus = tf.config.list_physical_devices("GPU")
names = [tf.config.experimental.get_device_details(gpu).get("device_name", "GPU") for gpu in gpus]
build = tf.sysconfig.get_build_info()
print(json.dumps({"gpus": names, "tensorflow": tf.__version__, "python": platform.python_version(),
                  "cuda": build.get("cuda_version"), "cudnn": build.get("cudnn_version")}))
"""
# Makes the tensors of a script on a GPU that was written for CPUs.
_TORCH_ON_GPU = """
import runpy, sys, torch
torch.set_default_device("cuda")
runpy.run_path(sys.argv[1], run_name="__main__")
"""


class Devices(NamedTuple):
    """Where something runs.

    Attributes:
      name: for people.
      flags: of the commands.
      environment: changes of it.
    """

    name: str
    flags: tuple[str, ...] = ()
    environment: Mapping[str, str] = {}


CPU = Devices("CPU", (), {"CUDA_VISIBLE_DEVICES": "-1"})
# As most people have it, without a strategy that distributes.
ONE_GPU = Devices(
    "one GPU",
    (),
    {"CUDA_VISIBLE_DEVICES": os.environ.get("CUDA_VISIBLE_DEVICES", "0").split(",")[0]},
)


class Skip(Exception):  # noqa: N818 (no error: nothing can be found out)
    """A check cannot be made; the text says why."""


class Failure(Exception):  # noqa: N818 (of a check, and told in the table)
    """A check failed; the text says how."""


@dataclasses.dataclass(frozen=True)
class Row:
    """A line of the table.

    Attributes:
      check: what was found out.
      devices: where.
      result: `PASSED`, `FAILED` or `SKIPPED`.
      figure: what came out, or why nothing did.
      seconds: that it took.
    """

    check: str
    devices: str
    result: str
    figure: str
    seconds: float


@dataclasses.dataclass(frozen=True)
class Check:
    """Something to be found out.

    Attributes:
      name: of the check.
      devices: where.
      run: finds it out; returns a figure, or raises `Skip` or `Failure`.
    """

    name: str
    devices: str
    run: Callable[[], str]

    def row(self) -> Row:
        """Makes the check."""
        started = time.monotonic()
        try:
            result, figure = PASSED, self.run()
        except Skip as reason:
            result, figure = SKIPPED, str(reason)
        except Failure as failure:
            result, figure = FAILED, str(failure)
        return Row(self.name, self.devices, result, figure, time.monotonic() - started)


class Machine:
    """Runs commands of this project, and knows what devices there are.

    Args:
      folder: for results.
      run: as `subprocess.run`.
    """

    def __init__(self, folder: pathlib.Path, run: Callable[..., Any] = subprocess.run) -> None:
        self.folder = folder
        self._run = run
        self.facts = json.loads(self.python("-c", _FACTS).splitlines()[-1])

    @property
    def gpus(self) -> list[str]:
        """The names of the GPUs."""
        return self.facts["gpus"]

    @property
    def single(self) -> Devices:
        """One device."""
        return ONE_GPU if self.gpus else CPU

    def python(self, *arguments: str, environment: Mapping[str, str] | None = None) -> str:
        """Runs Python with arguments and returns what it printed.

        Raises:
          Failure: it did not end well; the last line that it said.
        """
        paths = [str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]
        variables = {**os.environ, "PYTHONPATH": os.pathsep.join(paths), **(environment or {})}
        ended = self._run(
            [sys.executable, *arguments], cwd=ROOT, env=variables, capture_output=True, text=True
        )
        if ended.returncode:
            said = [*ended.stdout.splitlines(), *ended.stderr.splitlines()]
            raise Failure(f"code {ended.returncode}: {' '.join(said[-1:]):.200}")
        return ended.stdout

    def command(
        self, name: str, *arguments: str, environment: Mapping[str, str] | None = None
    ) -> str:
        """Runs a command of the package, as `python`."""
        return self.python("-m", f"enas_tf.cli.{name}", *arguments, environment=environment)

    def search(
        self, space: str, label: str, devices: Devices, quick: bool, *flags: str
    ) -> pathlib.Path:
        """Runs a small search, and returns its folder.

        Args:
          space: which one.
          label: for the name of the folder.
          devices: where.
          quick: as small as it can be.
          *flags: further ones.
        """
        folder = self.folder / f"{space}_{re.sub('[^a-z0-9]+', '_', label.lower())}"
        chosen = (f"--space={space}", f"--dataset={DATA[space]}", "--preset=smoke")
        small = SMALL[space] if quick else ()
        self.command(
            "search",
            *(*chosen, *small, *devices.flags, *flags, f"--output_dir={folder}"),
            environment=devices.environment,
        )
        return folder


def score_of(run: pathlib.Path) -> str:
    """Returns the score of the best architecture of a search, with its name."""
    best = json.loads((run / "best_architecture.json").read_text(encoding="utf-8"))
    return f"{best['score_kind'].replace('_', ' ')} {best['score']:.4f}"


def outcome_of(run: pathlib.Path) -> tuple[str, str]:
    """Returns what two searches that compute the same have in common, digit for digit."""
    best = json.loads((run / "best_architecture.json").read_text(encoding="utf-8"))
    return (run / "architectures.jsonl").read_text(encoding="utf-8"), repr(best["score"])


def checks(machine: Machine, quick: bool, pytorch: pathlib.Path | None) -> Iterator[Check]:
    """Yields all checks, in their order.

    Args:
      machine: on which they are made.
      quick: whether they are made as small as they can be, most of them in one space alone.
      pytorch: a folder with scripts; see the top of this module.
    """
    single = machine.single
    some = SPACES[:1] if quick else SPACES
    yield Check("parity with the release", single.name, lambda: _parity(machine, quick))
    for space in SPACES:
        for name, devices in _all_devices(machine):
            yield Check(
                f"search, {space}",
                name,
                lambda space=space, devices=devices: _searched(machine, space, devices, quick),
            )
    for space in some:
        yield Check(
            f"twice the same bits, {space}",
            single.name,
            lambda space=space: _same_bits(machine, space, quick),
        )
    yield Check("pictures on the device", single.name, lambda: _held(machine, quick))
    for precision in PRECISIONS[:1] if quick else PRECISIONS:
        for space in some:
            yield Check(
                f"--precision={precision}, {space}",
                single.name,
                lambda space=space, precision=precision: _precise(machine, space, precision, quick),
            )
    for space in some:
        yield from _speeds(machine, space, quick, pytorch)


def _all_devices(machine: Machine) -> list[tuple[str, Devices | str]]:
    """Returns all ways to search, by names; those that there are not, with the reason."""
    number = len(machine.gpus)
    if not number:
        why = "TensorFlow sees no GPU"
        two = Devices("2 logical CPUs", ("--devices=cpu:2",))
        return [("one GPU", why), ("all GPUs", why), (two.name, two)]
    name = f"all GPUs ({number})"
    several = Devices(name, ("--devices=all",)) if number > 1 else "there is only one"
    return [(ONE_GPU.name, ONE_GPU), (name, several)]


def _parity(machine: Machine, quick: bool) -> str:
    paths = QUICK_PARITY if quick else ()
    said = machine.python(
        *("-m", "pytest", "-q", "-p", "no:cacheprovider", "-m", "parity", *paths),
        environment={**_EXACT, **machine.single.environment},
    )
    return said.splitlines()[-1].strip("= ")


def _searched(machine: Machine, space: str, devices: Devices | str, quick: bool) -> str:
    if isinstance(devices, str):
        raise Skip(devices)
    return score_of(machine.search(space, devices.name, devices, quick))


def _same_bits(machine: Machine, space: str, quick: bool) -> str:
    first, second = (
        outcome_of(machine.search(space, label, machine.single, quick, "--deterministic"))
        for label in ("first", "second")
    )
    if first != second:
        raise Failure("two searches with --deterministic ended differently")
    return "two searches with --deterministic ended with the same digits"


def _held(machine: Machine, quick: bool) -> str:
    def run(choice: str) -> tuple[tuple[str, str], float]:
        started = time.monotonic()
        flags = ("--deterministic", f"--data_on_device={choice}")
        found = machine.search(SPACES[0], f"held {choice}", machine.single, quick, *flags)
        return outcome_of(found), time.monotonic() - started

    (host, seconds_of_host), (held, seconds) = run("no"), run("yes")
    # On a GPU another device computes the same, and may round otherwise.
    same = "the same digits as" if host == held else "other digits than"
    return (
        f"{same} with batches made on the host; the search took {seconds:.0f} s, with these "
        f"{seconds_of_host:.0f} s"
    )


def _precise(machine: Machine, space: str, precision: str, quick: bool) -> str:
    flag = f"--precision={precision}"
    try:
        return score_of(machine.search(space, precision, machine.single, quick, flag))
    except Failure as failure:
        if "Unknown command line flag 'precision'" in str(failure):
            raise Skip("this version has no --precision") from failure
        raise


def _speeds(
    machine: Machine, space: str, quick: bool, pytorch: pathlib.Path | None
) -> Iterator[Check]:
    """Yields the measurements of a space, which are compared with each other."""
    step: dict[str, float] = {}
    small = SMALL_BENCHMARK[space] if quick else ()

    def measured(key: str, devices: Devices, *flags: str) -> str:
        said = machine.command(
            "benchmark",
            *(f"--space={space}", "--json", *small, *devices.flags, *flags),
            environment=devices.environment,
        )
        result = json.loads(said.splitlines()[-1])
        step[key] = result["supernet_step_seconds"]
        return (
            f"step {step[key]:.4f} s, {result['ratio']:.2f} of the plain network's, "
            f"reward {result['reward_pass_seconds']:.4f} s"
        )

    def on_gpu() -> str:
        _need_gpu(machine)
        text = measured(ONE_GPU.name, ONE_GPU)
        if CPU.name not in step:
            return text
        return f"{text}, {step[CPU.name] / step[ONE_GPU.name]:.1f} times as fast as the CPU"

    def update() -> str:
        _need_gpu(machine)
        for choice in ("no", "yes"):
            measured(choice, ONE_GPU, f"--compiled_update={choice}")
        return f"step {step['yes']:.4f} s compiled, {step['no']:.4f} s not"

    def beside_pytorch() -> str:
        if importlib.util.find_spec("torch") is None:
            raise Skip("PyTorch is not installed")
        if pytorch is None:
            raise Skip("--pytorch=DIR names the scripts")
        script = str(pytorch / f"torch_{space}.py")
        arguments = ("-c", _TORCH_ON_GPU, script) if machine.gpus else (script,)
        said = machine.python(*arguments, environment=machine.single.environment)
        seconds, own = float(said.splitlines()[0].split()[-1]), step.get(machine.single.name)
        ratio = "" if own is None else f", of which ours is {own / seconds:.2f}"
        return f"step {seconds:.4f} s{ratio}"

    yield Check(f"speed, {space}", CPU.name, lambda: measured(CPU.name, CPU))
    yield Check(f"speed, {space}", ONE_GPU.name, on_gpu)
    yield Check(f"compiled update, {space}", ONE_GPU.name, update)
    yield Check(f"PyTorch, {space}", machine.single.name, beside_pytorch)


def _need_gpu(machine: Machine) -> None:
    if not machine.gpus:
        raise Skip("TensorFlow sees no GPU")


def table(facts: Mapping[str, Any], rows: Sequence[Row]) -> str:
    """Returns what was found out in Markdown.

    Args:
      facts: of the machine.
      rows: of the table.
    """
    gpus = ", ".join(facts["gpus"]) or "none that TensorFlow sees"
    build = "".join(
        f", {name} {facts[key]}"
        for name, key in (("CUDA", "cuda"), ("cuDNN", "cudnn"))
        if facts.get(key)
    )
    lines = [
        f"GPUs: {gpus}. TensorFlow {facts['tensorflow']}{build}, Python {facts['python']}. "
        f"{datetime.date.today().isoformat()}.",
        "",
        "| check | devices | result | what came out | seconds |",
        "|---|---|---|---|---|",
    ]
    for row in rows:
        figure = row.figure.replace("|", "\\|")
        lines.append(
            f"| {row.check} | {row.devices} | {row.result} | {figure} | {row.seconds:.0f} |"
        )
    return "\n".join(lines)


def main(argv: Sequence[str] | None = None) -> int:
    """Makes all checks; returns 1 if one of them failed."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--quick", action="store_true", help="as small as they can be")
    parser.add_argument("--pytorch", type=pathlib.Path, help="folder of the scripts for PyTorch")
    parser.add_argument("--output", type=pathlib.Path, help="file for the table, too")
    arguments = parser.parse_args(argv)
    with tempfile.TemporaryDirectory(prefix="gpu_check_") as folder:
        machine = Machine(pathlib.Path(folder))
        rows = []
        for check in checks(machine, arguments.quick, arguments.pytorch):
            print(f"{check.name} on {check.devices} ...", file=sys.stderr, flush=True)
            rows.append(check.row())
            print(f"  {rows[-1].result}: {rows[-1].figure}", file=sys.stderr, flush=True)
    text = table(machine.facts, rows)
    print(text)
    if arguments.output is not None:
        arguments.output.write_text(f"{text}\n", encoding="utf-8")
    return int(any(row.result == FAILED for row in rows))


if __name__ == "__main__":
    sys.exit(main())
