"""`enas-evaluate`: tests a trained classifier."""

import json
import sys
from collections.abc import Sequence

from enas_tf.cli.app import run_command
from enas_tf.cli.flags import CommandFlags
from enas_tf.cli.start_up import load_tensorflow
from enas_tf.config import DataConfig
from enas_tf.data.images import load_images, needs_tensorflow
from enas_tf.model_files import find_model

NAME = "enas-evaluate"
SUMMARY = "tests a trained and exported classifier on the test part of a dataset."


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command and returns its exit code."""
    return run_command(NAME, _evaluate, argv)


def _evaluate(argv: Sequence[str]) -> None:
    command = CommandFlags(NAME, SUMMARY)
    command.add(
        "Model",
        "model",
        str,
        None,
        "Output folder of a retraining, a .keras file, or a SavedModel folder.",
        required=True,
    )
    command.add(
        "Data",
        "dataset",
        str,
        None,
        "Name of an embedded or TensorFlow Datasets dataset, a .npz file, or a folder of class "
        "folders.",
        required=True,
    )
    command.add("Data", "data_dir", str | None, None, "Folder that holds the dataset's files.")
    command.add(
        "Data",
        "max_test_examples",
        int | None,
        None,
        "Use only this many examples of the test set.",
        metadata={"minimum": 1},
    )
    command.add(
        "Evaluation", "batch_size", int, 200, "Pictures in one pass.", metadata={"minimum": 1}
    )
    command.add("Evaluation", "json", bool, False, "Print a JSON object instead of a sentence.")
    command.parse(argv)
    config = DataConfig(
        dataset=command["dataset"],
        data_dir=command["data_dir"],
        max_test_examples=command["max_test_examples"],
    )

    find_model(command["model"])
    # Bad data are told before the seconds that TensorFlow takes, unless it must read them.
    early = None if needs_tensorflow(config) else load_images(config)

    load_tensorflow()
    from enas_tf.export import load_model
    from enas_tf.retrain.classifier import evaluate

    model = load_model(command["model"])
    data = early or load_images(config)
    test = evaluate(model, data, batch_size=command["batch_size"])
    results = {
        "test_accuracy": float(test.accuracy),
        "test_loss": float(test.loss),
        "test_examples": len(data.y_test),
    }
    if command["json"]:
        print(json.dumps(results))
        return
    print(
        f"Test accuracy: {results['test_accuracy']:.4f} (loss {results['test_loss']:.4f}, "
        f"{results['test_examples']:,} examples of {config.dataset})"
    )


if __name__ == "__main__":
    sys.exit(main())
