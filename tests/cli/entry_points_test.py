import pathlib
import re
import signal
import subprocess
import sys

import pytest

from enas_tf.cli import benchmark, entry_points, search

SETUP = pathlib.Path(__file__).parents[2] / "setup.py"
# Ctrl-C while a library is imported that turns the exception into one of its own.
INTERRUPTED = """
import importlib, signal, sys
from enas_tf.cli import entry_points
def import_module(name):
    try:
        signal.raise_signal(int(sys.argv[1]))
    except KeyboardInterrupt:
        raise ImportError("is the library installed?")
importlib.import_module = import_module
sys.exit(entry_points.search())
"""


def test_every_command_has_a_function():
    commands = re.search(r"COMMANDS = \((.*?)\)", SETUP.read_text(), re.DOTALL)[1]
    for name in re.findall(r'"(\w+)"', commands):
        assert callable(getattr(entry_points, name))


def test_the_exit_code_is_passed_on(monkeypatch):
    monkeypatch.setattr(search, "main", lambda: 143)
    assert entry_points.search() == 143


def test_an_interruption_outside_of_the_command_is_one_line(monkeypatch, capsys):
    def main():
        raise KeyboardInterrupt

    monkeypatch.setattr(benchmark, "main", main)
    assert entry_points.benchmark() == 130
    assert capsys.readouterr().err == "enas-benchmark: interrupted\n"


@pytest.mark.parametrize(
    ("number", "code", "word"),
    [
        (signal.SIGINT, 130, "interrupted"),
        (signal.SIGTERM, 143, "terminated"),
        (signal.SIGHUP, 129, "terminated"),
    ],
)
def test_an_interruption_while_the_command_is_imported_is_one_line(number, code, word):
    result = subprocess.run(
        [sys.executable, "-c", INTERRUPTED, str(int(number))], capture_output=True, text=True
    )
    assert (result.returncode, result.stderr) == (code, f"enas-search: {word}\n")
