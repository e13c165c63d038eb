"""`enas-pack`: writes a dataset of pictures once, so that larger ones than the memory are fast."""

import os
import sys
from collections.abc import Sequence

from enas_tf.cli.app import run_command
from enas_tf.cli.flags import CommandFlags
from enas_tf.errors import ConfigurationError
from enas_tf.files.places import user_path
from enas_tf.settings.data import DataConfig
from enas_tf.settings.groups import Group

NAME = "enas-pack"
SUMMARY = (
    "writes a dataset of pictures to a .npz file, in which any picture can be had without decoding "
    "it: enas-pack DATASET FILE.npz. Needed once for datasets of TensorFlow Datasets that are "
    "larger than the memory, and fast for files that are trained on for many epochs."
)
_SETTINGS = ("dataset", "data_dir", "image_size", "resize", "background")


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command and returns its exit code."""
    return run_command(NAME, _pack, argv)


def _pack(argv: Sequence[str]) -> None:
    base = DataConfig()
    command = CommandFlags(NAME, SUMMARY, positional=("dataset", "output"))
    exclude = [name for name in vars(base) if name not in _SETTINGS]
    command.add_settings(Group.DATA, base, exclude=exclude)
    command.add(Group.OUTPUT, "output", str, None, "The .npz file to write.", required=True)
    command.add(Group.OUTPUT, "overwrite", bool, False, "Replace what is there.")
    command.parse(argv)
    if not command.given("dataset"):
        raise ConfigurationError("`--dataset` is required. Name what is to be packed.")
    path = user_path(command["output"])
    if path.suffix != ".npz":
        raise ConfigurationError(f"The name of the file must end in .npz. Received: {path}.")
    if os.path.lexists(path) and not (command["overwrite"] and os.path.isfile(path)):
        raise ConfigurationError(f"{path} exists already; give another path, or --overwrite.")

    from enas_tf.data.images.loading import load_arrays
    from enas_tf.data.images.packing import pack, part_sizes
    from enas_tf.environment.progress import Progress

    # Nothing is read before it is written.
    arrays = load_arrays(command.settings(base).replace(memory_limit=0))
    sizes = part_sizes(arrays)
    progress = Progress({"pictures": sum(sizes.values())})
    pack(arrays, path, lambda count: progress.update("pictures", count))
    progress.close()
    told = ", ".join(f"{size:,} {part}" for part, size in sizes.items())
    height, width, channels = arrays.x_train.shape[1:]
    print(f"Wrote {path}: {told} pictures of {height} x {width} x {channels}.")


if __name__ == "__main__":
    sys.exit(main())
