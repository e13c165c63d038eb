"""`enas-draw`: draws an architecture."""

import os
import pathlib
import sys
from collections.abc import Sequence
from typing import Any

from enas_tf.architectures import load_architecture
from enas_tf.cli.app import run_command
from enas_tf.cli.common import add_architecture_flag, add_space_flag, chosen_space
from enas_tf.cli.flags import CommandFlags, peek
from enas_tf.errors import ConfigurationError, RunDirectoryError
from enas_tf.reporting.draw import FORMATS, write_drawing
from enas_tf.runs import CONFIG, RunDirectory

NAME = "enas-draw"
SUMMARY = "draws an architecture as an SVG or PNG file."


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command and returns its exit code."""
    return run_command(NAME, _draw, argv)


def _draw(argv: Sequence[str]) -> None:
    entry = chosen_space(argv, peek(argv, ["architecture"])["architecture"])
    command = CommandFlags(NAME, SUMMARY)
    add_space_flag(command, "Drawing", entry)
    add_architecture_flag(command, "Drawing")
    command.add(
        "Drawing",
        "output",
        str,
        None,
        f"File to write; it ends in {' or '.join(FORMATS)}.",
        required=True,
    )
    # What a drawing needs to know of a space is what its drawings depend on.
    depends_on_shape = "input_shape" in entry.space().drawing_options()
    if depends_on_shape:
        command.add(
            "Drawing",
            "input_shape",
            tuple[int, ...] | None,
            None,
            "Height, width and channels of the pictures, which decide the number of reductions "
            "(default: of the run; 32,32,3 for other architectures).",
        )
    command.parse(argv)
    options: dict[str, Any] = {}
    if depends_on_shape:
        options["input_shape"] = _input_shape(command)
    architecture = load_architecture(command["architecture"], entry.name)
    path = write_drawing(architecture, pathlib.Path(command["output"]), **options)
    print(f"Wrote {path}")


def _input_shape(command: CommandFlags) -> tuple[int, ...]:
    shape = command["input_shape"] or _input_shape_of(command["architecture"])
    if len(shape) != 3 or min(shape) < 1:
        raise ConfigurationError(
            "`--input_shape` must be three positive integers (height, width, channels). "
            f"Received: --input_shape={','.join(map(str, shape))}"
        )
    return shape


def _input_shape_of(architecture: str) -> tuple[int, ...]:
    """Returns the size of the pictures of a run directory, else that of CIFAR-10."""
    # Unlike `Path.is_file` this takes texts that are too long for a path, as release strings are.
    if os.path.isfile(os.path.join(architecture, CONFIG)):
        configuration = RunDirectory(architecture).configuration
        for part in ("space", "data"):
            section = configuration.get(part)
            if isinstance(section, dict) and "input_shape" in section:
                shape = section["input_shape"]
                if isinstance(shape, list) and all(type(side) is int for side in shape):
                    return tuple(shape)
                raise RunDirectoryError(
                    f"{os.path.join(architecture, CONFIG)} is damaged: `input_shape` must be a "
                    f"list of integers. Received: {shape!r:.60}."
                )
    return (32, 32, 3)


if __name__ == "__main__":
    sys.exit(main())
