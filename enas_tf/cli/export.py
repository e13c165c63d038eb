"""`enas-export`: writes a trained classifier in another format."""

import pathlib
import sys
from collections.abc import Sequence

from enas_tf.cli.app import run_command
from enas_tf.cli.flags import CommandFlags
from enas_tf.cli.start_up import load_tensorflow

NAME = "enas-export"
SUMMARY = "writes a trained classifier as a SavedModel, for Keras, TFLite or ONNX."

# The formats of `enas_tf.export`, which needs TensorFlow, and what each writes into the folder.
FILES = {
    "saved_model": "saved_model",
    "keras": "model.keras",
    "tflite": "model.tflite",
    "onnx": "model.onnx",
}


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command and returns its exit code."""
    return run_command(NAME, _export, argv)


def _export(argv: Sequence[str]) -> None:
    command = CommandFlags(NAME, SUMMARY)
    command.add(
        "Export",
        "run",
        str,
        None,
        "Output folder of a retraining.",
        required=True,
    )
    command.add(
        "Export",
        "format",
        str,
        "saved_model",
        "What to write; onnx needs the package tf2onnx.",
        metadata={"choices": tuple(FILES)},
    )
    command.add(
        "Export",
        "output",
        str | None,
        None,
        "File, or for saved_model folder, to write (default: into the folder of the retraining).",
    )
    command.add("Export", "overwrite", bool, False, "Replace what is there.")
    command.parse(argv)
    name = command["format"]
    path = command["output"] or pathlib.Path(command["run"]) / FILES[name]

    load_tensorflow()
    from enas_tf.export import export, load_model

    model = load_model(command["run"])
    print(f"Wrote {export(model, path, format=name, overwrite=command['overwrite'])}")


if __name__ == "__main__":
    sys.exit(main())
