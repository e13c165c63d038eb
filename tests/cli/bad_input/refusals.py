"""What the tests of bad input share: commands, and the check that they refuse something."""

import importlib
import os
import pathlib
import re

import numpy as np
import pytest

LONG = 5000 * "a"

_MACRO = ("--space=macro", "--preset=smoke", "--output_dir=out")
_MICRO = ("--space=micro", *_MACRO[1:])
_RNN = ("--space=rnn", *_MACRO[1:])
_PICTURES = ("--dataset=good.npz", "--batch_size=8")
_TEXT = ("--dataset=good.txt", "--batch_size=8")
SEARCH = ("search", *_MACRO, *_PICTURES)
RETRAIN = ("retrain", *_MACRO, *_PICTURES)
MICRO_SEARCH = ("search", *_MICRO, *_PICTURES)
MICRO_RETRAIN = ("retrain", *_MICRO, *_PICTURES)
RNN_SEARCH = ("search", *_RNN, *_TEXT)
RNN_RETRAIN = ("retrain", *_RNN, *_TEXT)

_WORDS = np.array([f"word{number}" for number in range(50)])


class Command:
    """A pickle that creates the file `executed` in the current directory when it is obeyed."""

    def __reduce__(self):
        return os.system, ("touch executed",)


def cases(table):
    """Parametrises a test with commands and what their messages must contain."""
    return pytest.mark.parametrize(
        ("argv", "message"),
        [pytest.param(argv, message, id=" ".join(argv)[-80:]) for argv, message in table],
    )


def split(table):
    """Returns cases whose commands are written as a name and a line of flags."""
    return [((name, *flags.split()), message) for name, flags, message in table]


def contents(folder):
    """Returns what would show that something in a folder was changed; a log may grow."""
    return {
        path: (path.stat().st_mtime_ns, path.stat().st_size) if path.is_file() else None
        for path in folder.rglob("*")
        if path.name != "log.txt"
    }


def after_start(errors):
    """Returns what a command says on stderr besides what it runs on, as it loads TensorFlow."""
    return re.sub(r"^enas-\w+: runs on .*\n", "", errors)


def assert_refused(argv, message, capsys):
    """Runs a command in the current directory: one line, exit code 2, nothing changed."""
    name, *flags = argv
    before = contents(pathlib.Path.cwd())
    assert importlib.import_module(f"enas_tf.cli.{name}").main(flags) == 2
    out, errors = capsys.readouterr()
    errors = after_start(errors)
    assert errors.startswith(f"enas-{name}: error: ")
    assert errors.count("\n") == 1
    assert message in errors
    assert out == ""
    assert contents(pathlib.Path.cwd()) == before


def write_npz(path, classes=2, shape=(6, 6, 1), **changes):
    """Writes 60 training and 10 test pictures; an array that is None is left out."""
    generator = np.random.default_rng(0)
    arrays = {
        "x_train": generator.integers(0, 256, (60, *shape), np.uint8),
        "y_train": np.arange(60) % classes,
        "x_test": generator.integers(0, 256, (10, *shape), np.uint8),
        "y_test": np.arange(10) % classes,
        **changes,
    }
    np.savez(path, **{name: array for name, array in arrays.items() if array is not None})


def text_of(lines, words_a_line=12):
    """Returns lines of random words."""
    generator = np.random.default_rng(0)
    words = generator.choice(_WORDS, (lines, words_a_line))
    return "".join(" ".join(line) + "\n" for line in words)


def write_common(world):
    """Writes good pictures and a good text, and folders and files that are neither."""
    write_npz(world / "good.npz")
    (world / "good.txt").write_text(text_of(200))
    (world / "text.txt").write_text("hello")
    (world / "empty_folder").mkdir()
    (world / "thesis").mkdir()
    (world / "thesis" / "thesis.tex").write_text("years of work")
