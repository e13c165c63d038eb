"""`enas-predict`: what a trained classifier says of pictures."""

import contextlib
import sys
from collections.abc import Sequence

from enas_tf.cli.app import run_command
from enas_tf.cli.common import add_model_flag, check_output_file
from enas_tf.cli.flags import CommandFlags
from enas_tf.cli.start_up import load_tensorflow
from enas_tf.data.images.files import COMMENTS
from enas_tf.data.images.finding import find_pictures
from enas_tf.environment.console import native_lines_aside, say
from enas_tf.environment.progress import Progress
from enas_tf.errors import ConfigurationError, DataError
from enas_tf.files.places import user_path
from enas_tf.files.writing import write_text
from enas_tf.models.files import LANGUAGE_MODEL, kind_of
from enas_tf.reporting.predictions import FORMATS
from enas_tf.settings.groups import Group

NAME = "enas-predict"
SUMMARY = (
    "tells what a trained classifier takes pictures for. Pictures of any size are brought to the "
    "model's size exactly as in training."
)
# Fewer are done before anybody asks how far it is.
_WITH_PROGRESS = 500


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command and returns its exit code."""
    return run_command(NAME, _predict, argv, memory_advice="make --batch_size smaller")


def _predict(argv: Sequence[str]) -> None:
    command = _flags()
    command.parse(argv)
    output = command["output"]
    if output is not None:
        check_output_file("output", output)
    if kind_of(command["model"]) == LANGUAGE_MODEL:
        raise ConfigurationError(
            f"{command['model']} is a language model; enas-generate goes on with texts."
        )
    files, num_others = find_pictures(command["pictures"])
    if num_others:
        these = "1 file that is no picture by its name"
        if num_others > 1:
            these = f"{num_others:,} files that are no pictures by their names"
        say(f"{NAME}: left out {these}")

    load_tensorflow()
    from enas_tf.models.export import load_model
    from enas_tf.models.prediction import Predictions, Predictor

    predictor = Predictor(load_model(command["model"]), command["batch_size"])
    read, rows, errors = [], [], []
    is_long = len(files) >= _WITH_PROGRESS
    with (
        native_lines_aside(COMMENTS) as stderr,
        contextlib.closing(
            Progress({"pictures": len(files)}, shown=is_long, stream=stderr)
        ) as progress,
    ):
        for file, row in predictor(files):
            if isinstance(row, DataError):
                errors.append(row)
            else:
                read.append(str(file))
                rows.append(row)
            progress.update("pictures")
    if rows:
        import numpy as np

        answers = Predictions(np.stack(rows), predictor.label_names, tuple(read), command["top"])
        text = FORMATS[command["format"]](answers)
        if output is None:
            print(text)
        else:
            write_text(user_path(output), f"{text}\n")
            print(f"Wrote {output}")
    if errors:
        # What could be read is told all the same.
        more = "" if len(files) == 1 else f" ({len(errors):,} of {len(files):,} files are left out)"
        raise DataError(f"{str(errors[0]).rstrip('.')}{more}.")


def _flags() -> CommandFlags:
    command = CommandFlags(NAME, SUMMARY, positional="pictures")
    add_model_flag(command)
    command.add(
        Group.START,
        "pictures",
        list[str],
        None,
        "File of a picture, or folder whose pictures at any depth are taken; may be given several "
        f"times, and --pictures= may be left out: {NAME} --model=MODEL FILE_OR_FOLDER ...",
        required=True,
    )
    command.add(
        Group.OUTPUT,
        "format",
        str,
        "table",
        "How it is told: a table for people, CSV, or a JSON list of objects with file, label, "
        "probability and top.",
        choices=tuple(FORMATS),
    )
    command.add(Group.OUTPUT, "top", int, 1, "Tell so many of the likeliest classes.", minimum=1)
    command.add(
        Group.OUTPUT, "output", str | None, None, "File to write (default: print the result)."
    )
    command.add(
        Group.HARDWARE,
        "batch_size",
        int,
        64,
        "Pictures in one pass; not many more are in memory.",
        minimum=1,
    )
    return command


if __name__ == "__main__":
    sys.exit(main())
