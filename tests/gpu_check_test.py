"""What `tests.gpu_check` does and says, on made-up machines whose commands end at once."""

import json
import pathlib
import subprocess
import types

import pytest

from enas_tf.cli import benchmark, search
from enas_tf.spaces.registry import get_space
from tests import gpu_check
from tests.gpu_check import FAILED, PASSED, SKIPPED, Machine, Row

PRECISION = "error: Unknown command line flag 'precision'."
STEPS = {"CPU": 0.5, "GPU": 0.05}


class Commands:
    """Stands in for `subprocess.run`: knows what each command would print and write."""

    def __init__(self, gpus, different=False, failing=()):
        self.gpus = gpus
        self.different = different
        self.failing = failing
        self.searches = []

    def __call__(self, arguments, *, env, **_):
        def ended(code=0, stdout="", stderr=""):
            return types.SimpleNamespace(returncode=code, stdout=stdout, stderr=stderr)

        words = arguments[1:]
        if words[0] == "-c":
            facts = {"gpus": self.gpus, "tensorflow": "2.21.0", "python": "3.11", "cuda": "12.5.1"}
            return ended(stdout=f"a line\n{json.dumps(facts)}\n")
        name = words[1].rpartition(".")[2]
        if name in self.failing:
            return ended(1, stderr="something broke\n")
        if name == "pytest":
            return ended(stdout="....\n===== 4 passed in 1.0s =====\n")
        if name == "benchmark":
            step = STEPS["CPU" if env.get("CUDA_VISIBLE_DEVICES") == "-1" else "GPU"]
            seconds = {"supernet_step_seconds": step, "reward_pass_seconds": 0.1, "ratio": 1.0}
            return ended(stdout=json.dumps(seconds))
        if any("--precision" in word for word in words):
            return ended(2, stderr=f"enas-search: {PRECISION}\n")
        return self._search(words) or ended()

    def _search(self, words):
        self.searches.append(words)
        folder = pathlib.Path(words[-1].partition("=")[2])
        folder.mkdir(parents=True)
        number = len(self.searches) if self.different else 0
        best = {"score_kind": "shared_weights_validation_accuracy", "score": 0.5 + number / 100}
        (folder / "best_architecture.json").write_text(json.dumps(best))
        (folder / "architectures.jsonl").write_text(f"{number}\n")


def _rows(tmp_path, gpus=(), quick=False, pytorch=None, **options):
    commands = Commands(list(gpus), **options)
    machine = Machine(tmp_path, commands)
    rows = [check.row() for check in gpu_check.checks(machine, quick, pytorch)]
    return {(row.check, row.devices): (row.result, row.figure) for row in rows}, commands


@pytest.fixture(autouse=True)
def _without_pytorch(monkeypatch):
    monkeypatch.setattr(gpu_check.importlib.util, "find_spec", lambda name: None)


def test_without_a_gpu_it_says_what_it_skipped(tmp_path):
    rows, commands = _rows(tmp_path, quick=True)
    why = (SKIPPED, "TensorFlow sees no GPU")
    for space in ("macro", "micro", "rnn"):
        assert rows[f"search, {space}", "one GPU"] == why
        assert rows[f"search, {space}", "all GPUs"] == why
        score = (PASSED, "shared weights validation accuracy 0.5000")
        assert rows[f"search, {space}", "2 logical CPUs"] == score
    assert rows["speed, macro", "one GPU"] == rows["compiled update, macro", "one GPU"] == why
    assert rows["PyTorch, macro", "CPU"] == (SKIPPED, "PyTorch is not installed")
    assert rows["--precision=bfloat16, macro", "CPU"][0] == SKIPPED
    assert rows["parity with the release", "CPU"] == (PASSED, "4 passed in 1.0s")
    assert sum("--devices=cpu:2" in words for words in commands.searches) == 3
    assert all("--epochs=1" in words for words in commands.searches)


def test_with_gpus_all_of_them_search_and_are_measured(tmp_path):
    rows, commands = _rows(tmp_path, gpus=["A", "A"])
    assert rows["search, rnn", "all GPUs (2)"][0] == PASSED
    assert sum("--devices=all" in words for words in commands.searches) == 3
    assert rows["speed, micro", "one GPU"][1].endswith("10.0 times as fast as the CPU")
    assert rows["compiled update, rnn", "one GPU"] == (
        PASSED,
        "step 0.0500 s compiled, 0.0500 s not",
    )
    assert rows["--precision=float16, rnn", "one GPU"] == (
        SKIPPED,
        "this version has no --precision",
    )


def test_all_of_one_gpu_are_no_more_than_one(tmp_path):
    rows, _ = _rows(tmp_path, gpus=["A"], quick=True)
    assert rows["search, macro", "all GPUs (1)"] == (SKIPPED, "there is only one")


def test_searches_that_shall_end_alike_and_do_not_have_failed(tmp_path):
    rows, _ = _rows(tmp_path, quick=True, different=True)
    assert rows["twice the same bits, macro", "CPU"][0] == FAILED
    # Another device may round otherwise.
    result, figure = rows["pictures on the device", "CPU"]
    assert result == PASSED
    assert figure.startswith("other digits than with batches made on the host; the search took 0 s")


def test_pytorch_is_compared_where_it_is(tmp_path, monkeypatch):
    monkeypatch.setattr(gpu_check.importlib.util, "find_spec", lambda name: name)
    rows, _ = _rows(tmp_path / "a", quick=True)
    assert rows["PyTorch, macro", "CPU"] == (SKIPPED, "--pytorch=DIR names the scripts")
    scripts = tmp_path / "scripts"
    scripts.mkdir()
    (scripts / "torch_macro.py").write_text("print('torch mixed', 1.0)\nprint('eval', 9)\n")

    class Real(Commands):
        def __call__(self, arguments, **options):
            run = subprocess.run if arguments[1].endswith(".py") else super().__call__
            return run(arguments, **options)

    machine = Machine(tmp_path / "b", Real([]))
    rows = [check.row() for check in gpu_check._speeds(machine, "macro", True, scripts)]
    assert rows[-1].figure == "step 1.0000 s, of which ours is 0.50"


def test_the_table_can_be_pasted():
    facts = {"gpus": ["NVIDIA L4"], "tensorflow": "2.21.0", "python": "3.11", "cuda": "12.5.1"}
    rows = [Row("speed, rnn", "one GPU", PASSED, "a|b", 1.6)]
    first, _, *lines = gpu_check.table(facts, rows).splitlines()
    assert first.startswith("GPUs: NVIDIA L4. TensorFlow 2.21.0, CUDA 12.5.1, Python 3.11. 20")
    assert lines == [
        "| check | devices | result | what came out | seconds |",
        "|---|---|---|---|---|",
        "| speed, rnn | one GPU | passed | a\\|b | 2 |",
    ]


@pytest.mark.parametrize(("failing", "code"), [((), 0), (("benchmark",), 1)])
def test_a_failure_is_told_by_the_exit_code(failing, code, monkeypatch, capsys, tmp_path):
    commands = Commands([], failing=failing)
    monkeypatch.setattr(
        gpu_check, "Machine", lambda folder, machine=Machine: machine(folder, commands)
    )
    assert gpu_check.main(["--quick", f"--output={tmp_path / 'table.md'}"]) == code
    table = (tmp_path / "table.md").read_text()
    assert capsys.readouterr().out == table
    assert ("| speed, macro | CPU | **failed** | code 1: something broke |" in table) == bool(code)


@pytest.mark.parametrize("space", gpu_check.SPACES)
def test_the_flags_of_small_commands_exist(space):
    entry = get_space(space)
    flags = search._flags(entry, "smoke")
    flags.parse([f"--space={space}", f"--dataset={gpu_check.DATA[space]}", *gpu_check.SMALL[space]])
    preset = entry.search_presets["smoke"]
    config = flags.settings(preset.search)
    flags.settings(preset.space)
    assert (config.shared_weights.epochs, config.policy.updates_per_epoch) == (1, 1)
    _, _, config = benchmark.settings_of([f"--space={space}", *gpu_check.SMALL_BENCHMARK[space]])
    assert config.shared_weights.batch_size > 1
