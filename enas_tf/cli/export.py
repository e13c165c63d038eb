"""`enas-export`: writes a trained model in another format."""

import sys
from collections.abc import Sequence

from enas_tf.cli.app import run_command
from enas_tf.cli.common import add_model_flag
from enas_tf.cli.flags import CommandFlags
from enas_tf.cli.start_up import load_tensorflow
from enas_tf.errors import ConfigurationError
from enas_tf.files.places import user_path
from enas_tf.models.files import FORMATS, check_target, find_model
from enas_tf.settings.groups import Group

NAME = "enas-export"
SUMMARY = "writes a trained model as a SavedModel, for Keras, TFLite or ONNX."


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command and returns its exit code."""
    return run_command(NAME, _export, argv)


def _export(argv: Sequence[str]) -> None:
    command = CommandFlags(NAME, SUMMARY)
    add_model_flag(command, "run")
    command.add(
        Group.OUTPUT,
        "format",
        str,
        "saved_model",
        "What to write; onnx needs the package tf2onnx.",
        choices=tuple(FORMATS),
    )
    command.add(
        Group.OUTPUT,
        "output",
        str | None,
        None,
        "File, or for saved_model folder, to write (default: into the folder of the retraining).",
    )
    command.add(Group.OUTPUT, "overwrite", bool, False, "Replace what is there.")
    command.parse(argv)
    name = command["format"]
    run = user_path(command["run"])
    find_model(run)
    if command["output"] is None and not run.is_dir():
        raise ConfigurationError(
            f"`--output` must say what to write, since {run} is not the folder of a retraining."
        )
    path = command["output"] or run / FORMATS[name]
    check_target(path, name, command["overwrite"])

    load_tensorflow()
    from enas_tf.models.export import export, load_model

    model = load_model(run)
    print(f"Wrote {export(model, path, format=name, overwrite=command['overwrite'])}")


if __name__ == "__main__":
    sys.exit(main())
