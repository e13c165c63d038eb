"""Makes interrupted runs with the code that is on Python's path, for `tests/golden_runs_test.py`.

    cd tests/golden_runs/VERSION
    PYTHONPATH=CHECKOUT_OF_THAT_VERSION python ../make.py [CASE …]

Each case gets a folder with the command (`case.json`), the run as SIGTERM left it in the middle of
an epoch (`run`), and what the same command wrote undisturbed (`expected`). Numbers are those of the
machine and the TensorFlow that made them.
"""

import importlib
import json
import os
import pathlib
import random
import shutil
import signal
import sys
import tempfile
from typing import Any

WORDS = [
    "the",
    "a",
    "red",
    "blue",
    "old",
    "cat",
    "dog",
    "bird",
    "sees",
    "likes",
    "finds",
    "one",
    "big",
    "tree",
    "and",
    "or",
    "near",
    "far",
    ".",
]
TEXTS = {"train": 1200, "valid": 300, "test": 300}

_SEARCH = (
    "--preset=smoke",
    "--epochs=2",
    "--controller_updates_per_epoch=2",
    "--controller_samples_per_update=2",
    "--controller_lstm_size=8",
    "--derive_num_candidates=3",
)
_DIGITS = ("--dataset=digits", "--max_train_examples=256", "--batch_size=32")
_TEXTS = ("--dataset=../texts", "--batch_size=4")
# Of each case: the command, its arguments, and the step before which the signal comes.
CASES: dict[str, tuple[str, tuple[str, ...], int]] = {
    "macro_search": (
        "search",
        ("--space=macro", *_SEARCH, *_DIGITS, "--num_layers=2", "--filters=4"),
        10,
    ),
    "micro_search": (
        "search",
        (
            *("--space=micro", *_SEARCH, *_DIGITS),
            *("--num_layers=1", "--num_nodes=1", "--filters=2", "--auxiliary_weight=0"),
        ),
        10,
    ),
    "rnn_search": (
        "search",
        ("--space=rnn", *_SEARCH, *_TEXTS, "--num_nodes=2", "--hidden_size=8"),
        10,
    ),
    "macro_retrain": (
        "retrain",
        (
            *("--space=macro", "--preset=smoke", *_DIGITS, "--architecture=0 3 1"),
            *("--filters=4", "--epochs=2", "--max_test_examples=100"),
        ),
        10,
    ),
    # The average of the weights begins after the second epoch.
    "rnn_retrain": (
        "retrain",
        (
            *("--space=rnn", "--preset=smoke", *_TEXTS, "--architecture=0 0 1 1 1 2"),
            *("--hidden_size=8", "--epochs=4", "--averaging_patience=0"),
            *("--learning_rate=20", "--final_learning_rate=20"),
        ),
        22,
    ),
}
# What is compared, of either command.
EXPECTED = ("metrics.jsonl", "architectures.jsonl", "best_architecture.json", "results.json")


def write_texts(folder: pathlib.Path) -> None:
    """Writes a small text of made-up sentences."""
    generator = random.Random(0)
    folder.mkdir(exist_ok=True)
    for part, count in TEXTS.items():
        words = " ".join(generator.choice(WORDS) for _ in range(count)).replace(" . ", " .\n")
        (folder / f"{part}.txt").write_text(words + "\n")


class SignalBefore:
    """Sends SIGTERM to this process before a step of a search or of a final training."""

    def __init__(self) -> None:
        self.step: int | None = None
        weights = importlib.import_module("enas_tf.searching.shared_weights").SharedWeights
        self._wrap(weights, "train", lambda arguments: arguments[3])
        for module, name in (("images", "ImageTraining"), ("texts", "TextTraining")):
            training = getattr(importlib.import_module(f"enas_tf.retrain.{module}"), name)
            self._wrap(training, "after_step", lambda arguments, of=training: arguments[0].step)

    def _wrap(self, owner: type, name: str, step_of: Any) -> None:
        original = getattr(owner, name)

        def wrapped(instance: Any, *arguments: Any) -> Any:
            if step_of((instance, *arguments)) == self.step:
                os.kill(os.getpid(), signal.SIGTERM)
            return original(instance, *arguments)

        setattr(owner, name, wrapped)


def main() -> None:
    """Makes the cases that the arguments name, or all, in the working folder."""
    os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
    folder = pathlib.Path.cwd()
    write_texts(folder / "texts")
    signals = SignalBefore()
    for name in sys.argv[1:] or CASES:
        command, arguments, step = CASES[name]
        case = folder / name
        shutil.rmtree(case, ignore_errors=True)
        case.mkdir()
        run = importlib.import_module(f"enas_tf.cli.{command}").main
        document = {"command": command, "arguments": arguments}
        (case / "case.json").write_text(json.dumps(document, indent=2) + "\n")
        # Relative names only, so that the run knows nothing of this machine.
        os.chdir(case)
        signals.step = step
        code = run([*arguments, "--output_dir=run"])
        if code != 128 + signal.SIGTERM:
            raise SystemExit(f"{name} was not interrupted, but ended with {code}.")
        signals.step = None
        (case / "expected").mkdir()
        with tempfile.TemporaryDirectory(dir=case) as undisturbed:
            if run([*arguments, f"--output_dir={os.path.relpath(undisturbed)}/run"]) != 0:
                raise SystemExit(f"{name} failed.")
            for file in EXPECTED:
                path = pathlib.Path(undisturbed) / "run" / file
                if path.exists():
                    shutil.copy(path, case / "expected")
        # Names of event files hold the machine's name.
        for number, path in enumerate(sorted((case / "run").rglob("*tfevents*"))):
            path.rename(path.with_name(f"events.out.tfevents.{number}.machine"))


if __name__ == "__main__":
    main()
