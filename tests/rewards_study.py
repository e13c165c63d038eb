"""Searches rewarded for accuracy beside searches rewarded for macro F1, where a class is rare.

    python -m tests.rewards_study --seeds=3

The rare class are the eights among the embedded digits, the other one are ten times as many of the
other digits. Every search is the small one of the macro space, shortened; what it found is trained
from scratch as briefly, with the same loss. Prints a line of JSON for each, with what the final
network is worth on the test part, and a table of means and standard deviations over the seeds.
"""

import argparse
import json
import statistics
import tempfile
from collections.abc import Sequence
from typing import Any

import numpy as np

import enas_tf

RARE, RATIO = 8, 10
NAMES = ("other", "eight")
# By name, the settings of the search that differ.
FORMS: dict[str, dict[str, Any]] = {
    "accuracy": {"reward_metric": "accuracy"},
    "macro F1": {"reward_metric": "macro_f1"},
    "accuracy, balanced loss": {
        "reward_metric": "accuracy",
        "loss": enas_tf.LossConfig(class_weights="balanced"),
    },
    "macro F1, balanced loss": {
        "reward_metric": "macro_f1",
        "loss": enas_tf.LossConfig(class_weights="balanced"),
    },
}
NUMBERS = ("recall of eight", "recall of other", "macro F1", "accuracy")


def imbalanced(pictures: Any, labels: np.ndarray) -> tuple[Any, np.ndarray]:
    """Returns the pictures of which one in eleven is an eight, in their order."""
    is_rare = labels == RARE
    number = min(is_rare.sum(), (~is_rare).sum() // RATIO)
    kept = np.where(is_rare, np.cumsum(is_rare) <= number, np.cumsum(~is_rare) <= RATIO * number)
    return pictures[kept], is_rare[kept].astype(np.int32)


def data_of(digits: Any) -> enas_tf.ImageData:
    """Returns the imbalanced set; a third of its training part validates."""
    train, test = (imbalanced(*digits.part(part)) for part in ("train_and_validation", "test"))
    config = enas_tf.DataConfig(
        validation_size=len(train[1]) // 3, split="stratified", flip=False, crop_padding=1
    )
    return enas_tf.ImageData.from_arrays(
        *train, *test, label_names=NAMES, name="rare_eights", config=config
    )


def measure(form: str, seed: int, epochs: int) -> dict[str, Any]:
    """Searches, trains what was found, and returns what it is worth.

    Args:
      form: a key of `FORMS`.
      seed: of the search and of the training.
      epochs: of either.
    """
    preset, final = enas_tf.search_presets("macro")["smoke"], enas_tf.retrain_presets("macro")
    data = data_of(enas_tf.load_images("digits"))
    search = preset.search.replace(
        seed=seed,
        # So that a minibatch has some eights.
        reward_batch_size=128,
        shared_weights=preset.search.shared_weights.replace(epochs=epochs),
        **FORMS[form],
    )
    retrain = final["smoke"].retrain
    retrain = retrain.replace(
        seed=seed, training=retrain.training.replace(epochs=epochs), loss=search.loss
    )
    with tempfile.TemporaryDirectory() as folder:
        result = enas_tf.search(
            preset.space.for_data(data), data, search, f"{folder}/run", verbose=False
        )
    model = enas_tf.retrain(
        result.architecture, data, retrain, final["smoke"].network, verbose=False
    )
    test = enas_tf.evaluate(model, data)
    other, eight = test.classes
    values = (eight.recall, other.recall, test.macro_f1, test.accuracy)
    return {"form": form, "seed": seed, **dict(zip(NUMBERS, values))}


def table(rows: Sequence[dict[str, Any]]) -> str:
    """Returns means and standard deviations over the seeds, a line for each form."""
    lines = [f"{'rewarded for':<26}" + "".join(f"{name:>18}" for name in NUMBERS)]
    for form in dict.fromkeys(row["form"] for row in rows):
        cells = []
        for name in NUMBERS:
            values = [row[name] for row in rows if row["form"] == form]
            spread = statistics.stdev(values) if len(values) > 1 else 0.0
            cells.append(f"{statistics.mean(values):.3f} ± {spread:.3f}")
        lines.append(f"{form:<26}" + "".join(f"{cell:>18}" for cell in cells))
    return "\n".join(lines)


def main(argv: Sequence[str] | None = None) -> None:
    """Runs the command."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--first_seed", type=int, default=0)
    parser.add_argument("--epochs", type=int, default=8)
    parser.add_argument("--forms", nargs="*", choices=FORMS, default=list(FORMS)[:2])
    options = parser.parse_args(argv)
    rows = []
    for seed in range(options.first_seed, options.first_seed + options.seeds):
        for form in options.forms:
            rows.append(measure(form, seed, options.epochs))
            print(json.dumps(rows[-1]), flush=True)
    print(table(rows))


if __name__ == "__main__":
    main()
